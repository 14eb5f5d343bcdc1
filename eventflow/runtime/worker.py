"""The consumer: reads its group's streams, keeps leases alive, sweeps up after the dead, drains when told to stop.

The loops survive a server that goes away: read (one per partition), heartbeat, sweep, reap. Deliveries wait in a line;
a slot is a task that takes one after the other until the line is empty. Every entry in our hands is under the
heartbeat, whether it waits, runs, or its last commit is on the way.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from random import Random
from typing import TypeVar

import structlog
from redis.exceptions import ResponseError

from eventflow.codec import DecodeError
from eventflow.domain.view import progress_field
from eventflow.log.connection import DISCONNECTED
from eventflow.log.consume import CANCEL, LOST, Delivery, GroupMember, Renewal
from eventflow.log.jobs import JobLog
from eventflow.runtime.executor import Executor
from eventflow.runtime.held import Ending, Held
from eventflow.runtime.reaction import Group
from eventflow.runtime.worker_settings import WorkerSettings
from eventflow.telemetry.tracing import Tracing

T = TypeVar("T")

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 2.0
#: How long a step may take to clean up when it is ended by a drain.
_LAST_WORDS_S = 5.0
#: How often silent consumers are looked for, and how long one must be silent to be removed.
_REAP_S, _SILENT_S = 60.0, 600.0


class Worker:
    """One member of a group, on every partition that it was given a `GroupMember` for."""

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
    ) -> None:
        self._group, self._members, self._settings = group, members, settings
        self._clock, self._random = clock, random
        self._log = structlog.get_logger().bind(group=group.name)
        says_settled = self._log.is_enabled_for(logging.INFO)
        self._executor = Executor(
            group, log, settings.retry, clock, random, tracing or Tracing(), says_settled, self._let_go, self._run_again
        )
        self._codec, self._most_in_progress = log.codec, log.committer.limit
        self._held: set[Held] = set()
        self._line: deque[Held] = deque()
        self._slots: set[asyncio.Task[None]] = set()
        self._none_held = asyncio.Event()
        self._reading = asyncio.Lock()
        self._room = asyncio.Event()
        self._room.set()
        self._pause_s = _FIRST_PAUSE_S

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then drain. Every loop goes on over lost connections and lost groups."""
        await self._recreate(self._members)  # where that fails now, NOGROUP brings us back to it
        loops = [asyncio.create_task(self._read_loop(member)) for member in self._members]
        loops.append(asyncio.create_task(self._forever(self._sweep, self._settings.sweep_s)))
        loops.append(asyncio.create_task(self._forever(self.reap, _REAP_S)))
        heartbeat = asyncio.create_task(self._forever(self._renew, self._settings.heartbeat_s))
        stopped = asyncio.create_task(stop.wait())
        self._log.info("worker started", consumer=self._members[0].consumer, topics=len(self._group.topics))
        try:
            await asyncio.wait([stopped, heartbeat, *loops], return_when=asyncio.FIRST_COMPLETED)
            await _end(loops)
            await self._drain()
        finally:
            await _end([stopped, heartbeat, *loops])
        for loop in [heartbeat, *loops]:  # a loop that ended by itself is a defect: say so
            if not loop.cancelled() and (error := loop.exception()):
                raise error

    async def _read_loop(self, member: GroupMember) -> None:
        """Take what there is room for; when nothing is there, wait for the next entry to come."""
        while True:
            await self._room.wait()
            room = self._settings.concurrency - len(self._held)
            if room < self._settings.least_room:
                self._room.clear()
                continue
            async with self._reading:  # one partition at a time: all fill the same room
                room = self._settings.concurrency - len(self._held)
                found = await self._surviving(partial(member.read, room), member) if room > 0 else ()
                self._take(member, found or ())
            if found is not None and not found and room > 0:
                self._take(member, await self._surviving(member.wait, member) or ())

    def _take(self, member: GroupMember, deliveries: Iterable[Delivery]) -> None:
        """Put new deliveries in line; one that was taken over from a dead member goes to its head."""
        for delivery in deliveries:
            held = Held(member, delivery)
            with suppress(DecodeError):  # the executor comes to the same end, and parks it
                held.envelope = self._codec.decode(delivery.payload or b"")
            self._held.add(held)
            if delivery.first or delivery.retried:
                self._line.append(held)
            else:
                self._line.appendleft(held)
        self._open_slots()

    def _open_slots(self) -> None:
        """Open one slot, and look again when it has done what it can without waiting: a step that doesn't wait needs no
        second one.
        """
        if self._line and len(self._slots) < self._settings.concurrency:
            slot = asyncio.create_task(self._run_line())
            self._slots.add(slot)
            slot.add_done_callback(self._slots.discard)
            asyncio.get_running_loop().call_soon(self._open_slots)

    async def _run_line(self) -> None:
        slot = asyncio.current_task()
        while self._line:
            held = self._line.popleft()
            held.task = slot
            await self._executor.run(held)
            held.task = None

    def _run_again(self, held: Held) -> None:
        self._line.appendleft(held)
        self._open_slots()

    def _let_go(self, held: Held) -> None:
        self._held.discard(held)
        held.reaction = held.left_over = None  # no cycle is left for the garbage collector
        if self._settings.concurrency - len(self._held) >= self._settings.least_room:
            self._room.set()
        if not self._held:
            self._none_held.set()

    async def _sweep(self) -> None:
        """Deliver retries that are due, and take over what dead members have left, as far as there is room.

        Our own leases first: after a pause of the server or of ours they may be as old as those of the dead.
        """
        await self._renew()
        for member in self._members:
            await member.move_due(int(self._clock().timestamp() * 1000))
            await member.admit(self._most_in_progress)
            lease_ms, room = self._overdue()
            if room > 0:
                for delivery in await member.sweep(lease_ms, room):
                    self._log.warning(
                        "entry taken over", entry=delivery.claim.entry_id, delivery_count=delivery.claim.count
                    )
                    self._take(member, (delivery,))

    def _overdue(self) -> tuple[int, int]:
        """(silence in ms after which we take an entry over, how many we take).

        A busy member takes one at a time, which gets the next free slot before anything new does; but only what
        members with free slots have left lying for a while. Else an orphan would wait for the end of the backlog.
        """
        lease_ms, room = int(self._settings.lease_s * 1000), self._settings.concurrency - len(self._held)
        if room > 0:
            return lease_ms, room
        waits = any(not held.delivery.first for held in self._line)
        return lease_ms * 3 // 2, 0 if waits else 1

    async def reap(self, idle_ms: int | None = None) -> None:
        """Remove consumers that have been silent for `idle_ms` (by default much longer than a lease)."""
        silent_ms = int(max(_SILENT_S, 10 * self._settings.lease_s) * 1000) if idle_ms is None else idle_ms
        for member in self._members:
            if removed := await member.reap(silent_ms):
                self._log.info("silent consumers removed", count=removed)

    async def _renew(self) -> None:
        for member in self._members:
            held = [h for h in self._held if h.member is member]
            if not held:
                continue
            for one, answer in zip(held, await member.renew([_renewal(h) for h in held]), strict=True):
                if answer == LOST:
                    self._end(one, Ending.LEASE_LOST)
                elif answer == CANCEL:
                    self._end(one, Ending.JOB_CANCELLED)

    def _end(self, held: Held, why: Ending) -> None:
        """End a delivery, whether it runs or is in line. One in line is heard at once, beyond the slots."""
        held.end(why)
        if held in self._line and held.left_over is None:
            self._line.remove(held)
            last = asyncio.create_task(self._executor.run(held))
            self._slots.add(last)
            last.add_done_callback(self._slots.discard)

    async def _drain(self) -> None:
        """Give back what hasn't begun, finish what runs, then give back what doesn't finish in time."""
        await self._give_back([held for held in self._line if held.left_over is None])
        if self._held:
            self._log.info("draining", running=len(self._held))
            await self._wait_until_none_held(self._settings.drain_s)
        await self._give_back(list(self._held))
        for member in self._members:
            try:
                await member.leave()
            except DISCONNECTED:
                self._log.warning("left without telling the server")

    async def _wait_until_none_held(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                while self._held:
                    self._none_held.clear()
                    await self._none_held.wait()
        except TimeoutError:
            pass

    async def _give_back(self, unfinished: Sequence[Held]) -> None:
        """End these steps and let others have their entries at once; what was settled meanwhile isn't touched."""
        slots = {held.task for held in unfinished if held.task}
        for held in unfinished:
            held.end(Ending.SHUTDOWN)
            if held in self._line:
                self._line.remove(held)
                self._let_go(held)
        if slots:
            _, unwilling = await asyncio.wait(slots, timeout=_LAST_WORDS_S)
            for slot in unwilling:
                slot.cancel()
            if unwilling:
                await asyncio.wait(unwilling, timeout=_LAST_WORDS_S)
        for held in unfinished:
            try:
                await held.member.release([held.delivery.claim], int(self._settings.lease_s * 1000))
            except DISCONNECTED:
                self._log.warning("lease left to run out", entry=held.delivery.claim.entry_id)

    async def _forever(self, action: Callable[[], Awaitable[None]], period_s: float) -> None:
        while True:
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
