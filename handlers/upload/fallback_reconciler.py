"""What had to be kept in the fallback store goes to the delivery store by itself, once that takes files again.

Every upload worker does so now and then, without asking the others: a copy that is there already isn't made again, an
event that was written already isn't decided again, and a file that is gone can be removed twice.

Rule 1: a file is safely in the delivery store, checked by its digest, before an event says so.
Rule 2: it leaves the fallback store only after an event says so, and after every URL that led there has expired.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from random import Random

import structlog
from attrs import define, field, frozen
from redis.exceptions import RedisError

from eventflow.domain.commands import RelocateFiles
from eventflow.domain.errors import DomainError
from eventflow.domain.job_ids import is_job_id
from eventflow.domain.state import Job
from eventflow.domain.values import FileRef, files_of
from eventflow.log.codec import DecodeError
from eventflow.log.connection import DISCONNECTED
from eventflow.log.errors import LogError
from eventflow.log.event_store import Cause, JobEventStore, JobRecord
from eventflow.storage import IntegrityError, ObjectMissing, ObjectStore, StorageError
from eventflow.telemetry.tracing import new_traceparent
from handlers.workspace import Workspace

#: Files of one job that travel at the same time.
PARALLEL = 4
#: For how long a job that wants its files where they are isn't looked at again.
_CONTENT = timedelta(hours=1)
_ROOT = "videos/"
#: What ends a round; the next one goes on.
_PASSING = (StorageError, LogError, RedisError, OSError, *DISCONNECTED)
_CAUSE = "homecoming"


@frozen
class Round:
    """Files that have come home, and files that have left the fallback store."""

    moved: int = 0
    removed: int = 0


@define(eq=False)
class FallbackReconciler:
    """`grace` is the longest life of a URL into the fallback store. Files pass through the scratch folder."""

    log: JobEventStore
    workspace: Workspace
    delivery: ObjectStore
    fallback: ObjectStore
    clock: Callable[[], datetime]
    grace: timedelta
    _not_before: dict[str, datetime] = field(factory=dict)

    async def round(self) -> Round:
        """Look at every job that has files in the fallback store. Raises StorageError and connection errors.

        Nothing is asked of the delivery store where there are none.
        """
        moved = removed = 0
        reachable = False
        seen: set[str] = set()
        async for job_id, keys in self._left_behind():
            seen.add(job_id)
            due = self._not_before.get(job_id)
            if due is not None and self.clock() < due:
                continue
            record = await self._load(job_id)
            if record is None or not record.job.finished or record.job.gone:
                continue
            if not record.job.request.s3_upload_enabled:
                self._not_before[job_id] = self.clock() + _CONTENT
                continue
            if not reachable:
                await self.delivery.check()
                reachable = True
            try:
                moved += await self._bring_home(record, keys)
                removed += await self._tidy(job_id, keys)
            except StorageError as error:  # of this job's files, or of the store as a whole
                if error.transient:
                    raise
                structlog.get_logger().error("can't come home", job_id=job_id, error=str(error))
        for job_id in self._not_before.keys() - seen:
            del self._not_before[job_id]
        return Round(moved, removed)

    async def _left_behind(self) -> AsyncIterator[tuple[str, list[str]]]:
        """Each job with its keys in the fallback store."""
        present, keys = "", list[str]()
        async for info in self.fallback.list(_ROOT):
            job_id = info.key.split("/")[1]
            if job_id != present:
                if keys:
                    yield present, keys
                present, keys = job_id, []
            if is_job_id(job_id):
                keys.append(info.key)
        if keys:
            yield present, keys

    async def _load(self, job_id: str) -> JobRecord | None:
        """None where there is no such job, or none that can be read: that is for others to find out."""
        try:
            return await self.log.load(job_id)
        except (DecodeError, DomainError) as error:
            structlog.get_logger().warning("homecoming: unreadable job", job_id=job_id, error=str(error))
            return None

    async def _bring_home(self, record: JobRecord, keys: Sequence[str]) -> int:
        here = frozenset(keys)
        named = {file.key: file for file in files_of(record.job) if file.store == "fallback" and file.key in here}
        if not named:
            return 0
        slots = asyncio.Semaphore(PARALLEL)
        try:
            async with asyncio.TaskGroup() as group:
                copies = [group.create_task(self._copy(record.id, file, slots)) for file in named.values()]
        except ExceptionGroup as errors:  # the others are of the same outage
            raise errors.exceptions[0] from None
        home = tuple(key for copy in copies if (key := copy.result()))
        if not home:
            return 0
        cause = Cause(
            owner=record.owner,
            correlation_id=f"{_CAUSE}-{secrets.token_hex(8)}",
            causation_id="",
            traceparent=new_traceparent(secrets.token_hex(24)),
        )
        after = await self.log.execute(record.id, [RelocateFiles(home)], cause, record=record)
        if after is None or after.job.gone:  # deleted meanwhile, and perhaps without our copies
            await asyncio.gather(*map(self.delivery.delete, home))
            return 0
        structlog.get_logger().info("came home", job_id=record.id, files=len(home), store=self.delivery.description)
        return len(home)

    async def _copy(self, job_id: str, file: FileRef, slots: asyncio.Semaphore) -> str:
        """The key once the file is in the delivery store; empty where it can't be had as it should be."""
        async with slots:
            with self.workspace.folder(job_id) as folder:
                path = folder / "file"
                try:
                    await self.fallback.fetch(file.key, path, sha256=file.sha256)
                except (ObjectMissing, IntegrityError) as error:
                    structlog.get_logger().error("can't come home", job_id=job_id, key=file.key, error=str(error))
                    return ""
                await self.delivery.put_file(file.key, path, media_type=file.media_type, sha256=file.sha256)
        return file.key

    async def _tidy(self, job_id: str, keys: Sequence[str]) -> int:
        """Remove what has been named in the delivery store for longer than any URL into the fallback store lives."""
        record = await self._load(job_id)
        if record is None or not record.job.finished or record.job.gone:
            return 0
        home = _only_in_delivery(record.job).intersection(keys)
        if not home:
            return 0
        last = await self.log.history(job_id, after=record.version - 1)
        due = last[-1].occurred_at + self.grace if last else self.clock() + self.grace
        if self.clock() < due:
            self._not_before[job_id] = due
            return 0
        for key in home:
            await self.delivery.head(key)  # raises ObjectMissing: then this is the last copy
            await self.fallback.delete(key)
        return len(home)


def _only_in_delivery(job: Job) -> set[str]:
    named = files_of(job)
    return {file.key for file in named if file.store == "delivery"} - {
        file.key for file in named if file.store == "fallback"
    }


@asynccontextmanager
async def reconcile_periodically(
    homecoming: FallbackReconciler, period_s: float, random: Random
) -> AsyncIterator[None]:
    """Meanwhile there is a round about every `period_s` seconds; 0: never."""
    task = asyncio.create_task(_rounds(homecoming, period_s, random)) if period_s else None
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _rounds(homecoming: FallbackReconciler, period_s: float, random: Random) -> None:
    log = structlog.get_logger()
    while True:
        await asyncio.sleep(period_s * random.uniform(0.5, 1.0))
        try:
            done = await homecoming.round()
            if done.moved or done.removed:
                log.info("homecoming", moved=done.moved, removed=done.removed)
        except _PASSING as error:
            log.info("not home yet", error=str(error))
