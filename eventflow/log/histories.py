"""A job's events as they were written, wherever they are: in the server, or in the archive."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis

from eventflow.log.archived import Archive
from eventflow.log.keys import PartitionKeys

_PAGE = 1_000


async def read_history(
    redis: Redis, keys: PartitionKeys, job_id: str, *, after: int, limit: int | None, archive: Archive | None
) -> list[bytes]:
    """The job's encoded events after version `after`, at most `limit`, oldest first.

    A job may leave for the archive between two pages: the rest is then read there. Raises ArchiveDamaged, StorageError.
    """
    events: list[bytes] = []
    while True:
        count = _PAGE if limit is None else min(_PAGE, limit - len(events))
        at = after + len(events)
        rows: Any = await redis.xrange(keys.events(job_id), min=f"{at + 1}-0", count=count)
        if not rows and archive is not None:
            return [*events, *await archive.history(job_id, at)][:limit]
        events += [fields[b"e"] for _, fields in rows]
        if len(rows) < count or len(events) == limit:
            return events
