"""Disaster recovery: an empty server learns from the archive which jobs there are, and serves them all again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen

from eventflow.archive.segment import Entry
from eventflow.archive.segment_store import SegmentStore, Stored
from eventflow.log.archive_pointers import ArchivePointers, Place
from eventflow.log.event_store import JobEventStore
from eventflow.log.job_lists import ListedJob
from eventflow.log.keys import PartitionKeys
from eventflow.log.rebuild_job_lists import enter_missing

#: Jobs in one script call.
_BATCH = 500
#: A field of the hash of segments while a restore is under way: it may be begun again.
_MARK = "restoring"

#: Hears of each segment that is done: (how many, of how many).
OnSegment = Callable[[int, int], None]
#: Whether the jobs of an owner are listed however old they are: they are to be found when they are deleted.
Stays = Callable[[str], bool]


class NotEmpty(Exception):
    """The server holds jobs already; the message says in which partition."""


@frozen
class Restored:
    """`jobs` are different ones in the archive; `written` of them have a new tombstone (0 in a dry run)."""

    segments: int
    jobs: int
    written: int


async def restore(
    shelf: SegmentStore,
    tombstones: ArchivePointers,
    *,
    merge: bool,
    dry_run: bool,
    log: JobEventStore | None = None,
    listed_since: datetime | None = None,
    stays: Stays = lambda owner: False,
    on_segment: OnSegment = lambda done, total: None,
) -> Restored:
    """Write a tombstone for every archived job; the newest version of each counts. Safe to repeat and to resume.

    Only the indices are read: `verify` looks at the rest. With `merge` the server may hold jobs: what it has stays,
    unless the archive has a newer version. With `log` the jobs are entered in the lists of jobs, too: those that began
    at `listed_since` or later, or whose owner `stays`.
    Raises NotEmpty, ArchiveDamaged, StorageError and connection errors.
    """
    stored = [segment async for segment in shelf.segments()]
    partitions = sorted({segment.partition for segment in stored})
    if not merge:
        await _refuse_jobs(tombstones, [tombstones.keyspace.partition(number) for number in partitions])
    if not dry_run:
        await _mark(tombstones, partitions)
    jobs: set[bytes] = set()
    begun: dict[str, ListedJob] = {}
    deleted: set[str] = set()  # later segments may tell of jobs in earlier ones
    written = 0
    for done, segment in enumerate(stored, 1):
        entries = await shelf.index(segment)
        jobs.update(_compact(entry.job) for entry in entries)
        if not dry_run:
            written += await _adopt(tombstones, segment, entries)
            begun |= {entry.job: job for entry in entries if (job := _listed(entry, listed_since, stays)) is not None}
            deleted |= {entry.job for entry in entries if entry.deleted}
        on_segment(done, len(stored))
    if not dry_run:
        if log is not None:
            await enter_missing(log, [job for job in begun.values() if job.job_id not in deleted])
        for number in partitions:
            await _hash(tombstones).hdel(tombstones.keyspace.partition(number).segments, _MARK)
    return Restored(len(stored), len(jobs), written)


async def enter_archived(
    shelf: SegmentStore,
    tombstones: ArchivePointers,
    log: JobEventStore,
    listed_since: datetime | None = None,
    stays: Stays = lambda owner: False,
) -> int:
    """Enter the archived jobs that their lists lack; returns how many. May be repeated, beside everything else.

    Of what is in the archive only what this server has a tombstone for, and what began at `listed_since` or later, or
    whose owner `stays`.
    Raises as `restore` does.
    """
    begun: dict[str, ListedJob] = {}
    deleted: set[str] = set()
    async for segment in shelf.segments():
        keys = tombstones.keyspace.partition(segment.partition)
        entries = await shelf.index(segment)
        for start in range(0, len(entries), _BATCH):
            batch = entries[start : start + _BATCH]
            graves = await tombstones.find_all(keys, [entry.job for entry in batch])
            served = [entry for entry, grave in zip(batch, graves, strict=True) if grave is not None]
            begun |= {entry.job: job for entry in served if (job := _listed(entry, listed_since, stays)) is not None}
            deleted |= {entry.job for entry in served if entry.deleted}
    return await enter_missing(log, [job for job in begun.values() if job.job_id not in deleted])


async def _adopt(tombstones: ArchivePointers, segment: Stored, entries: Sequence[Entry]) -> int:
    keys = tombstones.keyspace.partition(segment.partition)
    written = 0
    for start in range(0, len(entries), _BATCH):
        jobs = [(entry.job, Place(entry.offset, entry.length, entry.version)) for entry in entries[start:][:_BATCH]]
        written += await tombstones.adopt(keys, segment.name, jobs)
    return written


def _listed(entry: Entry, since: datetime | None, stays: Stays) -> ListedJob | None:
    created = datetime.fromisoformat(entry.created)
    unlisted = since is not None and created < since and not stays(entry.owner)
    return None if unlisted else ListedJob.at(created, entry.job, entry.owner)


async def _refuse_jobs(tombstones: ArchivePointers, partitions: Sequence[PartitionKeys]) -> None:
    redis = _hash(tombstones)
    for keys in {*partitions, *tombstones.keyspace.all}:
        if await redis.hexists(keys.segments, _MARK):
            continue
        if await redis.exists(keys.segments) or await redis.xlen(keys.feed):
            raise NotEmpty(f"partition {keys.partition} of the server holds jobs")


async def _mark(tombstones: ArchivePointers, partitions: Sequence[int]) -> None:
    for number in partitions:
        await _hash(tombstones).hset(tombstones.keyspace.partition(number).segments, _MARK, 1)


def _hash(tombstones: ArchivePointers) -> Any:
    return tombstones.redis


def _compact(job_id: str) -> bytes:
    return bytes.fromhex(job_id[:2] + job_id[3:])
