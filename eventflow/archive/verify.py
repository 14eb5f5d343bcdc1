"""Verifies the whole archive: checksums, folds, archive pointers, and orphaned segments.

An orphan is left where an archiver died between store and server, or where all of a segment's jobs were put back. It is
removed only if each of its jobs is in another segment, at the same version or a newer one, that a pointer names. A
minimum age protects segments whose pointers are about to be written: the server refuses that after an hour.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from attrs import asdict, define, field, frozen

from eventflow.archive.archiver import UnreadableHistory, candidate_of
from eventflow.archive.restore import OnSegment
from eventflow.archive.segment import (
    FOOTER_BYTES,
    SegmentEntry,
    parse_footer,
    read_index,
    sha256_of_segment,
    time_of_segment,
    unpack_block,
)
from eventflow.archive.segment_store import SegmentStore, StoredSegment
from eventflow.log.archive_pointers import BUCKETS, ArchivePointer, ArchivePointers
from eventflow.log.codec import Codec
from eventflow.log.errors import ArchiveDamaged
from eventflow.log.keys import PartitionKeys


@frozen(kw_only=True)
class Orphan:
    """A segment that no pointer names, and how many jobs are in it."""

    name: str
    size_bytes: int
    jobs: int
    written_at: datetime


async def orphan_of(pointers: ArchivePointers, stored: StoredSegment, entries: Sequence[SegmentEntry]) -> Orphan | None:
    """The segment as an orphan; None where it isn't one. Doesn't check its age."""
    keys = pointers.keyspace.partition(stored.partition)
    number = await _number(pointers, keys, stored.name)
    found = await pointers.find_all(keys, [entry.job for entry in entries])
    for entry, pointer in zip(entries, found, strict=True):
        if pointer is None or pointer.number == number or pointer.block.version < entry.version:
            return None
    return Orphan(
        name=stored.name, size_bytes=stored.size_bytes, jobs=len(entries), written_at=time_of_segment(stored.name)
    )


async def remove_orphans(
    segment_store: SegmentStore, pointers: ArchivePointers, orphans: Iterable[Orphan]
) -> list[Orphan]:
    """Remove those that still are orphans; returns them.

    Raises ArchiveDamaged, StorageError and connection errors.
    """
    removed = []
    for orphan in orphans:
        stored = await segment_store.find(orphan.name)
        if await orphan_of(pointers, stored, await segment_store.index(stored)) is None:
            continue
        await segment_store.remove(orphan.name)
        await _forget(pointers, pointers.keyspace.partition(stored.partition), orphan.name)
        removed.append(orphan)
    return removed


async def _number(pointers: ArchivePointers, keys: PartitionKeys, name: str) -> int | None:
    redis: Any = pointers.redis
    found = await redis.hget(keys.segments, name)
    return int(found) if found else None


async def _forget(pointers: ArchivePointers, keys: PartitionKeys, name: str) -> None:
    """Remove the segment's number from the server. A number is never used twice."""
    number = await _number(pointers, keys, name)
    if number is not None:
        redis: Any = pointers.redis
        await redis.hdel(keys.segments, name, str(number))


#: Jobs in one round trip.
_LOOK = 500


@frozen(kw_only=True)
class Verified:
    """The result of a verification. `archived` counts the jobs with a pointer.

    `unserved` jobs are in the archive alone: a `restore` with merging serves them. `orphans` hold only jobs that are in
    other segments, too.
    """

    segments: int
    histories: int
    archived: int
    unserved: int
    defects: tuple[str, ...]
    orphans: tuple[Orphan, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The fields as the command line prints them; `archived` is called `tombstones` there."""
        return {"tombstones" if name == "archived" else name: value for name, value in asdict(self).items()}


@define(kw_only=True)
class _Partition:
    """The pointers of a partition; those whose block was found are removed from `open`."""

    keys: PartitionKeys
    names: dict[int, str]
    open: dict[str, ArchivePointer]
    served: frozenset[str]
    archived: set[str] = field(factory=set)

    def tick(self, name: str, entry: SegmentEntry) -> bool:
        """Record a sound block; returns whether the job's pointer names this very block."""
        self.archived.add(entry.job)
        found = self.open.get(entry.job)
        if found is not None and found.block == entry.block and self.names.get(found.number) == name:
            del self.open[entry.job]
            return True
        return False

    def defects(self) -> Iterator[str]:
        """A text for each pointer whose block wasn't found."""
        for job, pointer in self.open.items():
            block = pointer.block
            name = self.names.get(pointer.number, f"number {pointer.number}, which the server doesn't know")
            yield (
                f"job {job}: its archive pointer points at {block.length} bytes at {block.offset} of segment {name} "
                f"(version {block.version}), where there is no sound block of this job"
            )


async def verify(
    segment_store: SegmentStore, pointers: ArchivePointers, codec: Codec, on_segment: OnSegment
) -> Verified:
    """Read every segment whole. Raises StorageError and connection errors; damage is reported as a defect."""
    stored = [segment async for segment in segment_store.segments()]
    numbers = {*(s.partition for s in stored), *(keys.partition for keys in pointers.keyspace.all)}
    defects: list[str] = []
    orphans: list[Orphan] = []
    done = histories = archived = unserved = 0
    for number in sorted(numbers):
        partition = await _partition(pointers, pointers.keyspace.partition(number), defects)
        archived += len(partition.served)
        for segment in (s for s in stored if s.partition == number):
            entries = [entry async for entry in _sound(segment_store, segment, codec, defects)]
            histories += len(entries)
            pointed_at = [partition.tick(segment.name, entry) for entry in entries]
            if not any(pointed_at):
                orphan = await orphan_of(pointers, segment, entries)
                orphans += [orphan] if orphan and entries else []
            done += 1
            on_segment(done, len(stored))
        defects += partition.defects()
        unserved += await _unserved(pointers, partition.keys, partition.archived - partition.served)
    return Verified(
        segments=len(stored),
        histories=histories,
        archived=archived,
        unserved=unserved,
        defects=tuple(defects),
        orphans=tuple(orphans),
    )


async def _partition(pointers: ArchivePointers, keys: PartitionKeys, defects: list[str]) -> _Partition:
    found: dict[str, ArchivePointer] = {}
    for bucket in BUCKETS:
        for job, raw in (await pointers.bucket(keys, bucket)).items():
            try:
                found[job] = ArchivePointer.parse(raw)
            except ValueError as error:
                defects.append(f"job {job}: {error}")
    return _Partition(keys=keys, names=await pointers.segment_names(keys), open=found, served=frozenset(found))


async def _sound(
    segment_store: SegmentStore, stored: StoredSegment, codec: Codec, defects: list[str]
) -> AsyncIterator[SegmentEntry]:
    """The entries of a segment whose blocks are sound; appends defects of the others."""
    try:
        data = await segment_store.whole(stored.name)
        if hashlib.sha256(data).hexdigest() != sha256_of_segment(stored.name):
            defects.append(f"{stored.name}: the SHA-256 of its bytes isn't the one in its name")
        offset, length, digest = parse_footer(data[-FOOTER_BYTES:], len(data), stored.name)
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


def _check(name: str, entry: SegmentEntry, data: bytes, codec: Codec) -> None:
    place = f"{name}: job {entry.job}"
    block = data[entry.offset : entry.offset + entry.length]
    if block[:32].hex() != entry.sha256:
        raise ArchiveDamaged(f"{place}: the checksum of the block isn't the one in the index")
    try:
        candidate = candidate_of(codec, unpack_block(block, place))
    except UnreadableHistory as error:
        raise UnreadableHistory(f"{place}: {error}") from error
    if (candidate.job_id, candidate.version) != (entry.job, entry.version):
        raise ArchiveDamaged(f"{place}: the block holds version {candidate.version} of {candidate.job_id}")


async def _unserved(pointers: ArchivePointers, keys: PartitionKeys, jobs: Iterable[str]) -> int:
    """How many of `jobs`, which have no archive pointer, aren't in the server either."""
    wanted, missing = sorted(jobs), 0
    for start in range(0, len(wanted), _LOOK):
        async with pointers.redis.pipeline(transaction=False) as pipe:
            for job in wanted[start : start + _LOOK]:
                pipe.exists(keys.events(job))
            missing += sum(not found for found in await pipe.execute())
    return missing
