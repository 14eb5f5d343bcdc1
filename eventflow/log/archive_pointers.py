"""Archive pointers, which the server keeps of archived jobs, and moves to and from the archive.

A job is in the server or has an archive pointer, never both and never neither: each move is one script.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from attrs import frozen
from redis.asyncio import Redis

from eventflow.domain.topics import ARCHIVE_GROUP, Topic
from eventflow.log.commit import Claim
from eventflow.log.connection import load_script
from eventflow.log.job_lists import ListedJob
from eventflow.log.keys import Keyspace, PartitionKeys

#: Bytes of a pointer's numbers: segment, offset, length, version (decision 53).
_WIDTHS = (3, 4, 4, 3)
#: The first three hex digits of a job id's random part name the bucket of its pointer.
BUCKETS = tuple(f"{number:03x}" for number in range(0x1000))


class Archive(Protocol):
    """The archive as the log uses it."""

    async def history(self, job_id: str, after: int = 0) -> list[bytes]:
        """The job's encoded events after version `after`, from the archive or the server.

        Raises ArchiveDamaged, StorageError and connection errors.
        """

    async def unarchive(self, job_id: str, version: int) -> bool:
        """Put the job back into the server if it is archived at `version`; returns whether.

        Raises as `history`.
        """

    async def holds(self, job_id: str) -> bool:
        """Whether the job is archived. Raises connection errors."""


@frozen
class BlockRef:
    """A job's block in a segment: bytes `offset` to `offset + length`, with the job at `version`."""

    offset: int
    length: int
    version: int

    def packed(self) -> bytes:
        """The end of an archive pointer, 11 bytes. Raises OverflowError for a segment of 4 GiB or more."""
        numbers = zip((self.offset, self.length, self.version), _WIDTHS[1:], strict=True)
        return b"".join(number.to_bytes(width, "big") for number, width in numbers)


@frozen
class ArchivePointer:
    """A parsed archive pointer.

    `number` is the segment's, which is unique in its partition on this server.
    """

    number: int
    block: BlockRef
    raw: bytes

    @classmethod
    def parse(cls, raw: bytes) -> ArchivePointer:
        """The pointer in 14 bytes. Raises ValueError for another length."""
        if len(raw) != sum(_WIDTHS):
            raise ValueError(f"an archive pointer has {sum(_WIDTHS)} bytes, not {len(raw)}")
        numbers, at = [], 0
        for width in _WIDTHS:
            numbers.append(int.from_bytes(raw[at : at + width], "big"))
            at += width
        return cls(numbers[0], BlockRef(*numbers[1:]), raw)


@frozen
class ArchivedJob:
    """A job that is stored in a segment. `last` is its last event as archived, encoded."""

    job_id: str
    block: BlockRef
    last: bytes


class _Call:
    """KEYS and ARGV of a script: each key once, and in ARGV by its index."""

    def __init__(self, first: str, *args: str | bytes | int) -> None:
        self.keys: dict[str, int] = {first: 1}
        self.args: list[str | bytes | int] = list(args)

    def key(self, name: str) -> int:
        """The index of a key in KEYS, from 1."""
        return self.keys.setdefault(name, len(self.keys) + 1)

    def job(self, keys: PartitionKeys, job_id: str) -> bytes:
        """Add the indices of the job's keys; returns the field of its pointer."""
        pointers, field = keys.archive_pointer(job_id)
        self.args += [self.key(keys.events(job_id)), self.key(keys.live(job_id)), self.key(pointers)]
        return field


class ArchivePointers:
    """The archive pointers of all partitions. Methods raise connection errors."""

    def __init__(self, redis: Redis, keyspace: Keyspace) -> None:
        self.redis, self.keyspace = redis, keyspace
        self._archive_jobs = load_script(redis, "archive_jobs", after="segments")
        self._restore_pointers = load_script(redis, "restore_pointers", after="segments")
        self._read_history = load_script(redis, "read_history")
        self._unarchive = load_script(redis, "unarchive")

    async def archive_jobs(
        self, keys: PartitionKeys, segment: str, jobs: Sequence[ArchivedJob], settled: Iterable[tuple[Claim, bool]]
    ) -> int:
        """Replace jobs by pointers into `segment` and settle entries, all at once; returns how many jobs went.

        A job that has newer events stays in the server. A claim whose flag is set is discarded, not only acknowledged.
        """
        call = _Call(keys.segments, segment, len(jobs))
        for job in jobs:
            field = call.job(keys, job.job_id)
            digest = hashlib.sha1(job.last, usedforsecurity=False).hexdigest()
            call.args += [job.block.version, digest, field, job.block.packed()]
        rows = list(settled)
        call.args.append(len(rows))
        for claim, discard in rows:
            call.args += [call.key(claim.stream), claim.group, claim.entry_id, "discard" if discard else "settle"]
        return sum(await self._archive_jobs(keys=list(call.keys), args=call.args))

    async def restore_pointers(self, keys: PartitionKeys, segment: str, jobs: Sequence[tuple[str, BlockRef]]) -> int:
        """Write pointers into `segment`; returns how many.

        A job of which the server has the same version or a newer one is left as it is.
        """
        call = _Call(keys.segments, segment, len(jobs))
        for job_id, block in jobs:
            field = call.job(keys, job_id)
            call.args += [block.version, field, block.packed()]
        return sum(await self._restore_pointers(keys=list(call.keys), args=call.args))

    async def read_history(self, job_id: str, after: int = 0) -> tuple[list[bytes], ArchivePointer | None]:
        """(events after version `after` in the server, archive pointer), both at one moment."""
        keys = self.keyspace.of_job(job_id)
        pointers, field = keys.archive_pointer(job_id)
        answer: Any = await self._read_history(keys=[keys.events(job_id), pointers], args=[f"{after + 1}-0", field])
        raw = answer[1] if len(answer) > 1 else None
        return [fields[1] for _, fields in answer[0]], ArchivePointer.parse(raw) if raw else None

    async def find(self, job_id: str) -> ArchivePointer | None:
        """The job's archive pointer; None if it isn't archived."""
        pointers, field = self.keyspace.of_job(job_id).archive_pointer(job_id)
        raw: Any = await self.redis.hget(pointers, field)
        return ArchivePointer.parse(raw) if raw else None

    async def unarchive(
        self,
        job: ListedJob,
        pointer: ArchivePointer,
        events: Sequence[bytes],
        outcome: bytes,
        *,
        listed: bool = True,
    ) -> bool:
        """Replace `pointer` by `events`; returns False where it has changed since.

        With `listed`, list the job again.

        `outcome`, if not empty, is delivered to the archive again.
        """
        keys, job_id = self.keyspace.of_job(job.job_id), job.job_id
        pointers, field = keys.archive_pointer(job_id)
        names = [keys.events(job_id), pointers, keys.retry(ARCHIVE_GROUP, Topic.OUTCOME)]
        names += keys.lists_of(job.owner) if listed else ()
        args: list[str | bytes | int] = [job_id, job.position, field, pointer.raw, outcome, *events]
        return bool(await self._unarchive(keys=names, args=args))

    async def segment_name(self, keys: PartitionKeys, number: int) -> str | None:
        """The name of segment `number`; None where the server doesn't know it."""
        raw: Any = await self.redis.hget(keys.segments, str(number))
        return raw.decode() if raw else None

    async def segment_names(self, keys: PartitionKeys) -> dict[int, str]:
        """The names of all segments that the server knows, by number."""
        rows: Any = await self.redis.hgetall(keys.segments)
        return {int(name): value.decode() for name, value in rows.items() if name.isdigit()}

    async def find_all(self, keys: PartitionKeys, job_ids: Sequence[str]) -> list[ArchivePointer | None]:
        """The archive pointer, or None, of each of `job_ids`, all of one partition."""
        async with self.redis.pipeline(transaction=False) as pipe:
            for job_id in job_ids:
                pointers, field = keys.archive_pointer(job_id)
                pipe.hget(pointers, field)
            return [ArchivePointer.parse(raw) if raw else None for raw in await pipe.execute()]

    async def count(self, keys: PartitionKeys) -> int:
        """How many jobs of the partition are archived."""
        async with self.redis.pipeline(transaction=False) as pipe:
            for bucket in BUCKETS:
                pipe.hlen(keys.archive_pointers(bucket))
            return sum(await pipe.execute())

    async def bucket(self, keys: PartitionKeys, bucket: str) -> dict[str, bytes]:
        """The unparsed pointers of one bucket by job id."""
        rows: Any = await self.redis.hgetall(keys.archive_pointers(bucket))
        return {f"{keys.partition:02x}-{field.hex()}": raw for field, raw in rows.items()}
