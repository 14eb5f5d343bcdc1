"""Captions of a whole video from the narrations of its scenes, as WebVTT and SRT. Pure.

What is said is cut into cues of at most two rows of 42 columns (a wide character takes two), at the ends of sentences
where it can be, timed by the words.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from attrs import evolve, frozen

from handlers.generation.model import Narration
from handlers.generation.narration.wordtimes import Timed, timed_words, width
from handlers.generation.time_grid import seconds_of

ROW_COLUMNS: Final = 42
ROWS: Final = 2
SHORTEST_S: Final = 1.0
LONGEST_S: Final = 7.0
#: How long a cue stays after its last word, where nothing follows.
_LINGER_S: Final = 0.4
#: From this share of a full cue on, a sentence's end is a good place to cut.
_FULL_ENOUGH: Final = 0.4
_SENTENCE_ENDS: Final = ".!?…。！？"
_CLAUSE_ENDS: Final = ",;:–—、，；："


@frozen
class Caption:
    """A cue: `words` are shown from `start_s` to `end_s`, in seconds; `rows` how many of them each row has."""

    start_s: float
    end_s: float
    words: tuple[Timed, ...]
    rows: tuple[int, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """The rows as text."""
        found, at = [], 0
        for count in self.rows:
            found.append(_text(self.words[at : at + count]))
            at += count
        return tuple(found)


def scene_captions(narration: Narration, columns: int = ROW_COLUMNS) -> tuple[Caption, ...]:
    """The cues of one scene, in seconds from its start; none overlaps another or leaves the scene."""
    cues = [
        Caption(words[0].start_s, words[-1].end_s, words, _rows(words, columns))
        for line in timed_words(narration, columns)
        for words in _cut(line, columns)
    ]
    cues = _merged(cues, columns)
    ends = [*(cue.start_s for cue in cues), narration.duration_s][1:]
    return tuple(evolve(cue, end_s=_end(cue, following)) for cue, following in zip(cues, ends, strict=True))


def video_captions(narrations: Iterable[Narration]) -> tuple[Caption, ...]:
    """The cues of scenes that are shown one after the other, in seconds from the start of the video."""
    found: list[Caption] = []
    cells = 0
    for narration in narrations:
        start_s = seconds_of(cells)
        found += [evolve(c, start_s=c.start_s + start_s, end_s=c.end_s + start_s) for c in scene_captions(narration)]
        cells += narration.duration_cells
    return tuple(found)


def as_vtt(captions: Sequence[Caption]) -> str:
    """A WebVTT file."""
    cues = [
        f"{number}\n{_time(cue.start_s, '.')} --> {_time(cue.end_s, '.')}\n{chr(10).join(map(_escaped, cue.lines))}\n"
        for number, cue in enumerate(captions, start=1)
    ]
    return "\n".join(["WEBVTT\n", *cues])


def as_srt(captions: Sequence[Caption]) -> str:
    """A SubRip file: it knows no escapes, so that what looks like a tag or an arrow is parted by a word joiner."""
    cues = [
        f"{number}\n{_time(cue.start_s, ',')} --> {_time(cue.end_s, ',')}\n"
        + "\n".join(line.replace("<", "<\u2060").replace("-->", "--\u2060>") for line in cue.lines)
        + "\n"
        for number, cue in enumerate(captions, start=1)
    ]
    return "\n".join(cues)


def _text(words: Sequence[Timed]) -> str:
    return "".join(word.text + (" " if word.spaced else "") for word in words).rstrip()


def _cut(words: Sequence[Timed], columns: int) -> list[tuple[Timed, ...]]:
    """Cues of a line: as much as fits, but rather a sentence or a clause than a few words more."""
    cues: list[tuple[Timed, ...]] = []
    rest = tuple(words)
    while rest:
        count = _fitting(rest, columns)
        if count < len(rest):
            count = _good_end(rest, count, columns)
        cues.append(rest[:count])
        rest = rest[count:]
    return cues


def _fitting(words: Sequence[Timed], columns: int) -> int:
    """How many of the words go into one cue, at least one."""
    count = 1
    while count < len(words):
        more = words[: count + 1]
        if more[-1].end_s - more[0].start_s > LONGEST_S or len(_rows(more, columns)) > ROWS:
            break
        count += 1
    return count


def _good_end(words: Sequence[Timed], count: int, columns: int) -> int:
    """The last sentence's end among the first `count` words, else the last clause's, that leaves a cue full enough."""
    enough = _FULL_ENOUGH * ROWS * columns
    for ends in (_SENTENCE_ENDS, _CLAUSE_ENDS):
        for end in range(count, 0, -1):
            if width(_text(words[:end])) < enough:
                break
            if words[end - 1].text[-1] in ends:
                return end
    return count


def _rows(words: Sequence[Timed], columns: int) -> tuple[int, ...]:
    """Words in each row: one row where it is enough, else the two that are most alike; more where two don't do."""
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
    """Cues that would be gone at once join the one before them, where both fit into one."""
    found: list[Caption] = []
    for cue in cues:
        last = found[-1] if found else None
        if last is not None and min(cue.start_s - last.start_s, cue.end_s - cue.start_s) < SHORTEST_S:
            words = (*last.words[:-1], evolve(last.words[-1], spaced=True), *cue.words)
            rows = _rows(words, columns)
            near = cue.start_s - last.end_s < SHORTEST_S and cue.end_s - last.start_s <= LONGEST_S
            if near and len(rows) <= ROWS:
                found[-1] = Caption(last.start_s, cue.end_s, words, rows)
                continue
        found.append(cue)
    return found


def _end(cue: Caption, following_s: float) -> float:
    """A cue lingers and is long enough to be read, but ends where the next one begins."""
    wanted = min(max(cue.end_s + _LINGER_S, cue.start_s + SHORTEST_S), cue.start_s + LONGEST_S)
    return min(max(wanted, cue.end_s), following_s)


def _time(seconds: float, point: str) -> str:
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{point}{ms % 1000:03}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
