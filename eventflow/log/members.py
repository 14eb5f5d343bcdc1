"""Who is alive in a consumer group: a sorted set in the server, where each worker renews its place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

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
