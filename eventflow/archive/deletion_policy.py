"""Jobs that ended long ago are deleted, each owner's after the time that the settings give it.

Rule 1: this only asks for deletions, as their owners could; the metadata group carries them out.
Rule 2: what is in the list of all jobs is what there is to look at; a deleted job isn't in it. So this may run
anywhere, several at a time and as often as it likes.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from attrs import define, field

from eventflow.domain.commands import RequestDeletion
from eventflow.domain.envelope import Envelope
from eventflow.domain.errors import DomainError
from eventflow.domain.job_ids import is_job_id
from eventflow.log.codec import DecodeError
from eventflow.log.errors import ArchiveDamaged
from eventflow.log.event_store import Cause, JobEventStore
from eventflow.log.job_lists import position_of
from eventflow.log.keys import PartitionKeys
from eventflow.settings import FinishedJobsSettings
from eventflow.telemetry.tracing import new_traceparent

#: Jobs of a partition that one step looks at.
_PAGE = 200
#: Jobs whose time is remembered, so that those in the archive aren't read again and again.
_REMEMBERED = 100_000
_NEVER = datetime.max.replace(tzinfo=UTC)
#: A job whose last event is old enough, and which yet hasn't ended, is looked at again after this.
_AGAIN = timedelta(hours=1)


@define
class DeletionPolicy:
    """Goes over the lists of every partition, oldest job first, in steps. A job's time counts from its last event."""

    log: JobEventStore
    settings: FinishedJobsSettings
    clock: Callable[[], datetime]
    page: int = _PAGE
    _after: dict[int, int] = field(factory=dict)
    _done: set[int] = field(factory=set)
    _due: OrderedDict[str, datetime] = field(factory=OrderedDict)

    async def step(self) -> bool:
        """A page of each partition; whether there are more. When all have been gone over, the next step begins anew.

        Raises StorageError and connection errors: then the next step looks at the same jobs again.
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
        entries = await self.log.index.oldest(keys, after=after, up_to=up_to, count=self.page)
        now = self.clock()
        jobs = [e.job_id for e in entries if is_job_id(e.job_id) and self._due.get(e.job_id, now) <= now]
        for job_id, last in zip(jobs, await self._newest(keys, jobs), strict=True):
            await self._look(job_id, last)
        if len(entries) < self.page:
            self._done.add(keys.partition)
        else:
            self._after[keys.partition] = entries[-1].place

    async def _newest(self, keys: PartitionKeys, jobs: Sequence[str]) -> list[Envelope | None]:
        """The last event of each job, from the archive where it is there. None where it can't be read."""
        async with self.log.redis.pipeline(transaction=False) as pipe:
            for job_id in jobs:
                pipe.xrevrange(keys.events(job_id), count=1)
            answers: list[Any] = await pipe.execute() if jobs else []
        found: list[Envelope | None] = []
        for job_id, rows in zip(jobs, answers, strict=True):
            try:
                events = [self.log.codec.decode(fields[b"e"]) for _, fields in rows] or await self.log.history(job_id)
            except (DecodeError, ArchiveDamaged) as error:
                structlog.get_logger().warning("retention: unreadable job", job_id=job_id, error=str(error))
                events = []
            found.append(events[-1] if events else None)
        return found

    async def _look(self, job_id: str, last: Envelope | None) -> None:
        kept = self.settings.delete_after(last.owner) if last else None
        if last is None or kept is None or last.occurred_at + kept > self.clock():
            self._remember(job_id, last.occurred_at + kept if last and kept else _NEVER)
            return
        trace = new_traceparent(secrets.token_hex(24))
        cause = Cause(last.owner, f"retention-{secrets.token_hex(8)}", "", trace)
        try:
            await self.log.execute(job_id, [RequestDeletion(f"kept for {kept / timedelta(days=1):g} days")], cause)
        except DomainError:  # it hasn't ended
            self._remember(job_id, self.clock() + _AGAIN)

    def _remember(self, job_id: str, due: datetime) -> None:
        self._due[job_id] = due
        self._due.move_to_end(job_id)
        if len(self._due) > _REMEMBERED:
            self._due.popitem(last=False)
