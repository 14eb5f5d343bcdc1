"""Idempotency keys: maps a requester's key to the job that it was first used for.

A key is reserved before its job is written, with all that a repeated request needs to be identical. So a crash between
the two writes loses nothing: a repeat with the same key finds the job's id, and writes the job if it is missing.
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
    """The job of a key: its id, a digest of the request, and the id of the first request."""

    job_id: str
    digest: str
    correlation_id: str


class IdempotencyKeys:
    """The keys of all owners; each is kept for `keep_seconds`, and only its digest is stored."""

    def __init__(
        self, redis: Redis, keyspace: Keyspace, *, keep_seconds: int, durable_ms: int = 0, replicas: int = 0
    ) -> None:
        """With `durable_ms` a key is reserved as durably as its job (see `JobEventStore.create`).

        A single server keeps its writes in order, so that waiting for the job covers the key; in a cluster the two are
        on different servers, and the key is waited for, too.
        """
        self._redis, self._keyspace, self._keep_seconds = redis, keyspace, keep_seconds
        self._durable_ms, self._replicas = durable_ms if isinstance(redis, ClusterRedis) else 0, replicas

    async def find(self, owner: str, key: str) -> Reservation | None:
        """The reservation of `key`, or None. Raises connection errors."""
        return _parsed(await self._redis.get(self._entry(owner, key)))

    async def reserve(self, owner: str, key: str, mine: Reservation) -> Reservation:
        """Reserve `key` for `mine`, unless it is reserved; returns the reservation in force. Safe to repeat.

        Raises NotDurable where the write isn't durable in time, and connection errors.
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
