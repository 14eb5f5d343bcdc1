"""The archive's store: segments by name, whole or in parts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from attrs import frozen

from eventflow.archive.segment import (
    FOOTER_BYTES,
    MEDIA_TYPE,
    Entry,
    Segment,
    index_place,
    partition_of_segment,
    read_index,
    unpack_block,
)
from eventflow.log.errors import ArchiveDamaged
from eventflow.storage import ObjectMissing, ObjectStore, RangeNotSatisfiable


@frozen
class Stored:
    """A segment in the store."""

    name: str
    partition: int
    size_bytes: int


class SegmentStore:
    """Segments in `store`. Every method may raise StorageError besides what it names."""

    def __init__(self, store: ObjectStore) -> None:
        self.store = store

    async def put(self, segment: Segment) -> None:
        """Returns when the segment is safely stored."""
        await self.store.put_bytes(segment.name, segment.data, media_type=MEDIA_TYPE)

    async def segments(self, partition: int | None = None) -> AsyncIterator[Stored]:
        """Every segment (of a partition), by partition and time. What else is in the store is passed over."""
        async for info in self.store.list("" if partition is None else f"{partition:02x}/"):
            number = partition_of_segment(info.key)
            if number is not None:
                yield Stored(info.key, number, info.size_bytes)

    async def find(self, name: str) -> Stored:
        """A segment by its name. Raises ArchiveDamaged where it is gone, or where that is no segment's name."""
        number = partition_of_segment(name)
        if number is None:
            raise ArchiveDamaged(f"{name!r} is no segment's name")
        try:
            return Stored(name, number, (await self.store.head(name)).size_bytes)
        except ObjectMissing as error:
            raise self._gone(name) from error

    async def remove(self, name: str) -> None:
        """Take a segment out of the store, for good."""
        await self.store.delete(name)

    async def index(self, stored: Stored) -> tuple[Entry, ...]:
        """What is in a segment, by two ranged reads. Raises ArchiveDamaged."""
        tail_at = max(0, stored.size_bytes - FOOTER_BYTES)
        footer = await self._read(stored.name, tail_at, FOOTER_BYTES)
        offset, length, digest = index_place(footer, stored.size_bytes, stored.name)
        return read_index(await self._read(stored.name, offset, length), digest, stored.name)

    async def block(self, name: str, offset: int, length: int) -> list[bytes]:
        """The events of one job. Raises ArchiveDamaged."""
        return unpack_block(await self._read(name, offset, length), f"{name} at {offset}")

    async def whole(self, name: str) -> bytes:
        """All bytes of a segment. Raises ArchiveDamaged where it is gone."""
        return await self._read(name, 0, None)

    async def _read(self, name: str, start: int, length: int | None) -> bytes:
        try:
            async with aclosing(self.store.read(name, start=start, length=length)) as chunks:
                return b"".join([chunk async for chunk in chunks])
        except ObjectMissing as error:
            raise self._gone(name) from error
        except RangeNotSatisfiable as error:
            raise ArchiveDamaged(f"{name}: it ends before byte {start}") from error

    def _gone(self, name: str) -> ArchiveDamaged:
        return ArchiveDamaged(f"{name}: the segment is not in {self.store.description}")
