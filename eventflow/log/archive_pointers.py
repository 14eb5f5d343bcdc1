"""Jobs that have gone to the archive: their tombstones in the server, and the scripts that move jobs to and fro.

A job is in the server or has a tombstone, never both and never neither: each move is one script.
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

#: Bytes of a tombstone's numbers: segment, offset, length, version.
_WIDTHS = (3, 4, 4, 3)
#: The first three hex digits of a job id's random part name its bucket.
BUCKETS = tuple(f"{number:03x}" for number in range(0x1000))


class Archive(Protocol):
    """What the log asks of an archive."""

    async def history(self, job_id: str, after: int = 0) -> list[bytes]:
        """The job's encoded events after version `after`, from the archive or, where it isn't there, the server.

        Raises ArchiveDamaged, StorageError.
        """

    async def revive(self, job_id: str, version: int) -> bool:
        """Put the job back into the server, if it is archived at `version`; whether it was."""

    async def holds(self, job_id: str) -> bool:
        """Whether the job is archived."""


@frozen
class Place:
    """Where a job's block is: bytes `offset` to `offset + length` of a segment."""

    offset: int
    length: int
    version: int

    def packed(self) -> bytes:
        """As the end of a tombstone. Raises OverflowError for a segment of 4 GiB or more."""
        numbers = zip((self.offset, self.length, self.version), _WIDTHS[1:], strict=True)
        return b"".join(number.to_bytes(width, "big") for number, width in numbers)


@frozen
class ArchivePointer:
    """`number` is that of the segment among those of its partition, on this server."""

    number: int
    place: Place
    raw: bytes

    @classmethod
    def parse(cls, raw: bytes) -> ArchivePointer:
        """Raises ValueError."""
        if len(raw) != sum(_WIDTHS):
            raise ValueError(f"a tombstone has {sum(_WIDTHS)} bytes, not {len(raw)}")
        numbers, at = [], 0
        for width in _WIDTHS:
            numbers.append(int.from_bytes(raw[at : at + width], "big"))
            at += width
        return cls(numbers[0], Place(*numbers[1:]), raw)


@frozen
class Burial:
    """A job that is safely in a segment. `last` is its last event as archived."""

    job_id: str
    place: Place
    last: bytes


class _Call:
    """KEYS and ARGV of a script: each key once, told by index."""

    def __init__(self, first: str, *args: str | bytes | int) -> None:
        self.keys: dict[str, int] = {first: 1}
        self.args: list[str | bytes | int] = list(args)

    def key(self, name: str) -> int:
        return self.keys.setdefault(name, len(self.keys) + 1)

    def job(self, keys: PartitionKeys, job_id: str) -> bytes:
        """Add the job's keys; returns the field of its tombstone."""
        graves, field = keys.tombstone(job_id)
        self.args += [self.key(keys.events(job_id)), self.key(keys.live(job_id)), self.key(graves)]
        return field


class ArchivePointers:
    """The server's side of the archive."""

    def __init__(self, redis: Redis, keyspace: Keyspace) -> None:
        self.redis, self.keyspace = redis, keyspace
        self._bury, self._look = load_script(redis, "bury"), load_script(redis, "look")
        self._revive, self._adopt = load_script(redis, "revive"), load_script(redis, "adopt")

    async def bury(
        self, keys: PartitionKeys, segment: str, burials: Sequence[Burial], settled: Iterable[tuple[Claim, bool]]
    ) -> int:
        """Take jobs out of the server and settle entries, all at once; returns how many jobs went.

        `segment` names where they are. A claim is discarded, not only acknowledged, where its flag is set.
        """
        call = _Call(keys.segments, segment, len(burials))
        for burial in burials:
            field = call.job(keys, burial.job_id)
            digest = hashlib.sha1(burial.last, usedforsecurity=False).hexdigest()
            call.args += [burial.place.version, digest, field, burial.place.packed()]
        rows = list(settled)
        call.args.append(len(rows))
        for claim, discard in rows:
            call.args += [call.key(claim.stream), claim.group, claim.entry_id, "discard" if discard else "settle"]
        return sum(await self._bury(keys=list(call.keys), args=call.args))

    async def adopt(self, keys: PartitionKeys, segment: str, jobs: Sequence[tuple[str, Place]]) -> int:
        """Write tombstones for what is in `segment`, where the server has nothing as new; returns how many."""
        call = _Call(keys.segments, segment, len(jobs))
        for job_id, place in jobs:
            field = call.job(keys, job_id)
            call.args += [place.version, field, place.packed()]
        return sum(await self._adopt(keys=list(call.keys), args=call.args))

    async def look(self, job_id: str, after: int = 0) -> tuple[list[bytes], ArchivePointer | None]:
        """(events after version `after` in the server, tombstone), as they were at one moment."""
        keys = self.keyspace.of_job(job_id)
        graves, field = keys.tombstone(job_id)
        answer: Any = await self._look(keys=[keys.events(job_id), graves], args=[f"{after + 1}-0", field])
        raw = answer[1] if len(answer) > 1 else None
        return [fields[1] for _, fields in answer[0]], ArchivePointer.parse(raw) if raw else None

    async def find(self, job_id: str) -> ArchivePointer | None:
        graves, field = self.keyspace.of_job(job_id).tombstone(job_id)
        raw: Any = await self.redis.hget(graves, field)
        return ArchivePointer.parse(raw) if raw else None

    async def revive(
        self,
        begun: ListedJob,
        tombstone: ArchivePointer,
        events: Sequence[bytes],
        outcome: bytes,
        *,
        listed: bool = True,
    ) -> bool:
        """Put `events` back in the place of `tombstone`; whether it was still there. With `listed` the job is, again.

        `outcome` is delivered to the archive again (empty: nothing is).
        """
        keys, job_id = self.keyspace.of_job(begun.job_id), begun.job_id
        graves, field = keys.tombstone(job_id)
        names = [keys.events(job_id), graves, keys.retry(ARCHIVE_GROUP, Topic.OUTCOME)]
        names += keys.lists_of(begun.owner) if listed else ()
        args: list[str | bytes | int] = [job_id, begun.place, field, tombstone.raw, outcome, *events]
        return bool(await self._revive(keys=names, args=args))

    async def segment_name(self, keys: PartitionKeys, number: int) -> str | None:
        """The name of segment `number`, or None where the server doesn't know it."""
        raw: Any = await self.redis.hget(keys.segments, str(number))
        return raw.decode() if raw else None

    async def segment_names(self, keys: PartitionKeys) -> dict[int, str]:
        """Every segment that the server knows, by number."""
        rows: Any = await self.redis.hgetall(keys.segments)
        return {int(name): value.decode() for name, value in rows.items() if name.isdigit()}

    async def find_all(self, keys: PartitionKeys, job_ids: Sequence[str]) -> list[ArchivePointer | None]:
        """The tombstone of each of `job_ids`, all of one partition, or None."""
        async with self.redis.pipeline(transaction=False) as pipe:
            for job_id in job_ids:
                graves, field = keys.tombstone(job_id)
                pipe.hget(graves, field)
            return [ArchivePointer.parse(raw) if raw else None for raw in await pipe.execute()]

    async def count(self, keys: PartitionKeys) -> int:
        """How many jobs of the partition are archived."""
        async with self.redis.pipeline(transaction=False) as pipe:
            for bucket in BUCKETS:
                pipe.hlen(keys.tombstones(bucket))
            return sum(await pipe.execute())

    async def bucket(self, keys: PartitionKeys, bucket: str) -> dict[str, bytes]:
        """The raw tombstones of one bucket by job id."""
        rows: Any = await self.redis.hgetall(keys.tombstones(bucket))
        return {f"{keys.partition:02x}-{field.hex()}": raw for field, raw in rows.items()}
