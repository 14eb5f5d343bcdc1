"""The lists of jobs: of each owner and of everybody, one of each kind per partition, newest first.

A job is entered before its first event is written: what is accepted is in its lists. What a crash in between leaves
there is a name without a job, which readers skip. The lists are a projection; `rebuild_index` makes them from the feed.
"""

from __future__ import annotations

import heapq
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from functools import reduce
from struct import pack, unpack
from typing import Any

from attrs import evolve, frozen
from redis.asyncio import Redis

from eventflow.log.connection import load_script
from eventflow.log.keys import Keyspace, PartitionKeys

#: Places are exact in a sorted set up to here; the time in µs gets there in the year 2255.
_HIGHEST = 2**53
_FORMAT = 1
_TOKEN = re.compile(r"[A-Za-z0-9_-]{12,2732}")


@frozen
class Entry:
    """A job in a list. `place` grows with time, and is its own within owner and partition."""

    job_id: str
    partition: int
    place: int


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


class JobIndex:
    """The lists of all partitions."""

    def __init__(self, redis: Redis, keyspace: Keyspace) -> None:
        self._redis, self._keyspace = redis, keyspace
        self._enter = load_script(redis, "index")

    async def enter(self, job_id: str, owner: str) -> None:
        """Put the job on top of its lists; nothing happens where it is there. Raises connection errors."""
        await self._enter(keys=_lists(self._keyspace.of_job(job_id), owner), args=[job_id])

    async def remove(self, job_id: str, owner: str) -> None:
        """Take the job off its lists; for jobs that nobody is to be shown any more."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for name in _lists(self._keyspace.of_job(job_id), owner):
                pipe.zrem(name, job_id)
            await pipe.execute()

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


def _lists(keys: PartitionKeys, owner: str) -> list[str]:
    return [keys.jobs_of(None), keys.jobs_of(owner)]


def _places(cursor: Cursor | None, partitions: int) -> Sequence[int | None]:
    if cursor is None:
        return [None] * partitions
    return (*cursor.places, *([0] * partitions))[:partitions]
