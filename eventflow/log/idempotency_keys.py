"""Idempotency keys: which job a requester's key stands for.

A key is taken before its job is written, and what is kept is all that a resend needs to be identical. So a crash
between the two writes costs nothing: who comes with the same key finds the job's id, and writes a job that is missing.
"""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from attrs import asdict, frozen
from redis.asyncio import Redis

from eventflow.log.cluster import ClusterRedis
from eventflow.log.durable_writes import write_durably
from eventflow.log.keys import Keyspace


@frozen
class Reservation:
    """The job that a key stands for: its id, a digest of what was asked for, and the first request's id."""

    job_id: str
    digest: str
    correlation_id: str


class IdempotencyKeys:
    """The keys of all owners, each in an entry of its own for `keep_seconds`; only their digests are stored."""

    def __init__(
        self, redis: Redis, keyspace: Keyspace, *, keep_seconds: int, durable_ms: int = 0, replicas: int = 0
    ) -> None:
        """With `durable_ms` a key is taken as durably as its job (see `JobLog.create`). A single server keeps its
        writes in order, so that the job's wait is also for the key; in a cluster they are on different servers.
        """
        self._redis, self._keyspace, self._keep_seconds = redis, keyspace, keep_seconds
        self._durable_ms, self._replicas = durable_ms if isinstance(redis, ClusterRedis) else 0, replicas

    async def find(self, owner: str, key: str) -> Reservation | None:
        return _parsed(await self._redis.get(self._entry(owner, key)))

    async def reserve(self, owner: str, key: str, mine: Reservation) -> Reservation:
        """What the key stands for from now on: `mine`, or what somebody else has reserved before. Safe to repeat.

        Raises NotDurable where the key isn't as durable as it has to be.
        """
        value = orjson.dumps(asdict(mine))
        entry = self._entry(owner, key)
        if self._durable_ms:
            write = ("SET", entry, value, "EX", self._keep_seconds, "NX", "GET")
            before: Any = await write_durably(
                self._redis, entry, write, self._durable_ms, replicas=self._replicas, get=True
            )
        else:
            before = await self._redis.set(entry, value, nx=True, get=True, ex=self._keep_seconds)
        return _parsed(before) or mine

    def _entry(self, owner: str, key: str) -> str:
        return self._keyspace.idempotency(hashlib.sha256(f"{owner}\0{key}".encode()).hexdigest())


def _parsed(raw: Any) -> Reservation | None:
    return Reservation(**orjson.loads(raw)) if raw is not None else None
