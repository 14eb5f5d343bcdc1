"""Reads everything in the archive again: checksums, folds, and whether each tombstone points at what it should."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterable, Iterator

from attrs import define, field, frozen

from eventflow.archive.dossier import Unfit, dossier_of
from eventflow.archive.orphans import Orphan, orphan_of
from eventflow.archive.restore import OnSegment
from eventflow.archive.segment import (
    FOOTER_BYTES,
    Entry,
    index_place,
    read_index,
    sha256_of_segment,
    unpack_block,
)
from eventflow.archive.shelf import Shelf, Stored
from eventflow.codec import Codec
from eventflow.log.archived import BUCKETS, Place, Tombstone, Tombstones
from eventflow.log.errors import ArchiveDamaged
from eventflow.log.keys import PartitionKeys

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
    open: dict[str, Tombstone]
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


async def verify(shelf: Shelf, tombstones: Tombstones, codec: Codec, on_segment: OnSegment) -> Verified:
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


async def _partition(tombstones: Tombstones, keys: PartitionKeys, defects: list[str]) -> _Partition:
    found: dict[str, Tombstone] = {}
    for bucket in BUCKETS:
        for job, raw in (await tombstones.bucket(keys, bucket)).items():
            try:
                found[job] = Tombstone.parse(raw)
            except ValueError as error:
                defects.append(f"job {job}: {error}")
    return _Partition(keys, await tombstones.segment_names(keys), found, frozenset(found))


async def _sound(shelf: Shelf, stored: Stored, codec: Codec, defects: list[str]) -> AsyncIterator[Entry]:
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
        except (ArchiveDamaged, Unfit) as error:
            defects.append(str(error))
        else:
            yield entry


def _check(name: str, entry: Entry, data: bytes, codec: Codec) -> None:
    place = f"{name}: job {entry.job}"
    block = data[entry.offset : entry.offset + entry.length]
    if block[:32].hex() != entry.sha256:
        raise ArchiveDamaged(f"{place}: the block isn't the one that the index tells of")
    try:
        dossier = dossier_of(codec, unpack_block(block, place))
    except Unfit as error:
        raise Unfit(f"{place}: {error}") from error
    if (dossier.job_id, dossier.version) != (entry.job, entry.version):
        raise ArchiveDamaged(f"{place}: the block holds version {dossier.version} of {dossier.job_id}")


async def _unserved(tombstones: Tombstones, keys: PartitionKeys, jobs: Iterable[str]) -> int:
    """How many of `jobs`, which have no tombstone, aren't in the server either."""
    wanted, missing = sorted(jobs), 0
    for start in range(0, len(wanted), _LOOK):
        async with tombstones.redis.pipeline(transaction=False) as pipe:
            for job in wanted[start : start + _LOOK]:
                pipe.exists(keys.events(job))
            missing += sum(not found for found in await pipe.execute())
    return missing
