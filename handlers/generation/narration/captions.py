"""Captions of a whole video from the narrations of its scenes, as WebVTT and SRT. Pure.

What is said is cut into cues of at most two rows of 42 columns (a wide character takes two), at the ends of sentences
where it can be, timed by the words.

The words of a narration as they are written, marks included, each with its time. Pure.

Narrators tell of words as they hear them: a number in several pieces that overlap, two short words as one, a mark not
at all. They say at which character each begins, and by that alone, never by its text, it is found in the line. Every
character of the line gets a time: those at which something begins the time of it, the others one in between.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from typing import Final

from attrs import evolve, frozen

from handlers.generation.model import Narration, SpokenLine
from handlers.generation.time_grid import seconds_of

#: Control characters, line and paragraph separators, byte order marks and lone surrogates.
_INVISIBLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")
_MARKS: Final = "。！？，、；：」』）"
_WRITTEN: Final = re.compile(r"\S+")


@frozen(kw_only=True)
class TimedWord:
    """A word, or a piece of a word too long for a row, with its time in seconds. `spaced`: a space follows."""

    text: str
    start_s: float
    end_s: float
    spaced: bool = True


def width(text: str) -> int:
    """Count the columns of a text: wide characters (UAX 11) take two, combining marks none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def timed_words(narration: Narration, columns: int) -> list[tuple[TimedWord, ...]]:
    """Time the words of each line that has any; pieces are at most `columns` wide.

    Where the speaker changes, the name comes before the words.
    """
    speakers = ["", *(line.speaker for line in narration.lines)]
    named = zip(narration.lines, speakers, strict=False)
    return [
        (*(_name(line, columns) if line.speaker != before else ()), *words)
        for line, before in named
        if (words := tuple(_line(line, columns)))
    ]


def _name(line: SpokenLine, columns: int) -> list[TimedWord]:
    """The words `Name:`, which take no time."""
    words = f"{line.speaker}:".split() if line.speaker.strip() else ()
    return [piece for word in words for piece in _pieces(word, [line.start_s] * (len(word) + 1), columns)]


def _line(line: SpokenLine, columns: int) -> Iterable[TimedWord]:
    text = _INVISIBLE.sub(" ", line.text)
    written = [match.span() for match in _WRITTEN.finditer(text)]
    times = _times(line, text, written)
    for (start, end), (following, _) in pairwise([*written, (len(text), 0)]):
        yield from _pieces(text[start:end], [*times[start:end], times[following]], columns)


def _times(line: SpokenLine, text: str, written: Sequence[tuple[int, int]]) -> list[float]:
    """Return the time of each character of `text` and of its end, rising from the line's start to its end."""
    known: dict[int, float] = {}
    for word in line.words:
        known.setdefault(word.position, word.start_s)
    known |= dict(_starts(text, written, known))
    if written:
        known[written[0][0]] = line.start_s
    known = {at: time for at, time in known.items() if 0 <= at < len(text) and not text[at].isspace()}
    known |= {0: line.start_s, len(text): line.end_s}
    places = sorted(known)
    starts = accumulate((min(max(known[at], line.start_s), line.end_s) for at in places), max)
    times: list[float] = []
    for (at, start_s), (following, end_s) in pairwise(zip(places, starts, strict=True)):
        lengths = [0 if character.isspace() else 1 for character in text[at:following]]
        total = max(1, sum(lengths))
        times += [start_s + (end_s - start_s) * before / total for before in accumulate(lengths, initial=0)][:-1]
    return [*times, line.end_s]


def _starts(text: str, written: Sequence[tuple[int, int]], known: dict[int, float]) -> Iterable[tuple[int, float]]:
    """Yield (first character, time) of each written word in which a spoken word begins.

    A spoken word that begins at the blank before a written word belongs to it if none begins at its first letter
    (espeak reports such a position after the point of an abbreviation); otherwise it belongs to the word before.
    """
    places, before = sorted(known), 0
    for start, end in written:
        following = bisect_left(places, start)
        own = next((at for at in places[following : following + 1] if at < end), None)
        blank = next((at for at in places[max(0, following - 1) : following] if at >= before), None)
        letter = next((at for at in range(start, end) if text[at].isalnum()), start)
        found = blank if own is None or (own > letter and blank is not None) else own
        if found is not None:
            yield start, known[found]
        before = end


def _pieces(text: str, times: Sequence[float], columns: int) -> list[TimedWord]:
    """Cut a word (or a text without spaces) into pieces that fit a row. `times`: of its characters and its end."""
    starts, wide = [0], 0
    for at, character in enumerate(text):
        step = width(character)
        if at > starts[-1] and wide + step > columns:
            starts.append(starts[-1] + _break(text[starts[-1] : at], character))
            wide = width(text[starts[-1] : at])
        wide += step
    return [
        TimedWord(text=text[start:end], start_s=times[start], end_s=times[end], spaced=end == len(text))
        for start, end in pairwise([*starts, len(text)])
    ]


def _break(text: str, following: str) -> int:
    """Find the best break in a text without spaces: behind its last punctuation mark, if that is in the second half.

    Otherwise its end, moved by one so that the next piece doesn't begin with a mark.
    """
    last = max(text.rfind(mark) for mark in _MARKS) + 1
    if last > len(text) // 2:
        return last
    return len(text) - 1 if following in _MARKS and len(text) > 1 else len(text)


#: 42 columns, two rows and at most 7 seconds are the limits of Netflix's Timed Text Style Guide.
ROW_COLUMNS: Final = 42
ROWS: Final = 2
SHORTEST_S: Final = 1.0
LONGEST_S: Final = 7.0
#: Seconds that a cue stays after its last word, unless the next one begins.
_LINGER_S: Final = 0.4
#: The share of a full cue from which on a cut at the end of a sentence or clause is preferred.
_FULL_ENOUGH: Final = 0.4
_SENTENCE_ENDS: Final = ".!?…。！？"
_CLAUSE_ENDS: Final = ",;:–—、，；："


@frozen(kw_only=True)
class Caption:
    """A cue: `words` are shown from `start_s` to `end_s`, in seconds. `rows` are the numbers of words in each row."""

    start_s: float
    end_s: float
    words: tuple[TimedWord, ...]
    rows: tuple[int, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """The text of each row."""
        found, at = [], 0
        for count in self.rows:
            found.append(_text(self.words[at : at + count]))
            at += count
        return tuple(found)


def scene_captions(narration: Narration, columns: int = ROW_COLUMNS) -> tuple[Caption, ...]:
    """Make the cues of one scene, in seconds from its start; they neither overlap nor exceed the scene."""
    cues = [
        Caption(start_s=words[0].start_s, end_s=words[-1].end_s, words=words, rows=_rows(words, columns))
        for line in timed_words(narration, columns)
        for words in _cut(line, columns)
    ]
    cues = _merged(cues, columns)
    ends = [*(cue.start_s for cue in cues), narration.duration_s][1:]
    return tuple(evolve(cue, end_s=_end(cue, following)) for cue, following in zip(cues, ends, strict=True))


def video_captions(narrations: Iterable[Narration]) -> tuple[Caption, ...]:
    """Make the cues of consecutive scenes, in seconds from the start of the first."""
    found: list[Caption] = []
    cells = 0
    for narration in narrations:
        start_s = seconds_of(cells)
        found += [evolve(c, start_s=c.start_s + start_s, end_s=c.end_s + start_s) for c in scene_captions(narration)]
        cells += narration.duration_cells
    return tuple(found)


def as_vtt(captions: Sequence[Caption]) -> str:
    """Write cues as a WebVTT file."""
    cues = [
        f"{number}\n{_time(cue.start_s, '.')} --> {_time(cue.end_s, '.')}\n{chr(10).join(map(_escaped, cue.lines))}\n"
        for number, cue in enumerate(captions, start=1)
    ]
    return "\n".join(["WEBVTT\n", *cues])


def as_srt(captions: Sequence[Caption]) -> str:
    """Write cues as a SubRip file. The format has no escapes: a word joiner (U+2060) breaks up tags and arrows."""
    cues = [
        f"{number}\n{_time(cue.start_s, ',')} --> {_time(cue.end_s, ',')}\n"
        + "\n".join(line.replace("<", "<\u2060").replace("-->", "--\u2060>") for line in cue.lines)
        + "\n"
        for number, cue in enumerate(captions, start=1)
    ]
    return "\n".join(cues)


def _text(words: Sequence[TimedWord]) -> str:
    return "".join(word.text + (" " if word.spaced else "") for word in words).rstrip()


def _cut(words: Sequence[TimedWord], columns: int) -> list[tuple[TimedWord, ...]]:
    """Cut a line into cues: as many words as fit, or fewer to end with a sentence or clause."""
    cues: list[tuple[TimedWord, ...]] = []
    rest = tuple(words)
    while rest:
        count = _fitting(rest, columns)
        if count < len(rest):
            count = _good_end(rest, count, columns)
        cues.append(rest[:count])
        rest = rest[count:]
    return cues


def _fitting(words: Sequence[TimedWord], columns: int) -> int:
    """Count the words that fit into one cue, at least one."""
    count = 1
    while count < len(words):
        more = words[: count + 1]
        if more[-1].end_s - more[0].start_s > LONGEST_S or len(_rows(more, columns)) > ROWS:
            break
        count += 1
    return count


def _good_end(words: Sequence[TimedWord], count: int, columns: int) -> int:
    """Find the last end of a sentence, else of a clause, in the first `count` words that leaves the cue full enough."""
    enough = _FULL_ENOUGH * ROWS * columns
    for ends in (_SENTENCE_ENDS, _CLAUSE_ENDS):
        for end in range(count, 0, -1):
            if width(_text(words[:end])) < enough:
                break
            if words[end - 1].text[-1] in ends:
                return end
    return count


def _rows(words: Sequence[TimedWord], columns: int) -> tuple[int, ...]:
    """Split words into rows: one if it suffices, else the two of most similar width; three where two don't suffice."""
    if width(_text(words)) <= columns:
        return (len(words),)
    splits = [
        (abs(width(_text(words[:at])) - width(_text(words[at:]))), at)
        for at in range(1, len(words))
        if max(width(_text(words[:at])), width(_text(words[at:]))) <= columns
    ]
    if splits:
        at = min(splits)[1]
        return (at, len(words) - at)
    return (len(words) - 2, 1, 1) if len(words) > 2 else (1,) * len(words)


def _merged(cues: Sequence[Caption], columns: int) -> list[Caption]:
    """Join cues of less than SHORTEST_S with the cue before them, where both fit into one."""
    found: list[Caption] = []
    for cue in cues:
        last = found[-1] if found else None
        if last is not None and min(cue.start_s - last.start_s, cue.end_s - cue.start_s) < SHORTEST_S:
            words = (*last.words[:-1], evolve(last.words[-1], spaced=True), *cue.words)
            rows = _rows(words, columns)
            near = cue.start_s - last.end_s < SHORTEST_S and cue.end_s - last.start_s <= LONGEST_S
            if near and len(rows) <= ROWS:
                found[-1] = Caption(start_s=last.start_s, end_s=cue.end_s, words=words, rows=rows)
                continue
        found.append(cue)
    return found


def _end(cue: Caption, following_s: float) -> float:
    """Extend a cue's end by _LINGER_S and to SHORTEST_S at least, but not beyond the start of the next one."""
    wanted = min(max(cue.end_s + _LINGER_S, cue.start_s + SHORTEST_S), cue.start_s + LONGEST_S)
    return min(max(wanted, cue.end_s), following_s)


def _time(seconds: float, point: str) -> str:
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{point}{ms % 1000:03}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
