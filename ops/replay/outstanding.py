"""Events still to be handled: waiting for admission, undelivered, pending, delayed, dead letters."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
from attrs import define, field
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from eventflow.domain.topics import GROUP_TOPICS, LANES
from eventflow.log.keys import Keyspace, PartitionKeys

_PAGE = 1_000

#: Whether a job is to be read.
Wanted = Callable[[str], bool]


@define
class Outstanding:
    """Versions of jobs whose events are still to be handled; dead letters wait for an operator."""

    coming: dict[str, set[int]] = field(factory=dict)
    dead_letters: dict[str, set[int]] = field(factory=dict)
    waiting: set[str] = field(factory=set)  #: jobs that wait for admission, whose last event is a request

    def has(self, job_id: str, seq: int) -> bool:
        """Whether the event is still to be handled in any way."""
        return job_id in self.waiting or seq in self.coming.get(job_id, ()) or self.is_dead_letter(job_id, seq)

    def is_dead_letter(self, job_id: str, seq: int) -> bool:
        """Whether the event is a dead letter."""
        return seq in self.dead_letters.get(job_id, ())


async def outstanding(redis: Redis, keyspace: Keyspace, wanted: Wanted = lambda _: True) -> Outstanding:
    """All outstanding events of `wanted` jobs.

    The result grows with the work that waits, not with the log.

    A delivery that moves meanwhile (redriven, or due) is seen at its old or its new place, because the places are read
    in the order in which it moves. Raises connection errors.
    """
    found = Outstanding()

    def note(payload: bytes | None, where: dict[str, set[int]]) -> None:
        try:
            body = orjson.loads(payload or b"")
            job_id, seq = body["subject"], body["sequence"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return  # not a job's event: a dead letter, or about to become one
        if isinstance(job_id, str) and wanted(job_id):
            where.setdefault(job_id, set()).add(seq)

    for keys in keyspace.all:
        for lane in LANES:
            async for member, _ in redis.zscan_iter(keys.waiting(lane), count=_PAGE):
                if wanted(job_id := member.decode()):
                    found.waiting.add(job_id)
        async for payload in _entries(redis, keys.dead_letters):
            note(payload, found.dead_letters)
        async for member, _ in redis.zscan_iter(keys.delayed, count=_PAGE):
            note(member.partition(b"\n")[2], found.coming)
        for group, stream in _streams(keys):
            async for payload in _unsettled(redis, stream, group):
                note(payload, found.coming)
    return found


def _streams(keys: PartitionKeys) -> list[tuple[str, str]]:
    """(group, stream) of all streams that groups read in the partition."""
    return [(group, stream) for group, topics in GROUP_TOPICS.items() for stream in keys.streams_of(group, topics)]


async def _entries(redis: Redis, stream: str, after: str = "-") -> AsyncIterator[bytes | None]:
    """The payloads of `stream` after entry `after`, page by page."""
    start = after if after == "-" else f"({after}"
    while True:
        rows: Any = await redis.xrange(stream, min=start, count=_PAGE)
        for _, fields in rows:
            yield fields.get(b"e")
        if len(rows) < _PAGE:
            return
        start = f"({rows[-1][0].decode()}"


async def _unsettled(redis: Redis, stream: str, group: str) -> AsyncIterator[bytes | None]:
    """Entries that `group` hasn't got yet, then pending ones; all entries where the group doesn't exist."""
    last = await _last_delivered(redis, stream, group)
    async for payload in _entries(redis, stream, last or "-"):
        yield payload
    start = "-"
    while last is not None:
        rows: Any = await redis.xpending_range(stream, group, start, "+", _PAGE)
        async with redis.pipeline(transaction=False) as pipe:
            for row in rows:
                pipe.xrange(stream, min=row["message_id"], max=row["message_id"])
            for entries in await pipe.execute() if rows else ():
                for _, fields in entries:
                    yield fields.get(b"e")
        if len(rows) < _PAGE:
            return
        start = f"({rows[-1]['message_id'].decode()}"


async def _last_delivered(redis: Redis, stream: str, group: str) -> str | None:
    try:
        groups: Any = await redis.xinfo_groups(stream)
    except ResponseError as error:
        if "no such key" not in str(error).lower():
            raise
        return None
    for about in groups:
        if about["name"] in (group, group.encode()):
            last = about["last-delivered-id"]
            return last.decode() if isinstance(last, bytes) else str(last)
    return None
