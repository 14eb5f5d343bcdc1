"""Rebuilds the lists of jobs from the jobs' events: for a log that is older than the lists."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from itertools import groupby
from typing import Any

from eventflow.domain.envelope import Envelope
from eventflow.domain.events import JobDeleted
from eventflow.log.codec import DecodeError
from eventflow.log.event_store import JobEventStore
from eventflow.log.job_lists import ListedJob

#: Jobs in one round trip.
_BATCH = 500


async def rebuild_job_lists(log: JobEventStore) -> int:
    """List the jobs that are missing in their lists, at the time of their first event; returns how many.

    Safe beside running processes and to repeat. Skips deleted jobs and jobs whose events can't be decoded.
    """
    return await enter_missing(log, [job async for job in _all(log)])


async def enter_missing(log: JobEventStore, jobs: Iterable[ListedJob]) -> int:
    """List those of `jobs` that are missing in their lists; returns how many. Safe to repeat."""
    by_partition = groupby(sorted(jobs), lambda job: job.partition)
    return sum([await _enter(log, number, list(group)) for number, group in by_partition])


async def _all(log: JobEventStore) -> AsyncIterator[ListedJob]:
    batch: list[str] = []
    async for name in log.redis.scan_iter(match=log.keyspace.job_pattern, count=_BATCH):
        job_id, is_stream = log.keyspace.job_of(name.decode()) or ("", False)
        if is_stream:
            batch.append(job_id)
        if len(batch) == _BATCH:
            for found in await _first_events(log, batch):
                yield found
            batch = []
    for found in await _first_events(log, batch):
        yield found


async def _first_events(log: JobEventStore, job_ids: Iterable[str]) -> list[ListedJob]:
    async with log.redis.pipeline(transaction=False) as pipe:
        for job_id in job_ids:
            pipe.xrange(log.keyspace.of_job(job_id).events(job_id), count=1)
            pipe.xrevrange(log.keyspace.of_job(job_id).events(job_id), count=1)
        answers: list[Any] = await pipe.execute()
    found = []
    for first, last in zip(answers[::2], answers[1::2], strict=True):
        for (_, fields), (_, newest) in zip(first, last, strict=True):
            try:
                envelope: Envelope = log.codec.decode(fields[b"e"])
                if isinstance(log.codec.decode(newest[b"e"]).event, JobDeleted):
                    continue
            except DecodeError:
                continue
            found.append(ListedJob.at(envelope.occurred_at, envelope.job_id, envelope.owner))
    return found


async def _enter(log: JobEventStore, number: int, jobs: list[ListedJob]) -> int:
    keys = log.keyspace.partition(number)
    rows: Any = await log.redis.zrange(keys.all_jobs, 0, -1, withscores=True)
    present, taken = {job_id.decode() for job_id, _ in rows}, {int(score) for _, score in rows}
    missing = [job for job in jobs if job.job_id not in present]
    async with log.redis.pipeline(transaction=False) as pipe:
        for job in missing:
            position = job.position
            while position in taken:
                position += 1
            taken.add(position)
            for name in keys.lists_of(job.owner):
                pipe.zadd(name, {job.job_id: position}, nx=True)
        await pipe.execute()
    return len(missing)
