"""The feed's readers: follow what happens in every partition, by position, without a consumer group."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from redis.asyncio import Redis

from eventflow.log.connection import BLOCK_MS
from eventflow.log.keys import Keyspace

_COUNT = 1_000


@frozen
class Appended:
    """An event of type `type` brought the job to `version`."""

    job_id: str
    version: int
    type: str


@frozen
class Progressed:
    """The running step `field` of the job is `fraction` (0 to 1) done."""

    job_id: str
    field: str
    fraction: float


class FeedTail:
    """Follows the feed and the progress notes of all partitions with one blocking read.

    `blocking` is a client of its own."""

    def __init__(self, blocking: Redis, keyspace: Keyspace) -> None:
        self._redis = blocking
        self._keyspace = keyspace
        self._positions: dict[str, str] = {}

    async def start_at_end(self) -> None:
        """Begin behind what is there now. What came earlier is read from the jobs' own streams."""
        for keys in self._keyspace.all:
            for stream in (keys.feed, keys.progress):
                last: Any = await self._redis.xrevrange(stream, count=1)
                self._positions[stream] = last[0][0].decode() if last else "0-0"

    async def read(self, *, block_ms: int = BLOCK_MS) -> list[Appended | Progressed]:
        """What has come since the last call; waits up to `block_ms`. Raises connection errors."""
        streams: Any = dict(self._positions)
        answer: Any = await self._redis.xread(streams, count=_COUNT, block=block_ms)
        rows = [(s, e[0] if e else []) for s, e in answer.items()] if isinstance(answer, dict) else answer or []
        notes: list[Appended | Progressed] = []
        for stream, entries in rows:
            for entry_id, fields in entries:
                self._positions[stream.decode()] = entry_id.decode()
                notes.append(_note(fields))
        return notes


def _note(fields: dict[bytes, bytes]) -> Appended | Progressed:
    job_id = fields[b"j"].decode()
    if b"p" in fields:
        return Progressed(job_id, fields[b"f"].decode(), float(fields[b"p"]))
    return Appended(job_id, int(fields[b"v"]), fields[b"t"].decode())
