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
from redis.asyncio.client import Pipeline
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from eventflow.log.cluster import Address, ClusterRedis
from eventflow.log.deadline import Waiting
from eventflow.log.error_codes import Refusal, refusal_of
from eventflow.log.errors import CommitFailed, Misled

#: Longest wait of a blocking read, in ms. Socket time-outs must stay well above it.
BLOCK_MS = 2_000
READ_TIMEOUT_S = BLOCK_MS / 1000 + 8
COMMAND_TIMEOUT_S = 10.0
POOL_WAIT_S = 30.0

#: What a lost or unreachable server looks like.
DISCONNECTED = (RedisConnectionError, RedisTimeoutError, OSError)
#: A connection older than this is made anew before its next command: the name of the server, or a proxy in front of it,
#: may lead to another one by now, while the old one still answers.
MAX_AGE_S = 600.0


def is_passing(error: Exception) -> bool:
    """Whether the same command may be taken later: no connection, or a server that doesn't take it for now."""
    if isinstance(error, DISCONNECTED):
        return True
    return isinstance(error, ResponseError | CommitFailed) and refusal_of(error) is not Refusal.FINAL


class _Made:
    """How many connections a client has made so far; one that is made anew counts again."""

    count = 0


class _Trust:
    """What clients of a server know of their connections: those of an earlier `epoch` lead to the wrong server."""

    epoch = 0

    def lose(self) -> None:
        self.epoch += 1


class _Packing(AbstractConnection):
    """Lays commands out with hiredis, as the synchronous client does; matters for batches of thousands of arguments.

    With `trust` it is made anew before its next command once it has led to the wrong server, or is `MAX_AGE_S` old. A
    refusal that says so is raised as a lost connection: nothing was done, and the same command is sent over a new one.
    Nodes of a cluster have none: the cluster's client finds another node itself.
    """

    def __init__(self, *args: Any, made: _Made, trust: _Trust | None, **options: Any) -> None:
        super().__init__(*args, **options)
        self._made, self._trust = made, trust
        self._epoch, self._good_until = 0, float("inf")

    async def on_connect_check_health(self, check_health: bool = True) -> None:
        self._made.count += 1
        if self._trust is not None:
            spread = 0.75 + self._made.count * 0.618034 % 1 / 4  # so that not all come to their end at once
            self._epoch, self._good_until = self._trust.epoch, _now() + spread * MAX_AGE_S
        await super().on_connect_check_health(check_health)
        if self._trust is not None:
            await self._check_role()

    async def _check_role(self) -> None:
        """Raises Misled where a replica answers: reads would go well there, of what it had when it lost its master."""
        await self.send_command("HELLO", check_health=False)
        try:
            about = said_hello(await self.read_response())
        except ResponseError:  # a proxy that doesn't know it, or a right that is missing
            return
        if about.get("role") in REPLICA_ROLES:
            raise Misled("the server is a replica: it takes no writes")

    async def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            return await super().read_response(*args, **options)
        except ResponseError as error:
            if self._trust is None or refusal_of(error) is not Refusal.MISLED:
                raise
            if self._epoch == self._trust.epoch:
                self._trust.lose()
            raise Misled(f"{type(error).__name__}: {error}") from error

    def pack_command(self, *args: Any) -> list[bytes]:
        name, *rest = args
        return [pack_command((*str(name).split(), *rest))]  # "SCRIPT LOAD" are two arguments on the wire

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """As redis-py does it, but with `asyncio.timeout`. Its `wait_for` starts a task for each command, and on
        Python 3.11 it swallows a cancellation that comes as the write ends: the cancelled task then goes on.
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
    """A client of one server, which waits no longer than whoever asks."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        async with Waiting():
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        return _Pipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)


class _Pipeline(Pipeline):
    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        async with Waiting():
            return await super().execute(raise_on_error)


def _now() -> float:
    return asyncio.get_running_loop().time()


#: Behind the scheme of a cluster's URL.
_CLUSTER = "+cluster"
_CONNECTIONS: dict[str, type[_Packing]] = {"rediss": PackingTlsConnection, "unix": PackingSocketConnection}


def connect(url: str, *, blocking: bool = False, max_connections: int = 16, beside: Redis | None = None) -> Redis:
    """A client of the server at `url`. `blocking` is for XREAD and XREADGROUP with BLOCK; `beside` is another client of
    the same server: what one of them learns of its connections counts for both.

    `redis+cluster://[user:password@]host:port[,host:port...]` (`rediss+cluster` with TLS) names some nodes of a
    cluster, which tell of the others; `max_connections` is for each node then.

    A command is tried three times over a lost connection; scripts are safe to repeat, because the claim or the
    expected version of a commit that was applied no longer holds the second time.
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


def distrust(redis: Redis) -> None:
    """Every connection of `redis` leads to the wrong server: it is made anew before its next command."""
    if (trust := _trust_of(redis)) is not None:
        trust.lose()


#: What a server that follows another one is called.
REPLICA_ROLES = frozenset({"replica", "slave"})


def said_hello(answer: Any) -> dict[str, Any]:
    """What HELLO answers, in RESP2 or RESP3: server, version, mode, role, and more."""
    pairs = answer.items() if isinstance(answer, dict) else zip(answer[::2], answer[1::2], strict=True)
    return {_text(name): _text(value) for name, value in pairs}


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

    `after` names files of functions that it uses, with spaces between them.
    """
    folder = files("eventflow.log").joinpath("scripts")
    parts = [folder.joinpath(f"{part}.lua").read_text() for part in (*after.split(), name)]
    return Script(redis, "\n".join(parts))


async def syncs_always(redis: Redis) -> bool:
    """Whether the server syncs its append-only file before it answers."""
    found: Any = await redis.config_get("appendonly", "appendfsync")
    values = {_text(name): _text(value) for name, value in found.items()}
    return values.get("appendonly") == "yes" and values.get("appendfsync") == "always"


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value
