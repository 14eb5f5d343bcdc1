"""How much a function does: calls and memory, which no machine changes, and CPU time, to be compared within a run."""

from __future__ import annotations

import gc
import sys
import time
import tracemalloc
from collections.abc import Callable
from types import FrameType


class TooMuch(AssertionError):
    """The function has made more calls than it may."""


def calls_of(function: Callable[[], object], most: int) -> int:
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


def peak_bytes(function: Callable[[], object]) -> int:
    """Measure the most memory that Python holds at once for `function`, beyond what it held before."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def cpu_s(function: Callable[[], object]) -> float:
    """Measure the CPU seconds of this thread, without garbage collection: it takes longer after other tests."""
    gc.disable()
    try:
        begun = time.thread_time()
        function()
        return time.thread_time() - begun
    finally:
        gc.enable()
