"""The worker: reads its group's streams, renews leases, reclaims entries of dead consumers, drains on shutdown.

Its loops survive an unreachable server: read, heartbeat and sweep (one of each per partition), and reap. Deliveries
queue for the slots. Every entry that the worker has taken is under the heartbeat, whether its delivery is queued, runs,
or has its final commit on the way.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from random import Random
from time import perf_counter

import structlog
from attrs import frozen

from eventflow.domain.values import Failure
from eventflow.log.codec import DecodeError
from eventflow.log.connection import BLOCK_MS
from eventflow.log.consumer import CANCEL, LOST, Delivery, GroupMember
from eventflow.log.event_store import JobEventStore
from eventflow.log.members import HEARTBEAT_S
from eventflow.runtime.context import Group
from eventflow.runtime.executor import Executor, Outcomes
from eventflow.runtime.leases import StepLimits, handles_job_end, renewal_of, stop_overdue
from eventflow.runtime.loops import Loops, cancel_all
from eventflow.runtime.partition_assignment import PartitionAssignment
from eventflow.runtime.pressure import PressureGate
from eventflow.runtime.retry_policy import RetryPolicy
from eventflow.runtime.slots import Capacity, InFlight, PartitionTurns, Slots, StopReason
from eventflow.runtime.watchdog import Pulse
from eventflow.telemetry.tracing import Tracing


@frozen(kw_only=True)
class WorkerSettings:
    """`concurrency` handlers at a time; a lease of `lease_s` is renewed every third of it, at least once a second.

    `drain_s` is how long running handlers may continue after a stop was requested, `limits` how long they may run at
    all. A worker rests for `rest_s` after a step for which it had too little disk or memory.
    """

    concurrency: int = 4
    lease_s: float = 15.0
    drain_s: float = 30.0
    retry: RetryPolicy = RetryPolicy()
    limits: StepLimits = StepLimits()
    rest_s: float = 30.0

    @property
    def least_free(self) -> int:
        """Free slots that make a read worth its round trip: one of few handlers, a quarter of many."""
        return max(1, self.concurrency // 4)

    @property
    def heartbeat_s(self) -> float:
        return min(1.0, self.lease_s / 3)

    @property
    def sweep_s(self) -> float:
        return min(1.0, self.lease_s / 4)


#: Time to clean up for a step that a drain cancels.
_CLEAN_UP_S = 5.0
#: Period of the search for silent consumers, and the silence after which one is removed.
_REAP_S, _SILENT_S = 60.0, 600.0
#: Longest wait for the groups at start-up: a partition that is unreachable isn't waited for.
_CREATE_S = 2.0
#: Period in which a worker with free slots polls partitions that are assigned to others.
_POLL_S = 1.0
#: Period in which disk and memory are measured.
_PRESSURE_S = 1.0


class Worker:
    """One member of a group, on every partition that it has a `GroupMember` for.

    Its loops beat in `pulse`. It takes nothing while `gate` is closed, and blocks on the partitions of `assignment`
    only (default: on all).
    """

    def __init__(
        self,
        group: Group,
        log: JobEventStore,
        members: Sequence[GroupMember],
        settings: WorkerSettings,
        *,
        clock: Callable[[], datetime],
        random: Random,
        tracing: Tracing | None = None,
        pulse: Pulse | None = None,
        gate: PressureGate | None = None,
        assignment: PartitionAssignment | None = None,
    ) -> None:
        self._group, self._members, self._settings = group, members, settings
        self._clock, self._random = clock, random
        self._pulse, self._gate, self._assignment = pulse or Pulse(float("inf")), gate, assignment
        self._stuck = asyncio.Event()
        self._log = structlog.get_logger().bind(group=group.name)
        outcomes = Outcomes(
            group=group, log=log, retry=settings.retry, clock=clock, random=random, on_shortage=self._rest
        )
        self._executor = Executor(
            group=group,
            log=log,
            outcomes=outcomes,
            tracing=tracing or Tracing(),
            log_settled=self._log.is_enabled_for(logging.INFO),
            on_finished=self._finished,
            on_unfinished=self._run_again,
        )
        self._codec, self._most_in_progress = log.codec, log.committer.limit
        self._in_flight: set[InFlight] = set()
        self._turns = PartitionTurns(len(members), self._capacity_changed)
        self._capacity = Capacity(settings.concurrency, settings.least_free, self._in_flight, self._turns.unreachable)
        self._slots = Slots(settings.concurrency, self._executor.run, lent=lambda: self._capacity.lent)
        self._one_finished = asyncio.Event()
        self._reading, self._sweeping = asyncio.Lock(), asyncio.Lock()  # all partitions fill the same capacity
        self._loops = Loops(members, self._pulse, random, self._log)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then drain; every loop survives lost connections and deleted groups.

        Also ends when every slot is taken by a step that ignores its cancellation; see `stuck`.
        """
        creating = asyncio.create_task(self._loops.recreate(self._members))
        await asyncio.wait([creating], timeout=_CREATE_S)  # if that fails, a read fails with NOGROUP and repeats it
        loops = [asyncio.create_task(self._read_loop(member)) for member in self._members]
        loops += self._loops.on_each(self._sweep, self._settings.sweep_s)
        loops += self._loops.on_each(self._reap, _REAP_S)
        heartbeats = self._loops.on_each(self._renew, self._settings.heartbeat_s)
        loops.append(asyncio.create_task(self._loops.forever(self._deadlines, self._settings.heartbeat_s)))
        if self._gate is not None:
            loops.append(asyncio.create_task(self._loops.forever(self._gate.check, _PRESSURE_S)))
        if self._assignment is not None:
            loops.append(asyncio.create_task(self._loops.forever(self._assignment.renew, HEARTBEAT_S)))
        stopped, stuck = asyncio.create_task(stop.wait()), asyncio.create_task(self._stuck.wait())
        self._log.info("worker started", consumer=self._members[0].consumer, topics=len(self._group.topics))
        try:
            await asyncio.wait([stopped, stuck, *heartbeats, *loops], return_when=asyncio.FIRST_COMPLETED)
            await cancel_all(loops)
            self._pulse.clear()
            await self._drain()
        finally:
            await cancel_all([creating, stopped, stuck, *heartbeats, *loops])
        for loop in [*heartbeats, *loops]:  # a loop that ended by itself is a defect: raise its error
            if not loop.cancelled() and (error := loop.exception()):
                raise error

    @property
    def stuck(self) -> int:
        """After `run`: how many steps ignore their cancellation. Only the end of the process ends them."""
        return len(self._in_flight)

    async def _read_loop(self, member: GroupMember) -> None:
        """Take as many entries as there is capacity for; when there are none, block until one arrives."""
        loop = f"read {member.keys.partition:02x}"
        while True:
            self._pulse.rest(loop)
            await self._capacity.available()
            if self._gate is not None and not self._gate.is_open:
                await self._gate.passed()
                continue
            if await self._loops.surviving(partial(self._read, member, loop), member) != 0:
                continue
            if self._assignment is not None and member.keys.partition not in self._assignment.mine:
                await asyncio.sleep(_POLL_S * self._random.uniform(0.5, 1.0))
            else:
                self._pulse.beat(loop, BLOCK_MS / 1000)
                self._take(member, await self._loops.surviving(member.wait, member) or ())

    async def _read(self, member: GroupMember, loop: str) -> int | None:
        """Take the entries that are there; return how many, or None if there is no capacity."""

        async def read() -> int | None:
            self._pulse.beat(loop, BLOCK_MS / 1000)  # waiting for the turns of others is no hang
            free = self._capacity.free
            if free <= 0:
                return None
            found = await member.read(free)
            self._take(member, found)
            return len(found)

        return await self._turns.take(self._reading, member.keys.partition, read)

    def _take(self, member: GroupMember, deliveries: Iterable[Delivery]) -> None:
        """Queue new deliveries; one reclaimed from a dead member goes to the head."""
        for delivery in deliveries:
            in_flight = InFlight(member=member, delivery=delivery)
            try:
                in_flight.envelope = self._codec.decode(delivery.payload or b"")
            except DecodeError:
                in_flight.envelope = None  # the executor decodes it, too, and dead-letters it
            self._in_flight.add(in_flight)
            self._slots.put(in_flight, first=not (delivery.first or delivery.retried))
        self._slots.fill()

    def _run_again(self, in_flight: InFlight) -> None:
        self._slots.put(in_flight, first=True)
        self._slots.fill()

    def _finished(self, in_flight: InFlight) -> None:
        self._in_flight.discard(in_flight)
        in_flight.context = in_flight.recommit = None  # leaves no cycle to the garbage collector
        self._capacity.update()
        self._one_finished.set()

    def _rest(self, failure: Failure) -> None:
        if self._gate is not None:
            self._gate.rest(f"a step has failed here: {failure.message}", self._settings.rest_s)

    def _capacity_changed(self) -> None:
        self._capacity.update()
        self._slots.fill()

    async def _sweep(self, member: GroupMember) -> None:
        """Deliver retries that are due, and reclaim entries of dead members as far as there is capacity.

        Renews its own leases first: after a pause of the server or of this process they may be as old as those of the
        dead, and steps whose leases are lost have to stop.
        """
        await self._renew(member)
        await member.move_due(int(self._clock().timestamp() * 1000))
        await member.admit(self._most_in_progress)
        await self._turns.take(self._sweeping, member.keys.partition, partial(self._reclaim, member))

    async def _reclaim(self, member: GroupMember) -> None:
        idle_ms, most = self._reclaimable()
        own = [each.delivery.claim for each in self._in_flight if each.member is member and not each.abandoned]
        for delivery in await member.reclaim(idle_ms, most, own) if most > 0 else ():
            entry, count = delivery.claim.entry_id, delivery.claim.count
            self._log.warning("entry reclaimed", entry=entry, delivery_count=count)
            self._take(member, (delivery,))

    def _reclaimable(self) -> tuple[int, int]:
        """Return (silence in ms after which an entry is reclaimed, most entries to reclaim).

        A busy member reclaims one at a time, which gets the next free slot; and only entries that members with free
        slots have left for half a lease more. Otherwise an orphan would wait for the end of the backlog.
        """
        lease_ms, free = int(self._settings.lease_s * 1000), self._capacity.free
        if self._gate is not None and not self._gate.is_open:
            return lease_ms, 0
        if free > 0:
            return lease_ms, free
        one_waits = any(not each.delivery.first for each in self._slots.queued)
        return lease_ms * 3 // 2, 0 if one_waits else 1

    async def reap(self, idle_ms: int | None = None) -> None:
        """Remove consumers that have been silent for `idle_ms` (default: ten leases, at least ten minutes)."""
        for member in self._members:
            await self._reap(member, idle_ms)

    async def _reap(self, member: GroupMember, idle_ms: int | None = None) -> None:
        silent_ms = int(max(_SILENT_S, 10 * self._settings.lease_s) * 1000) if idle_ms is None else idle_ms
        if removed := await member.remove_silent_consumers(silent_ms):
            self._log.info("silent consumers removed", count=removed)

    async def _renew(self, member: GroupMember) -> None:
        renewed = [each for each in self._in_flight if each.member is member and not each.abandoned]
        if not renewed:
            return
        renew = partial(member.renew, [renewal_of(each) for each in renewed])
        for each, answer in zip(renewed, await self._turns.watch(member.keys.partition, renew), strict=True):
            if answer == LOST:
                self._stop(each, StopReason.LEASE_LOST)
            elif answer == CANCEL and not handles_job_end(each):
                self._stop(each, StopReason.JOB_CANCELLED)

    def _stop(self, in_flight: InFlight, reason: StopReason) -> None:
        """Stop a delivery. A queued one is settled at once, without a slot."""
        in_flight.stop(reason)
        if self._slots.withdraw(in_flight):
            self._slots.run_at_once(in_flight)

    async def _deadlines(self) -> None:
        for step in stop_overdue(self._in_flight, perf_counter(), self._settings.limits):
            entry, job_id = step.delivery.claim.entry_id, step.envelope.job_id if step.envelope else "-"
            self._log.error("step ignores its cancellation; its entry is left to others", entry=entry, job_id=job_id)
            await self._loops.notify(step.member.begin(step.delivery.claim), "step abandoned")
        abandoned = sum(each.abandoned for each in self._in_flight)
        self._capacity.least = max(1, min(self._settings.least_free, self._settings.concurrency - abandoned))
        self._capacity_changed()  # steps may have begun to wait for an unreachable partition
        if abandoned >= self._settings.concurrency:
            self._log.error("every slot is taken by a step that ignores its cancellation; ending")
            self._stuck.set()

    async def _drain(self) -> None:
        """Release what hasn't begun, let running steps finish, then release what doesn't finish in time."""
        await self._release([each for each in self._slots.queued if each.recommit is None])
        if self._in_flight:
            self._log.info("draining", running=len(self._in_flight))
            await self._wait_until_idle(self._settings.drain_s)
        # Abandoned steps keep their deliveries counted: an entry that hangs every worker has to reach its limit.
        await self._release([each for each in self._in_flight if not each.abandoned])
        leaves = [member.leave for member in self._members] + ([self._assignment.leave] if self._assignment else [])
        await asyncio.gather(*(self._loops.notify(leave(), "worker left") for leave in leaves))

    async def _wait_until_idle(self, seconds: float) -> None:
        """Wait until no step runs but abandoned ones, at most `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                while not all(each.abandoned for each in self._in_flight):
                    self._one_finished.clear()
                    await self._one_finished.wait()
        except TimeoutError:
            pass

    async def _release(self, unfinished: Sequence[InFlight]) -> None:
        """Stop these steps and release their leases, so that others get the entries at once.

        An entry that was settled meanwhile isn't touched.
        """
        slots = {each.task for each in unfinished if each.task}
        for each in unfinished:
            each.stop(StopReason.SHUTDOWN)
            if self._slots.withdraw(each):
                self._finished(each)
        if slots:
            _, unwilling = await asyncio.wait(slots, timeout=_CLEAN_UP_S)
            for slot in unwilling:
                slot.cancel()
            if unwilling:
                await asyncio.wait(unwilling, timeout=_CLEAN_UP_S)
        lease_ms = int(self._settings.lease_s * 1000)
        claims = [(each.member, each.delivery.claim) for each in unfinished]
        await asyncio.gather(
            *(self._loops.notify(m.release([c], lease_ms), "lease left to run out") for m, c in claims)
        )
