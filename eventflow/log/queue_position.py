"""Where jobs stand that wait to be admitted; the order itself is made in `scripts/admission.lua`."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis

from eventflow.domain.topics import LANES
from eventflow.domain.values import Lane
from eventflow.log.keys import Keyspace


async def queue_position(redis: Redis, keyspace: Keyspace, job_id: str, lane: Lane) -> int | None:
    """The job's place in its partition's queue, from 1; None if it doesn't wait. Raises connection errors.

    Those of the high lane count as before all of the normal one, which is the worst that can be said: one admission in
    four is of the normal lane.
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
    """How many jobs of all partitions wait to be admitted. Raises connection errors."""
    async with redis.pipeline(transaction=False) as pipe:
        for keys in keyspace.all:
            for lane in LANES:
                pipe.zcard(keys.waiting(lane))
        counts: list[Any] = await pipe.execute()
    return sum(counts)
