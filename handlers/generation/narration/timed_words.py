"""The words of a narration as they are written, marks included, each with its time. Pure.

Narrators tell of words as they hear them: a number in several pieces that overlap, two short words as one, a mark not
at all. They say at which character each begins, and by that alone, never by its text, it is found in the line. Every
character of the line gets a time: those at which something begins the time of it, the others one in between.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from typing import Final

from attrs import frozen

from handlers.generation.model import Narration, SpokenLine
from handlers.generation.script.graphemes import pieces

#: Control characters, line and paragraph separators, byte order marks and lone surrogates.
_INVISIBLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")
#: A word with the marks that belong to it, though a blank stands between (as in French).
_WRITTEN: Final = re.compile(r"(?:[«¿¡([{“„]++[ \xa0\u202f](?=\S))?+\S++(?:[ \xa0\u202f][!?;:»…)\]}”%]++(?!\S))*+")


@frozen(kw_only=True)
class TimedWord:
    """A word, or a piece of a word too long for a row, with its time in seconds. `spaced`: a space follows.

    Of a text without blanks a word is what lies between two places where a line may break.
    """

    text: str
    start_s: float
    end_s: float
    spaced: bool = True


def timed_words(narration: Narration, columns: int) -> list[tuple[TimedWord, ...]]:
    """Time the words of each line that has any; pieces are at most `columns` wide."""
    return [words for line in narration.lines if (words := tuple(_line(line, columns, narration.language)))]


def _line(line: SpokenLine, columns: int, language: str) -> Iterable[TimedWord]:
    text = _INVISIBLE.sub(" ", line.text)
    written = [match.span() for match in _WRITTEN.finditer(text)]
    times = _times(line, text, written)
    for (start, end), (following, _) in pairwise([*written, (len(text), 0)]):
        yield from _pieces(text[start:end], [*times[start:end], times[following]], columns, language)


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


def _pieces(text: str, times: Sequence[float], columns: int, language: str) -> Iterable[TimedWord]:
    """Cut a word (or a text without blanks) into pieces that fit a row. `times`: of its characters and its end."""
    start = 0
    for piece in pieces(text, columns, language):
        end = start + len(piece) - (not text.startswith(piece, start))  # a hyphen is added to some pieces
        yield TimedWord(text=piece, start_s=times[start], end_s=times[end], spaced=end == len(text))
        start = end
