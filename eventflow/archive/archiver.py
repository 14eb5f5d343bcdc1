"""The archive's consumer: stores finished jobs in a segment and leaves archive pointers in the server.

Rule 1: the archiver takes an outcome only once it is as old as the archive delay; until then no consumer holds it.
Rule 2: a job leaves the server only after its segment is stored, only as it was stored, and in the script that settles
the entry. After a crash before that, the next member repeats the work, and a segment is left that no pointer names: an
orphan. A restore reads orphans too, which does no harm; `archive verify` lists them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import structlog
from attrs import define, field, frozen
from redis.exceptions import ResponseError

from eventflow.archive.segment import SegmentBuilder
from eventflow.archive.segment_store import SegmentStore
from eventflow.domain.errors import DomainError
from eventflow.domain.topics import ARCHIVE_TOPICS, LANES, TOPIC_OF, Topic
from eventflow.log.archive_pointers import ArchivedJob, ArchivePointers
from eventflow.log.codec import Codec, DecodeError
from eventflow.log.commit import Claim, Commit, OnClaim
from eventflow.log.connection import DISCONNECTED, load_script
from eventflow.log.consumer import Delivery, GroupMember
from eventflow.log.dead_letters import dead_letter_of
from eventflow.log.errors import LogError
from eventflow.log.event_store import JobEventStore, JobRecord, append
from eventflow.storage import StorageError


class UnreadableHistory(Exception):
    """A history that can't be decoded or folded; the message says where."""


@frozen(kw_only=True)
class ArchiveCandidate:
    """A history as it was read.

    `outcome_seq` is the version of the last outcome, 0 where the job isn't finished.

    `last` is its last event, encoded.
    """

    job_id: str
    owner: str
    created: datetime
    version: int
    outcome_seq: int
    last: bytes
    deleted: bool = False


def candidate_of(codec: Codec, history: Sequence[bytes]) -> ArchiveCandidate:
    """Decode and fold a whole history (not empty). Raises UnreadableHistory."""
    record: JobRecord | None = None
    created: datetime | None = None
    outcome_seq = 0
    try:
        for raw in history:
            envelope = codec.decode(raw)
            if record is not None and envelope.job_id != record.id:
                raise LookupError(f"event {envelope.seq} belongs to job {envelope.job_id}")
            record = append(record, envelope)
            created = created or envelope.occurred_at
            if TOPIC_OF.get(type(envelope.event)) in ARCHIVE_TOPICS:
                outcome_seq = envelope.seq
    except (DecodeError, DomainError, LookupError) as error:
        place = f"job {record.id} after version {record.version}" if record else "the first event"
        raise UnreadableHistory(f"{place}: {error}") from error
    if record is None or created is None:
        raise UnreadableHistory("a history has at least one event")
    seq = outcome_seq if record.job.finished else 0
    return ArchiveCandidate(
        job_id=record.id,
        owner=record.owner,
        created=created,
        version=record.version,
        outcome_seq=seq,
        last=history[-1],
        deleted=record.job.gone,
    )


#: Events in one round trip.
_PAGE = 1_000
#: Histories in one round trip.
_READ_JOBS = 32
#: Most that a job waits for others of its segment.
_LINGER_S = 3_600.0
#: Most that a deletion waits for others: a restore before it is archived would restore the job.
_DELETION_LINGER_S = 60.0


@frozen(kw_only=True)
class ArchiveSettings:
    """When and how jobs are archived.

    A finished job stays in the server for `archive_after_s`, and then up to `linger_s` longer, so that segments hold
    more than one job. A segment ends at `segment_jobs` jobs or `segment_bytes`. An entry that a member hasn't settled
    for `lease_s` goes to another member.
    """

    archive_after_s: float = 7 * 86_400.0
    linger_s: float = 0.0
    segment_jobs: int = 500
    segment_bytes: int = 16 * 1024 * 1024
    lease_s: float = 120.0

    @classmethod
    def with_delay(cls, archive_after_s: float) -> ArchiveSettings:
        """The settings with a linger of a tenth of the archive delay, an hour at most."""
        return cls(archive_after_s=archive_after_s, linger_s=min(_LINGER_S, archive_after_s / 10))


@define
class _Batch:
    """The jobs of one segment, and the entries that are settled with it."""

    builder: SegmentBuilder = field(factory=SegmentBuilder)
    jobs: dict[str, ArchiveCandidate] = field(factory=dict)
    settled: list[Delivery] = field(factory=list)


class Archiver:
    """One member of the archive's group, on every partition that it has a `GroupMember` for."""

    def __init__(
        self,
        log: JobEventStore,
        members: Sequence[GroupMember],
        segment_store: SegmentStore,
        pointers: ArchivePointers,
        settings: ArchiveSettings,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._log, self._members, self._segment_store, self._pointers = log, members, segment_store, pointers
        self._settings, self._clock = settings, clock
        self._take = load_script(log.redis, "take_due")
        self._notes = structlog.get_logger().bind(group="archive")

    async def ensure(self) -> None:
        """Create the group where it is missing."""
        for member in self._members:
            await member.ensure()

    async def round(self) -> int:
        """Archive what is due, at most one batch of each partition; returns how many entries were handled.

        Raises StorageError, ResponseError (NOGROUP) and connection errors; the entries are reclaimed later.
        """
        handled = 0
        for member in self._members:
            deliveries = await member.reclaim(int(self._settings.lease_s * 1000), self._settings.segment_jobs)
            deliveries += await self._due(member, self._settings.segment_jobs - len(deliveries))
            await self._archive(member, deliveries)
            handled += len(deliveries)
        return handled

    async def leave(self) -> None:
        """Remove this member from its groups."""
        for member in self._members:
            await member.leave()

    async def _due(self, member: GroupMember, room: int) -> list[Delivery]:
        """New entries that are as old as the archive delay: enough for a segment, or those that have lingered.

        Deletions have no archive delay.
        """
        now_ms = int(self._clock().timestamp() * 1000)
        usual = (self._settings.archive_after_s, self._settings.linger_s)
        at_once = {member.keys.topic(Topic.DELETED, lane) for lane in LANES}
        retries = {member.keys.retry(member.group, topic) for topic in member.topics}
        found: list[Delivery] = []
        for stream in member.streams:
            if room - len(found) <= 0:
                break
            most = room - len(found)
            delay_s, linger_s = usual if stream not in at_once else (0.0, min(usual[1], _DELETION_LINGER_S))
            newest_ms = now_ms - int(delay_s * 1000)
            args: list[Any] = [member.group, member.consumer, newest_ms, most, newest_ms - int(linger_s * 1000)]
            for entry_id, flat in await self._take(keys=[stream], args=args):
                claim = Claim(
                    stream=stream, group=member.group, consumer=member.consumer, entry_id=entry_id.decode(), count=1
                )
                fields = dict(zip(flat[::2], flat[1::2], strict=True))
                found.append(Delivery(claim=claim, payload=fields.get(b"e"), retried=stream in retries, first=True))
        return found

    async def _archive(self, member: GroupMember, deliveries: Sequence[Delivery]) -> None:
        batch = _Batch()
        for start in range(0, len(deliveries), _READ_JOBS):
            for delivery, history in await self._histories(member, deliveries[start : start + _READ_JOBS]):
                await self._add(member, batch, delivery, history)
            if batch.builder.size_bytes >= self._settings.segment_bytes:
                await self._close(member, batch)
                batch = _Batch()
        await self._close(member, batch)

    async def _histories(
        self, member: GroupMember, deliveries: Sequence[Delivery]
    ) -> list[tuple[Delivery, list[bytes]]]:
        """The present history for each delivery, empty if it isn't here.

        Dead-letters deliveries that name no job.
        """
        known: list[tuple[Delivery, str]] = []
        for delivery in deliveries:
            try:
                known.append((delivery, self._log.codec.decode(delivery.payload or b"").job_id))
            except DecodeError as error:
                await self._dead_letter(member, delivery, error)
        async with self._log.redis.pipeline(transaction=False) as pipe:
            for _, job_id in known:
                pipe.xrange(member.keys.events(job_id), count=_PAGE)
            answers: list[Any] = await pipe.execute() if known else []
        histories = []
        for (delivery, job_id), rows in zip(known, answers, strict=True):
            events = [fields[b"e"] for _, fields in rows]
            while rows and len(rows) == _PAGE:
                rows = await self._page(member.keys.events(job_id), len(events))
                events += [fields[b"e"] for _, fields in rows]
            histories.append((delivery, events))
        return histories

    async def _page(self, stream: str, after: int) -> list[Any]:
        rows: Any = await self._log.redis.xrange(stream, f"{after + 1}-0", count=_PAGE)
        return list(rows)

    async def _add(self, member: GroupMember, batch: _Batch, delivery: Delivery, history: list[bytes]) -> None:
        """Add a finished job to the segment. An unfinished one is delivered again with its next outcome."""
        codec = self._log.codec
        try:
            candidate = candidate_of(codec, history) if history else None
            seq = codec.decode(delivery.payload or b"").seq
        except UnreadableHistory as error:
            await self._dead_letter(member, delivery, error)
            return
        batch.settled.append(delivery)
        if candidate is not None and candidate.outcome_seq == seq and candidate.job_id not in batch.jobs:
            batch.builder.add(candidate.job_id, candidate.owner, candidate.created, history, deleted=candidate.deleted)
            batch.jobs[candidate.job_id] = candidate

    async def _close(self, member: GroupMember, batch: _Batch) -> None:
        """Store the segment, and only then remove its jobs from the server."""
        archived, name = [], ""
        if batch.jobs:
            segment = await asyncio.to_thread(batch.builder.finish, member.keys.partition, self._clock())
            name = segment.name
            await self._segment_store.put(segment)
            for entry, candidate in zip(segment.entries, batch.jobs.values(), strict=True):
                archived.append(ArchivedJob(candidate.job_id, entry.block, candidate.last))
        if not batch.settled:
            return
        settled = [(delivery.claim, delivery.retried) for delivery in batch.settled]
        count = await self._pointers.archive_jobs(member.keys, name, archived, settled)
        for job_id in batch.jobs:
            self._log.forget(job_id)
        self._notes.info("archived", jobs=count, settled=len(settled), segment=name)

    async def _dead_letter(self, member: GroupMember, delivery: Delivery, error: Exception) -> None:
        """Dead-letter the delivery of a job that can't be archived; the job stays in the server."""
        claim = delivery.claim
        letter = dead_letter_of(delivery, error, self._clock())
        settling: OnClaim = "discard" if delivery.retried else "settle"
        commit = Commit(keys=member.keys, job_id="-", claim=claim, on_claim=settling, dead_letters=(letter,))
        await self._log.committer.commit(commit)
        self._notes.error("outcome dead-lettered", entry=claim.entry_id, error=str(error))


#: Errors after which the next round repeats the work.
TRANSIENT_ERRORS = (StorageError, LogError, ResponseError, *DISCONNECTED)


async def sleep_or_stop(stop: asyncio.Event, seconds: float) -> None:
    """Sleep for `seconds`, or until `stop` is set."""
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait([waiting], timeout=seconds)
    waiting.cancel()
