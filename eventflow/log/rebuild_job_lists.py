"""Makes the lists of jobs anew from the jobs' own streams: for a log that is older than the lists."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from itertools import groupby
from typing import Any

from eventflow.domain.envelope import Envelope
from eventflow.domain.events import JobDeleted
from eventflow.domain.job_ids import is_job_id
from eventflow.log.codec import DecodeError
from eventflow.log.event_store import JobEventStore
from eventflow.log.job_lists import ListedJob

_BATCH = 500


async def rebuild_job_lists(log: JobEventStore) -> int:
    """Enter the jobs that their lists lack, each where the time of its first event puts it; returns how many.

    May run beside everything else and be repeated. Jobs whose events can't be read stay out, and deleted ones.
    """
    return await enter_missing(log, [found async for found in _all(log)])


async def enter_missing(log: JobEventStore, begun: Iterable[ListedJob]) -> int:
    """Enter those of `begun` that their lists lack; returns how many. May be repeated."""
    by_partition = groupby(sorted(begun), lambda job: job.partition)
    return sum([await _enter(log, number, list(jobs)) for number, jobs in by_partition])


async def _all(log: JobEventStore) -> AsyncIterator[ListedJob]:
    batch: list[str] = []
    pattern = f"{log.keyspace.prefix}:{{*}}:job:*:events"
    async for name in log.redis.scan_iter(match=pattern, count=_BATCH):
        job_id = name.decode().split(":")[-2]
        if is_job_id(job_id):
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
    rows: Any = await log.redis.zrange(keys.jobs_of(None), 0, -1, withscores=True)
    present, taken = {job_id.decode() for job_id, _ in rows}, {int(place) for _, place in rows}
    missing = [job for job in jobs if job.job_id not in present]
    async with log.redis.pipeline(transaction=False) as pipe:
        for job in missing:
            place = job.place
            while place in taken:
                place += 1
            taken.add(place)
            for name in keys.lists_of(job.owner):
                pipe.zadd(name, {job.job_id: place}, nx=True)
        await pipe.execute()
    return len(missing)
