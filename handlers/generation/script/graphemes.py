"""Text as it is seen: grapheme clusters (UAX 29), columns (UAX 11), and where a line may break (UAX 14)."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pyphen import Pyphen

#: Letters of scripts that are written without blanks and may break between most letters.
_UNSPACED: Final = re.compile(
    "[\u2e80-\u312f\u31a0-\ua4cf\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff9f\U00020000-\U0003ffff]"
)
#: Words of so many letters at least get a hyphen where they are cut, not closer than three letters to an end.
_HYPHENATED: Final = re.compile(r"[^\W\d_]{8,}")
_NEAREST: Final = 3
#: How far a cut moves back from what may not begin a line.
_MOST_BACK: Final = 8


def clusters(text: str) -> list[str]:
    """Split a text into grapheme clusters: what a reader takes for one letter or sign."""
    if text.isascii():
        return list(text)
    from wcwidth import iter_graphemes

    return list(iter_graphemes(text))


def columns(text: str) -> int:
    """Count the columns of a text: wide characters and emoji take two, marks and joiners none."""
    if text.isascii():
        return len(text)
    return sum(map(_columns_of, clusters(text)))


@lru_cache(8_192)
def _columns_of(cluster: str) -> int:
    from wcwidth import wcswidth

    return min(2, max(0, wcswidth(cluster[:16])))


def unspaced(text: str) -> bool:
    """Tell whether a text has letters of a script that is written without blanks (Han, kana and their marks)."""
    return not text.isascii() and _UNSPACED.search(text) is not None


def pieces(text: str, most: int, language: str = "en") -> list[str]:
    """Cut a text without blanks where a line may break, in pieces of `most` columns at most.

    What is longer without a possible break is cut between clusters, words with a hyphen, which is added to the piece.
    Fewer columns than a cluster has are not possible.
    """
    if columns(text) <= most and not unspaced(text):
        return [text]
    found = []
    for unit in _units(text):
        found += [unit] if columns(unit) <= most else _cut(unit, most, language)
    return found


def _units(text: str) -> list[str]:
    """Split at all possible breaks (strict ones: none before small kana), but before what has no width."""
    from uniseg.linebreak import line_break_units

    found: list[str] = []
    for unit in line_break_units(text):
        if found and not columns(found[-1]):
            found[-1] += unit
        else:
            found.append(unit)
    if len(found) > 1 and not columns(found[-1]):
        found[-2:] = [found[-2] + found[-1]]
    return found


def _cut(text: str, most: int, language: str) -> list[str]:
    parts = clusters(text)
    hyphens = _hyphens(text, language) if len(parts) == len(text) else frozenset[int]()
    found: list[str] = []
    start, wide = 0, 0
    for at, part in enumerate(parts):
        width = _columns_of(part)
        while wide + width > most and at > start:
            cut, hyphen = _place(parts, start, at, hyphens)
            found.append("".join(parts[start:cut]) + hyphen)
            start, wide = cut, sum(map(_columns_of, parts[cut:at]))
        wide += width
    return [*found, "".join(parts[start:])]


def _place(parts: list[str], start: int, at: int, hyphens: frozenset[int]) -> tuple[int, str]:
    """Find where to cut at `at` at the latest: (place, hyphen or nothing)."""
    for cut in range(at - 1, start + _NEAREST, -1):
        if cut in hyphens:
            return cut, "-"
        if at - cut > 4 * _MOST_BACK:
            break
    for cut in range(at, max(start, at - _MOST_BACK), -1):
        if not _never_first(parts[cut][0]):
            return cut, ""
    return at, ""


@lru_cache(1_024)
def _never_first(character: str) -> bool:
    """Tell whether a line may not begin with a character: closing marks, small kana and others."""
    if character.isalnum() and character.isascii():
        return False
    from uniseg.linebreak import line_break

    return line_break(character).value in ("CL", "CP", "EX", "IS", "SY", "NS", "CJ", "BA", "HY", "IN", "GL", "WJ", "PO")


def _hyphens(text: str, language: str) -> frozenset[int]:
    """Return where the words of a text may be hyphenated, by the patterns of the language if there are any."""
    patterns = _patterns(language)
    found: set[int] = set()
    for match in _HYPHENATED.finditer(text):
        word = match[0]
        if not (word.casefold() != word or word.upper() != word):
            continue  # a script without cases has no hyphens
        if patterns is None:
            places: list[int] = list(range(_NEAREST, len(word) - _NEAREST + 1))
        else:
            places = [int(place) for place in patterns.positions(word)]
        found.update(match.start() + place for place in places)
    return frozenset(found)


@cache
def _patterns(language: str) -> Pyphen | None:
    import pyphen

    name = pyphen.language_fallback(language.replace("-", "_")) or pyphen.language_fallback(language.split("-")[0])
    return pyphen.Pyphen(lang=name) if name else None


def wrapped(line: str, most: int, continued: str) -> list[str]:
    """Wrap a line at `most` columns, between clusters; further lines begin with `continued`."""
    if len(line) <= most and columns(line) <= most:
        return [line]
    parts = clusters(line)
    starts, wide, room = [0], 0, most
    for at, part in enumerate(parts):
        width = _columns_of(part)
        if wide + width > room and at > starts[-1]:
            starts.append(at)
            wide, room = 0, most - len(continued)
        wide += width
    rows = ["".join(parts[start:end]) for start, end in pairwise([*starts, len(parts)])]
    return [rows[0], *(continued + row for row in rows[1:])]


def place(text: str, most: int) -> int:
    """Find where a text without blanks may be cut behind at most `most` characters (and at least one cluster)."""
    if text[: most + 1].isascii() or len(text) <= most:
        return most
    parts = clusters(text[: most + 40])
    ends = [0]
    for part in parts:
        if ends[-1] + len(part) > most and len(ends) > 1:
            break
        ends.append(ends[-1] + len(part))
    last = len(ends) - 1
    for cut in range(last, max(0, last - _MOST_BACK), -1):
        if ends[cut] < len(text) and not _never_first(text[ends[cut]]):
            return ends[cut]
    return ends[last]
