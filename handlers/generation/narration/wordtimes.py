"""The words of a narration as they are written, marks included, each with its time. Pure.

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

from attrs import frozen

from handlers.generation.model import Narration, SpokenLine

#: Control characters, and what only says how others are set.
_INVISIBLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")
_MARKS: Final = "。！？，、；：」』）"
_WRITTEN: Final = re.compile(r"\S+")


@frozen
class Timed:
    """A word, or a piece of one that is too long for a row. `spaced`: a space stands behind it."""

    text: str
    start_s: float
    end_s: float
    spaced: bool = True


def width(text: str) -> int:
    """Columns that a text takes in a row: a wide character takes two."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def timed_words(narration: Narration, columns: int) -> list[tuple[Timed, ...]]:
    """The words of each line that has any; none is wider than `columns`."""
    return [words for line in narration.lines if (words := tuple(_line(line, columns)))]


def _line(line: SpokenLine, columns: int) -> Iterable[Timed]:
    text = _INVISIBLE.sub(" ", line.text)
    written = [match.span() for match in _WRITTEN.finditer(text)]
    times = _times(line, text, written)
    for (start, end), (following, _) in pairwise([*written, (len(text), 0)]):
        yield from _pieces(text[start:end], [*times[start:end], times[following]], columns)


def _times(line: SpokenLine, text: str, written: Sequence[tuple[int, int]]) -> list[float]:
    """When each character of `text` is said; they rise from the line's start to its end, which is the last of them."""
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
    """(first character, time) of the words in which something begins.

    What begins at the blank before a word is this word where nothing begins at its own first letter (so does espeak
    after the point of an abbreviation), else the rest of the word before.
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


def _pieces(text: str, times: Sequence[float], columns: int) -> list[Timed]:
    """A word, in pieces where it is too wide for a row: so are texts that have no spaces. `times` are those of its
    characters and of its end."""
    starts, wide = [0], 0
    for at, character in enumerate(text):
        step = width(character)
        if at > starts[-1] and wide + step > columns:
            starts.append(starts[-1] + _break(text[starts[-1] : at], character))
            wide = width(text[starts[-1] : at])
        wide += step
    return [
        Timed(text[start:end], times[start], times[end], spaced=end == len(text))
        for start, end in pairwise([*starts, len(text)])
    ]


def _break(text: str, following: str) -> int:
    """Where a text without spaces is best broken: behind its last mark, if that is in its second half; else at its end,
    where the next piece doesn't begin with a mark."""
    last = max(text.rfind(mark) for mark in _MARKS) + 1
    if last > len(text) // 2:
        return last
    return len(text) - 1 if following in _MARKS and len(text) > 1 else len(text)
