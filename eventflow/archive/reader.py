"""Archived jobs, read by whoever asks the log for them: tombstone -> block -> checksum -> events."""

from __future__ import annotations

from collections import OrderedDict

from eventflow.archive.segment_store import SegmentStore
from eventflow.domain.events import JobDeleted
from eventflow.domain.topics import ARCHIVE_TOPICS, TOPIC_OF
from eventflow.log.archive_pointers import ArchivePointer, ArchivePointers
from eventflow.log.codec import Codec, DecodeError
from eventflow.log.errors import ArchiveDamaged
from eventflow.log.job_lists import ListedJob

#: Names of segments that are kept, so that most reads ask the server once.
_NAMES = 10_000


class ArchiveReader:
    """The log's `Archive`: reads through to segments, and puts jobs back into the server."""

    def __init__(self, tombstones: ArchivePointers, shelf: SegmentStore, codec: Codec) -> None:
        self._tombstones, self._shelf, self._codec = tombstones, shelf, codec
        self._names: OrderedDict[tuple[int, int], str] = OrderedDict()

    async def history(self, job_id: str, after: int = 0) -> list[bytes]:
        """As `Archive.history`; never None, whichever way the job moves meanwhile."""
        present, tombstone = await self._tombstones.look(job_id, after)
        return present if present or tombstone is None else (await self._read(job_id, tombstone))[after:]

    async def holds(self, job_id: str) -> bool:
        return await self._tombstones.find(job_id) is not None

    async def revive(self, job_id: str, version: int) -> bool:
        tombstone = await self._tombstones.find(job_id)
        if tombstone is None or tombstone.place.version != version:
            return False
        events = await self._read(job_id, tombstone)
        outcome = next((event for event in reversed(events) if self._is_outcome(event)), b"")
        first = self._codec.decode(events[0])
        begun = ListedJob.at(first.occurred_at, job_id, first.owner)
        listed = not any(isinstance(self._codec.decode(event).event, JobDeleted) for event in events)
        return await self._tombstones.revive(begun, tombstone, events, outcome, listed=listed)

    async def _read(self, job_id: str, tombstone: ArchivePointer) -> list[bytes]:
        """The whole history. A restored server may have numbered its segments anew: then the name is asked again."""
        try:
            return await self._block(job_id, tombstone)
        except ArchiveDamaged:
            if not self._names.pop((self._partition(job_id), tombstone.number), None):
                raise
            return await self._block(job_id, tombstone)

    async def _block(self, job_id: str, tombstone: ArchivePointer) -> list[bytes]:
        name = await self._name(job_id, tombstone.number)
        place = tombstone.place
        events = await self._shelf.block(name, place.offset, place.length)
        self._check(job_id, name, place.version, events)
        return events

    async def _name(self, job_id: str, number: int) -> str:
        at = (self._partition(job_id), number)
        name = self._names.get(at)
        if name is None:
            name = await self._tombstones.segment_name(self._tombstones.keyspace.of_job(job_id), number)
            if name is None:
                raise ArchiveDamaged(f"job {job_id}: the server doesn't know segment {number} of its partition")
            self._names[at] = name
            if len(self._names) > _NAMES:
                self._names.popitem(last=False)
        return name

    def _partition(self, job_id: str) -> int:
        return self._tombstones.keyspace.of_job(job_id).partition

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
