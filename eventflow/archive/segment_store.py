"""The store of the archive's segments, which are read whole or in parts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from attrs import frozen

from eventflow.archive.segment import (
    FOOTER_BYTES,
    MEDIA_TYPE,
    Segment,
    SegmentEntry,
    parse_footer,
    partition_of_segment,
    read_index,
    unpack_block,
)
from eventflow.log.errors import ArchiveDamaged
from eventflow.storage import ObjectMissing, ObjectStore, RangeNotSatisfiable


@frozen
class StoredSegment:
    """A segment in the store."""

    name: str
    partition: int
    size_bytes: int


class SegmentStore:
    """The segments in `store`. Every method may raise StorageError besides what it names."""

    def __init__(self, store: ObjectStore) -> None:
        self.store = store

    async def put(self, segment: Segment) -> None:
        """Store the segment; returns when it is safely stored."""
        await self.store.put_bytes(segment.name, segment.data, media_type=MEDIA_TYPE)

    async def segments(self, partition: int | None = None) -> AsyncIterator[StoredSegment]:
        """All segments (of a partition), by partition and time. Skips other objects in the store."""
        async for info in self.store.list("" if partition is None else f"{partition:02x}/"):
            number = partition_of_segment(info.key)
            if number is not None:
                yield StoredSegment(info.key, number, info.size_bytes)

    async def find(self, name: str) -> StoredSegment:
        """The segment of this name.

        Raises ArchiveDamaged where it is missing, or where that isn't a segment's name.
        """
        number = partition_of_segment(name)
        if number is None:
            raise ArchiveDamaged(f"{name!r} isn't a segment's name")
        try:
            return StoredSegment(name, number, (await self.store.head(name)).size_bytes)
        except ObjectMissing as error:
            raise self._gone(name) from error

    async def remove(self, name: str) -> None:
        """Delete a segment from the store."""
        await self.store.delete(name)

    async def index(self, stored: StoredSegment) -> tuple[SegmentEntry, ...]:
        """The index of a segment, by two ranged reads. Raises ArchiveDamaged."""
        tail_at = max(0, stored.size_bytes - FOOTER_BYTES)
        footer = await self._read(stored.name, tail_at, FOOTER_BYTES)
        offset, length, digest = parse_footer(footer, stored.size_bytes, stored.name)
        return read_index(await self._read(stored.name, offset, length), digest, stored.name)

    async def block(self, name: str, offset: int, length: int) -> list[bytes]:
        """The events of one job. Raises ArchiveDamaged."""
        return unpack_block(await self._read(name, offset, length), f"{name} at {offset}")

    async def whole(self, name: str) -> bytes:
        """All bytes of a segment. Raises ArchiveDamaged where it is missing."""
        return await self._read(name, 0, None)

    async def _read(self, name: str, start: int, length: int | None) -> bytes:
        try:
            async with aclosing(self.store.read(name, start=start, length=length)) as chunks:
                return b"".join([chunk async for chunk in chunks])
        except ObjectMissing as error:
            raise self._gone(name) from error
        except RangeNotSatisfiable as error:
            raise ArchiveDamaged(f"{name}: the segment ends before byte {start}") from error

    def _gone(self, name: str) -> ArchiveDamaged:
        return ArchiveDamaged(f"{name}: the segment is not in {self.store.description}")
