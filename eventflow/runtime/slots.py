"""The line in which deliveries wait, and the slots that run them.

A slot is a task that takes one delivery after the other until the line is empty. A step that doesn't wait for anything
needs no second slot, and no turn of the event loop.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, cast

from eventflow.runtime.held import Held

Run = Callable[[Held], Coroutine[Any, Any, None]]


class Slots:
    """At most `concurrency` deliveries run at a time, and as many more as `lent` says. `run` sees one to its end and
    doesn't raise."""

    def __init__(self, concurrency: int, run: Run, *, lent: Callable[[], int] = lambda: 0) -> None:
        self._concurrency, self._run, self._lent = concurrency, run, lent
        self._line: deque[Held] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def line(self) -> tuple[Held, ...]:
        """What waits, in order."""
        return tuple(self._line)

    def put(self, held: Held, *, first: bool = False) -> None:
        """Line `held` up; `first` before all others. `open` follows."""
        if first:
            self._line.appendleft(held)
        else:
            self._line.append(held)

    def open(self) -> None:
        """Open one slot, and look again when it has done what it can without waiting."""
        if self._line and len(self._tasks) < self._concurrency + self._lent():
            self._start(self._run_line())
            asyncio.get_running_loop().call_soon(self.open)

    def withdraw(self, held: Held) -> bool:
        """Take `held` out of the line; whether it was there, and nothing had been done for it yet."""
        if held.left_over is not None or held not in self._line:
            return False
        self._line.remove(held)
        return True

    def run_beyond(self, held: Held) -> None:
        """Run `held` now, whether there is a slot or not: for what takes no time."""
        self._start(self._run(held))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(asyncio.create_task(self._until_done(work)))

    async def _until_done(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        finally:  # in the same turn as the line was seen empty: whoever comes next finds the slot free
            self._tasks.discard(cast("asyncio.Task[None]", asyncio.current_task()))
            self.open()  # something may have come while a task beyond the slots was counted

    async def _run_line(self) -> None:
        slot = asyncio.current_task()
        while self._line and len(self._tasks) <= self._concurrency + self._lent():  # what was lent is to be given back
            held = self._line.popleft()
            held.task = slot
            await self._run(held)
            held.task = None
            while slot is not None and slot.cancelling():  # meant for this one, which has gone on over it
                slot.uncancel()
