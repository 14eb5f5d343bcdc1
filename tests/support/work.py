"""How much a function does, counted in calls: the same on every machine, unlike the time that it takes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType


class TooMuch(AssertionError):
    """The function has made more calls than it may."""


def calls_of(function: Callable[[], object], most: int = 10_000_000) -> int:
    """Count the calls, of Python and of C, that `function` makes in this thread. Raises TooMuch beyond `most`."""
    count = 0

    def counted(_: FrameType, event: str, __: object) -> None:
        nonlocal count
        if event in ("call", "c_call"):
            count += 1
            if count > most:
                sys.setprofile(before)
                raise TooMuch(f"more than {most:,} calls")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        function()
    finally:
        sys.setprofile(before)
    return count
