"""The job event store: reads a job's history, folds it, decides commands, and appends the events.

A history is in the server, or for a finished job in the archive.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from random import Random
from typing import Any

import msgspec
from cachetools import LRUCache
from redis.asyncio import Redis

from eventflow.domain import events as ev
from eventflow.domain.commands import Command, RequestVideo
from eventflow.domain.decide import decide_all
from eventflow.domain.envelope import Envelope
from eventflow.domain.evolve import evolve
from eventflow.domain.state import Job
from eventflow.domain.values import Lane, VideoRequest
from eventflow.log.archive_pointers import Archive
from eventflow.log.codec import Codec
from eventflow.log.commit import Claim, Commit, Committer, Delayed, NewDeadLetter, NewEvent, OnClaim, effect_of
from eventflow.log.durable_writes import commit_durably, write_durably
from eventflow.log.errors import HistoryLost, VersionConflict
from eventflow.log.job_lists import JobLists
from eventflow.log.keys import Keyspace, PartitionKeys


class JobRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A job folded up to `version`; `job` is its state, `mark` that of the last folded event."""

    id: str
    owner: str
    correlation_id: str
    version: int
    job: Job
    mark: str


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """The cause of a commit: these fields go into the envelope of each of its events."""

    owner: str
    correlation_id: str
    causation_id: str
    traceparent: str


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """What a commit does with the claimed delivery: hold, settle, discard, delay or dead-letter it.

    `retry` makes the delayed deliveries from the decided events.
    """

    claim: Claim
    on_claim: OnClaim = "hold"
    retry: Callable[[Sequence[ev.Event]], tuple[Delayed, ...]] | None = None
    dead_letters: tuple[NewDeadLetter, ...] = ()


def append(record: JobRecord | None, envelope: Envelope) -> JobRecord:
    """The record after one more event; None is the job before its first event.

    Raises LookupError for an event that doesn't follow `record`'s version, IllegalTransition for one that can't happen
    in its state.
    """
    version = record.version if record else 0
    if envelope.seq != version + 1:
        raise LookupError(f"job {envelope.job_id}: event {envelope.seq} doesn't follow version {version}")
    job = evolve(record.job if record else None, envelope.event)
    owner = record.owner if record else envelope.owner
    correlation = record.correlation_id if record else envelope.correlation_id
    return JobRecord(
        id=envelope.job_id,
        owner=owner,
        correlation_id=correlation,
        version=envelope.seq,
        job=job,
        mark=envelope.mark,
    )


#: Events in one round trip.
_PAGE = 1_000


async def read_history(
    redis: Redis, keys: PartitionKeys, job_id: str, *, after: int, limit: int | None, archive: Archive | None
) -> list[bytes]:
    """The job's encoded events after version `after`, at most `limit`, oldest first.

    A job may be archived between two pages: the rest is then read there. Raises ArchiveDamaged, StorageError.
    """
    events: list[bytes] = []
    while True:
        count = _PAGE if limit is None else min(_PAGE, limit - len(events))
        at = after + len(events)
        rows: Any = await redis.xrange(keys.events(job_id), min=f"{at + 1}-0", count=count)
        if not rows and archive is not None:
            return [*events, *await archive.history(job_id, at)][:limit]
        events += [fields[b"e"] for _, fields in rows]
        if len(rows) < count or len(events) == limit:
            return events


#: How often a decision is repeated on newer versions before something must be wrong.
CONFLICT_TRIES = 100


class JobEventStore:
    """The jobs' histories in the server, and archived ones by `archive`.

    Keeps the `cache_size` most recently used folded jobs, so that a step needn't read a history again.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        codec: Codec,
        keyspace: Keyspace,
        clock: Callable[[], datetime],
        random: Random | None = None,
        cache_size: int = 4_096,
        archive: Archive | None = None,
        most_in_progress: int = 0,
    ) -> None:
        self.redis = redis
        self.codec = codec
        self.keyspace = keyspace
        self.archive = archive
        self.committer = Committer(redis, limit=most_in_progress)
        self.job_lists = JobLists(redis, keyspace)
        self._clock = clock
        self._random = random or Random()  # noqa: S311 - jitter, not a secret
        self._cache: LRUCache[str, JobRecord] = LRUCache(cache_size)

    async def history(self, job_id: str, *, after: int = 0, limit: int | None = None) -> list[Envelope]:
        """The job's events after version `after`, oldest first.

        Raises DecodeError, ArchiveDamaged, StorageError.
        """
        keys = self.keyspace.of_job(job_id)
        raw = await read_history(self.redis, keys, job_id, after=after, limit=limit, archive=self.archive)
        return [self.codec.decode(event) for event in raw]

    async def load(self, job_id: str) -> JobRecord | None:
        """The job at its present version; None if it doesn't exist.

        Reads only the events after the cached version.

        A cached job is dropped where the log holds another history of it: see `_caught_up`. Raises as `history`, and
        IllegalTransition or LookupError for a history that doesn't fold.
        """
        known = self._cache.get(job_id)
        record = await self._caught_up(known) if known is not None else None
        if record is None:
            self.forget(job_id)
            for envelope in await self.history(job_id):
                record = append(record, envelope)
        return self._remember(record) if record is not None else None

    async def _caught_up(self, record: JobRecord) -> JobRecord | None:
        """`record` with the events after its version; None where the log no longer holds its last event.

        A server may lose its newest events (a crash between two syncs, a failover), and other processes then write
        different ones up to the same version. So the last folded event is read again, and its mark compared.
        """
        envelopes = await self.history(record.id, after=record.version - 1)
        if not envelopes or envelopes[0].mark != record.mark:
            return None
        for envelope in envelopes[1:]:
            record = append(record, envelope)
        return record

    async def at_event(self, envelope: Envelope) -> JobRecord:
        """The job at `envelope` or a later version, from the cache where it is there.

        For first deliveries only: no other worker can have started the work that the event calls for. Raises
        LookupError where the log has lost the event.
        """
        record = self.known_at(envelope) or await self.load(envelope.job_id)
        if record is None or record.version < envelope.seq:
            raise LookupError(f"job {envelope.job_id} has no event {envelope.seq}")
        return record

    def known_at(self, envelope: Envelope) -> JobRecord | None:
        """The job at `envelope` or a later version from the cache, else None.

        For first deliveries, as `at_event`.

        The log may have lost that history since: a commit on the record then raises HistoryLost. The event is never
        folded onto a cached record, because its mark would then vouch for all events before it.
        """
        known = self._cache.get(envelope.job_id)
        if known is None:
            return self._remember(append(None, envelope)) if envelope.seq == 1 else None
        if known.version == envelope.seq and known.mark != envelope.mark:
            return None
        return known if known.version >= envelope.seq else None

    async def create(
        self,
        job_id: str,
        request: VideoRequest,
        cause: Cause,
        *,
        durable_ms: int = 0,
        replicas: int = 0,
        most_waiting: int | None = None,
    ) -> JobRecord:
        """Write a job's first event; returns the job at version 1.

        Safe to repeat with the same correlation id.

        With `durable_ms` it returns when the server has synced the event to disk (WAITAOF), or `replicas` replicas have
        it (WAIT); raises NotDurable if that takes longer. A server without WAITAOF needs appendfsync always: it syncs
        before it answers. Raises QueueFull where `most_waiting` jobs wait in its partition already, VersionConflict
        where the id belongs to another request.
        """
        events, job = decide_all(None, [RequestVideo(request)])
        commit = msgspec.structs.replace(self._commit(job_id, None, events, cause, None), most_waiting=most_waiting)
        if job is None:
            raise LookupError("a request decides a job")
        await self.job_lists.enter(job_id, cause.owner)
        try:
            if self.archive is not None and await self.archive.holds(job_id):
                raise VersionConflict(job_id, 0, 1)
            if durable_ms:
                await commit_durably(self.redis, self.committer, commit, durable_ms, replicas=replicas)
            else:
                await self.committer.commit(commit)
        except VersionConflict:
            record = await self.load(job_id)
            if record is None or record.correlation_id != cause.correlation_id:
                raise
            if durable_ms:  # its sync wasn't awaited; writes stay in order, so waiting for a later one is enough
                sync = commit.keys.sync
                await write_durably(self.redis, sync, ("SET", sync, job_id), durable_ms, replicas=replicas)
            return record  # written by an earlier call, whose answer was lost
        record = _after(commit, 1, job, cause)
        self._remember(record)
        return record

    async def execute(
        self,
        job_id: str,
        commands: Sequence[Command],
        cause: Cause,
        *,
        record: JobRecord | None = None,
        settlement: Settlement | None = None,
    ) -> JobRecord | None:
        """Decide `commands` on the job and append the events, with `settlement` in the same commit.

        After a version conflict the commands are decided again on the present job. Returns the job afterwards (None
        where it doesn't exist and no event was decided). Raises DomainError, LeaseLost, VersionConflict after
        `CONFLICT_TRIES` conflicts, and connection errors. With a settlement, whose commands are results of work on
        `record`, raises HistoryLost where the log no longer holds the record's history.
        """
        if record is None:
            record = await self.load(job_id)
        for attempt in range(CONFLICT_TRIES):
            events, job = decide_all(record.job if record else None, commands)
            if not events and settlement is None:
                return record
            try:
                commit = self._commit(job_id, record, events, cause, settlement)
                version = await self.committer.commit(commit)
            except (VersionConflict, HistoryLost) as conflict:
                last = conflict
                if isinstance(conflict, VersionConflict) and conflict.present == 0 and record and self.archive:
                    await self.archive.unarchive(job_id, record.version)
                if attempt > 2:
                    await asyncio.sleep(self._random.uniform(0, 0.002 * attempt))
                record = await self._moved(job_id, record, settlement)
                continue
            if job is None or not events:
                return record
            record = _after(commit, version, job, record or cause)
            self._remember(record)
            return record
        raise last

    async def _moved(self, job_id: str, record: JobRecord | None, settlement: Settlement | None) -> JobRecord | None:
        """The present job, after a commit on `record` was refused. Raises HistoryLost as `execute` does."""
        after = await self._caught_up(record) if record is not None else None
        if after is not None:
            self._remember(after)
            return after
        self.forget(job_id)
        if record is not None and settlement is not None:
            raise HistoryLost(job_id, record.version)
        return await self.load(job_id)

    def submit(
        self,
        record: JobRecord,
        commands: Sequence[Command],
        cause: Cause,
        settlement: Settlement,
        answered: Callable[[JobRecord | None, Exception | None], None],
    ) -> bool:
        """Decide `commands` on `record` and queue the commit without waiting for it.

        `answered` gets the job afterwards, or the error. After an error, and where this returns False because no event
        was decided, the caller uses `execute`. Raises DomainError.
        """
        events, job = decide_all(record.job, commands)
        if not events or job is None:
            return False
        commit = self._commit(record.id, record, events, cause, settlement)
        after = _after(commit, record.version + len(events), job, record)

        def done(_: int, error: Exception | None) -> None:
            if error is None:
                self._remember(after)
                answered(after, None)
            else:
                answered(None, error)

        self.committer.submit(commit, done)
        return True

    def _commit(
        self,
        job_id: str,
        record: JobRecord | None,
        events: Sequence[ev.Event],
        cause: Cause,
        settlement: Settlement | None,
    ) -> Commit:
        keys = self.keyspace.of_job(job_id)
        version = record.version if record else 0
        if record is not None and cause.owner != record.owner:  # events belong to the job's owner, whoever caused them
            cause = msgspec.structs.replace(cause, owner=record.owner, correlation_id=record.correlation_id)
        lane = _lane_of(record, events)
        now, routes, new = self._clock(), keys.routes(lane), []
        for seq, event in enumerate(events, version + 1):
            payload = self.codec.encode_event(
                event,
                job_id=job_id,
                seq=seq,
                owner=cause.owner,
                correlation_id=cause.correlation_id,
                causation_id=cause.causation_id,
                traceparent=cause.traceparent,
                occurred_at=now,
            )
            kind = type(event)
            new.append(NewEvent(kind.__name__, payload.decode(), routes.get(kind)))
        effect = effect_of(events)
        if effect == "request":  # delivered when the job is admitted
            new[-1] = NewEvent(new[-1].type, new[-1].payload, None)
        return Commit(
            keys=keys,
            job_id=job_id,
            expected=version,
            events=tuple(new),
            claim=settlement.claim if settlement else None,
            on_claim=settlement.on_claim if settlement else "hold",
            effect=effect,
            lane=lane,
            owner=cause.owner,
            delayed=settlement.retry(events) if settlement and settlement.retry else (),
            dead_letters=settlement.dead_letters if settlement else (),
            mark=record.mark if record else "",
        )

    def forget(self, job_id: str) -> None:
        """Drop the job from the cache."""
        self._cache.pop(job_id, None)

    def _remember(self, record: JobRecord) -> JobRecord:
        """Cache `record`, unless another step of this process has cached a newer one; returns the newer."""
        known = self._cache.get(record.id)
        if known is None or known.version < record.version:
            self._cache[record.id] = known = record
        return known


def _after(commit: Commit, version: int, job: Job, known: JobRecord | Cause) -> JobRecord:
    """The record after `commit` brought the job of `known` to `version`."""
    return JobRecord(
        id=commit.job_id,
        owner=known.owner,
        correlation_id=known.correlation_id,
        version=version,
        job=job,
        mark=commit.mark_after,
    )


def _lane_of(record: JobRecord | None, events: Sequence[ev.Event]) -> Lane:
    """The lane of all events of a job: that of its request."""
    if record is not None:
        return record.job.request.priority
    first = events[0]
    return first.request.priority if isinstance(first, ev.VideoRequested) else Lane.NORMAL
