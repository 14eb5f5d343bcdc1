"""Deliveries in flight: the queue they wait in, the slots that run them, and the capacity that admits them.

A delivery in our hands, from its arrival to its settlement.

How much more a worker may take on.

The line in which deliveries wait, and the slots that run them.

A slot is a task that takes one delivery after the other until the line is empty. A step that doesn't wait for anything
needs no second slot, and no turn of the event loop.

Turns of the partitions that fill the same room: one at a time, but nobody waits for one whose server doesn't answer.

In a cluster a master may be away while the others are there. Its partitions then go on beside the others, out of turn,
until it answers again, and what is held of them counts only while a handler really works on it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Set
from enum import Enum
from typing import Any, TypeVar, cast

from attrs import define

from eventflow.domain.envelope import Envelope
from eventflow.log.connection import DISCONNECTED
from eventflow.log.consumer import Delivery, GroupMember
from eventflow.runtime.context import StepContext


class StopReason(Enum):
    """Why a delivery was ended from outside."""

    LEASE_LOST = "lease_lost"
    JOB_CANCELLED = "job_cancelled"
    SHUTDOWN = "shutdown"
    TIMED_OUT = "timed_out"


@define(eq=False)
class InFlight:
    """Waits for a slot, then runs in `task`, then settles: its last commit is on the way and it needs no slot.

    `left_over` is what there is still to do where that commit wasn't taken as it was. `began` is when its handler did,
    in seconds of `perf_counter`, and None unless that runs; it may be `committing` meanwhile. `given_up` is one that
    ignores its end: we no longer hold on to its entry.
    """

    member: GroupMember
    delivery: Delivery
    envelope: Envelope | None = None
    reaction: StepContext | None = None
    task: asyncio.Task[None] | None = None
    ending: StopReason | None = None
    reported: float | None = None
    settling: bool = False
    began: float | None = None
    committing: bool = False
    given_up: bool = False
    left_over: Callable[[], Awaitable[object]] | None = None

    @property
    def at_work(self) -> bool:
        """Whether its handler runs, and doesn't wait for the log."""
        return self.began is not None and not self.committing

    def end(self, why: StopReason) -> None:
        """Cancel the running step, once. A lease that is gone while we settle may be gone by our own doing."""
        if why is StopReason.LEASE_LOST and self.settling:
            return
        if self.ending is None:
            self.ending = why
            if self.reaction is not None:
                self.reaction.job_ended = why is StopReason.JOB_CANCELLED
            if self.task is not None:
                self.task.cancel()


class Capacity:
    """Room for `concurrency` deliveries, those in `held` among them. A read is worth its round trip from `least` on.

    What only waits for a partition that is `away` takes no room and no slot: else its finished steps, which wait to be
    committed, would keep a worker from everything else. A handler that runs does, wherever its job is.
    """

    def __init__(self, concurrency: int, least: int, held: Set[InFlight], away: Set[int]) -> None:
        self._concurrency, self._held, self._away = concurrency, held, away
        self.least = least
        self._enough = asyncio.Event()
        self._enough.set()

    @property
    def free(self) -> int:
        held = len(self._held)
        return self._concurrency - (held - sum(map(self._waits, self._held)) if self._away else held)

    @property
    def lent(self) -> int:
        """Slots that others may use while their own deliveries wait."""
        return sum(held.task is not None and self._waits(held) for held in self._held) if self._away else 0

    def _waits(self, held: InFlight) -> bool:
        return held.member.keys.partition in self._away and not held.at_work and not held.given_up

    def changed(self) -> None:
        """There may be more room now."""
        if self.free >= self.least:
            self._enough.set()

    async def enough(self) -> None:
        """Until there is room for `least`."""
        while self.free < self.least:
            self._enough.clear()
            await self._enough.wait()


T = TypeVar("T")

#: How long an answer may take before the others go on; much longer than any that comes, even of a busy server.
PATIENCE_S = 0.5


class PartitionTurns:
    """Of so many `partitions`. `changed` hears when one turns out to be away, or back."""

    def __init__(self, partitions: int, changed: Callable[[], None], *, patience_s: float = PATIENCE_S) -> None:
        self._alone, self._changed, self._patience_s = partitions == 1, changed, patience_s
        self.away: set[int] = set()

    async def take(self, line: asyncio.Lock, partition: int, action: Callable[[], Awaitable[T]]) -> T:
        """`action` in the partition's turn in `line`. Raises what it raises."""
        if partition in self.away:
            return await self.watch(partition, action)
        if self._alone:  # nobody else waits: needs no task of its own
            async with line:
                return await self.watch(partition, action)
        doing: asyncio.Task[T] | None = None
        try:
            async with line:
                doing = asyncio.ensure_future(self._told(partition, action))
                await asyncio.wait([doing], timeout=self._patience_s)
            self._not_yet(partition, doing)
            return await doing
        finally:
            if doing is not None:
                doing.cancel()

    async def watch(self, partition: int, action: Callable[[], Awaitable[T]]) -> T:
        """`action` without a turn; the partition is away while it isn't answered. Raises what it raises."""
        late = asyncio.get_running_loop().call_later(self._patience_s, self._note, partition, True)
        try:
            return await self._told(partition, action)
        finally:
            late.cancel()

    async def _told(self, partition: int, action: Callable[[], Awaitable[T]]) -> T:
        try:
            result = await action()
        except DISCONNECTED:
            self._note(partition, True)
            raise
        self._note(partition, False)
        return result

    def _not_yet(self, partition: int, doing: asyncio.Task[T]) -> None:
        if not doing.done():
            self._note(partition, True)

    def _note(self, partition: int, away: bool) -> None:
        if away != (partition in self.away):
            (self.away.add if away else self.away.discard)(partition)
            self._changed()


Run = Callable[[InFlight], Coroutine[Any, Any, None]]


class Slots:
    """At most `concurrency` deliveries run at a time, and as many more as `lent` says. `run` sees one to its end and
    doesn't raise."""

    def __init__(self, concurrency: int, run: Run, *, lent: Callable[[], int] = lambda: 0) -> None:
        self._concurrency, self._run, self._lent = concurrency, run, lent
        self._line: deque[InFlight] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def line(self) -> tuple[InFlight, ...]:
        """What waits, in order."""
        return tuple(self._line)

    def put(self, held: InFlight, *, first: bool = False) -> None:
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

    def withdraw(self, held: InFlight) -> bool:
        """Take `held` out of the line; whether it was there, and nothing had been done for it yet."""
        if held.left_over is not None or held not in self._line:
            return False
        self._line.remove(held)
        return True

    def run_beyond(self, held: InFlight) -> None:
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
