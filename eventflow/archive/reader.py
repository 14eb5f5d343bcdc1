"""Reads archived jobs for the log: archive pointer -> block -> checksum -> events."""

from __future__ import annotations

from cachetools import LRUCache

from eventflow.archive.segment_store import SegmentStore
from eventflow.domain.events import JobDeleted
from eventflow.domain.topics import ARCHIVE_TOPICS, TOPIC_OF
from eventflow.log.archive_pointers import ArchivePointer, ArchivePointers
from eventflow.log.codec import Codec, DecodeError
from eventflow.log.errors import ArchiveDamaged
from eventflow.log.job_lists import ListedJob

#: Cached names of segments, so that most reads need one round trip to the server.
_NAMES = 10_000


class ArchiveReader:
    """The log's `Archive`: reads blocks of segments, and puts jobs back into the server."""

    def __init__(self, pointers: ArchivePointers, segment_store: SegmentStore, codec: Codec) -> None:
        self._pointers, self._segment_store, self._codec = pointers, segment_store, codec
        self._names: LRUCache[tuple[int, int], str] = LRUCache(_NAMES)

    async def history(self, job_id: str, after: int = 0) -> list[bytes]:
        """As `Archive.history`; complete, however the job is moved meanwhile."""
        present, pointer = await self._pointers.read_history(job_id, after)
        return present if present or pointer is None else (await self._read(job_id, pointer))[after:]

    async def holds(self, job_id: str) -> bool:
        """As `Archive.holds`."""
        return await self._pointers.find(job_id) is not None

    async def unarchive(self, job_id: str, version: int) -> bool:
        """As `Archive.unarchive`."""
        pointer = await self._pointers.find(job_id)
        if pointer is None or pointer.block.version != version:
            return False
        events = await self._read(job_id, pointer)
        outcome = next((event for event in reversed(events) if self._is_outcome(event)), b"")
        first = self._codec.decode(events[0])
        job = ListedJob.at(first.occurred_at, job_id, first.owner)
        listed = not any(isinstance(self._codec.decode(event).event, JobDeleted) for event in events)
        return await self._pointers.unarchive(job, pointer, events, outcome, listed=listed)

    async def _read(self, job_id: str, pointer: ArchivePointer) -> list[bytes]:
        """The whole history. A restored server may number segments differently: then the name is asked again."""
        try:
            return await self._block(job_id, pointer)
        except ArchiveDamaged:
            if not self._names.pop((self._partition(job_id), pointer.number), None):
                raise
            return await self._block(job_id, pointer)

    async def _block(self, job_id: str, pointer: ArchivePointer) -> list[bytes]:
        name = await self._name(job_id, pointer.number)
        block = pointer.block
        events = await self._segment_store.block(name, block.offset, block.length)
        self._check(job_id, name, block.version, events)
        return events

    async def _name(self, job_id: str, number: int) -> str:
        at = (self._partition(job_id), number)
        name = self._names.get(at)
        if name is None:
            name = await self._pointers.segment_name(self._pointers.keyspace.of_job(job_id), number)
            if name is None:
                raise ArchiveDamaged(f"job {job_id}: the server doesn't know segment {number} of its partition")
            self._names[at] = name
        return name

    def _partition(self, job_id: str) -> int:
        return self._pointers.keyspace.of_job(job_id).partition

    def _check(self, job_id: str, name: str, version: int, events: list[bytes]) -> None:
        try:
            last = self._codec.decode(events[-1])
        except DecodeError as error:
            raise ArchiveDamaged(f"{name}: the history of {job_id} can't be decoded: {error}") from error
        if last.job_id != job_id or last.seq != version or len(events) != version:
            raise ArchiveDamaged(
                f"{name}: the block of {job_id} at version {version} holds {last.job_id} at {last.seq}"
            )

    def _is_outcome(self, raw: bytes) -> bool:
        return TOPIC_OF.get(type(self._codec.decode(raw).event)) in ARCHIVE_TOPICS
