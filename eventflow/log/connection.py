"""Connections to the server. One place decides time-outs, pool sizes and retries.

Blocking reads use a client of their own, whose socket time-out is longer than any BLOCK; everything else
shares a pool that waits for a free connection rather than raising when a burst needs more than it has. In a cluster
each node has such a pool.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from hiredis import pack_command
from redis.asyncio import BlockingConnectionPool, Connection, Redis, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import (
    BusyLoadingError,
    ClusterDownError,
    MasterDownError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from eventflow.log.cluster import Address, ClusterRedis, masters_of
from eventflow.log.errors import CommitFailed, LogUnfit

#: Longest wait of a blocking read, in ms. Socket time-outs must stay well above it.
BLOCK_MS = 2_000
READ_TIMEOUT_S = BLOCK_MS / 1000 + 8
COMMAND_TIMEOUT_S = 10.0
POOL_WAIT_S = 30.0

#: What a lost or unreachable server looks like.
DISCONNECTED = (RedisConnectionError, RedisTimeoutError, OSError)
#: What a server says that refuses writes for a while: out of memory, failed over, disk full, loading.
#: redis-py cuts the word off where it has a class for it.
_REFUSALS = (ClusterDownError, MasterDownError, OutOfMemoryError, ReadOnlyError, TryAgainError)
_FOR_NOW = ("OOM", "READONLY", "MISCONF", "LOADING", "CLUSTERDOWN", "NOREPLICAS", "TRYAGAIN")


def is_passing(error: Exception) -> bool:
    """Whether the same command may be taken later: no connection, or a server that refuses writes for now."""
    if isinstance(error, (*DISCONNECTED, *_REFUSALS)):
        return True
    refusal = isinstance(error, ResponseError | CommitFailed)
    return refusal and any(word in str(error)[:200] for word in _FOR_NOW)


class _Made:
    """How many connections a client has made so far; one that is made anew counts again."""

    count = 0


class _Packing(AbstractConnection):
    """Lays commands out with hiredis, as the synchronous client does; matters for batches of thousands of arguments."""

    def __init__(self, *args: Any, made: _Made, **options: Any) -> None:
        super().__init__(*args, **options)
        self._made = made

    async def on_connect_check_health(self, check_health: bool = True) -> None:
        self._made.count += 1
        await super().on_connect_check_health(check_health)

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


#: Behind the scheme of a cluster's URL.
_CLUSTER = "+cluster"
_CONNECTIONS: dict[str, type[_Packing]] = {"rediss": PackingTlsConnection, "unix": PackingSocketConnection}


def connect(url: str, *, blocking: bool = False, max_connections: int = 16) -> Redis:
    """A client of the server at `url`. `blocking` is for XREAD and XREADGROUP with BLOCK.

    `redis+cluster://[user:password@]host:port[,host:port...]` (`rediss+cluster` with TLS) names some nodes of a
    cluster, which tell of the others; `max_connections` is for each node then.

    A command is tried three times over a lost connection; scripts are safe to repeat, because the claim or the
    expected version of a commit that was applied no longer holds the second time.
    """
    scheme = url.partition(":")[0]
    if scheme.endswith(_CLUSTER):
        seeds, url_of = cluster_nodes(url)
        return ClusterRedis(
            seeds, lambda node: connect(url_of(*node), blocking=blocking, max_connections=max_connections)
        )
    options: dict[str, Any] = {"made": _Made()} | ({} if scheme == "unix" else {"socket_keepalive": True})
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


def connections_made(redis: Redis) -> int:
    """How many connections a client of `connect` has made so far. It rises whenever one was lost, be it between two
    commands: a pool may replace such a one without telling anybody. It also rises as a pool grows.
    """
    if isinstance(redis, ClusterRedis):
        return sum(map(connections_made, redis.nodes))
    made = redis.connection_pool.connection_kwargs.get("made")
    return made.count if isinstance(made, _Made) else 0


def cluster_nodes(url: str) -> tuple[list[Address], Callable[[str, int], str]]:
    """The nodes that a cluster's URL names, and how to make the URL of one. Raises ValueError."""
    parts = urlsplit(url)
    user, at, hosts = parts.netloc.rpartition("@")
    scheme, rest = parts.scheme.removesuffix(_CLUSTER), f"?{parts.query}" if parts.query else ""
    seeds: list[Address] = []
    for host in hosts.split(","):
        node = urlsplit(f"//{host}")
        seeds.append((node.hostname or "127.0.0.1", node.port or 6379))

    def url_of(host: str, port: int) -> str:
        return f"{scheme}://{user}{at}{f'[{host}]' if ':' in host else host}:{port}/0{rest}"

    return seeds, url_of


class Script(AsyncScript):
    """Sent by its digest, and as a whole to a server that doesn't know it: a master that was a replica until now."""

    async def __call__(self, keys: Any = None, args: Any = None, client: Any = None) -> Any:
        redis: Any = client or self.registered_client
        keys, args = keys or (), args or ()
        try:
            return await redis.evalsha(self.sha, len(keys), *keys, *args)
        except NoScriptError:
            return await redis.eval(self.script, len(keys), *keys, *args)


def load_script(redis: Redis, name: str, *, after: str = "") -> AsyncScript:
    """The Lua script `scripts/<name>.lua`, sent by its digest where the server knows it.

    `after` names a file of functions that it uses.
    """
    folder = files("eventflow.log").joinpath("scripts")
    parts = [folder.joinpath(f"{part}.lua").read_text() for part in (after, name) if part]
    return Script(redis, "\n".join(parts))


async def check_server(redis: Redis, *, durable_ack: bool) -> dict[str, str]:
    """Refuse a server that would lose data; in a cluster any master of that kind. Returns what was found.

    Of a cluster some masters may be `unreachable`: a failover is about to replace them.

    Raises LogUnfit with the setting to change: eviction of keys, or a durable acknowledgement that can't be given.
    Raises BusyLoadingError while it loads its data: until then it says that it has no append-only file.
    """
    found: dict[str, str] = {}
    masters, lost = await masters_of(redis), list[Exception]()
    for server in masters:
        try:
            found = await _check_one(server, durable_ack=durable_ack)
        except DISCONNECTED as error:
            lost.append(error)
    if lost and not found:
        raise lost[0]
    return {**found, "unreachable": f"{len(lost)} of {len(masters)} masters"} if lost else found


async def _check_one(redis: Redis, *, durable_ack: bool) -> dict[str, str]:
    info: dict[str, Any] = await redis.info("server")
    version = str(info.get("valkey_version") or info.get("redis_version", "0"))
    memory: dict[str, Any] = await redis.info("memory")
    policy = str(memory.get("maxmemory_policy", "noeviction"))
    if policy != "noeviction":
        raise LogUnfit(f"maxmemory-policy is {policy}: the server may evict events. Set maxmemory-policy noeviction.")
    persistence: dict[str, Any] = await redis.info("persistence")
    if persistence.get("loading"):
        raise BusyLoadingError("the server loads its data")
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
