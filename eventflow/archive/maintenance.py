"""The maintenance process: archives finished jobs, unlists and deletes old ones, trims streams."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from random import Random

import structlog

from eventflow.archive.archiver import TRANSIENT_ERRORS, Archiver, sleep_or_stop
from eventflow.archive.deletion_policy import DeletionPolicy
from eventflow.archive.list_expiry import ListExpiry
from eventflow.backoff import Backoff
from eventflow.log.trim import Trimmer

#: Pauses between two rounds or passes, and between two steps of a pass; in seconds.
_LIST_EXPIRY_S = 60.0
_STEP_S = 0.05
_IDLE_S = 1.0
_TRIM_S = 10.0
_DELETION_S = 600.0
#: After a lost connection or store: at first a tenth of a second (it was restarted), later every 5 s.
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0


class MaintenanceWorker:
    """Runs an archiver, list expiry, a trimmer and the deletion policy until it is stopped.

    `archiver` and `list_expiry` are None where there is no archive: jobs stay in the server and in their lists.
    `deletion` is None where no job is deleted by age.
    """

    def __init__(
        self,
        archiver: Archiver | None,
        list_expiry: ListExpiry | None,
        trimmer: Trimmer,
        *,
        clock: Callable[[], datetime],
        random: Random,
        deletion: DeletionPolicy | None = None,
    ) -> None:
        self._archiver, self._list_expiry, self._trimmer = archiver, list_expiry, trimmer
        self._clock, self._random, self._deletion = clock, random, deletion
        self._ready = False
        self._log = structlog.get_logger().bind(group="archive")

    @property
    def stuck(self) -> int:
        """Steps that ignore their cancellation, as in `Worker.stuck`: always 0 here."""
        return 0

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set; a started batch is finished. Survives lost connections, groups and stores."""
        loops = [self._loop(stop, self._trim, _TRIM_S)]
        if self._archiver is not None:
            loops.append(self._loop(stop, self._archive, _IDLE_S))
        if self._list_expiry is not None:
            loops.append(self._loop(stop, self._list_expiry.step, _LIST_EXPIRY_S, _STEP_S))
        if self._deletion is not None:
            loops.append(self._loop(stop, self._deletion.step, _DELETION_S, _STEP_S))
        async with asyncio.TaskGroup() as group:
            for loop in loops:
                group.create_task(loop)
        if self._archiver is not None:
            try:
                await self._archiver.leave()
            except TRANSIENT_ERRORS as error:
                self._log.warning("stopped without leaving the group", error=str(error))

    async def _archive(self) -> bool:
        """Run one round; returns whether there may be more to do at once."""
        if self._archiver is None:
            return False
        if not self._ready:  # at first, and after an error: the group may be missing
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
                    await sleep_or_stop(stop, (busy_s if more else idle_s) * self._random.uniform(0.8, 1.0))
            except TRANSIENT_ERRORS as error:
                pause_s = backoff.next_s()
                self._log.warning("maintenance will retry", error=str(error), retry_in_s=round(pause_s, 3))
                await sleep_or_stop(stop, pause_s)
