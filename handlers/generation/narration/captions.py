"""Captions of a whole video from the narrations of its scenes, as WebVTT and SRT. Pure.

What is said is cut into cues of at most two rows of 42 columns (a wide character takes two), at the ends of sentences
where it can be, timed by the words. A line without a mark at its end, such as a heading, shares no cue with others.
Where the speaker changes, a cue begins with the name, as in subtitles for the deaf.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, groupby
from typing import Final

from attrs import evolve, frozen

from handlers.generation.model import Narration
from handlers.generation.narration.timed_words import TimedWord, timed_words
from handlers.generation.script.graphemes import columns as width
from handlers.generation.script.graphemes import pieces, unspaced
from handlers.generation.time_grid import seconds_of

#: 42 columns, two rows and at most 7 seconds are the limits of Netflix's Timed Text Style Guide.
ROW_COLUMNS: Final = 42
ROWS: Final = 2
SHORTEST_S: Final = 1.0
LONGEST_S: Final = 7.0
#: Seconds that a cue stays after its last word, unless the next one begins.
_LINGER_S: Final = 0.4
#: The share of a full cue from which on a cut at the end of a sentence or clause is preferred.
_FULL_ENOUGH: Final = 0.4
_SENTENCE_ENDS: Final = ".!?…。！？｡।॥؟۔።፧။៕"
_CLAUSE_ENDS: Final = ",;:–—、，；：،؛"
#: Marks behind the end of a sentence or clause.
_CLOSING: Final = "\"'”’»›)]}」』）】〉》〕"


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
    cues: list[Caption] = []
    for turn in _turns(narration, columns):
        for group in _groups(turn):
            parts = [
                Caption(start_s=words[0].start_s, end_s=words[-1].end_s, words=words, rows=_rows(words, columns))
                for line in group
                for words in _cut(line, columns)
            ]
            cues += _merged(parts, columns)
    ends = [*(cue.start_s for cue in cues), narration.duration_s][1:]
    return tuple(evolve(cue, end_s=_end(cue, following)) for cue, following in zip(cues, ends, strict=True))


def _turns(narration: Narration, columns: int) -> Iterator[list[tuple[TimedWord, ...]]]:
    """Yield the lines of each speaker in turn, by their words; the first one begins with the speaker's name."""
    for speaker, said in groupby(narration.lines, key=lambda line: line.speaker.strip()):
        lines = timed_words(evolve(narration, lines=tuple(said)), columns)
        if speaker and lines:
            start_s = lines[0][0].start_s
            names = (piece for word in f"{speaker}:".split() for piece in pieces(word, columns, narration.language))
            label = (TimedWord(text=name, start_s=start_s, end_s=start_s) for name in names)
            lines[0] = (*label, *lines[0])
        yield lines


def _groups(lines: Iterable[tuple[TimedWord, ...]]) -> Iterator[list[tuple[TimedWord, ...]]]:
    """Yield runs of lines that may share cues: such that end with a mark, or one that doesn't."""
    for marked, run in groupby(lines, key=lambda line: _ends_with(line[-1], _SENTENCE_ENDS + _CLAUSE_ENDS)):
        if marked:
            yield list(run)
        else:
            yield from ([line] for line in run)


def _ends_with(word: TimedWord, marks: str) -> bool:
    return word.text.rstrip(_CLOSING)[-1:] in tuple(marks)


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


def _edges(words: Sequence[TimedWord]) -> list[int]:
    """Return at which column each word begins and, last, where one more would begin."""
    return list(accumulate((width(word.text) + word.spaced for word in words), initial=0))


def _wide(words: Sequence[TimedWord], edges: Sequence[int], start: int, end: int) -> int:
    """Return the columns of the words from `start` to `end`."""
    return edges[end] - edges[start] - (end > start and words[end - 1].spaced)


def _fitting(words: Sequence[TimedWord], columns: int) -> int:
    """Count the words that fit into one cue, at least one."""
    some = list(words[: ROWS * columns + 1])
    edges = _edges(some)
    count = 1
    while count < len(some):
        more = count + 1
        if some[count].end_s - some[0].start_s > LONGEST_S or len(_split(some, edges, more, columns)) > ROWS:
            break
        count = more
    return count


def _good_end(words: Sequence[TimedWord], count: int, columns: int) -> int:
    """Find the last end of a sentence, else of a clause, in the first `count` words that leaves the cue full enough."""
    enough = _FULL_ENOUGH * ROWS * columns
    edges = _edges(words[:count])
    for ends in (_SENTENCE_ENDS, _CLAUSE_ENDS):
        for end in range(count, 0, -1):
            if _wide(words, edges, 0, end) < enough:
                break
            if _ends_with(words[end - 1], ends):
                return end
    return count


def _rows(words: Sequence[TimedWord], columns: int) -> tuple[int, ...]:
    return _split(words, _edges(words), len(words), columns)


def _split(words: Sequence[TimedWord], edges: Sequence[int], count: int, columns: int) -> tuple[int, ...]:
    """Split the first words into rows: one if it suffices, else the two of most similar width; else three."""
    if _wide(words, edges, 0, count) <= columns:
        return (count,)
    halves = ((_wide(words, edges, 0, at), _wide(words, edges, at, count), at) for at in range(1, count))
    splits = [(abs(first - second), at) for first, second, at in halves if max(first, second) <= columns]
    if splits:
        at = min(splits)[1]
        return (at, count - at)
    return (count - 2, 1, 1) if count > 2 else (1,) * count


def _merged(cues: Sequence[Caption], columns: int) -> list[Caption]:
    """Join cues of less than SHORTEST_S with the cue before them, where both fit into one."""
    found: list[Caption] = []
    for cue in cues:
        last = found[-1] if found else None
        if last is not None and min(cue.start_s - last.start_s, cue.end_s - cue.start_s) < SHORTEST_S:
            words = (*last.words[:-1], _joined(last.words[-1], cue.words[0]), *cue.words)
            rows = _rows(words, columns)
            near = cue.start_s - last.end_s < SHORTEST_S and cue.end_s - last.start_s <= LONGEST_S
            if near and len(rows) <= ROWS:
                found[-1] = Caption(start_s=last.start_s, end_s=cue.end_s, words=words, rows=rows)
                continue
        found.append(cue)
    return found


def _joined(word: TimedWord, following: TimedWord) -> TimedWord:
    """Drop the blank between two letters of scripts that have none."""
    return evolve(word, spaced=word.spaced and not (unspaced(word.text[-1]) and unspaced(following.text[0])))


def _end(cue: Caption, following_s: float) -> float:
    """Extend a cue's end by _LINGER_S and to SHORTEST_S at least, but not beyond the start of the next one."""
    wanted = min(max(cue.end_s + _LINGER_S, cue.start_s + SHORTEST_S), cue.start_s + LONGEST_S)
    return min(max(wanted, cue.end_s), following_s)


def _time(seconds: float, point: str) -> str:
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{point}{ms % 1000:03}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
