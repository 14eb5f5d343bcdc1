"""The lists of jobs: of each owner and of everybody, one of each kind per partition, newest first.

A job is entered before its first event is written: what is accepted is in its lists. What a crash in between leaves
there is a name without a job, which readers skip. The lists are a projection; `rebuild_index` makes them from the feed.
Only archived jobs drop off them, in time (`eventflow.archive.list_expiry`); who revives one lists it again.
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

#: Places are exact in a sorted set up to here; the time in µs gets there in the year 2255.
_HIGHEST = 2**53
_FORMAT = 1
_EPOCH = datetime.fromtimestamp(0, UTC)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{12,2732}")


def position_of(time: datetime) -> int:
    """The place in the lists that stands for `time`, µs since 1970."""
    return (time - _EPOCH) // timedelta(microseconds=1)


@frozen
class Entry:
    """A job in a list. `place` grows with time, and is its own within owner and partition."""

    job_id: str
    partition: int
    place: int


@frozen(order=True)
class ListedJob:
    """A job by its partition and the time of its first event, in µs: where it is listed that wasn't."""

    partition: int
    place: int
    job_id: str
    owner: str

    @classmethod
    def at(cls, time: datetime, job_id: str, owner: str) -> ListedJob:
        return cls(partition_of(job_id), position_of(time), job_id, owner)


@frozen
class Cursor:
    """Where to go on: in each partition below these places. Jobs that have come since are all above them."""

    places: tuple[int, ...]

    def past(self, entry: Entry) -> Cursor:
        before, after = self.places[: entry.partition], self.places[entry.partition + 1 :]
        return evolve(self, places=(*before, entry.place, *after))

    def to_text(self) -> str:
        raw = pack(f">B{len(self.places)}Q", _FORMAT, *self.places)
        return urlsafe_b64encode(raw).decode().rstrip("=")

    @classmethod
    def from_text(cls, text: str) -> Cursor:
        """Raises ValueError for anything that `to_text` hasn't made."""
        if not _TOKEN.fullmatch(text):
            raise ValueError("not a cursor")
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        count, rest = divmod(len(raw) - 1, 8)
        if raw[0] != _FORMAT or rest or count > 256:
            raise ValueError("not a cursor")
        found = cls(unpack(f">{count}Q", raw[1:]))
        if max(found.places) > _HIGHEST or found.to_text() != text:
            raise ValueError("not a cursor")
        return found


@frozen
class Page:
    """Jobs, newest first; `start` is the position before the first of them, `more` whether there are others behind."""

    entries: tuple[Entry, ...]
    start: Cursor
    more: bool

    @property
    def end(self) -> Cursor:
        """The position behind the last of them."""
        return reduce(Cursor.past, self.entries, self.start)


class JobLists:
    """The lists of all partitions."""

    def __init__(self, redis: Redis, keyspace: Keyspace) -> None:
        self._redis, self._keyspace = redis, keyspace
        self._enter, self._unlist = load_script(redis, "index"), load_script(redis, "unlist")

    async def enter(self, job_id: str, owner: str) -> None:
        """Put the job on top of its lists; nothing happens where it is there, or archived. Raises connection errors."""
        keys = self._keyspace.of_job(job_id)
        graves, field = keys.tombstone(job_id)
        await self._enter(keys=[graves, *keys.lists_of(owner)], args=[job_id, field])

    async def remove(self, job_id: str, owner: str) -> None:
        """Take the job off its lists; for jobs that nobody is to be shown any more."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for name in self._keyspace.of_job(job_id).lists_of(owner):
                pipe.zrem(name, job_id)
            await pipe.execute()

    async def unlist(self, keys: PartitionKeys, jobs: Sequence[tuple[str, str]]) -> int:
        """Take those of `jobs` (id, owner; of one partition) that are archived off their lists; returns how many."""
        names = {keys.jobs_of(None): 1}
        args: list[str | bytes | int] = [len(jobs)]
        for job_id, owner in jobs:
            graves, field = keys.tombstone(job_id)
            places = [names.setdefault(name, len(names) + 1) for name in (keys.jobs_of(owner), graves)]
            args += [job_id, *places, field]
        return int(await self._unlist(keys=list(names), args=args))

    async def oldest(self, keys: PartitionKeys, *, after: int, up_to: int, count: int) -> list[Entry]:
        """The first `count` of everybody's jobs in a partition, between these places (without the first)."""
        rows: Any = await self._redis.zrangebyscore(
            keys.jobs_of(None), f"({after}", up_to, start=0, num=count, withscores=True
        )
        return [Entry(job_id.decode(), keys.partition, int(place)) for job_id, place in rows]

    async def read(self, owner: str | None, cursor: Cursor | None, count: int) -> Page:
        """The next `count` jobs of `owner` (None: of everybody) in one round trip. Raises connection errors.

        A partition that was added since the cursor was made has newer jobs only, and is left out.
        """
        partitions = self._keyspace.all
        below = _places(cursor, len(partitions))
        async with self._redis.pipeline(transaction=False) as pipe:
            for keys, place in zip(partitions, below, strict=True):
                most = "+inf" if place is None else f"({place}"
                pipe.zrevrangebyscore(keys.jobs_of(owner), most, "-inf", start=0, num=count + 1, withscores=True)
            answers: list[Any] = await pipe.execute()
        rows = [
            [Entry(job_id.decode(), number, int(place)) for job_id, place in answer]
            for number, answer in enumerate(answers)
        ]
        start = tuple(
            (found[0].place + 1 if found else 0) if place is None else place
            for found, place in zip(rows, below, strict=True)
        )
        entries = tuple(heapq.merge(*rows, key=lambda entry: -entry.place))
        return Page(entries[:count], Cursor(start), len(entries) > count)


def _places(cursor: Cursor | None, partitions: int) -> Sequence[int | None]:
    if cursor is None:
        return [None] * partitions
    return (*cursor.places, *([0] * partitions))[:partitions]
