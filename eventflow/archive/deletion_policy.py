"""Deletes jobs that ended long ago, each owner's after the time in the settings.

Rule 1: it only requests deletions, as owners can; the metadata group carries them out.
Rule 2: it walks the list of all jobs, which has no deleted job. So it may run in several processes at a time, and be
repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from attrs import define, field
from cachetools import LRUCache

from eventflow.domain.commands import RequestDeletion
from eventflow.domain.envelope import Envelope
from eventflow.domain.errors import DomainError
from eventflow.domain.job_ids import is_job_id
from eventflow.log.codec import DecodeError
from eventflow.log.errors import ArchiveDamaged
from eventflow.log.event_store import JobEventStore
from eventflow.log.job_lists import position_of
from eventflow.log.keys import PartitionKeys
from eventflow.settings import FinishedJobsSettings
from eventflow.telemetry.causes import new_cause

#: Jobs of a partition in one step.
_PAGE = 200
#: Jobs whose due time is cached, so that archived ones aren't read in every pass.
_REMEMBERED = 100_000
_NEVER = datetime.max.replace(tzinfo=UTC)
#: Interval of checks of a job that is old enough but hasn't ended.
_AGAIN = timedelta(hours=1)


@define(kw_only=True)
class DeletionPolicy:
    """Walks the lists of every partition, oldest job first, in steps.

    A job's age counts from its last event.
    """

    log: JobEventStore
    settings: FinishedJobsSettings
    clock: Callable[[], datetime]
    page: int = _PAGE
    _after: dict[int, int] = field(factory=dict)
    _done: set[int] = field(factory=set)
    _due: LRUCache[str, datetime] = field(factory=lambda: LRUCache(_REMEMBERED))

    async def step(self) -> bool:
        """Handle a page of each partition; returns whether there are more.

        After the last page the next step starts again.

        Raises StorageError and connection errors: the next step handles the same page again.
        """
        shortest = self.settings.earliest_deletion
        if shortest is None:
            return False
        up_to = max(0, position_of(self.clock() - shortest))
        for keys in self.log.keyspace.all:
            if keys.partition not in self._done:
                await self._page(keys, up_to)
        if len(self._done) < len(self.log.keyspace.all):
            return True
        self._done.clear()
        self._after.clear()
        return False

    async def _page(self, keys: PartitionKeys, up_to: int) -> None:
        after = self._after.get(keys.partition, -1)
        entries = await self.log.job_lists.oldest(keys, after=after, up_to=up_to, count=self.page)
        now = self.clock()
        jobs = [e.job_id for e in entries if is_job_id(e.job_id) and self._due.get(e.job_id, now) <= now]
        for job_id, last in zip(jobs, await self._newest(keys, jobs), strict=True):
            await self._handle(job_id, last)
        if len(entries) < self.page:
            self._done.add(keys.partition)
        else:
            self._after[keys.partition] = entries[-1].position

    async def _newest(self, keys: PartitionKeys, jobs: Sequence[str]) -> list[Envelope | None]:
        """The last event of each job, read from the archive for archived ones; None where it can't be read."""
        async with self.log.redis.pipeline(transaction=False) as pipe:
            for job_id in jobs:
                pipe.xrevrange(keys.events(job_id), count=1)
            answers: list[Any] = await pipe.execute() if jobs else []
        found: list[Envelope | None] = []
        for job_id, rows in zip(jobs, answers, strict=True):
            try:
                events = [self.log.codec.decode(fields[b"e"]) for _, fields in rows] or await self.log.history(job_id)
            except (DecodeError, ArchiveDamaged) as error:
                structlog.get_logger().warning("deletion policy: unreadable job", job_id=job_id, error=str(error))
                events = []
            found.append(events[-1] if events else None)
        return found

    async def _handle(self, job_id: str, last: Envelope | None) -> None:
        kept = self.settings.delete_after(last.owner) if last else None
        if last is None or kept is None or last.occurred_at + kept > self.clock():
            self._due[job_id] = last.occurred_at + kept if last and kept else _NEVER
            return
        cause = new_cause(last.owner, "retention")
        try:
            await self.log.execute(job_id, [RequestDeletion(f"kept for {kept / timedelta(days=1):g} days")], cause)
        except DomainError:  # it hasn't ended
            self._due[job_id] = self.clock() + _AGAIN
