"""Segments that nothing points at: an archiver died between store and server, or all of a segment's jobs went on.

One is removed only when each of its jobs is in another segment, as new or newer, that the server points at. The age
keeps off the archiver that is about to bury: the server refuses a burial in a segment that is an hour old.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen

from eventflow.archive.segment import Entry, time_of_segment
from eventflow.archive.shelf import Shelf, Stored
from eventflow.log.archived import Tombstones
from eventflow.log.keys import PartitionKeys


@frozen
class Orphan:
    """A segment that nothing points at, and how many jobs are in it."""

    name: str
    size_bytes: int
    jobs: int
    written_at: datetime


async def orphan_of(tombstones: Tombstones, stored: Stored, entries: Sequence[Entry]) -> Orphan | None:
    """The segment as an orphan, or None where it isn't one. Its age isn't looked at."""
    keys = tombstones.keyspace.partition(stored.partition)
    number = await _number(tombstones, keys, stored.name)
    places = await tombstones.find_all(keys, [entry.job for entry in entries])
    for entry, stone in zip(entries, places, strict=True):
        if stone is None or stone.number == number or stone.place.version < entry.version:
            return None
    return Orphan(stored.name, stored.size_bytes, len(entries), time_of_segment(stored.name))


async def remove_orphans(shelf: Shelf, tombstones: Tombstones, orphans: Iterable[Orphan]) -> list[Orphan]:
    """Remove what is an orphan still; returns it. Raises ArchiveDamaged, StorageError and connection errors."""
    removed = []
    for orphan in orphans:
        stored = await shelf.find(orphan.name)
        if await orphan_of(tombstones, stored, await shelf.index(stored)) is None:
            continue
        await shelf.remove(orphan.name)
        await _forget(tombstones, tombstones.keyspace.partition(stored.partition), orphan.name)
        removed.append(orphan)
    return removed


async def _number(tombstones: Tombstones, keys: PartitionKeys, name: str) -> int | None:
    redis: Any = tombstones.redis
    found = await redis.hget(keys.segments, name)
    return int(found) if found else None


async def _forget(tombstones: Tombstones, keys: PartitionKeys, name: str) -> None:
    """A number is never used twice."""
    number = await _number(tombstones, keys, name)
    if number is not None:
        redis: Any = tombstones.redis
        await redis.hdel(keys.segments, name, str(number))
