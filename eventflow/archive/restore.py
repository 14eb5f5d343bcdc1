"""Disaster recovery: fills an empty server with pointers to the archived jobs, and lists the jobs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen

from eventflow.archive.segment import SegmentEntry
from eventflow.archive.segment_store import SegmentStore, StoredSegment
from eventflow.log.archive_pointers import ArchivePointers
from eventflow.log.event_store import JobEventStore
from eventflow.log.job_lists import ListedJob
from eventflow.log.keys import PartitionKeys
from eventflow.log.rebuild_job_lists import enter_missing

#: Jobs in one script call.
_BATCH = 500
#: A field of the hash of segments while a restore runs: an interrupted one may be started again.
_MARK = "restoring"

#: Called after each segment: (how many are done, of how many).
OnSegment = Callable[[int, int], None]
#: Whether an owner's jobs stay listed after the window: the deletion policy has to find them.
StaysListed = Callable[[str], bool]


class NotEmpty(Exception):
    """The server holds jobs already; the message names the partition."""


@frozen
class Restored:
    """`jobs` counts archived jobs; `written` of them have a new archive pointer (0 in a dry run)."""

    segments: int
    jobs: int
    written: int


async def restore(
    segment_store: SegmentStore,
    pointers: ArchivePointers,
    *,
    merge: bool,
    dry_run: bool,
    log: JobEventStore | None = None,
    listed_since: datetime | None = None,
    stays: StaysListed = lambda owner: False,
    on_segment: OnSegment = lambda done, total: None,
) -> Restored:
    """Write an archive pointer for the newest version of every archived job. Safe to repeat and to resume.

    Reads only the indices; `verify` checks the rest. With `merge` the server may hold jobs, which stay unless the
    archive has a newer version. With `log` the jobs are listed, too: those that began at `listed_since` or later, or
    whose owner `stays`. Raises NotEmpty, ArchiveDamaged, StorageError and connection errors.
    """
    stored = [segment async for segment in segment_store.segments()]
    partitions = sorted({segment.partition for segment in stored})
    if not merge:
        await _refuse_jobs(pointers, [pointers.keyspace.partition(number) for number in partitions])
    if not dry_run:
        await _mark(pointers, partitions)
    jobs: set[bytes] = set()
    listed: dict[str, ListedJob] = {}
    deleted: set[str] = set()  # a later segment may hold a newer version
    written = 0
    for done, segment in enumerate(stored, 1):
        entries = await segment_store.index(segment)
        jobs.update(_compact(entry.job) for entry in entries)
        if not dry_run:
            written += await _restore_pointers(pointers, segment, entries)
            listed |= {
                entry.job: job for entry in entries if (job := _as_listed(entry, listed_since, stays)) is not None
            }
            deleted |= {entry.job for entry in entries if entry.deleted}
        on_segment(done, len(stored))
    if not dry_run:
        if log is not None:
            await enter_missing(log, [job for job in listed.values() if job.job_id not in deleted])
        for number in partitions:
            await _hash(pointers).hdel(pointers.keyspace.partition(number).segments, _MARK)
    return Restored(len(stored), len(jobs), written)


async def list_archived(
    segment_store: SegmentStore,
    pointers: ArchivePointers,
    log: JobEventStore,
    listed_since: datetime | None = None,
    stays: StaysListed = lambda owner: False,
) -> int:
    """List the archived jobs that are missing in their lists; returns how many.

    Safe to repeat, beside running processes.

    Only jobs that this server has a pointer to, and that began at `listed_since` or later or whose owner `stays`.
    Raises as `restore`.
    """
    listed: dict[str, ListedJob] = {}
    deleted: set[str] = set()
    async for segment in segment_store.segments():
        keys = pointers.keyspace.partition(segment.partition)
        entries = await segment_store.index(segment)
        for start in range(0, len(entries), _BATCH):
            batch = entries[start : start + _BATCH]
            found = await pointers.find_all(keys, [entry.job for entry in batch])
            served = [entry for entry, pointer in zip(batch, found, strict=True) if pointer is not None]
            listed |= {
                entry.job: job for entry in served if (job := _as_listed(entry, listed_since, stays)) is not None
            }
            deleted |= {entry.job for entry in served if entry.deleted}
    return await enter_missing(log, [job for job in listed.values() if job.job_id not in deleted])


async def _restore_pointers(pointers: ArchivePointers, segment: StoredSegment, entries: Sequence[SegmentEntry]) -> int:
    keys = pointers.keyspace.partition(segment.partition)
    written = 0
    for start in range(0, len(entries), _BATCH):
        jobs = [(entry.job, entry.block) for entry in entries[start:][:_BATCH]]
        written += await pointers.restore_pointers(keys, segment.name, jobs)
    return written


def _as_listed(entry: SegmentEntry, since: datetime | None, stays: StaysListed) -> ListedJob | None:
    created = datetime.fromisoformat(entry.created)
    unlisted = since is not None and created < since and not stays(entry.owner)
    return None if unlisted else ListedJob.at(created, entry.job, entry.owner)


async def _refuse_jobs(pointers: ArchivePointers, partitions: Sequence[PartitionKeys]) -> None:
    redis = _hash(pointers)
    for keys in {*partitions, *pointers.keyspace.all}:
        if await redis.hexists(keys.segments, _MARK):
            continue
        if await redis.exists(keys.segments) or await redis.xlen(keys.feed):
            raise NotEmpty(f"partition {keys.partition} of the server holds jobs already")


async def _mark(pointers: ArchivePointers, partitions: Sequence[int]) -> None:
    for number in partitions:
        await _hash(pointers).hset(pointers.keyspace.partition(number).segments, _MARK, 1)


def _hash(pointers: ArchivePointers) -> Any:
    return pointers.redis


def _compact(job_id: str) -> bytes:
    return bytes.fromhex(job_id[:2] + job_id[3:])
