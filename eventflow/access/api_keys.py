"""API keys: bearer tokens that identify the owner of a request, stored as digests only.

A service that never had a key may be open, if its settings ask for that: everybody on its machine is the owner "local".
The first key ends that for good: a mark beside the keys stays when the last of them is revoked.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import orjson
from attrs import asdict, frozen
from redis.asyncio import Redis

from eventflow.domain.values import OWNER_FORM, is_owner

#: The owner of everything while the service is open.
OPEN_OWNER = "local"
SCOPES = frozenset({"admin"})


@frozen
class Principal:
    """The identity of a request. `scopes` may contain "admin"."""

    owner: str
    scopes: frozenset[str] = frozenset()

    @property
    def is_admin(self) -> bool:
        return "admin" in self.scopes


@frozen(kw_only=True)
class ApiKey:
    """The stored record of a key. `id` names it in lists and for revocation, and is no secret."""

    id: str
    owner: str
    scopes: tuple[str, ...]
    created_at: str

    @property
    def principal(self) -> Principal:
        return Principal(self.owner, frozenset(self.scopes))


class ApiKeys:
    """The keys in one Redis hash, digest -> JSON. A token has 256 random bits, so a plain SHA-256 is enough.

    Beside the hash, `<key>:made` holds the time of the first key. It is written before any key is added or revoked, so
    that an interruption leaves the service closed.
    """

    def __init__(self, redis: Redis, key: str, *, clock: Callable[[], datetime]) -> None:
        self._redis: Any = redis
        self._key, self._made, self._clock = key, f"{key}:made", clock

    async def add(self, owner: str, scopes: Iterable[str] = ()) -> tuple[ApiKey, str]:
        """Add a key of `owner`; return its record and its token, which can't be shown again. Raises ValueError."""
        wanted = tuple(sorted(set(scopes)))
        if not is_owner(owner):
            raise ValueError(f"an owner is {OWNER_FORM}")
        if unknown := set(wanted) - SCOPES:
            raise ValueError(f"unknown scope {', '.join(sorted(unknown))}; available: {', '.join(sorted(SCOPES))}")
        identity = secrets.token_hex(4)
        token = f"ef_{identity}_{secrets.token_urlsafe(32)}"
        record = ApiKey(id=identity, owner=owner, scopes=wanted, created_at=self._clock().isoformat())
        await self._redis.set(self._made, record.created_at, nx=True)
        await self._redis.hset(self._key, _digest(token), orjson.dumps(asdict(record)))
        return record, token

    async def list(self) -> list[ApiKey]:
        """Return all keys, oldest first."""
        records = [_record(raw) for raw in (await self._redis.hgetall(self._key)).values()]
        return sorted(records, key=lambda record: record.created_at)

    async def revoke(self, identity: str) -> bool:
        """Delete the key `identity`; return whether it existed."""
        for digest, raw in (await self._redis.hgetall(self._key)).items():
            if _record(raw).id == identity:
                await self._redis.set(self._made, _record(raw).created_at, nx=True)  # keys older than the mark
                await self._redis.hdel(self._key, digest)
                return True
        return False

    async def any(self) -> bool:
        """Whether any key exists."""
        return bool(await self._redis.hlen(self._key))

    async def ever(self) -> bool:
        """Whether any key exists or existed."""
        return await self.any() or bool(await self._redis.exists(self._made))

    async def authenticate(self, token: str) -> Principal | None:
        """Return the principal of `token`, or None."""
        raw = await self._redis.hget(self._key, _digest(token))
        return _record(raw).principal if raw else None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()  # headers may hold any bytes


def _record(raw: bytes) -> ApiKey:
    body = orjson.loads(raw)
    return ApiKey(id=body["id"], owner=body["owner"], scopes=tuple(body["scopes"]), created_at=body["created_at"])
