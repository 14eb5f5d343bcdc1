"""The feed and its readers: they follow all partitions by position, without a consumer group."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from time import monotonic
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from eventflow.domain._records import frozen_record
from eventflow.log.cluster import ClusterRedis
from eventflow.log.connection import BLOCK_MS, connections_made
from eventflow.log.errors import PositionLost
from eventflow.log.keys import Keyspace, PartitionKeys

#: Length that the stream of progress notes is trimmed to: only live viewers read it.
PROGRESS_LENGTH = 10_000
#: Entries of a stream in one read.
_COUNT = 1_000
#: A reader that had read all entries so recently needn't check for trimming: a third of `trim.GRACE_S`.
_CHECK_AFTER_S = 20.0
#: Interval between two reads of a cluster.
_POLL_S = 0.05


@frozen_record
class Appended:
    """A feed entry: an event of type `type` brought the job to `version`."""

    job_id: str
    version: int
    type: str


@frozen_record
class Progressed:
    """A progress note: the running step `field` of the job is `fraction` (0 to 1) done."""

    job_id: str
    field: str
    fraction: float


@frozen_record
class Dropped:
    """A note that processes which have the job cached drop it and read it again."""

    job_id: str


Note = Appended | Progressed | Dropped


class FeedTail:
    """Follows the feeds and progress notes of all partitions with one blocking read.

    In a cluster no command waits for keys of several slots: there the partitions are polled, all of a node in one
    round trip. `blocking` is a client that nothing else uses: if it reconnects, the server may have lost entries that
    were read. `clock` counts seconds.
    """

    def __init__(
        self,
        blocking: Redis,
        keyspace: Keyspace,
        *,
        clock: Callable[[], float] = monotonic,
        check_after_s: float = _CHECK_AFTER_S,
    ) -> None:
        self._redis = blocking
        self._keyspace = keyspace
        self._positions: dict[str, str] = {}
        self._clock, self._check_after_s = clock, check_after_s
        self._complete_at = clock()
        self._epoch = self._made = 0

    async def start_at_end(self) -> None:
        """Start after the present last entries. Earlier events are read from the jobs' own streams."""
        if isinstance(self._redis, ClusterRedis):
            await self._redis.masters()
            self._epoch = self._redis.epoch
        while True:
            self._made = connections_made(self._redis)
            for keys in self._keyspace.all:
                for stream in (keys.feed, keys.progress):
                    last: Any = await self._redis.xrevrange(stream, count=1)
                    self._positions[stream] = last[0][0].decode() if last else "0-0"
            if connections_made(self._redis) == self._made:  # else again: a connection was lost while reading
                break
        self._complete_at = self._clock()

    async def read(self, *, block_ms: int = BLOCK_MS) -> list[Note]:
        """The notes since the last call; waits up to `block_ms`. Raises PositionLost and connection errors.

        After an error the caller starts again with `start_at_end`, and discards state built from earlier notes.
        """
        if self._clock() - self._complete_at > self._check_after_s:
            await self._check_positions()
        asked_at = self._clock()
        rows = await (
            self._poll(self._redis, block_ms) if isinstance(self._redis, ClusterRedis) else self._wait(block_ms)
        )
        if connections_made(self._redis) != self._made:
            raise RedisConnectionError("the connection was lost and replaced: entries may be lost")
        notes: list[Note] = []
        for stream, entries in rows:
            for entry_id, fields in entries:
                self._positions[stream.decode()] = entry_id.decode()
                notes.append(parse_note(fields))
        if all(len(entries) < _COUNT for _, entries in rows):
            self._complete_at = asked_at
        return notes

    async def _check_positions(self) -> None:
        """Raise PositionLost if unread entries were trimmed while this reader was paused."""
        for keys in self._keyspace.all:
            trimmed: Any = await self._redis.hget(keys.trimmed, keys.feed)
            if trimmed and _order(trimmed.decode()) > _order(self._positions.get(keys.feed, "0-0")):
                raise PositionLost(f"the feed was trimmed up to {trimmed.decode()}")

    async def _wait(self, block_ms: int) -> list[Any]:
        streams: Any = dict(self._positions)
        return _rows(await self._redis.xread(streams, count=_COUNT, block=block_ms))

    async def _poll(self, cluster: ClusterRedis, block_ms: int) -> list[Any]:
        """Raises connection errors where a partition can't be read, or has moved to another node.

        A failover may have lost entries.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + block_ms / 1000
        while True:
            async with cluster.pipeline(transaction=False) as pipe:
                for keys in self._keyspace.all:
                    streams: Any = {name: self._positions[name] for name in (keys.feed, keys.progress)}
                    pipe.xread(streams, count=_COUNT)
                rows = [row for answer in await pipe.execute() for row in _rows(answer)]
            if cluster.epoch != self._epoch:
                raise RedisConnectionError("the cluster has changed")
            if rows or loop.time() >= until:
                return rows
            await asyncio.sleep(_POLL_S)


async def oldest_appended(
    redis: Redis, keys: PartitionKeys, *, newest_ms: int, count: int, after: str = "-"
) -> list[tuple[str, Appended]]:
    """(entry id, note) of the first `count` entries of a feed, up to the time `newest_ms` (Unix time).

    `after`: `-` for the beginning, or an id with `(` before it.
    """
    rows: Any = await redis.xrange(keys.feed, after, str(newest_ms), count=count)
    notes = [(entry_id.decode(), parse_note(fields)) for entry_id, fields in rows]
    return [(entry_id, note) for entry_id, note in notes if isinstance(note, Appended)]


def _order(entry_id: str) -> tuple[int, int]:
    ms, _, seq = entry_id.partition("-")
    return int(ms), int(seq)


def _rows(answer: Any) -> list[Any]:
    """(stream, entries) of an answer to XREAD, in RESP2 or RESP3."""
    if isinstance(answer, dict):
        return [(stream, entries[0] if entries else []) for stream, entries in answer.items()]
    return list(answer or ())


def parse_note(fields: dict[bytes, bytes]) -> Note:
    """The note in an entry of the feed or of the progress stream."""
    job_id = fields[b"j"].decode()
    if b"p" in fields:
        return Progressed(job_id, fields[b"f"].decode(), float(fields[b"p"]))
    if b"d" in fields:
        return Dropped(job_id)
    return Appended(job_id, int(fields[b"v"]), fields[b"t"].decode())


async def read_feed(redis: Redis, keys: PartitionKeys, after: str = "-") -> AsyncIterator[list[tuple[str, Appended]]]:
    """The partition's feed after the entry `after`, oldest first, as pages of (entry id, note)."""
    while True:
        rows: Any = await redis.xrange(keys.feed, min=after if after == "-" else f"({after}", count=_COUNT)
        if not rows:
            return
        after = rows[-1][0].decode()
        notes = [(entry_id.decode(), parse_note(fields)) for entry_id, fields in rows]
        yield [(entry_id, note) for entry_id, note in notes if isinstance(note, Appended)]


async def drop_cached(redis: Redis, keys: PartitionKeys, job_id: str) -> None:
    """Have every process that follows the feed drop its cached fold of the job.

    The note goes into the progress stream, because it isn't history.
    """
    await redis.xadd(keys.progress, {"j": job_id, "d": 1}, maxlen=PROGRESS_LENGTH, approximate=True)
