"""API keys: who a request comes from. Bearer tokens, stored as digests only.

A service that never had a key may be open, where that is asked for: everybody on its machine is the owner "local". The
first key ends that for good: a mark beside the keys stays when the last of them is revoked.
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
    """Who is asking. `scopes` may hold "admin"."""

    owner: str
    scopes: frozenset[str] = frozenset()

    @property
    def is_admin(self) -> bool:
        return "admin" in self.scopes


@frozen
class ApiKey:
    """What is kept of a key; `id` names it in lists and for revocation, and is no secret."""

    id: str
    owner: str
    scopes: tuple[str, ...]
    created_at: str

    @property
    def principal(self) -> Principal:
        return Principal(self.owner, frozenset(self.scopes))


class ApiKeys:
    """The keys in one Redis hash, digest -> JSON. A token has 256 random bits, so a plain SHA-256 is enough.

    Beside the hash, `<key>:made` says since when there have been keys. It is written before any key comes or goes, so
    that whatever is interrupted leaves the service closed.
    """

    def __init__(self, redis: Redis, key: str, *, clock: Callable[[], datetime]) -> None:
        self._redis: Any = redis
        self._key, self._made, self._clock = key, f"{key}:made", clock

    async def add(self, owner: str, scopes: Iterable[str] = ()) -> tuple[ApiKey, str]:
        """A new key of `owner`: (its record, the token, which can't be shown again). Raises ValueError."""
        wanted = tuple(sorted(set(scopes)))
        if not is_owner(owner):
            raise ValueError(f"an owner is {OWNER_FORM}")
        if unknown := set(wanted) - SCOPES:
            raise ValueError(f"unknown scope {', '.join(sorted(unknown))}; there is: {', '.join(sorted(SCOPES))}")
        identity = secrets.token_hex(4)
        token = f"ef_{identity}_{secrets.token_urlsafe(32)}"
        record = ApiKey(identity, owner, wanted, self._clock().isoformat())
        await self._redis.set(self._made, record.created_at, nx=True)
        await self._redis.hset(self._key, _digest(token), orjson.dumps(asdict(record)))
        return record, token

    async def list(self) -> list[ApiKey]:
        records = [_record(raw) for raw in (await self._redis.hgetall(self._key)).values()]
        return sorted(records, key=lambda record: record.created_at)

    async def revoke(self, identity: str) -> bool:
        """Forget the key `identity`; whether there was one."""
        for digest, raw in (await self._redis.hgetall(self._key)).items():
            if _record(raw).id == identity:
                await self._redis.set(self._made, _record(raw).created_at, nx=True)  # keys older than the mark
                await self._redis.hdel(self._key, digest)
                return True
        return False

    async def any(self) -> bool:
        """Whether there is a key now."""
        return bool(await self._redis.hlen(self._key))

    async def ever(self) -> bool:
        """Whether there is or was a key."""
        return await self.any() or bool(await self._redis.exists(self._made))

    async def authenticate(self, token: str) -> Principal | None:
        """Who `token` belongs to, or None."""
        raw = await self._redis.hget(self._key, _digest(token))
        return _record(raw).principal if raw else None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()  # headers may hold any bytes


def _record(raw: bytes) -> ApiKey:
    body = orjson.loads(raw)
    return ApiKey(body["id"], body["owner"], tuple(body["scopes"]), body["created_at"])
