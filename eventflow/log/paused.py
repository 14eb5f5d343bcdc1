"""Which workers have paused and why: written by them, read by readiness checks and `eventflow doctor`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson
from attrs import frozen
from redis.asyncio import Redis

from eventflow.log.keys import Keyspace

#: A note that wasn't renewed for so long is of a worker that is gone; in seconds.
STALE_S = 60.0


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
            if now - body["at"] > STALE_S:
                await self._redis.hdel(self._key, consumer)
            else:
                found.append(PausedWorker(consumer.decode(), body["group"], body["reason"]))
        return sorted(found, key=lambda worker: worker.consumer)
