"""Reads the whole archive again: checksums, folds, archive pointers, and segments that no pointer names.

Segments that nothing points at: an archiver died between store and server, or all of a segment's jobs went on.

One is removed only when each of its jobs is in another segment, as new or newer, that the server points at. The age
keeps off the archiver that is about to bury: the server refuses a burial in a segment that is an hour old.

Reads everything in the archive again: checksums, folds, and whether each tombstone points at what it should.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from attrs import define, field, frozen

from eventflow.archive.archiver import UnreadableHistory, candidate_of
from eventflow.archive.restore import OnSegment
from eventflow.archive.segment import (
    FOOTER_BYTES,
    Entry,
    index_place,
    read_index,
    sha256_of_segment,
    time_of_segment,
    unpack_block,
)
from eventflow.archive.segment_store import SegmentStore, Stored
from eventflow.log.archive_pointers import BUCKETS, ArchivePointer, ArchivePointers, Place
from eventflow.log.codec import Codec
from eventflow.log.errors import ArchiveDamaged
from eventflow.log.keys import PartitionKeys


@frozen
class Orphan:
    """A segment that nothing points at, and how many jobs are in it."""

    name: str
    size_bytes: int
    jobs: int
    written_at: datetime


async def orphan_of(tombstones: ArchivePointers, stored: Stored, entries: Sequence[Entry]) -> Orphan | None:
    """The segment as an orphan, or None where it isn't one. Its age isn't looked at."""
    keys = tombstones.keyspace.partition(stored.partition)
    number = await _number(tombstones, keys, stored.name)
    places = await tombstones.find_all(keys, [entry.job for entry in entries])
    for entry, stone in zip(entries, places, strict=True):
        if stone is None or stone.number == number or stone.place.version < entry.version:
            return None
    return Orphan(stored.name, stored.size_bytes, len(entries), time_of_segment(stored.name))


async def remove_orphans(shelf: SegmentStore, tombstones: ArchivePointers, orphans: Iterable[Orphan]) -> list[Orphan]:
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


async def _number(tombstones: ArchivePointers, keys: PartitionKeys, name: str) -> int | None:
    redis: Any = tombstones.redis
    found = await redis.hget(keys.segments, name)
    return int(found) if found else None


async def _forget(tombstones: ArchivePointers, keys: PartitionKeys, name: str) -> None:
    """A number is never used twice."""
    number = await _number(tombstones, keys, name)
    if number is not None:
        redis: Any = tombstones.redis
        await redis.hdel(keys.segments, name, str(number))


_LOOK = 500


@frozen
class Verified:
    """`unserved` jobs are in the archive alone: `restore` with merging brings them back. Nothing points at `orphans`,
    whose jobs are all in other segments."""

    segments: int
    histories: int
    tombstones: int
    unserved: int
    defects: tuple[str, ...]
    orphans: tuple[Orphan, ...] = ()


@define
class _Partition:
    """The tombstones of a partition; those whose block was seen are ticked off."""

    keys: PartitionKeys
    names: dict[int, str]
    open: dict[str, ArchivePointer]
    served: frozenset[str]
    archived: set[str] = field(factory=set)

    def tick(self, name: str, entry: Entry) -> bool:
        """Whether the server points at this very block."""
        self.archived.add(entry.job)
        found = self.open.get(entry.job)
        place = Place(entry.offset, entry.length, entry.version)
        if found is not None and found.place == place and self.names.get(found.number) == name:
            del self.open[entry.job]
            return True
        return False

    def defects(self) -> Iterator[str]:
        for job, tombstone in self.open.items():
            place = tombstone.place
            name = self.names.get(tombstone.number, f"number {tombstone.number}, which the server doesn't know")
            yield (
                f"job {job}: its tombstone points at {place.length} bytes at {place.offset} of segment {name} "
                f"(version {place.version}), where there is no sound block of this job"
            )


async def verify(shelf: SegmentStore, tombstones: ArchivePointers, codec: Codec, on_segment: OnSegment) -> Verified:
    """Read every segment whole. Raises StorageError and connection errors; what is damaged is a defect."""
    stored = [segment async for segment in shelf.segments()]
    numbers = {*(s.partition for s in stored), *(keys.partition for keys in tombstones.keyspace.all)}
    defects: list[str] = []
    orphans: list[Orphan] = []
    done = histories = buried = unserved = 0
    for number in sorted(numbers):
        partition = await _partition(tombstones, tombstones.keyspace.partition(number), defects)
        buried += len(partition.served)
        for segment in (s for s in stored if s.partition == number):
            entries = [entry async for entry in _sound(shelf, segment, codec, defects)]
            histories += len(entries)
            pointed_at = [partition.tick(segment.name, entry) for entry in entries]
            if not any(pointed_at):
                orphan = await orphan_of(tombstones, segment, entries)
                orphans += [orphan] if orphan and entries else []
            done += 1
            on_segment(done, len(stored))
        defects += partition.defects()
        unserved += await _unserved(tombstones, partition.keys, partition.archived - partition.served)
    return Verified(len(stored), histories, buried, unserved, tuple(defects), tuple(orphans))


async def _partition(tombstones: ArchivePointers, keys: PartitionKeys, defects: list[str]) -> _Partition:
    found: dict[str, ArchivePointer] = {}
    for bucket in BUCKETS:
        for job, raw in (await tombstones.bucket(keys, bucket)).items():
            try:
                found[job] = ArchivePointer.parse(raw)
            except ValueError as error:
                defects.append(f"job {job}: {error}")
    return _Partition(keys, await tombstones.segment_names(keys), found, frozenset(found))


async def _sound(shelf: SegmentStore, stored: Stored, codec: Codec, defects: list[str]) -> AsyncIterator[Entry]:
    """The entries of a segment whose blocks are as they should be."""
    try:
        data = await shelf.whole(stored.name)
        if hashlib.sha256(data).hexdigest() != sha256_of_segment(stored.name):
            defects.append(f"{stored.name}: its bytes aren't those that its name tells of")
        offset, length, digest = index_place(data[-FOOTER_BYTES:], len(data), stored.name)
        entries = read_index(data[offset : offset + length], digest, stored.name)
    except ArchiveDamaged as error:
        defects.append(str(error))
        return
    for entry in entries:
        try:
            _check(stored.name, entry, data, codec)
        except (ArchiveDamaged, UnreadableHistory) as error:
            defects.append(str(error))
        else:
            yield entry


def _check(name: str, entry: Entry, data: bytes, codec: Codec) -> None:
    place = f"{name}: job {entry.job}"
    block = data[entry.offset : entry.offset + entry.length]
    if block[:32].hex() != entry.sha256:
        raise ArchiveDamaged(f"{place}: the block isn't the one that the index tells of")
    try:
        dossier = candidate_of(codec, unpack_block(block, place))
    except UnreadableHistory as error:
        raise UnreadableHistory(f"{place}: {error}") from error
    if (dossier.job_id, dossier.version) != (entry.job, entry.version):
        raise ArchiveDamaged(f"{place}: the block holds version {dossier.version} of {dossier.job_id}")


async def _unserved(tombstones: ArchivePointers, keys: PartitionKeys, jobs: Iterable[str]) -> int:
    """How many of `jobs`, which have no tombstone, aren't in the server either."""
    wanted, missing = sorted(jobs), 0
    for start in range(0, len(wanted), _LOOK):
        async with tombstones.redis.pipeline(transaction=False) as pipe:
            for job in wanted[start : start + _LOOK]:
                pipe.exists(keys.events(job))
            missing += sum(not found for found in await pipe.execute())
    return missing
