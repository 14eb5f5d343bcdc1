"""Reconciliation of the fallback store: its files move to the delivery store once that takes files again.

Every upload worker reconciles periodically, without coordination: an existing copy isn't made again, an event that is
recorded isn't decided again, and a file may be removed twice.

Rule 1: a file is safely in the delivery store, checked by its digest, before an event says so.
Rule 2: it leaves the fallback store only after that event, and after every URL that leads there has expired.
"""

from __future__ import annotations

import asyncio
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
from eventflow.log.event_store import JobEventStore, JobRecord
from eventflow.storage import IntegrityError, ObjectMissing, ObjectStore, StorageError
from eventflow.telemetry.causes import new_cause
from handlers.workspace import Workspace

#: Files of one job that are copied at the same time.
PARALLEL = 4
#: Interval of checks of a job that asks for local storage: only a reprocess can change that.
_LOCAL_ONLY_CHECK = timedelta(hours=1)
_ROOT = "videos/"
#: Errors that end a round; the next round continues.
_TRANSIENT_ERRORS = (StorageError, LogError, RedisError, OSError, *DISCONNECTED)


@frozen
class Round:
    """Result of a round: files moved to the delivery store, and files removed from the fallback store."""

    moved: int = 0
    removed: int = 0


@define(eq=False, kw_only=True)
class FallbackReconciler:
    """Moves files of finished jobs from `fallback` to `delivery`, by way of the scratch folder of `workspace`.

    `grace` is the longest lifetime of a URL into the fallback store.
    """

    log: JobEventStore
    workspace: Workspace
    delivery: ObjectStore
    fallback: ObjectStore
    clock: Callable[[], datetime]
    grace: timedelta
    _not_before: dict[str, datetime] = field(factory=dict)

    async def round(self) -> Round:
        """Reconcile every job with files in the fallback store. Raises StorageError and connection errors.

        Without such files, the delivery store gets no request.
        """
        moved = removed = 0
        reachable = False
        seen: set[str] = set()
        async for job_id, keys in self._jobs_in_fallback():
            seen.add(job_id)
            due = self._not_before.get(job_id)
            if due is not None and self.clock() < due:
                continue
            record = await self._load(job_id)
            if record is None or not record.job.finished or record.job.gone:
                continue
            if not record.job.request.s3_upload_enabled:
                self._not_before[job_id] = self.clock() + _LOCAL_ONLY_CHECK
                continue
            if not reachable:
                await self.delivery.check()
                reachable = True
            try:
                moved += await self._move(record, keys)
                removed += await self._remove_moved(job_id, keys)
            except StorageError as error:  # of this job's files; a transient one is of the whole store
                if error.transient:
                    raise
                structlog.get_logger().error("fallback not reconciled", job_id=job_id, error=str(error))
        for job_id in self._not_before.keys() - seen:
            del self._not_before[job_id]
        return Round(moved, removed)

    async def _jobs_in_fallback(self) -> AsyncIterator[tuple[str, list[str]]]:
        """Yield each job with its keys in the fallback store."""
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
        """Return the job, or None if it doesn't exist or can't be read, which others report."""
        try:
            return await self.log.load(job_id)
        except (DecodeError, DomainError) as error:
            structlog.get_logger().warning("fallback of an unreadable job", job_id=job_id, error=str(error))
            return None

    async def _move(self, record: JobRecord, keys: Sequence[str]) -> int:
        here = frozenset(keys)
        named = {file.key: file for file in files_of(record.job) if file.store == "fallback" and file.key in here}
        if not named:
            return 0
        slots = asyncio.Semaphore(PARALLEL)
        try:
            async with asyncio.TaskGroup() as group:
                copies = [group.create_task(self._copy(record.id, file, slots)) for file in named.values()]
        except ExceptionGroup as errors:  # all of the same outage
            raise errors.exceptions[0] from None
        moved = tuple(key for copy in copies if (key := copy.result()))
        if not moved:
            return 0
        cause = new_cause(record.owner, "fallback-reconciler")
        after = await self.log.execute(record.id, [RelocateFiles(moved)], cause, record=record)
        if after is None or after.job.gone:  # deleted meanwhile, and perhaps without our copies
            await asyncio.gather(*map(self.delivery.delete, moved))
            return 0
        store = self.delivery.description
        structlog.get_logger().info("fallback reconciled", job_id=record.id, files=len(moved), store=store)
        return len(moved)

    async def _copy(self, job_id: str, file: FileRef, slots: asyncio.Semaphore) -> str:
        """Copy a file to the delivery store; return its key, empty if the file is lost or damaged."""
        async with slots:
            with self.workspace.folder(job_id) as folder:
                path = folder / "file"
                try:
                    await self.fallback.fetch(file.key, path, sha256=file.sha256)
                except (ObjectMissing, IntegrityError) as error:
                    structlog.get_logger().error("fallback file lost", job_id=job_id, key=file.key, error=str(error))
                    return ""
                await self.delivery.put_file(file.key, path, media_type=file.media_type, sha256=file.sha256)
        return file.key

    async def _remove_moved(self, job_id: str, keys: Sequence[str]) -> int:
        """Remove files from the fallback store once every URL that leads there has expired; return how many."""
        record = await self._load(job_id)
        if record is None or not record.job.finished or record.job.gone:
            return 0
        moved = _only_in_delivery(record.job).intersection(keys)
        if not moved:
            return 0
        last = await self.log.history(job_id, after=record.version - 1)
        due = last[-1].occurred_at + self.grace if last else self.clock() + self.grace
        if self.clock() < due:
            self._not_before[job_id] = due
            return 0
        for key in moved:
            await self.delivery.head(key)  # raises ObjectMissing if this is the last copy
            await self.fallback.delete(key)
        return len(moved)


def _only_in_delivery(job: Job) -> set[str]:
    """Return the keys that the job names in the delivery store alone."""
    named = files_of(job)
    return {file.key for file in named if file.store == "delivery"} - {
        file.key for file in named if file.store == "fallback"
    }


@asynccontextmanager
async def reconcile_periodically(
    reconciler: FallbackReconciler, period_s: float, random: Random
) -> AsyncIterator[None]:
    """Reconcile about every `period_s` seconds (0: never) while the context is open."""
    task = asyncio.create_task(_rounds(reconciler, period_s, random)) if period_s else None
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _rounds(reconciler: FallbackReconciler, period_s: float, random: Random) -> None:
    log = structlog.get_logger()
    while True:
        await asyncio.sleep(period_s * random.uniform(0.5, 1.0))
        try:
            done = await reconciler.round()
            if done.moved or done.removed:
                log.info("fallback round", moved=done.moved, removed=done.removed)
        except _TRANSIENT_ERRORS as error:
            log.info("fallback not reconciled yet", error=str(error))
