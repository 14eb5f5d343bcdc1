"""The job event store: reads a job's history, folds it, decides on it, and appends to it.

A job's events as they were written, wherever they are: in the server, or in the archive.

Jobs in the log: read a history, fold it, decide on it, append to it.

A folded job, and what comes with a commit on it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime
from random import Random
from typing import Any

from attrs import evolve as replace
from redis.asyncio import Redis

from eventflow.domain import events as ev
from eventflow.domain._records import frozen_record
from eventflow.domain.commands import Command, RequestVideo
from eventflow.domain.decide import decide_all
from eventflow.domain.envelope import Envelope
from eventflow.domain.evolve import evolve
from eventflow.domain.state import Job
from eventflow.domain.values import Lane, VideoRequest
from eventflow.log.archive_pointers import Archive
from eventflow.log.codec import Codec
from eventflow.log.commit import Claim, Commit, Committer, Delayed, NewEvent, OnClaim, Parked, effect_of
from eventflow.log.durable_writes import commit_durably, write_durably
from eventflow.log.errors import HistoryLost, VersionConflict
from eventflow.log.job_lists import JobLists
from eventflow.log.keys import Keyspace, PartitionKeys


@frozen_record(kw_only=True)
class JobRecord:
    """A job as folded up to `version`; `job` is its state, `mark` that of the last event that was folded."""

    id: str
    owner: str
    correlation_id: str
    version: int
    job: Job
    mark: str


@frozen_record(kw_only=True)
class Cause:
    """What a commit is a reaction to: goes into the envelope of each event of it."""

    owner: str
    correlation_id: str
    causation_id: str
    traceparent: str


@frozen_record(kw_only=True)
class Settlement:
    """What becomes of the claimed entry with a commit: put off, or parked, if anything but done.

    `retry` makes the delayed delivery from the events that were decided.
    """

    claim: Claim
    on_claim: OnClaim = "hold"
    retry: Callable[[Sequence[ev.Event]], tuple[Delayed, ...]] | None = None
    parked: tuple[Parked, ...] = ()


def append(record: JobRecord | None, envelope: Envelope) -> JobRecord:
    """Fold one more event. The events of a job must come in order and without a gap."""
    version = record.version if record else 0
    if envelope.seq != version + 1:
        raise LookupError(f"job {envelope.job_id}: event {envelope.seq} doesn't follow version {version}")
    job = evolve(record.job if record else None, envelope.event)
    owner = record.owner if record else envelope.owner
    correlation = record.correlation_id if record else envelope.correlation_id
    return JobRecord(
        id=envelope.job_id, owner=owner, correlation_id=correlation, version=envelope.seq, job=job, mark=envelope.mark
    )


_PAGE = 1_000


async def read_history(
    redis: Redis, keys: PartitionKeys, job_id: str, *, after: int, limit: int | None, archive: Archive | None
) -> list[bytes]:
    """The job's encoded events after version `after`, at most `limit`, oldest first.

    A job may leave for the archive between two pages: the rest is then read there. Raises ArchiveDamaged, StorageError.
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


#: How often a decision is taken again on a moved version before something must be wrong.
CONFLICT_TRIES = 100


class JobEventStore:
    """The jobs' streams. `cache_size` folded jobs are kept, so that a step needn't read a history again.

    Those that have left the server are read in the `archive`."""

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
        self.index = JobLists(redis, keyspace)
        self._clock = clock
        self._random = random or Random()  # noqa: S311 - jitter, not a secret
        self._cache: OrderedDict[str, JobRecord] = OrderedDict()
        self._cache_size = cache_size

    async def history(self, job_id: str, *, after: int = 0, limit: int | None = None) -> list[Envelope]:
        """The job's events after version `after`, oldest first. Raises DecodeError, ArchiveDamaged, StorageError."""
        keys = self.keyspace.of_job(job_id)
        raw = await read_history(self.redis, keys, job_id, after=after, limit=limit, archive=self.archive)
        return [self.codec.decode(event) for event in raw]

    async def load(self, job_id: str) -> JobRecord | None:
        """The job as it stands now; only events that aren't folded yet are read. None if there is no such job.

        What is cached isn't believed where the log has another history of the job: see `_caught_up`.
        """
        known = self._cache.get(job_id)
        record = await self._caught_up(known) if known is not None else None
        if record is None:
            self.forget(job_id)
            for envelope in await self.history(job_id):
                record = append(record, envelope)
        return self._remember(record) if record is not None else None

    async def _caught_up(self, record: JobRecord) -> JobRecord | None:
        """`record` with the events that have come since; None where its last one isn't in the log (any more).

        A server may lose its newest events (a crash between two syncs, a failover), and others then write different
        ones, up to the same version: the last event that is folded is read again, and has to be the same.
        """
        envelopes = await self.history(record.id, after=record.version - 1)
        if not envelopes or envelopes[0].mark != record.mark:
            return None
        for envelope in envelopes[1:]:
            record = append(record, envelope)
        return record

    async def at_event(self, envelope: Envelope) -> JobRecord:
        """The job as it stood at `envelope` or later, without a read where it is in the cache.

        For first deliveries only: nobody else can have begun the work that the event calls for. Raises
        LookupError where the log has lost the event.
        """
        record = self.known_at(envelope) or await self.load(envelope.job_id)
        if record is None or record.version < envelope.seq:
            raise LookupError(f"job {envelope.job_id} has no event {envelope.seq}")
        return record

    def known_at(self, envelope: Envelope) -> JobRecord | None:
        """The job at `envelope` or later where that takes no read, else None. For first deliveries, as `at_event`.

        It may be of a history that the log has lost meanwhile: a commit that is made of it then raises HistoryLost. An
        event is never folded on top of what is only cached, because its mark would vouch for all before it.
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
        """Begin a job: version 1, expecting 0. Safe to repeat under the same `job_id` and correlation id.

        With `durable_ms` it returns only when the server has synced the event to disk (WAITAOF), or so many `replicas`
        have it (WAIT); raises NotDurable if that takes longer. A server that doesn't know WAITAOF has to have
        appendfsync always: it syncs before it answers. Raises QueueFull for a new job where `most_waiting` wait in its
        partition.
        """
        events, job = decide_all(None, [RequestVideo(request)])
        commit = replace(self._commit(job_id, None, events, cause, None), most_waiting=most_waiting)
        if job is None:
            raise LookupError("a request decides a job")
        await self.index.enter(job_id, cause.owner)
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
            if durable_ms:  # nobody has waited for it; writes are kept in order, so a wait for a later one will do
                sync = commit.keys.sync
                await write_durably(self.redis, sync, ("SET", sync, job_id), durable_ms, replicas=replicas)
            return record  # our own first try, whose answer was lost
        record = JobRecord(
            id=job_id,
            owner=cause.owner,
            correlation_id=cause.correlation_id,
            version=1,
            job=job,
            mark=commit.mark_after,
        )
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
        """Decide `commands` on the job and append what follows, with `settlement` in the same commit.

        On a moved version the decision is taken again on the fresh job. Returns the job afterwards (None where
        it doesn't exist and nothing was decided). Raises DomainError, LeaseLost, VersionConflict when there is no end
        of conflicts, and connection errors. With a settlement, whose commands are the outcome of work on `record`,
        HistoryLost where that is of a history which the log has no longer.
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
                    await self.archive.revive(job_id, record.version)
                if attempt > 2:
                    await asyncio.sleep(self._random.uniform(0, 0.002 * attempt))
                record = await self._moved(job_id, record, settlement)
                continue
            if job is None or not events:
                return record
            known = record or cause
            record = JobRecord(
                id=job_id,
                owner=known.owner,
                correlation_id=known.correlation_id,
                version=version,
                job=job,
                mark=commit.mark_after,
            )
            self._remember(record)
            return record
        raise last

    async def _moved(self, job_id: str, record: JobRecord | None, settlement: Settlement | None) -> JobRecord | None:
        """The job as it is now, after a commit on `record` was refused."""
        after = await self._caught_up(record) if record is not None else None
        if after is not None:
            self._remember(after)
            return after
        self.forget(job_id)
        if record is not None and settlement is not None:
            raise HistoryLost(job_id, record.version)
        return await self.load(job_id)

    def offer(
        self,
        record: JobRecord,
        commands: Sequence[Command],
        cause: Cause,
        settlement: Settlement,
        answered: Callable[[JobRecord | None, Exception | None], None],
    ) -> bool:
        """Decide `commands` on the job as it is known and send the commit off without waiting for it.

        `answered` gets the job afterwards, or why the commit wasn't taken: then, and where this returns False because
        nothing was decided, `execute` does what is left. Raises DomainError.
        """
        events, job = decide_all(record.job, commands)
        if not events or job is None:
            return False
        commit = self._commit(record.id, record, events, cause, settlement)
        version, mark = record.version + len(events), commit.mark_after
        after = JobRecord(
            id=record.id, owner=record.owner, correlation_id=record.correlation_id, version=version, job=job, mark=mark
        )

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
        if record is not None and cause.owner != record.owner:  # a job's events are its owner's, whoever caused them
            cause = replace(cause, owner=record.owner, correlation_id=record.correlation_id)
        lane = _lane_of(record, events)
        now, routes, new = self._clock(), keys.routes(lane), []
        for seq, event in enumerate(events, version + 1):
            payload = self.codec.lay_out(
                event, job_id, seq, cause.owner, cause.correlation_id, cause.causation_id, cause.traceparent, now
            )
            kind = type(event)
            new.append(NewEvent(kind.__name__, payload.decode(), routes.get(kind)))
        hint = effect_of(events)
        if hint == "request":  # delivered when the job is admitted
            new[-1] = NewEvent(new[-1].type, new[-1].payload, None)
        return Commit(
            keys,
            job_id,
            version,
            tuple(new),
            settlement.claim if settlement else None,
            settlement.on_claim if settlement else "hold",
            hint,
            lane,
            cause.owner,
            settlement.retry(events) if settlement and settlement.retry else (),
            settlement.parked if settlement else (),
            record.mark if record else "",
        )

    def forget(self, job_id: str) -> None:
        self._cache.pop(job_id, None)

    def _remember(self, record: JobRecord) -> JobRecord:
        """Keep the newer of `record` and what another step of this process has kept meanwhile; returns it."""
        known = self._cache.get(record.id)
        if known is None or known.version < record.version:
            self._cache[record.id] = known = record
        self._cache.move_to_end(record.id)
        if len(self._cache) > self._cache_size:
            self._cache.popitem(last=False)
        return known


def _lane_of(record: JobRecord | None, events: Sequence[ev.Event]) -> Lane:
    """The lane that all events of a job go by: its request says which."""
    if record is not None:
        return record.job.request.priority
    first = events[0]
    return first.request.priority if isinstance(first, ev.VideoRequested) else Lane.NORMAL
