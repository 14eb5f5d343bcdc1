"""The live members of a consumer group, and the workers that have paused.

Both are kept in the server and written by the workers: live members share the partitions among themselves; readiness
checks and `eventflow doctor` read which workers have paused, and why.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson
from attrs import frozen
from redis.asyncio import Redis

from eventflow.log.keys import Keyspace

#: Interval of a worker's heartbeats, and the silence after which it isn't live; in seconds.
HEARTBEAT_S, STALE_S = 3.0, 15.0


class LiveMembers:
    """The workers of `group` by the time of their last heartbeat. Methods raise connection errors."""

    def __init__(self, redis: Redis, keyspace: Keyspace, group: str, *, clock: Callable[[], datetime]) -> None:
        self._redis, self._key, self._clock = redis, keyspace.live_workers(group), clock

    async def heartbeat(self, consumer: str) -> frozenset[str]:
        """Record a heartbeat for `consumer`; return all live consumers."""
        now = self._clock().timestamp()
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.zadd(self._key, {consumer: now})
            pipe.zremrangebyscore(self._key, "-inf", now - STALE_S)
            pipe.zrange(self._key, 0, -1)
            *_, names = await pipe.execute()
        return frozenset(name.decode() for name in names)

    async def leave(self, consumer: str) -> None:
        """Remove `consumer` from the live ones."""
        await self._redis.zrem(self._key, consumer)


#: A pause that wasn't renewed for so long is of a worker that has ended; in seconds.
PAUSED_STALE_S = 60.0


@frozen
class PausedWorker:
    """A worker that takes no new work, and the reason that it gives."""

    consumer: str
    group: str
    reason: str


class PausedWorkers:
    """The paused workers of all groups. Methods raise connection errors."""

    def __init__(self, redis: Redis, keyspace: Keyspace, *, clock: Callable[[], datetime]) -> None:
        self._redis: Any = redis
        self._key, self._clock = keyspace.paused_workers, clock

    async def note(self, consumer: str, group: str, reason: str) -> None:
        """Record that `consumer` is paused for `reason`, or has resumed if that is empty."""
        if reason:
            body = {"group": group, "reason": reason, "at": self._clock().timestamp()}
            await self._redis.hset(self._key, consumer, orjson.dumps(body))
        else:
            await self._redis.hdel(self._key, consumer)

    async def list(self) -> list[PausedWorker]:
        """The workers that are paused now, by name. Removes the records of workers that have ended."""
        found, now = list[PausedWorker](), self._clock().timestamp()
        for consumer, raw in (await self._redis.hgetall(self._key)).items():
            body = orjson.loads(raw)
            if now - body["at"] > PAUSED_STALE_S:
                await self._redis.hdel(self._key, consumer)
            else:
                found.append(PausedWorker(consumer.decode(), body["group"], body["reason"]))
        return sorted(found, key=lambda worker: worker.consumer)
