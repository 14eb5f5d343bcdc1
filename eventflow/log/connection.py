"""Connections to the server. One place decides time-outs, pool sizes and retries.

Blocking reads use a client of their own, whose socket time-out is longer than any BLOCK; everything else
shares a pool that waits for a free connection rather than raising when a burst needs more than it has.
"""

from __future__ import annotations

import asyncio
from importlib.resources import files
from typing import Any

from hiredis import pack_command
from redis.asyncio import BlockingConnectionPool, Connection, Redis, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from eventflow.log.errors import CommitFailed, LogUnfit

#: Longest wait of a blocking read, in ms. Socket time-outs must stay well above it.
BLOCK_MS = 2_000
READ_TIMEOUT_S = BLOCK_MS / 1000 + 8
COMMAND_TIMEOUT_S = 10.0
POOL_WAIT_S = 30.0

#: What a lost or unreachable server looks like.
DISCONNECTED = (RedisConnectionError, RedisTimeoutError, OSError)
#: What a server says that refuses writes for a while: out of memory, failed over, disk full, loading.
_FOR_NOW = ("OOM", "READONLY", "MISCONF", "LOADING", "CLUSTERDOWN", "NOREPLICAS", "TRYAGAIN")


def is_passing(error: Exception) -> bool:
    """Whether the same command may be taken later: no connection, or a server that refuses writes for now."""
    if isinstance(error, DISCONNECTED):
        return True
    refusal = isinstance(error, ResponseError | CommitFailed)
    return refusal and any(word in str(error)[:200] for word in _FOR_NOW)


class _Packing(AbstractConnection):
    """Lays commands out with hiredis, as the synchronous client does; matters for batches of thousands of arguments."""

    def pack_command(self, *args: Any) -> list[bytes]:
        name, *rest = args
        return [pack_command((*str(name).split(), *rest))]  # "SCRIPT LOAD" are two arguments on the wire

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """As redis-py does it, but with `asyncio.timeout`. Its `wait_for` starts a task for each command, and on
        Python 3.11 it swallows a cancellation that comes as the write ends: the cancelled task then goes on.
        """
        if not self.is_connected:
            await self.connect_check_health(check_health=False)
        if check_health:
            await self.check_health()  # type: ignore[no-untyped-call]
        packed = command.encode() if isinstance(command, str) else command
        try:
            async with asyncio.timeout(self.socket_timeout):
                await self._send_packed_command([packed] if isinstance(packed, bytes) else packed)
        except TimeoutError:
            await self.disconnect(nowait=True)
            raise RedisTimeoutError("Timeout writing to socket") from None
        except OSError as error:
            await self.disconnect(nowait=True)
            raise RedisConnectionError(f"Error while writing to socket: {error}") from error
        except BaseException:
            await self.disconnect(nowait=True)
            raise


class PackingConnection(_Packing, Connection):
    """Over TCP."""


class PackingTlsConnection(_Packing, SSLConnection):
    """Over TLS."""


class PackingSocketConnection(_Packing, UnixDomainSocketConnection):
    """Over a Unix socket."""


_CONNECTIONS: dict[str, type[_Packing]] = {"rediss": PackingTlsConnection, "unix": PackingSocketConnection}


def connect(url: str, *, blocking: bool = False, max_connections: int = 16) -> Redis:
    """A client of the server at `url`. `blocking` is for XREAD and XREADGROUP with BLOCK.

    A command is tried three times over a lost connection; scripts are safe to repeat, because the claim or the
    expected version of a commit that was applied no longer holds the second time.
    """
    scheme = url.partition(":")[0]
    options: dict[str, Any] = {} if scheme == "unix" else {"socket_keepalive": True}
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=max_connections,
        timeout=POOL_WAIT_S,
        socket_timeout=READ_TIMEOUT_S if blocking else COMMAND_TIMEOUT_S,
        socket_connect_timeout=5.0,
        health_check_interval=30,
        retry=Retry(ExponentialWithJitterBackoff(base=0.05, cap=0.5), 0 if blocking else 3),
        **options,
    )
    pool.connection_class = _CONNECTIONS.get(scheme, PackingConnection)  # from_url goes by the scheme
    return Redis.from_pool(pool)


def load_script(redis: Redis, name: str, *, after: str = "") -> AsyncScript:
    """The Lua script `scripts/<name>.lua`, sent by its digest and loaded where the server doesn't know it.

    `after` names a file of functions that it uses.
    """
    folder = files("eventflow.log").joinpath("scripts")
    parts = [folder.joinpath(f"{part}.lua").read_text() for part in (after, name) if part]
    return redis.register_script("\n".join(parts))


async def check_server(redis: Redis, *, durable_ack: bool) -> dict[str, str]:
    """Refuse a server that would lose data. Returns what was found.

    Raises LogUnfit with the setting to change: eviction of keys, or a durable acknowledgement that can't be given.
    """
    info: dict[str, Any] = await redis.info("server")
    version = str(info.get("valkey_version") or info.get("redis_version", "0"))
    memory: dict[str, Any] = await redis.info("memory")
    policy = str(memory.get("maxmemory_policy", "noeviction"))
    if policy != "noeviction":
        raise LogUnfit(f"maxmemory-policy is {policy}: the server may evict events. Set maxmemory-policy noeviction.")
    persistence: dict[str, Any] = await redis.info("persistence")
    aof = bool(persistence.get("aof_enabled"))
    if durable_ack and not aof:
        raise LogUnfit(
            "EVENTFLOW_DURABLE_ACK=always needs the append-only file. Set appendonly yes, "
            "or use EVENTFLOW_DURABLE_ACK=no."
        )
    if durable_ack and _older_than_waitaof(info) and not await syncs_always(redis):
        raise LogUnfit(
            f"EVENTFLOW_DURABLE_ACK=always: server {version} doesn't know WAITAOF (7.2+). Set appendfsync always."
        )
    return {"version": version, "policy": policy, "aof": "on" if aof else "off"}


def _older_than_waitaof(info: dict[str, Any]) -> bool:
    major, minor, *_ = (int(part) for part in str(info.get("redis_version", "0.0")).split("."))
    return (major, minor) < (7, 2)


async def syncs_always(redis: Redis) -> bool:
    """Whether the server syncs its append-only file before it answers."""
    found: Any = await redis.config_get("appendonly", "appendfsync")
    values = {_text(name): _text(value) for name, value in found.items()}
    return values.get("appendonly") == "yes" and values.get("appendfsync") == "always"


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
