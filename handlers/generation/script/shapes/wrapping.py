"""Tells whether the lines of a text are wrapped at one width, by hand or by a program."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_NARROWEST, _WIDEST = 55, 100
_ITEM: Final = re.compile(r"\s*(?:[-*+•#|>]|\d{1,3}[.)])\s?")


def is_wrapped(lines: Sequence[str]) -> bool:
    """Tell whether most lines that don't end a paragraph are about as long as the longest, 55 to 100 columns."""
    lengths: list[int] = []
    inner: list[int] = []
    for at, line in enumerate(lines):
        length = len(line.rstrip())
        if not length:
            continue
        lengths.append(length)
        if at + 1 < len(lines) and lines[at + 1].strip() and not _ITEM.match(line):
            inner.append(length)
    if len(inner) < 3:
        return False
    top = sorted(lengths)[int((len(lengths) - 1) * 0.98)]
    return _NARROWEST <= top <= _WIDEST and sum(length >= 0.75 * top for length in inner) >= 0.6 * len(inner)
