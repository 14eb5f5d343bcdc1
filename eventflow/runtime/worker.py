"""The consumer: reads its group's streams, keeps leases alive, sweeps up after the dead, drains when told to stop.

The loops survive a server that goes away: read (one per partition), heartbeat, sweep, reap. Each delivery has a task
of its own. Every entry in our hands is under the heartbeat, whether its handler runs or waits for a free slot.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from random import Random
from time import perf_counter
from typing import TypeVar

import structlog
from attrs import frozen
from redis.exceptions import ResponseError

from eventflow.domain.view import progress_field
from eventflow.log.connection import BLOCK_MS, DISCONNECTED
from eventflow.log.consume import CANCEL, LOST, Delivery, GroupMember, Renewal
from eventflow.log.jobs import JobLog
from eventflow.runtime.deadline import StepLimits, end_overdue
from eventflow.runtime.executor import Ending, Executor, Held
from eventflow.runtime.failure import RetryPolicy
from eventflow.runtime.pressure import Gate
from eventflow.runtime.reaction import Group
from eventflow.runtime.watchdog import Pulse
from eventflow.telemetry.tracing import Tracing

T = TypeVar("T")

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 2.0
#: How long a step may take to clean up when it is ended by a drain.
_LAST_WORDS_S = 5.0
#: How often silent consumers are looked for, and how long one must be silent to be removed.
_REAP_S, _SILENT_S = 60.0, 600.0
#: How often disk and memory are looked at.
_PRESSURE_S = 1.0


@frozen
class WorkerSettings:
    """`concurrency` handlers at a time; a lease of `lease_s` is renewed every third of it, at least once a second.

    `drain_s` is how long running handlers may go on after a stop was asked for, `limits` how long they may take at all.
    """

    concurrency: int = 4
    lease_s: float = 15.0
    drain_s: float = 30.0
    retry: RetryPolicy = RetryPolicy()
    limits: StepLimits = StepLimits()

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


class Worker:
    """One member of a group, on every partition that it was given a `GroupMember` for.

    Its loops beat in `pulse`; it takes nothing on while `gate` is closed.
    """

    def __init__(
        self,
        group: Group,
        log: JobLog,
        members: Sequence[GroupMember],
        settings: WorkerSettings,
        *,
        clock: Callable[[], datetime],
        random: Random,
        tracing: Tracing | None = None,
        pulse: Pulse | None = None,
        gate: Gate | None = None,
    ) -> None:
        self._group, self._members, self._settings = group, members, settings
        self._clock, self._random = clock, random
        self._pulse, self._gate = pulse or Pulse(float("inf")), gate
        self._stuck = asyncio.Event()
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._executor = Executor(group, log, settings.retry, clock, random, tracing or Tracing(), self._slots)
        self._held: set[Held] = set()
        self._room = asyncio.Event()
        self._room.set()
        self._pause_s = _FIRST_PAUSE_S
        self._log = structlog.get_logger().bind(group=group.name)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then drain. Every loop goes on over lost connections and lost groups.

        Also ends when every slot is taken by a step that ignores its end; see `stuck`.
        """
        await self._recreate(self._members)  # where that fails now, NOGROUP brings us back to it
        loops = [asyncio.create_task(self._read_loop(member)) for member in self._members]
        loops.append(asyncio.create_task(self._forever(self._sweep, self._settings.sweep_s)))
        loops.append(asyncio.create_task(self._forever(self.reap, _REAP_S)))
        heartbeat = asyncio.create_task(self._forever(self._renew, self._settings.heartbeat_s))
        loops.append(asyncio.create_task(self._forever(self._deadlines, self._settings.heartbeat_s)))
        if self._gate is not None:
            loops.append(asyncio.create_task(self._forever(self._gate.check, _PRESSURE_S)))
        stopped, stuck = asyncio.create_task(stop.wait()), asyncio.create_task(self._stuck.wait())
        self._log.info("worker started", consumer=self._members[0].consumer, topics=len(self._group.topics))
        try:
            await asyncio.wait([stopped, stuck, heartbeat, *loops], return_when=asyncio.FIRST_COMPLETED)
            await _end(loops)
            self._pulse.clear()
            await self._drain()
        finally:
            await _end([stopped, stuck, heartbeat, *loops])
        for loop in [heartbeat, *loops]:  # a loop that ended by itself is a defect: say so
            if not loop.cancelled() and (error := loop.exception()):
                raise error

    @property
    def stuck(self) -> int:
        """After `run`: steps that ignore their end. The process has to go down with them; nothing else ends them."""
        return len(self._held)

    async def _read_loop(self, member: GroupMember) -> None:
        loop = f"read {member.keys.partition:02x}"
        while True:
            self._pulse.rest(loop)
            await self._room.wait()
            if self._gate is not None:
                await self._gate.passed()
            self._pulse.beat(loop, BLOCK_MS / 1000)
            room = self._settings.concurrency - len(self._held)
            if room >= self._settings.least_room:
                for delivery in await self._surviving(partial(member.read, room), member) or ():
                    self._take(member, delivery)
            if self._settings.concurrency - len(self._held) < self._settings.least_room:
                self._room.clear()

    def _take(self, member: GroupMember, delivery: Delivery) -> None:
        held = Held(member, delivery)
        self._held.add(held)
        held.task = asyncio.create_task(self._executor.run(held))
        held.task.add_done_callback(partial(self._let_go, held))

    def _let_go(self, held: Held, _: asyncio.Task[None]) -> None:
        self._held.discard(held)
        held.task = held.reaction = None  # no cycle is left for the garbage collector
        if self._settings.concurrency - len(self._held) >= self._settings.least_room:
            self._room.set()

    async def _sweep(self) -> None:
        """Deliver retries that are due, and take over what dead members have left, as far as there is room.

        Our own leases first: after a pause of the server or of ours they may be as old as those of the dead.
        """
        await self._renew()
        for member in self._members:
            await member.move_due(int(self._clock().timestamp() * 1000))
            lease_ms, room = self._overdue()
            if room > 0:
                for delivery in await member.sweep(lease_ms, room):
                    self._log.warning(
                        "entry taken over", entry=delivery.claim.entry_id, delivery_count=delivery.claim.count
                    )
                    self._take(member, delivery)

    def _overdue(self) -> tuple[int, int]:
        """(silence in ms after which we take an entry over, how many we take).

        A busy member takes one at a time, which gets the next free slot before anything new does; but only what
        members with free slots have left lying for a while. Else an orphan would wait for the end of the backlog.
        """
        lease_ms, room = int(self._settings.lease_s * 1000), self._settings.concurrency - len(self._held)
        if self._gate is not None and not self._gate.is_open:
            return lease_ms, 0
        if room > 0:
            return lease_ms, room
        waits = any(held.reaction is None and not held.delivery.first for held in self._held)
        return lease_ms * 3 // 2, 0 if waits else 1

    async def reap(self, idle_ms: int | None = None) -> None:
        """Remove consumers that have been silent for `idle_ms` (by default much longer than a lease)."""
        silent_ms = int(max(_SILENT_S, 10 * self._settings.lease_s) * 1000) if idle_ms is None else idle_ms
        for member in self._members:
            if removed := await member.reap(silent_ms):
                self._log.info("silent consumers removed", count=removed)

    async def _renew(self) -> None:
        for member in self._members:
            held = [h for h in self._held if h.member is member and h.envelope is not None and not h.given_up]
            if not held:
                continue
            for one, answer in zip(held, await member.renew([_renewal(h) for h in held]), strict=True):
                if answer == LOST:
                    one.end(Ending.LEASE_LOST)
                elif answer == CANCEL:
                    one.end(Ending.JOB_CANCELLED)

    async def _deadlines(self) -> None:
        for held in end_overdue(self._held, perf_counter(), self._settings.limits):
            entry, job_id = held.delivery.claim.entry_id, held.envelope.job_id if held.envelope else "-"
            self._log.error("step ignores its end; its entry is left to others", entry=entry, job_id=job_id)
        if sum(held.given_up for held in self._held) >= self._settings.concurrency:
            self._log.error("every slot is taken by a step that ignores its end; ending")
            self._stuck.set()

    async def _drain(self) -> None:
        """Give back what hasn't begun, finish what runs, then give back what doesn't finish in time."""
        await self._give_back([h for h in self._held if h.reaction is None])
        running = [h.task for h in self._held if h.task and not h.given_up]
        if running:
            self._log.info("draining", running=len(running))
            await asyncio.wait(running, timeout=self._settings.drain_s)
        # The delivery of a step that was given up counts: an entry that hangs every worker must come to its limit.
        await self._give_back([h for h in self._held if not h.given_up])
        for member in self._members:
            try:
                await member.leave()
            except DISCONNECTED:
                self._log.warning("left without telling the server")

    async def _give_back(self, unfinished: Sequence[Held]) -> None:
        """End these steps and let others have their entries at once; what was settled meanwhile isn't touched."""
        tasks = [held.task for held in unfinished if held.task]
        for held in unfinished:
            held.end(Ending.SHUTDOWN)
        if tasks:
            _, unwilling = await asyncio.wait(tasks, timeout=_LAST_WORDS_S)
            for task in unwilling:
                task.cancel()
            if unwilling:
                await asyncio.wait(unwilling, timeout=_LAST_WORDS_S)
        for held in unfinished:
            try:
                await held.member.release([held.delivery.claim], int(self._settings.lease_s * 1000))
            except DISCONNECTED:
                self._log.warning("lease left to run out", entry=held.delivery.claim.entry_id)

    async def _forever(self, action: Callable[[], Awaitable[None]], period_s: float) -> None:
        loop = getattr(action, "__name__", "loop").lstrip("_")
        while True:
            self._pulse.beat(loop, period_s)
            await self._surviving(action, *self._members)
            await asyncio.sleep(period_s * self._random.uniform(0.8, 1.0))

    async def _surviving(self, action: Callable[[], Awaitable[T]], *members: GroupMember) -> T | None:
        """`action`, over lost connections and lost groups, with growing pauses; None after a pause."""
        try:
            result = await action()
        except DISCONNECTED as error:
            self._log.warning("log unreachable", error=str(error))
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                self._log.error("log refused", error=str(error))
            else:
                self._log.warning("group is gone; creating it again from the beginning")
                for member in members:
                    member.rebuilt = True
                await self._recreate(members)
        else:
            self._pause_s = _FIRST_PAUSE_S
            return result
        await asyncio.sleep(self._pause_s * self._random.uniform(0.5, 1.0))
        self._pause_s = min(_LONGEST_PAUSE_S, self._pause_s * 2)
        return None

    async def _recreate(self, members: Sequence[GroupMember]) -> None:
        for member in members:
            try:
                await member.ensure()
            except (ResponseError, *DISCONNECTED) as error:
                self._log.warning("group not created yet", error=str(error))


async def _end(tasks: Sequence[asyncio.Task[object]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _renewal(held: Held) -> Renewal:
    envelope, reaction = held.envelope, held.reaction
    job_id = envelope.job_id if envelope else "-"
    if reaction is None or reaction.work is None or reaction.fraction == held.reported:
        return Renewal(held.delivery.claim, job_id, "", None)
    held.reported = reaction.fraction
    work = reaction.work
    return Renewal(held.delivery.claim, job_id, progress_field(work.step, work.scene, work.run), reaction.fraction)
