"""Reads jobs from their streams, many in a round trip, and folds each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen
from redis.asyncio import Redis

from eventflow.domain.envelope import Envelope
from eventflow.domain.errors import DomainError
from eventflow.domain.events import Event
from eventflow.domain.evolve import fold
from eventflow.domain.job_ids import partition_of
from eventflow.domain.state import Job, Phase
from eventflow.domain.topics import GROUP_TOPICS, TOPIC_OF, Topic
from eventflow.domain.values import Work
from eventflow.domain.view import JobView, view_of
from eventflow.domain.work import still_due, work_of
from eventflow.log.codec import Codec, DecodeError
from eventflow.log.keys import Keyspace

#: The entries of a stream.
Rows = list[tuple[bytes, dict[bytes, bytes]]]
#: Jobs in one round trip, and jobs that are folded before the event loop runs other tasks.
BATCH, _TURN = 200, 20
#: Events of a job in one round trip, and keys in one step of SCAN.
_PAGE, _SCAN_COUNT = 1_000, 2_000


class Unfoldable(Exception):
    """The history of a job can't be folded; the message says where and why."""


@frozen(kw_only=True, slots=False)
class Due:
    """Work that a job waits for: the event that calls for it, as stored, and the group that does it."""

    seq: int
    type: str
    group: str
    topic: Topic
    payload: bytes


@frozen(kw_only=True, slots=False)
class JobSnapshot:
    """A job as its stream has it. `job` is None where the history isn't sound, which `reason` explains.

    `times` are those of its events. The events themselves are kept only on request.
    """

    id: str
    version: int
    job: Job | None
    times: tuple[datetime, ...]
    envelopes: tuple[Envelope, ...] = ()
    due: tuple[Due, ...] = ()
    reason: str = ""

    @property
    def missing(self) -> bool:
        """Whether it has no events."""
        return self.version == 0

    @property
    def cancelling(self) -> bool:
        """Whether its cancellation is requested and not confirmed."""
        return self.job is not None and self.job.phase is Phase.CANCELLING

    def view(self) -> JobView | None:
        """The job's status view; None without a sound history, or where its events weren't kept."""
        return view_of(self.envelopes) if self.job is not None else None


@frozen
class Found:
    """A page of a scan: jobs that have a stream, and jobs that have a live hash."""

    jobs: tuple[str, ...]
    live: tuple[str, ...]


async def scan_jobs(redis: Redis, keyspace: Keyspace) -> AsyncIterator[Found]:
    """Every job of every partition, page by page, in no order.

    Jobs that are written or archived meanwhile may be left out.
    """
    numbers = range(keyspace.partitions)
    jobs: list[str] = []
    live: list[str] = []
    async for key in redis.scan_iter(match=keyspace.job_pattern, count=_SCAN_COUNT):
        found = keyspace.job_of(key.decode())
        if found is None or partition_of(found[0]) not in numbers:
            continue
        job_id, is_stream = found
        (jobs if is_stream else live).append(job_id)
        if len(jobs) >= BATCH or len(live) >= BATCH:
            yield Found(tuple(jobs), tuple(live))
            jobs, live = [], []
    if jobs or live:
        yield Found(tuple(jobs), tuple(live))


async def snapshots_of(
    redis: Redis, codec: Codec, keyspace: Keyspace, ids: Sequence[str], *, keep: bool = True
) -> list[JobSnapshot]:
    """A snapshot of each of `ids`, in order; a missing job has version 0. `keep` keeps the events.

    Raises connection errors.
    """
    answers = await _read(redis, keyspace, ids)
    return [each async for looks in _fold(codec, ids, answers, keep=keep) for each in looks]


async def read_ahead(
    redis: Redis, codec: Codec, keyspace: Keyspace, batches: AsyncIterator[Sequence[str]], *, keep: bool
) -> AsyncIterator[list[JobSnapshot]]:
    """Snapshots of each batch of ids, some at a time. While one batch is folded, the next is being read.

    A caller that releases the snapshots before it asks for more never holds a whole batch of decoded histories, which
    is more than a processor's cache holds.
    """
    folding: tuple[Sequence[str], asyncio.Task[list[Rows]]] | None = None
    async for ids in batches:
        reading = asyncio.create_task(_read(redis, keyspace, ids))
        if folding is not None:
            async for looks in _fold(codec, folding[0], await folding[1], keep=keep):
                yield looks
        folding = ids, reading
    if folding is not None:
        async for looks in _fold(codec, folding[0], await folding[1], keep=keep):
            yield looks


async def _read(redis: Redis, keyspace: Keyspace, ids: Sequence[str]) -> list[Rows]:
    """The entries of each job's stream."""
    async with redis.pipeline(transaction=False) as pipe:
        for job_id in ids:
            pipe.xrange(keyspace.of_job(job_id).events(job_id), count=_PAGE)
        answers: list[Rows] = await pipe.execute()
    for job_id, rows in zip(ids, answers, strict=True):
        page: Any = rows
        while len(page) == _PAGE:
            key = keyspace.of_job(job_id).events(job_id)
            page = await redis.xrange(key, min=f"({page[-1][0].decode()}", count=_PAGE)
            rows += page
    return answers


async def _fold(
    codec: Codec, ids: Sequence[str], answers: list[Rows], *, keep: bool
) -> AsyncIterator[list[JobSnapshot]]:
    """The snapshots, some at a time; in between, pending reads proceed.

    An empty list where there are no ids.

    Entries are removed from `answers` as they are folded.
    """
    for start in range(0, len(ids) or 1, _TURN):
        looks = []
        for place in range(start, min(start + _TURN, len(ids))):
            looks.append(snapshot_of(codec, ids[place], answers[place], keep=keep))
            answers[place] = []
        yield looks
        await asyncio.sleep(0)


def snapshot_of(codec: Codec, job_id: str, rows: Rows, *, keep: bool = True) -> JobSnapshot:
    """Decode and fold the entries of a job's stream. `reason` says what is wrong with them."""
    envelopes: list[Envelope] = []
    reason = ""
    try:
        job = fold(_events(codec, job_id, rows, envelopes))
        if rows and rows[-1][0] != b"%d-0" % len(rows):  # versions are counted by the stream's length
            raise Unfoldable(f"none should follow, but the last entry is {rows[-1][0].decode()}")
    except (DecodeError, DomainError, Unfoldable, KeyError) as error:
        fault = "its entry holds no event" if isinstance(error, KeyError) else error
        job, reason = None, f"event {len(envelopes) + 1}: {fault}"
    times = tuple([envelope.occurred_at for envelope in envelopes])
    if job is None:
        return JobSnapshot(id=job_id, version=len(rows), job=None, times=times, reason=reason)
    due = () if job.finished else tuple(_due(job, envelopes, rows))
    return JobSnapshot(
        id=job_id, version=len(rows), job=job, times=times, envelopes=tuple(envelopes) if keep else (), due=due
    )


def _events(codec: Codec, job_id: str, rows: Rows, folded: list[Envelope]) -> Iterator[Event]:
    """The events of `rows` in order. Adds each to `folded` once the next is asked for. Raises Unfoldable."""
    decode = codec.decode
    for version, (_, fields) in enumerate(rows, 1):
        envelope = decode(fields[b"e"])
        if envelope.seq != version or envelope.job_id != job_id:
            raise Unfoldable(f"it is event {envelope.seq} of {envelope.job_id}")
        yield envelope.event
        folded.append(envelope)


def _due(job: Job, envelopes: list[Envelope], rows: Rows) -> Iterator[Due]:
    """The newest event for each piece of work that is still due."""
    calling: dict[Work, tuple[Envelope, bytes]] = {}
    for envelope, (_, fields) in zip(envelopes, rows, strict=True):
        work = work_of(envelope.event)
        if work is not None and still_due(job, work):
            calling[work] = envelope, fields[b"e"]
    for envelope, payload in calling.values():
        topic = TOPIC_OF[type(envelope.event)]
        for group, topics in GROUP_TOPICS.items():
            if topic in topics:
                yield Due(seq=envelope.seq, type=envelope.type, group=group, topic=topic, payload=payload)
