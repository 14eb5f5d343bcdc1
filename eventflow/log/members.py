"""Live members of a consumer group, and the workers that have paused.

Who is alive in a consumer group: a sorted set in the server, where each worker renews its place.

Which workers have paused and why: written by them, read by readiness checks and `eventflow doctor`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson
from attrs import frozen
from redis.asyncio import Redis

from eventflow.log.keys import Keyspace

#: How often a worker gives a sign of life, and the silence after which it is counted out; in seconds.
BEAT_S, STALE_S = 3.0, 15.0


class LiveMembers:
    """Workers of `group` by the time of their last sign of life. Raises connection errors."""

    def __init__(self, redis: Redis, keyspace: Keyspace, group: str, *, clock: Callable[[], datetime]) -> None:
        self._redis, self._key, self._clock = redis, keyspace.live_workers(group), clock

    async def beat(self, consumer: str) -> frozenset[str]:
        """Say that `consumer` is alive; returns who is."""
        now = self._clock().timestamp()
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.zadd(self._key, {consumer: now})
            pipe.zremrangebyscore(self._key, "-inf", now - STALE_S)
            pipe.zrange(self._key, 0, -1)
            *_, names = await pipe.execute()
        return frozenset(name.decode() for name in names)

    async def leave(self, consumer: str) -> None:
        await self._redis.zrem(self._key, consumer)


#: A note that wasn't renewed for so long is of a worker that is gone; in seconds.
PAUSED_STALE_S = 60.0


@frozen
class PausedWorker:
    consumer: str
    group: str
    reason: str


class PausedWorkers:
    """One hash: consumer -> JSON. Raises connection errors."""

    def __init__(self, redis: Redis, keyspace: Keyspace, *, clock: Callable[[], datetime]) -> None:
        self._redis: Any = redis
        self._key, self._clock = keyspace.paused_workers, clock

    async def note(self, consumer: str, group: str, reason: str) -> None:
        """`consumer` is paused for `reason`, or goes on if that is empty."""
        if reason:
            body = {"group": group, "reason": reason, "at": self._clock().timestamp()}
            await self._redis.hset(self._key, consumer, orjson.dumps(body))
        else:
            await self._redis.hdel(self._key, consumer)

    async def list(self) -> list[PausedWorker]:
        """Those that are paused now. Notes of workers that are gone are removed."""
        found, now = list[PausedWorker](), self._clock().timestamp()
        for consumer, raw in (await self._redis.hgetall(self._key)).items():
            body = orjson.loads(raw)
            if now - body["at"] > PAUSED_STALE_S:
                await self._redis.hdel(self._key, consumer)
            else:
                found.append(PausedWorker(consumer.decode(), body["group"], body["reason"]))
        return sorted(found, key=lambda worker: worker.consumer)
