"""The words of a narration as they are written, marks included, each with its time. Pure.

Narrators tell of words as they hear them, without marks, some of them not at all; here every word of the written line
gets the time of what is heard in it, or one between its neighbours'.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from attrs import evolve, frozen

from handlers.generation.model import Narration, SpokenLine, Word

#: Control characters, and what only says how others are set.
_INVISIBLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")
_MARKS: Final = "。！？，、；：」』）"
_SLACK_S: Final = 1e-6


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
    found = []
    heard = list(narration.words)
    for line in narration.lines:
        own = [word for word in heard if line.start_s - _SLACK_S <= word.start_s < line.end_s]
        words = _line(line, own)
        if words:
            found.append(tuple(piece for word in words for piece in _pieces(word, columns)))
    return found


def _line(line: SpokenLine, heard: Sequence[Word]) -> list[Timed]:
    text = _INVISIBLE.sub(" ", line.text)
    written = list(re.finditer(r"\S+", text))
    starts: list[float | None] = [None] * len(written)
    at = 0
    for word in heard:
        place = text.find(word.text, at) if word.text else -1
        if place < 0:
            continue
        at = place + len(word.text)
        index = next((i for i, match in enumerate(written) if match.start() <= place < match.end()), None)
        if index is not None and starts[index] is None:
            starts[index] = word.start_s
    times = _filled(starts, [len(match[0]) for match in written], line)
    return [
        Timed(match[0], start_s, end_s)
        for match, start_s, end_s in zip(written, times, [*times, line.end_s][1:], strict=True)
    ]


def _filled(starts: Sequence[float | None], lengths: Sequence[int], line: SpokenLine) -> list[float]:
    """What isn't known lies between what is, by the lengths of the words."""
    times: list[float] = []
    index = 0
    while index < len(starts):
        known = starts[index]
        end = index + 1
        while end < len(starts) and starts[end] is None:
            end += 1
        following = starts[end] if end < len(starts) else None
        first = line.start_s if known is None or index == 0 else known
        last = line.end_s if following is None else following
        before, total = 0, sum(lengths[index:end])
        for length in lengths[index:end]:
            times.append(max(first + (last - first) * before / total, times[-1] if times else first))
            before += length
        index = end
    return times


def _pieces(word: Timed, columns: int) -> list[Timed]:
    """A word that is too wide for a row, in pieces that aren't: so are texts that have no spaces."""
    texts, text, wide = [], "", 0
    for character in word.text:
        step = width(character)
        if text and wide + step > columns:
            kept = _break(text, character)
            texts.append(text[:kept])
            text = text[kept:]
            wide = width(text)
        text += character
        wide += step
    texts.append(text)
    if len(texts) == 1:
        return [word]
    length_s, total, before = word.end_s - word.start_s, len(word.text), 0
    found = []
    for part in texts:
        start_s = word.start_s + length_s * before / total
        before += len(part)
        found.append(Timed(part, start_s, word.start_s + length_s * before / total, spaced=False))
    return [*found[:-1], evolve(found[-1], spaced=word.spaced)]


def _break(text: str, following: str) -> int:
    """Where a text without spaces is best broken: behind its last mark, if that is in its second half; else at its end,
    where the next piece doesn't begin with a mark."""
    last = max(text.rfind(mark) for mark in _MARKS) + 1
    if last > len(text) // 2:
        return last
    return len(text) - 1 if following in _MARKS and len(text) > 1 else len(text)
