"""A watchdog for silent hangs: a process whose loops have stopped turning ends itself, and is started again.

Leases alone don't help there: a process whose read loop is stuck still renews what it holds, and looks alive.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager


class Pulse:
    """When each loop of a process has to turn next. Loops write it; the watchdog's thread reads it."""

    def __init__(self, limit_s: float, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.limit_s, self._monotonic = limit_s, monotonic
        self._due: dict[str, float] = {}

    def beat(self, loop: str, next_in_s: float = 0.0) -> None:
        """`loop` turns; the next turn is due `limit_s` after `next_in_s` at the latest."""
        self._due[loop] = self._monotonic() + next_in_s + self.limit_s

    def rest(self, loop: str) -> None:
        """`loop` has ended, or waits for something that may take as long as it likes."""
        self._due.pop(loop, None)

    def clear(self) -> None:
        """All loops have ended, or are about to turn again."""
        self._due.clear()

    def late(self) -> list[str]:
        """The loops that should have turned by now."""
        now = self._monotonic()
        return sorted(loop for loop, due in list(self._due.items()) if due < now)

    def forgive(self) -> None:
        """Give every loop its whole time again."""
        for loop in list(self._due):
            self.beat(loop)


@contextmanager
def watched(pulse: Pulse, on_late: Callable[[Sequence[str]], None], *, period_s: float = 1.0) -> Iterator[None]:
    """Look at `pulse` every `period_s` from a thread of its own; `on_late` gets the loops that are stuck.

    A watchdog that has itself slept too long was paused with the whole process (SIGSTOP, a frozen machine): that is no
    hang, so the loops get their time again.
    """
    stopped = threading.Event()

    def watch() -> None:
        last = time.monotonic()
        while not stopped.wait(period_s):
            now = time.monotonic()
            if now - last > 2 * period_s + 1:
                pulse.forgive()
            elif late := pulse.late():
                on_late(late)
                return
            last = now

    thread = threading.Thread(target=watch, name="watchdog", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
