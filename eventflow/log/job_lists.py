"""The lists of jobs: of each owner and of all owners, one of each kind per partition, newest first.

A job is listed before its first event is written, so that every accepted job is in its lists. A crash between the two
writes leaves an id without a job, which readers skip. The lists are a projection; `rebuild_job_lists` makes them from
the jobs' events. Archived jobs leave them after the listing window (`eventflow.archive.list_expiry`); a job that is put
back into the server is listed again.
"""

from __future__ import annotations

import heapq
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce
from struct import pack, unpack
from typing import Any

from attrs import evolve, frozen
from redis.asyncio import Redis

from eventflow.domain.job_ids import partition_of
from eventflow.log.connection import load_script
from eventflow.log.keys import Keyspace, PartitionKeys

#: Scores of a sorted set are exact integers up to here; the time in µs reaches it in the year 2255.
_HIGHEST = 2**53
_FORMAT = 1
_EPOCH = datetime.fromtimestamp(0, UTC)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{12,2732}")


def position_of(time: datetime) -> int:
    """The position in the lists of a job that begins at `time`: µs since 1970."""
    return (time - _EPOCH) // timedelta(microseconds=1)


@frozen
class ListEntry:
    """A job in a list. `position` grows with time, and is unique within owner and partition."""

    job_id: str
    partition: int
    position: int


@frozen(kw_only=True, order=True)
class ListedJob:
    """A job that is to be listed by the time of its first event; `position` is that time in µs."""

    partition: int
    position: int
    job_id: str
    owner: str

    @classmethod
    def at(cls, time: datetime, job_id: str, owner: str) -> ListedJob:
        """The job whose first event is of `time`."""
        return cls(partition=partition_of(job_id), position=position_of(time), job_id=job_id, owner=owner)


@frozen
class Cursor:
    """Where the next page starts: in each partition below these positions. Newer jobs are all above them."""

    positions: tuple[int, ...]

    def past(self, entry: ListEntry) -> Cursor:
        """The cursor after `entry`."""
        before, after = self.positions[: entry.partition], self.positions[entry.partition + 1 :]
        return evolve(self, positions=(*before, entry.position, *after))

    def to_text(self) -> str:
        """The cursor as a URL-safe token: Base64 of a format number and the positions (8 bytes, big-endian)."""
        raw = pack(f">B{len(self.positions)}Q", _FORMAT, *self.positions)
        return urlsafe_b64encode(raw).decode().rstrip("=")

    @classmethod
    def from_text(cls, text: str) -> Cursor:
        """The cursor in a token. Raises ValueError for anything that `to_text` doesn't make."""
        if not _TOKEN.fullmatch(text):
            raise ValueError("not a cursor")
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        count, rest = divmod(len(raw) - 1, 8)
        if raw[0] != _FORMAT or rest or count > 256:
            raise ValueError("not a cursor")
        found = cls(unpack(f">{count}Q", raw[1:]))
        if max(found.positions) > _HIGHEST or found.to_text() != text:
            raise ValueError("not a cursor")
        return found


@frozen
class Page:
    """Jobs, newest first; `start` is the cursor before the first, `more` whether older jobs follow."""

    entries: tuple[ListEntry, ...]
    start: Cursor
    more: bool

    @property
    def end(self) -> Cursor:
        """The cursor after the last of them."""
        return reduce(Cursor.past, self.entries, self.start)


class JobLists:
    """The lists of all partitions."""

    def __init__(self, redis: Redis, keyspace: Keyspace) -> None:
        self._redis, self._keyspace = redis, keyspace
        self._enter, self._remove_archived = load_script(redis, "list_job"), load_script(redis, "remove_from_lists")

    async def enter(self, job_id: str, owner: str) -> None:
        """List the job as the newest, unless it is listed or archived already. Raises connection errors."""
        keys = self._keyspace.of_job(job_id)
        pointers, field = keys.archive_pointer(job_id)
        await self._enter(keys=[pointers, *keys.lists_of(owner)], args=[job_id, field])

    async def remove(self, job_id: str, owner: str) -> None:
        """Remove the job from its lists. Raises connection errors."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for name in self._keyspace.of_job(job_id).lists_of(owner):
                pipe.zrem(name, job_id)
            await pipe.execute()

    async def remove_archived(self, keys: PartitionKeys, jobs: Sequence[tuple[str, str]]) -> int:
        """Remove archived ones of `jobs` (id, owner; of one partition) from their lists; returns how many."""
        names = {keys.all_jobs: 1}
        args: list[str | bytes | int] = [len(jobs)]
        for job_id, owner in jobs:
            pointers, field = keys.archive_pointer(job_id)
            indices = [names.setdefault(name, len(names) + 1) for name in (keys.jobs_of(owner), pointers)]
            args += [job_id, *indices, field]
        return int(await self._remove_archived(keys=list(names), args=args))

    async def oldest(self, keys: PartitionKeys, *, after: int, up_to: int, count: int) -> list[ListEntry]:
        """The first `count` jobs of a partition, of all owners, at positions above `after` up to `up_to`."""
        rows: Any = await self._redis.zrangebyscore(
            keys.all_jobs, f"({after}", up_to, start=0, num=count, withscores=True
        )
        return [ListEntry(job_id.decode(), keys.partition, int(score)) for job_id, score in rows]

    async def read(self, owner: str | None, cursor: Cursor | None, count: int) -> Page:
        """The next `count` jobs of `owner` (None: of all owners) in one round trip. Raises connection errors.

        A partition that is newer than the cursor has newer jobs only, and is left out.
        """
        partitions = self._keyspace.all
        below = _positions(cursor, len(partitions))
        async with self._redis.pipeline(transaction=False) as pipe:
            for keys, position in zip(partitions, below, strict=True):
                most = "+inf" if position is None else f"({position}"
                name = keys.all_jobs if owner is None else keys.jobs_of(owner)
                pipe.zrevrangebyscore(name, most, "-inf", start=0, num=count + 1, withscores=True)
            answers: list[Any] = await pipe.execute()
        rows = [
            [ListEntry(job_id.decode(), number, int(score)) for job_id, score in answer]
            for number, answer in enumerate(answers)
        ]
        start = tuple(
            (found[0].position + 1 if found else 0) if position is None else position
            for found, position in zip(rows, below, strict=True)
        )
        entries = tuple(heapq.merge(*rows, key=lambda entry: -entry.position))
        return Page(entries[:count], Cursor(start), len(entries) > count)


def _positions(cursor: Cursor | None, partitions: int) -> Sequence[int | None]:
    """The position to start below in each partition; None for its newest job."""
    if cursor is None:
        return [None] * partitions
    return (*cursor.positions, *([0] * partitions))[:partitions]
