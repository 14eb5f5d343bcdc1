"""The worker: reads its group's streams, renews leases, reclaims entries of dead consumers, drains on shutdown.

The consumer: reads its group's streams, keeps leases alive, sweeps up after the dead, drains when told to stop.

The loops survive a server that goes away: read, heartbeat and sweep (of each partition), reap. Deliveries wait in a
line; a slot is a task that takes one after the other until the line is empty. Every entry in our hands is under the
heartbeat, whether it waits, runs, or its last commit is on the way.

How one worker works: slots, leases, patience.
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
from eventflow.runtime.leases import StepLimits, end_overdue, follows_the_end, renewal_of
from eventflow.runtime.loops import Loops, end
from eventflow.runtime.partition_assignment import PartitionAssignment
from eventflow.runtime.pressure import PressureGate
from eventflow.runtime.retry_policy import RetryPolicy
from eventflow.runtime.slots import Capacity, InFlight, PartitionTurns, Slots, StopReason
from eventflow.runtime.watchdog import Pulse
from eventflow.telemetry.tracing import Tracing


@frozen(kw_only=True)
class WorkerSettings:
    """`concurrency` handlers at a time; a lease of `lease_s` is renewed every third of it, at least once a second.

    `drain_s` is how long running handlers may go on after a stop was asked for, `limits` how long they may take at all.
    A worker rests for `rest_s` after a step for which it had too little disk or memory.
    """

    concurrency: int = 4
    lease_s: float = 15.0
    drain_s: float = 30.0
    retry: RetryPolicy = RetryPolicy()
    limits: StepLimits = StepLimits()
    rest_s: float = 30.0

    @property
    def least_room(self) -> int:
        """Free slots that make a read worth its round trip: one where handlers are few, more where they are many."""
        return max(1, self.concurrency // 4)

    @property
    def heartbeat_s(self) -> float:
        return min(1.0, self.lease_s / 3)

    @property
    def sweep_s(self) -> float:
        return min(1.0, self.lease_s / 4)


#: How long a step may take to clean up when it is ended by a drain.
_LAST_WORDS_S = 5.0
#: How often silent consumers are looked for, and how long one must be silent to be removed.
_REAP_S, _SILENT_S = 60.0, 600.0
#: How long a start waits for the groups to be made: a partition that is away isn't waited for any longer.
_CREATE_S = 2.0
#: How often a worker with free slots looks at partitions that others wait at.
_LOOK_S = 1.0
#: How often disk and memory are looked at.
_PRESSURE_S = 1.0


class Worker:
    """One member of a group, on every partition that it was given a `GroupMember` for.

    Its loops beat in `pulse`; it takes nothing on while `gate` is closed, and waits at the partitions
    of `shares` (without: at all).
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
        shares: PartitionAssignment | None = None,
    ) -> None:
        self._group, self._members, self._settings = group, members, settings
        self._clock, self._random = clock, random
        self._pulse, self._gate, self._shares = pulse or Pulse(float("inf")), gate, shares
        self._stuck = asyncio.Event()
        self._log = structlog.get_logger().bind(group=group.name)
        says_settled = self._log.is_enabled_for(logging.INFO)
        self._executor = Executor(
            group,
            log,
            Outcomes(group, log, settings.retry, clock, random, self._strained),
            tracing or Tracing(),
            says_settled,
            self._let_go,
            self._run_again,
        )
        self._codec, self._most_in_progress = log.codec, log.committer.limit
        self._held: set[InFlight] = set()
        self._turns = PartitionTurns(len(members), self._look_for_room)
        self._room = Capacity(settings.concurrency, settings.least_room, self._held, self._turns.away)
        self._slots = Slots(settings.concurrency, self._executor.run, lent=lambda: self._room.lent)
        self._fewer_held = asyncio.Event()
        self._reading, self._sweeping = asyncio.Lock(), asyncio.Lock()  # all partitions fill the same room
        self._loops = Loops(members, self._pulse, random, self._log)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then drain. Every loop goes on over lost connections and lost groups.

        Also ends when every slot is taken by a step that ignores its end; see `stuck`.
        """
        creating = asyncio.create_task(self._loops.recreate(self._members))
        await asyncio.wait([creating], timeout=_CREATE_S)  # where that fails now, NOGROUP brings us back to it
        loops = [asyncio.create_task(self._read_loop(member)) for member in self._members]
        loops += self._loops.on_each(self._sweep, self._settings.sweep_s)
        loops += self._loops.on_each(self._reap, _REAP_S)
        heartbeats = self._loops.on_each(self._renew, self._settings.heartbeat_s)
        loops.append(asyncio.create_task(self._loops.forever(self._deadlines, self._settings.heartbeat_s)))
        if self._gate is not None:
            loops.append(asyncio.create_task(self._loops.forever(self._gate.check, _PRESSURE_S)))
        if self._shares is not None:
            loops.append(asyncio.create_task(self._loops.forever(self._shares.renew, HEARTBEAT_S)))
        stopped, stuck = asyncio.create_task(stop.wait()), asyncio.create_task(self._stuck.wait())
        self._log.info("worker started", consumer=self._members[0].consumer, topics=len(self._group.topics))
        try:
            await asyncio.wait([stopped, stuck, *heartbeats, *loops], return_when=asyncio.FIRST_COMPLETED)
            await end(loops)
            self._pulse.clear()
            await self._drain()
        finally:
            await end([creating, stopped, stuck, *heartbeats, *loops])
        for loop in [*heartbeats, *loops]:  # a loop that ended by itself is a defect: say so
            if not loop.cancelled() and (error := loop.exception()):
                raise error

    @property
    def stuck(self) -> int:
        """After `run`: steps that ignore their end. The process has to go down with them; nothing else ends them."""
        return len(self._held)

    async def _read_loop(self, member: GroupMember) -> None:
        """Take what there is room for; when nothing is there, wait for the next entry to come."""
        loop = f"read {member.keys.partition:02x}"
        while True:
            self._pulse.rest(loop)
            await self._room.enough()
            if self._gate is not None and not self._gate.is_open:
                await self._gate.passed()
                continue
            if await self._loops.surviving(partial(self._read, member, loop), member) != 0:
                continue
            if self._shares is not None and member.keys.partition not in self._shares.mine:
                await asyncio.sleep(_LOOK_S * self._random.uniform(0.5, 1.0))
            else:
                self._pulse.beat(loop, BLOCK_MS / 1000)
                self._take(member, await self._loops.surviving(member.wait, member) or ())

    async def _read(self, member: GroupMember, loop: str) -> int | None:
        """Take what is there; returns how much it was, or None where there is no room."""

        async def read() -> int | None:
            self._pulse.beat(loop, BLOCK_MS / 1000)  # waiting for the turn of others is no hang
            room = self._room.free
            if room <= 0:
                return None
            found = await member.read(room)
            self._take(member, found)
            return len(found)

        return await self._turns.take(self._reading, member.keys.partition, read)

    def _take(self, member: GroupMember, deliveries: Iterable[Delivery]) -> None:
        """Put new deliveries in line; one that was taken over from a dead member goes to its head."""
        for delivery in deliveries:
            held = InFlight(member, delivery)
            try:
                held.envelope = self._codec.decode(delivery.payload or b"")
            except DecodeError:
                held.envelope = None  # the executor comes to the same end, and parks it
            self._held.add(held)
            self._slots.put(held, first=not (delivery.first or delivery.retried))
        self._slots.open()

    def _run_again(self, held: InFlight) -> None:
        self._slots.put(held, first=True)
        self._slots.open()

    def _let_go(self, held: InFlight) -> None:
        self._held.discard(held)
        held.reaction = held.left_over = None  # no cycle is left for the garbage collector
        self._room.changed()
        self._fewer_held.set()

    def _strained(self, failure: Failure) -> None:
        if self._gate is not None:
            self._gate.rest(f"a step has failed here: {failure.message}", self._settings.rest_s)

    def _look_for_room(self) -> None:
        self._room.changed()
        self._slots.open()

    async def _sweep(self, member: GroupMember) -> None:
        """Deliver retries that are due, and take over what dead members have left, as far as there is room.

        Our own leases first: after a pause of the server or of ours they may be as old as those of the dead, and work
        that isn't ours any more is to be ended.
        """
        await self._renew(member)
        await member.move_due(int(self._clock().timestamp() * 1000))
        await member.admit(self._most_in_progress)
        await self._turns.take(self._sweeping, member.keys.partition, partial(self._take_over, member))

    async def _take_over(self, member: GroupMember) -> None:
        lease_ms, room = self._overdue()
        working = [held.delivery.claim for held in self._held if held.member is member and not held.given_up]
        for delivery in await member.reclaim(lease_ms, room, working) if room > 0 else ():
            entry, count = delivery.claim.entry_id, delivery.claim.count
            self._log.warning("entry taken over", entry=entry, delivery_count=count)
            self._take(member, (delivery,))

    def _overdue(self) -> tuple[int, int]:
        """(silence in ms after which we take an entry over, how many we take).

        A busy member takes one at a time, which gets the next free slot before anything new does; but only what
        members with free slots have left lying for a while. Else an orphan would wait for the end of the backlog.
        """
        lease_ms, room = int(self._settings.lease_s * 1000), self._room.free
        if self._gate is not None and not self._gate.is_open:
            return lease_ms, 0
        if room > 0:
            return lease_ms, room
        waits = any(not held.delivery.first for held in self._slots.line)
        return lease_ms * 3 // 2, 0 if waits else 1

    async def reap(self, idle_ms: int | None = None) -> None:
        """Remove consumers that have been silent for `idle_ms` (by default much longer than a lease)."""
        for member in self._members:
            await self._reap(member, idle_ms)

    async def _reap(self, member: GroupMember, idle_ms: int | None = None) -> None:
        silent_ms = int(max(_SILENT_S, 10 * self._settings.lease_s) * 1000) if idle_ms is None else idle_ms
        if removed := await member.remove_silent_consumers(silent_ms):
            self._log.info("silent consumers removed", count=removed)

    async def _renew(self, member: GroupMember) -> None:
        held = [h for h in self._held if h.member is member and not h.given_up]
        if not held:
            return
        renew = partial(member.renew, [renewal_of(h) for h in held])
        for one, answer in zip(held, await self._turns.watch(member.keys.partition, renew), strict=True):
            if answer == LOST:
                self._end(one, StopReason.LEASE_LOST)
            elif answer == CANCEL and not follows_the_end(one):
                self._end(one, StopReason.JOB_CANCELLED)

    def _end(self, held: InFlight, why: StopReason) -> None:
        """End a delivery, whether it runs or is in line. One in line is heard at once, beyond the slots."""
        held.end(why)
        if self._slots.withdraw(held):
            self._slots.run_beyond(held)

    async def _deadlines(self) -> None:
        for held in end_overdue(self._held, perf_counter(), self._settings.limits):
            entry, job_id = held.delivery.claim.entry_id, held.envelope.job_id if held.envelope else "-"
            self._log.error("step ignores its end; its entry is left to others", entry=entry, job_id=job_id)
            await self._loops.told(held.member.begin(held.delivery.claim), "step given up")
        given_up = sum(held.given_up for held in self._held)
        self._room.least = max(1, min(self._settings.least_room, self._settings.concurrency - given_up))
        self._look_for_room()  # steps of a partition that is away may have begun to wait for it
        if given_up >= self._settings.concurrency:
            self._log.error("every slot is taken by a step that ignores its end; ending")
            self._stuck.set()

    async def _drain(self) -> None:
        """Give back what hasn't begun, finish what runs, then give back what doesn't finish in time."""
        await self._give_back([held for held in self._slots.line if held.left_over is None])
        if self._held:
            self._log.info("draining", running=len(self._held))
            await self._wait_until_none_held(self._settings.drain_s)
        # The delivery of a step that was given up counts: an entry that hangs every worker must come to its limit.
        await self._give_back([held for held in self._held if not held.given_up])
        leaves = [member.leave for member in self._members] + ([self._shares.leave] if self._shares else [])
        await asyncio.gather(*(self._loops.told(leave(), "left") for leave in leaves))

    async def _wait_until_none_held(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not all(held.given_up for held in self._held):
                    self._fewer_held.clear()
                    await self._fewer_held.wait()
        except TimeoutError:
            pass

    async def _give_back(self, unfinished: Sequence[InFlight]) -> None:
        """End these steps and let others have their entries at once; what was settled meanwhile isn't touched."""
        slots = {held.task for held in unfinished if held.task}
        for held in unfinished:
            held.end(StopReason.SHUTDOWN)
            if self._slots.withdraw(held):
                self._let_go(held)
        if slots:
            _, unwilling = await asyncio.wait(slots, timeout=_LAST_WORDS_S)
            for slot in unwilling:
                slot.cancel()
            if unwilling:
                await asyncio.wait(unwilling, timeout=_LAST_WORDS_S)
        lease_ms = int(self._settings.lease_s * 1000)
        claims = [(held.member, held.delivery.claim) for held in unfinished]
        await asyncio.gather(*(self._loops.told(m.release([c], lease_ms), "lease left to run out") for m, c in claims))
