"""Connections to the server: time-outs, pool sizes and retries, and loading the Lua scripts.

Blocking reads use a client of their own, whose socket time-out is longer than any BLOCK. All other commands share a
pool that waits for a free connection instead of raising when a burst needs more than it has. In a cluster each node has
such a pool.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from hiredis import pack_command
from redis.asyncio import BlockingConnectionPool, Connection, Redis, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.client import Pipeline
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from eventflow.log.cluster import Address, ClusterRedis
from eventflow.log.deadline import WithinDeadline
from eventflow.log.error_codes import Refusal, refusal_of
from eventflow.log.errors import CommitFailed, WrongServer
from eventflow.log.keys import lua_names

#: Longest wait of a blocking read, in ms. Socket time-outs must stay well above it.
BLOCK_MS = 2_000
READ_TIMEOUT_S = BLOCK_MS / 1000 + 8
COMMAND_TIMEOUT_S = 10.0
POOL_WAIT_S = 30.0

#: The errors of a lost or unreachable server.
DISCONNECTED = (RedisConnectionError, RedisTimeoutError, OSError)
#: An older connection is replaced before its next command: the server's name, or a proxy in front of it, may lead to
#: another server by now, while the old one still answers. In seconds.
MAX_AGE_S = 600.0


def is_transient(error: Exception) -> bool:
    """Whether the same command may succeed later: no connection, or a server that refuses it only for now."""
    if isinstance(error, DISCONNECTED):
        return True
    return isinstance(error, ResponseError | CommitFailed) and refusal_of(error) is not Refusal.FINAL


class _Made:
    """How many connections a client has made so far, replaced ones included."""

    count = 0


class _Trust:
    """Shared by the clients of a server: connections of an earlier `epoch` lead to the wrong server."""

    epoch = 0

    def lose(self) -> None:
        self.epoch += 1


class _Packing(AbstractConnection):
    """Packs commands with hiredis, as the synchronous client does: matters for batches of commits.

    With `trust` it reconnects before its next command once it has led to the wrong server, or is `MAX_AGE_S` old. A
    refusal by a wrong server is raised as a lost connection: nothing was written, and the same command is sent over a
    new connection. Nodes of a cluster have no `trust`: the cluster's client finds another node itself.
    """

    def __init__(self, *args: Any, made: _Made, trust: _Trust | None, **options: Any) -> None:
        super().__init__(*args, **options)
        self._made, self._trust = made, trust
        self._epoch, self._good_until = 0, float("inf")

    async def on_connect_check_health(self, check_health: bool = True) -> None:
        self._made.count += 1
        if self._trust is not None:
            spread = 0.75 + self._made.count * 0.618034 % 1 / 4  # so that not all expire at once
            self._epoch, self._good_until = self._trust.epoch, _now() + spread * MAX_AGE_S
        await super().on_connect_check_health(check_health)
        if self._trust is not None:
            await self._check_role()

    async def _check_role(self) -> None:
        """Raise WrongServer where a replica answers: it would serve reads from before it lost its master."""
        await self.send_command("HELLO", check_health=False)
        try:
            about = parse_hello(await self.read_response())
        except ResponseError:  # a proxy without HELLO, or a missing right
            return
        if about.get("role") in REPLICA_ROLES:
            raise WrongServer("the server is a replica: it takes no writes")

    async def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            return await super().read_response(*args, **options)
        except ResponseError as error:
            if self._trust is None or refusal_of(error) is not Refusal.WRONG_SERVER:
                raise
            if self._epoch == self._trust.epoch:
                self._trust.lose()
            raise WrongServer(f"{type(error).__name__}: {error}") from error

    def pack_command(self, *args: Any) -> list[bytes]:
        name, *rest = args
        return [pack_command((*str(name).split(), *rest))]  # "SCRIPT LOAD" are two arguments on the wire

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """As in redis-py, but with `asyncio.timeout` in place of `wait_for`.

        `wait_for` starts a task for each command, and on Python 3.11 it swallows a cancellation that arrives as the
        write ends: the cancelled task then continues.
        """
        if self._trust is not None and (self._epoch != self._trust.epoch or _now() > self._good_until):
            await self.disconnect(nowait=True)
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


class _Client(Redis):
    """A client of one server, whose commands obey the caller's deadline."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        async with WithinDeadline():
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        return _Pipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)


class _Pipeline(Pipeline):
    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        async with WithinDeadline():
            return await super().execute(raise_on_error)


def _now() -> float:
    return asyncio.get_running_loop().time()


#: Suffix of the scheme of a cluster's URL.
_CLUSTER = "+cluster"
_CONNECTIONS: dict[str, type[_Packing]] = {"rediss": PackingTlsConnection, "unix": PackingSocketConnection}


def connect(url: str, *, blocking: bool = False, max_connections: int = 16, beside: Redis | None = None) -> Redis:
    """A client of the server at `url`. `blocking` is for XREAD and XREADGROUP with BLOCK.

    `beside` is another client of the same server: when one of them finds its connections invalid, both reconnect.
    `redis+cluster://[user:password@]host:port[,host:port...]` (`rediss+cluster` with TLS) names some nodes of a
    cluster; `max_connections` is per node then.

    A command is retried three times after a lost connection. Scripts are safe to repeat: the claim or expected version
    of a commit that was applied no longer holds the second time.
    """
    scheme = url.partition(":")[0]
    if scheme.endswith(_CLUSTER):
        seeds, url_of = cluster_nodes(url)
        return ClusterRedis(seeds, lambda node: _connect(url_of(*node), blocking, max_connections, None))
    return _connect(url, blocking, max_connections, _trust_of(beside) or _Trust())


def _connect(url: str, blocking: bool, max_connections: int, trust: _Trust | None) -> Redis:
    scheme = url.partition(":")[0]
    options: dict[str, Any] = {"made": _Made(), "trust": trust}
    options |= {} if scheme == "unix" else {"socket_keepalive": True}
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
    return _Client.from_pool(pool)


def _trust_of(redis: Redis | None) -> _Trust | None:
    found = redis.connection_pool.connection_kwargs.get("trust") if redis is not None else None
    return found if isinstance(found, _Trust) else None


def invalidate_connections(redis: Redis) -> None:
    """Have every connection of `redis` reconnect before its next command: it leads to the wrong server."""
    if (trust := _trust_of(redis)) is not None:
        trust.lose()


#: The roles of a server that follows another one, in Redis and Valkey.
REPLICA_ROLES = frozenset({"replica", "slave"})


def parse_hello(answer: Any) -> dict[str, Any]:
    """The fields of an answer to HELLO, in RESP2 or RESP3: server, version, mode, role, and more."""
    pairs = answer.items() if isinstance(answer, dict) else zip(answer[::2], answer[1::2], strict=True)
    return {_text(name): _text(value) for name, value in pairs}


def connections_made(redis: Redis) -> int:
    """How many connections a client of `connect` has made so far.

    It rises whenever one was lost, even between two commands, where a pool replaces it silently, and as a pool grows.
    """
    if isinstance(redis, ClusterRedis):
        return sum(map(connections_made, redis.nodes))
    made = redis.connection_pool.connection_kwargs.get("made")
    return made.count if isinstance(made, _Made) else 0


def cluster_nodes(url: str) -> tuple[list[Address], Callable[[str, int], str]]:
    """The nodes that a cluster's URL names, and a function that makes the URL of one. Raises ValueError."""
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
    """A Lua script that is sent by its digest, and as a whole to a server that doesn't know it."""

    async def __call__(self, keys: Any = None, args: Any = None, client: Any = None) -> Any:
        redis: Any = client or self.registered_client
        keys, args = keys or (), args or ()
        try:
            return await redis.evalsha(self.sha, len(keys), *keys, *args)
        except NoScriptError:
            return await redis.eval(self.script, len(keys), *keys, *args)


def load_script(redis: Redis, name: str, *, after: str = "") -> AsyncScript:
    """The Lua script `scripts/<name>.lua`.

    `after` names the files of functions that it uses, separated by spaces. The functions of `lua_names` come first.
    """
    return Script(redis, _source(*after.split(), name))


@cache
def _source(*parts: str) -> str:
    """The text of script files, one after the other, after the functions that name their keys."""
    folder = files("eventflow.log").joinpath("scripts")
    text = "\n".join(folder.joinpath(f"{part}.lua").read_text() for part in parts)
    return lua_names(text) + text


async def run_on_all(
    redis: Redis, name: str, calls: Sequence[tuple[Sequence[str], Sequence[Any]]], *, after: str = ""
) -> list[Any]:
    """Run a script once for each (KEYS, ARGV) of `calls`, in one round trip; returns the answers.

    See `load_script`.

    Raises the first error.
    """
    script = load_script(redis, name, after=after)
    async with redis.pipeline(transaction=False) as pipe:
        for keys, args in calls:
            pipe.evalsha(script.sha, len(keys), *keys, *args)
        answers: list[Any] = await pipe.execute(raise_on_error=False)
    for at, (keys, args) in enumerate(calls):
        if isinstance(answers[at], NoScriptError):
            answers[at] = await script(keys=keys, args=args)
        elif isinstance(answers[at], Exception):
            raise answers[at]
    return answers


async def syncs_always(redis: Redis) -> bool:
    """Whether the server syncs its append-only file before it answers a write."""
    found: Any = await redis.config_get("appendonly", "appendfsync")
    values = {_text(name): _text(value) for name, value in found.items()}
    return values.get("appendonly") == "yes" and values.get("appendfsync") == "always"


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value
