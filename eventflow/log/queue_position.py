"""The queue of jobs that wait for admission: how many there are, and a job's position in it.

The order itself is decided in `scripts/admission.lua`, which counts the waiting jobs, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import frozen
from redis.asyncio import Redis

from eventflow.domain.topics import LANES
from eventflow.domain.values import Lane
from eventflow.log.commit import admission_args
from eventflow.log.connection import run_on_all
from eventflow.log.keys import Keyspace


@frozen
class Queue:
    """The jobs that no worker has started: `waiting` in all, and in each of the `partitions`.

    `begun` counts up with each job that is started, from an arbitrary first value. A figure is None where the server
    can't tell it.
    """

    waiting: int | None
    begun: int | None
    partitions: tuple[int | None, ...] = ()


async def count_queue(redis: Redis, keyspace: Keyspace) -> Queue:
    """Count the queue of all partitions, in one round trip. Raises connection errors."""
    calls = [([keys.admission], admission_args(keys)) for keys in keyspace.all]
    rows: list[Any] = await run_on_all(redis, "count_waiting", calls, after="admission")
    waiting = tuple(row[0] for row in rows)
    return Queue(_sum(waiting), _sum([row[1] for row in rows]), waiting)


def _sum(counts: Sequence[int | None]) -> int | None:
    return None if None in counts else sum(count or 0 for count in counts)


async def queue_position(redis: Redis, keyspace: Keyspace, job_id: str, lane: Lane) -> int | None:
    """The job's position in its partition's queue, from 1; None if it doesn't wait.

    Raises connection errors.

    Counts the whole high lane before the normal lane: the latest that the job can be, since one admission in four is
    from the normal lane.
    """
    keys = keyspace.of_job(job_id)
    async with redis.pipeline(transaction=False) as pipe:
        pipe.zrank(keys.waiting(lane), job_id)
        pipe.zcard(keys.waiting(Lane.HIGH))
        rank, before = await pipe.execute()
    if rank is None:
        return None
    return int(rank) + 1 + (int(before) if lane is Lane.NORMAL else 0)


async def waiting_jobs(redis: Redis, keyspace: Keyspace) -> int:
    """How many jobs of all partitions wait for admission. Raises connection errors."""
    async with redis.pipeline(transaction=False) as pipe:
        for keys in keyspace.all:
            for lane in LANES:
                pipe.zcard(keys.waiting(lane))
        counts: list[Any] = await pipe.execute()
    return sum(counts)
