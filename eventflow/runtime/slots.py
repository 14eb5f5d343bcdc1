"""Deliveries in flight: the queue they wait in, the slots that run them, and the capacity that admits them.

A slot is a task that runs one delivery after the other until the queue is empty. Steps that wait for nothing thus need
neither a second slot nor a turn of the event loop.

In a cluster one partition's server may be unreachable while the others answer. Deliveries that wait for it take neither
capacity nor a slot, and its reads no longer make the other partitions wait for their turn.
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

T = TypeVar("T")


class StopReason(Enum):
    """Why a delivery was stopped from outside."""

    LEASE_LOST = "lease_lost"
    JOB_CANCELLED = "job_cancelled"
    SHUTDOWN = "shutdown"
    TIMED_OUT = "timed_out"


@define(eq=False, kw_only=True)
class InFlight:
    """A delivery from its arrival to its settlement: queued, then running in `task`, then settling.

    `settling`: its final commit is on the way, and it needs no slot. `recommit` is what remains to be run if that
    commit wasn't taken as it was. `handler_started` is in seconds of `perf_counter`, None unless the handler runs; the
    handler is `committing` while it waits for the log. An `abandoned` step ignored its cancellation: its lease is no
    longer renewed.
    """

    member: GroupMember
    delivery: Delivery
    envelope: Envelope | None = None
    context: StepContext | None = None
    task: asyncio.Task[None] | None = None
    stop_reason: StopReason | None = None
    reported_progress: float | None = None
    settling: bool = False
    handler_started: float | None = None
    committing: bool = False
    abandoned: bool = False
    recommit: Callable[[], Awaitable[object]] | None = None

    @property
    def handler_running(self) -> bool:
        """Whether its handler runs, and doesn't wait for the log."""
        return self.handler_started is not None and not self.committing

    def stop(self, reason: StopReason) -> None:
        """Cancel the running step; later calls do nothing.

        A lease that is lost while the delivery settles is ignored: its own final commit may have ended the lease.
        """
        if reason is StopReason.LEASE_LOST and self.settling:
            return
        if self.stop_reason is None:
            self.stop_reason = reason
            if self.context is not None:
                self.context.job_ended = reason is StopReason.JOB_CANCELLED
            if self.task is not None:
                self.task.cancel()


class Capacity:
    """How many more deliveries a worker may take: `concurrency`, less those `in_flight`.

    A delivery that only waits for an `unreachable` partition doesn't count: otherwise its finished steps, which wait to
    be committed, would keep the worker from everything else. One whose handler runs counts, wherever its job is.
    """

    def __init__(self, concurrency: int, least: int, in_flight: Set[InFlight], unreachable: Set[int]) -> None:
        """`least` is how many free slots make a read worth its round trip."""
        self._concurrency, self._in_flight, self._unreachable = concurrency, in_flight, unreachable
        self.least = least
        self._available = asyncio.Event()
        self._available.set()

    @property
    def free(self) -> int:
        count = len(self._in_flight)
        return self._concurrency - (count - sum(map(self._waits, self._in_flight)) if self._unreachable else count)

    @property
    def lent(self) -> int:
        """How many slots others may use while the deliveries in them wait for an unreachable partition."""
        if not self._unreachable:
            return 0
        return sum(each.task is not None and self._waits(each) for each in self._in_flight)

    def _waits(self, each: InFlight) -> bool:
        return each.member.keys.partition in self._unreachable and not each.handler_running and not each.abandoned

    def update(self) -> None:
        """Wake who waits in `available`, if `least` slots are free now."""
        if self.free >= self.least:
            self._available.set()

    async def available(self) -> None:
        """Wait until `least` slots are free."""
        while self.free < self.least:
            self._available.clear()
            await self._available.wait()


#: An answer that takes longer marks its partition as unreachable, in seconds: well above any answer of a busy server.
PATIENCE_S = 0.5


class PartitionTurns:
    """Lets partitions that fill the same capacity read in turn, and takes unreachable ones out of turn.

    `changed` is called when a partition becomes unreachable, or answers again.
    """

    def __init__(self, partitions: int, changed: Callable[[], None], *, patience_s: float = PATIENCE_S) -> None:
        """`partitions` is how many there are; `patience_s` how long one may keep the others waiting."""
        self._alone, self._changed, self._patience_s = partitions == 1, changed, patience_s
        self.unreachable: set[int] = set()

    async def take(self, lock: asyncio.Lock, partition: int, action: Callable[[], Awaitable[T]]) -> T:
        """Run `action` while holding `lock`, or without it if the partition is unreachable. Raises what it raises."""
        if partition in self.unreachable:
            return await self.watch(partition, action)
        if self._alone:  # nobody else waits: needs no task of its own
            async with lock:
                return await self.watch(partition, action)
        running: asyncio.Task[T] | None = None
        try:
            async with lock:
                running = asyncio.ensure_future(self._observed(partition, action))
                await asyncio.wait([running], timeout=self._patience_s)
            if not running.done():
                self._mark(partition, unreachable=True)
            return await running
        finally:
            if running is not None:
                running.cancel()

    async def watch(self, partition: int, action: Callable[[], Awaitable[T]]) -> T:
        """Run `action`; the partition counts as unreachable while it isn't answered. Raises what `action` raises."""
        loop = asyncio.get_running_loop()
        late = loop.call_later(self._patience_s, lambda: self._mark(partition, unreachable=True))
        try:
            return await self._observed(partition, action)
        finally:
            late.cancel()

    async def _observed(self, partition: int, action: Callable[[], Awaitable[T]]) -> T:
        try:
            result = await action()
        except DISCONNECTED:
            self._mark(partition, unreachable=True)
            raise
        self._mark(partition, unreachable=False)
        return result

    def _mark(self, partition: int, *, unreachable: bool) -> None:
        if unreachable != (partition in self.unreachable):
            (self.unreachable.add if unreachable else self.unreachable.discard)(partition)
            self._changed()


Run = Callable[[InFlight], Coroutine[Any, Any, None]]


class Slots:
    """Runs queued deliveries: at most `concurrency` at a time, and as many more as `lent` returns.

    `run` runs one delivery to its end and doesn't raise.
    """

    def __init__(self, concurrency: int, run: Run, *, lent: Callable[[], int] = lambda: 0) -> None:
        self._concurrency, self._run, self._lent = concurrency, run, lent
        self._queue: deque[InFlight] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def queued(self) -> tuple[InFlight, ...]:
        """Deliveries that wait for a slot, in order."""
        return tuple(self._queue)

    def put(self, delivery: InFlight, *, first: bool = False) -> None:
        """Queue `delivery`, `first` before all others. A call of `fill` has to follow."""
        if first:
            self._queue.appendleft(delivery)
        else:
            self._queue.append(delivery)

    def fill(self) -> None:
        """Start one slot, and look again once it has done what it can without waiting."""
        if self._queue and len(self._tasks) < self._concurrency + self._lent():
            self._start(self._run_queued())
            asyncio.get_running_loop().call_soon(self.fill)

    def withdraw(self, delivery: InFlight) -> bool:
        """Remove `delivery` from the queue; return whether it was there and hadn't begun."""
        if delivery.recommit is not None or delivery not in self._queue:
            return False
        self._queue.remove(delivery)
        return True

    def run_at_once(self, delivery: InFlight) -> None:
        """Run `delivery` without a slot: for what takes no time."""
        self._start(self._run(delivery))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(asyncio.create_task(self._until_done(work)))

    async def _until_done(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        finally:  # in the turn of the loop that saw the queue empty: the next delivery finds the slot free
            self._tasks.discard(cast("asyncio.Task[None]", asyncio.current_task()))
            self.fill()  # a delivery may have been queued while a task beyond the slots was counted

    async def _run_queued(self) -> None:
        slot = asyncio.current_task()
        while self._queue and len(self._tasks) <= self._concurrency + self._lent():  # beyond that, slots are given back
            delivery = self._queue.popleft()
            delivery.task = slot
            await self._run(delivery)
            delivery.task = None
            while slot is not None and slot.cancelling():  # a cancellation of that delivery, which it outlived
                slot.uncancel()
