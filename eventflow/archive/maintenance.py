"""The process that keeps the server small: archives finished jobs, lets old ones drop off the lists of jobs, trims
what everybody has dealt with, and has those deleted whose time is over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from random import Random

import structlog

from eventflow.archive.archiver import PASSING, Archiver, rest
from eventflow.archive.deletion_policy import DeletionPolicy
from eventflow.archive.list_expiry import ListExpiry
from eventflow.backoff import Backoff
from eventflow.log.trim import Trimmer

_IDLE_S = 1.0
_TRIM_S = 10.0
#: Between two passes over the lists, and between two steps of a pass.
_UNLIST_S = 60.0
_STEP_S = 0.05
_RETENTION_S = 600.0
#: After a lost connection or store: at first a tenth of a second (it was restarted), later every 5 s.
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0


class MaintenanceWorker:
    """Runs an archiver, an unlister (None: there is no archive, and jobs stay in the server), a trimmer and what has
    old jobs deleted (None: nothing has) until it is stopped."""

    def __init__(
        self,
        archiver: Archiver | None,
        unlister: ListExpiry | None,
        trimmer: Trimmer,
        *,
        clock: Callable[[], datetime],
        random: Random,
        retention: DeletionPolicy | None = None,
    ) -> None:
        self._archiver, self._unlister, self._trimmer = archiver, unlister, trimmer
        self._clock, self._random, self._retention = clock, random, retention
        self._ready = False
        self._log = structlog.get_logger().bind(group="archive")

    @property
    def stuck(self) -> int:
        """Steps that ignore their end, as `Worker.stuck`: there are none here."""
        return 0

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; a batch that has begun is finished. Goes on over lost connections, groups and stores."""
        loops = [self._loop(stop, self._trim, _TRIM_S)]
        if self._archiver is not None:
            loops.append(self._loop(stop, self._archive, _IDLE_S))
        if self._unlister is not None:
            loops.append(self._loop(stop, self._unlister.step, _UNLIST_S, _STEP_S))
        if self._retention is not None:
            loops.append(self._loop(stop, self._retention.step, _RETENTION_S, _STEP_S))
        async with asyncio.TaskGroup() as group:
            for loop in loops:
                group.create_task(loop)
        if self._archiver is not None:
            try:
                await self._archiver.leave()
            except PASSING as error:
                self._log.warning("left without telling the server", error=str(error))

    async def _archive(self) -> bool:
        """Whether there may be more to do at once."""
        if self._archiver is None:
            return False
        if not self._ready:  # at first, and after anything went wrong: the group may be what is missing
            await self._archiver.ensure()
        self._ready = False
        handled = await self._archiver.round()
        self._ready = True
        return handled > 0

    async def _trim(self) -> bool:
        gone = await self._trimmer.trim(self._clock())
        if gone.topics or gone.feed:
            self._log.info("trimmed", topics=gone.topics, feed=gone.feed)
        return False

    async def _loop(
        self, stop: asyncio.Event, action: Callable[[], Awaitable[bool]], idle_s: float, busy_s: float = 0.0
    ) -> None:
        backoff = Backoff(first_s=_FIRST_PAUSE_S, longest_s=_LONGEST_PAUSE_S, random=self._random)
        while not stop.is_set():
            try:
                more = await action()
                backoff.reset()
                if not more or busy_s:
                    await rest(stop, (busy_s if more else idle_s) * self._random.uniform(0.8, 1.0))
            except PASSING as error:
                pause_s = backoff.next_s()
                self._log.warning("not done yet", error=str(error), retry_in_s=round(pause_s, 3))
                await rest(stop, pause_s)
