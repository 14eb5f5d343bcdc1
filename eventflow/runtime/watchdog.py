"""A watchdog for silent hangs: a process whose loops no longer turn ends itself, and its supervisor restarts it.

Leases don't help there: a process whose read loop hangs still renews its leases, and looks alive.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager


class Pulse:
    """The time by which each loop of a process has to turn again: written by loops, read by the watchdog's thread."""

    def __init__(self, limit_s: float, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.limit_s, self._monotonic = limit_s, monotonic
        self._due: dict[str, float] = {}

    def beat(self, loop: str, next_in_s: float = 0.0) -> None:
        """Note a turn of `loop`; its next is expected in `next_in_s`, and overdue `limit_s` after that."""
        self._due[loop] = self._monotonic() + next_in_s + self.limit_s

    def rest(self, loop: str) -> None:
        """Expect no turn of `loop`: it has ended, or waits for something that may take any time."""
        self._due.pop(loop, None)

    def clear(self) -> None:
        """Expect no turn of any loop."""
        self._due.clear()

    def late(self) -> list[str]:
        """Return the names of overdue loops."""
        now = self._monotonic()
        return sorted(loop for loop, due in list(self._due.items()) if due < now)

    def forgive(self) -> None:
        """Give every loop its full time again."""
        for loop in list(self._due):
            self.beat(loop)


@contextmanager
def watched(pulse: Pulse, on_late: Callable[[Sequence[str]], None], *, period_s: float = 1.0) -> Iterator[None]:
    """Check `pulse` every `period_s` seconds in a thread; call `on_late` once with the names of overdue loops.

    A watchdog that itself overslept was paused with the whole process (SIGSTOP, a suspended machine): that is no hang,
    so the loops get their time again.
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
