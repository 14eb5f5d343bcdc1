"""Checks that a server can be the log: the same check for starting processes, `/readyz` and `doctor`.

Version, mode and role come from HELLO, which every user may send. Persistence and memory policy come from INFO, which
operators often deny (`-@dangerous`): then these are unknown.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from attrs import field, frozen
from redis.asyncio import Redis
from redis.exceptions import BusyLoadingError, NoPermissionError, ResponseError

from eventflow.log.cluster import masters_of
from eventflow.log.connection import (
    DISCONNECTED,
    REPLICA_ROLES,
    invalidate_connections,
    load_script,
    parse_hello,
    syncs_always,
)
from eventflow.log.errors import LogForbidden, LogUnfit, WrongServer
from eventflow.log.keys import Keyspace

#: The first Redis with the streams and scripts that the log uses; every Valkey (7.2 and later) has them.
OLDEST_REDIS = (7, 0)
_TOO_OLD = "is too old: use Redis 7.0 or Valkey 7.2, or later."
UNKNOWN = "unknown"
NO_APPEND_ONLY_FILE = (
    "The server has no append-only file: a crash or restart of it loses jobs that were acknowledged. Set appendonly "
    "yes there; where replicas or the service's own storage keep the log, say so by EVENTFLOW_LOG_PERSISTENCE=any."
)


@frozen
class ServerInfo:
    """The answers of a server to HELLO (`about`) and INFO (`info`, empty where its user may not ask)."""

    about: dict[str, Any]
    info: dict[str, Any] = field(factory=dict)

    @property
    def kind(self) -> str:
        """`Redis` or `Valkey`."""
        if "valkey_version" in self.info or self.about.get("server") == "valkey":
            return "Valkey"
        return "Redis"

    @property
    def version(self) -> str:
        """The version, such as 8.0.1, or `unknown`."""
        version = self.info.get("valkey_version") or self.about.get("version") or self.info.get("redis_version")
        return str(version or UNKNOWN)

    @property
    def mode(self) -> str:
        """`standalone`, `cluster` or `sentinel`."""
        return str(self.about.get("mode") or self.info.get("redis_mode") or "standalone")

    @property
    def old(self) -> bool:
        """Whether it is older than `OLDEST_REDIS`."""
        return self.kind == "Redis" and self.version != UNKNOWN and _number(self.version) < OLDEST_REDIS

    @property
    def knows_waitaof(self) -> bool:
        """Whether it has the command WAITAOF (Redis 7.2, Valkey)."""
        return self.kind == "Valkey" or self.version == UNKNOWN or _number(self.version) >= (7, 2)


async def inspect_server(redis: Redis) -> ServerInfo:
    """Ask a server about itself.

    Raises connection errors, WrongServer (a replica), BusyLoadingError, LogForbidden.
    """
    client: Any = redis
    try:
        about = parse_hello(await client.execute_command("HELLO"))
    except ResponseError:  # a proxy without HELLO
        about = {}
    info: dict[str, Any] = {}
    with suppress(ResponseError):  # denied, or a server before Redis 7, which takes one section at a time
        info = await redis.info("server", "memory", "persistence", "replication")
    if about.get("role", info.get("role")) in REPLICA_ROLES:
        invalidate_connections(redis)
        raise WrongServer("the server is a replica: it takes no writes. Name the master by EVENTFLOW_REDIS_URL.")
    if info.get("loading"):
        raise BusyLoadingError("the server loads its data")
    try:
        await redis.ping()  # where INFO is denied, this tells whether it loads
    except NoPermissionError as error:
        raise forbidden(error) from error
    return ServerInfo(about, info)


async def check_server(
    redis: Redis, *, durable_ack: bool, append_only_file: bool = False, keyspace: Keyspace | None = None
) -> dict[str, str]:
    """Refuse a server, or any master of a cluster, that can't be the log or would lose data.

    Returns `version`, `policy` (eviction) and `aof` (append-only file: on, off); the latter two are "unknown" where the
    user may not ask. Of a cluster some masters may be `unreachable`: a failover is about to replace them.
    `append_only_file` requires one; `keyspace` checks the user's rights to its keys, too.

    Raises LogUnfit with the setting to change, LogForbidden with the missing right, WrongServer for a replica, and
    BusyLoadingError while it loads its data: until then it reports no append-only file. Raises connection errors where
    no server can be reached.
    """
    found: dict[str, str] = {}
    masters, lost = await masters_of(redis), list[Exception]()
    for server in masters:
        try:
            found = await _check_one(server, durable_ack=durable_ack, append_only_file=append_only_file)
        except DISCONNECTED as error:
            lost.append(error)
    if lost and not found:
        raise lost[0]
    if keyspace is not None:
        await check_rights(redis, keyspace)
    return {**found, "unreachable": f"{len(lost)} of {len(masters)} masters"} if lost else found


async def _check_one(redis: Redis, *, durable_ack: bool, append_only_file: bool) -> dict[str, str]:
    server = await inspect_server(redis)
    if server.mode == "sentinel":
        raise LogUnfit("this is a Sentinel, which holds no data. Name the master by EVENTFLOW_REDIS_URL.")
    if server.old:
        raise LogUnfit(f"{server.kind} {server.version} {_TOO_OLD}")
    policy = str(server.info.get("maxmemory_policy", "noeviction")) if server.info else UNKNOWN
    if policy not in ("noeviction", UNKNOWN):
        raise LogUnfit(f"maxmemory-policy is {policy}: the server may evict events. Set maxmemory-policy noeviction.")
    aof = ("on" if server.info.get("aof_enabled") else "off") if server.info else UNKNOWN
    if append_only_file and aof == "off":
        raise LogUnfit(NO_APPEND_ONLY_FILE)
    if durable_ack:
        await _check_durable(redis, server, aof)
    return {"version": server.version, "policy": policy, "aof": aof}


async def _check_durable(redis: Redis, server: ServerInfo, aof: str) -> None:
    """Raise LogUnfit where the server can't tell when a write is on disk."""
    missing = LogUnfit(
        "EVENTFLOW_DURABLE_ACK=always needs the append-only file. Set appendonly yes, or use EVENTFLOW_DURABLE_ACK=no."
    )
    if aof == "off":
        raise missing
    client: Any = redis
    try:
        if server.knows_waitaof:
            await client.execute_command("WAITAOF", 1, 0, 1)  # an error without append-only file
        elif not await syncs_always(redis):
            raise LogUnfit(
                f"EVENTFLOW_DURABLE_ACK=always: server {server.version} doesn't know WAITAOF (7.2+). "
                "Set appendfsync always."
            )
    except NoPermissionError as error:
        raise forbidden(error) from error
    except ResponseError as error:
        raise missing from error


async def check_rights(redis: Redis, keyspace: Keyspace) -> None:
    """Raise LogForbidden where the user lacks a command that the log needs, on the keys of `keyspace`."""
    try:
        denied: Any = await load_script(redis, "rights")(keys=[keyspace.partition(0).rights], args=NEEDED)
    except NoPermissionError as error:
        raise forbidden(error, keyspace.prefix) from error
    if denied:
        names = ", ".join(name.decode() for name in denied)
        raise forbidden(f"it may not run these commands on the keys {keyspace.pattern}: {names}", keyspace.prefix)


def forbidden(why: object, prefix: str = "ef") -> LogForbidden:
    """The error where a command or a key is denied, with the rule that grants it; `why` is the denial."""
    return LogForbidden(
        f"the server's user lacks rights: {str(why).rstrip('.')}. "
        f"Give it the rule ~{Keyspace(prefix).pattern} +@all -@dangerous (ACL SETUSER); "
        "see Rights on the server, in README.md."
    )


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])


def _on_key(*names: str) -> tuple[str, ...]:
    return tuple(f"{name} KEY" for name in names)


#: Every command that is sent, directly or by scripts; without those that only some settings need (WAIT).
NEEDED = (
    *_on_key("del", "exists", "expire", "get", "set", "ttl"),
    *_on_key("hdel", "hexists", "hget", "hgetall", "hincrby", "hlen", "hset"),
    *_on_key("sadd", "scard", "sismember", "srem"),
    *_on_key("zadd", "zcard", "zcount", "zpopmin", "zrange", "zrangebyscore", "zrank", "zrem", "zremrangebyscore"),
    *_on_key("zrevrangebyscore", "zscan", "zscore"),
    *_on_key("xack", "xadd", "xautoclaim", "xclaim", "xdel", "xlen", "xpending", "xrange", "xrevrange", "xtrim"),
    *_on_key("xgroup create", "xgroup delconsumer", "xgroup destroy", "xgroup setid"),
    *_on_key("xinfo consumers", "xinfo groups", "xinfo stream"),
    *("xread STREAMS KEY 0", "xreadgroup GROUP g c STREAMS KEY >", "eval SCRIPT 1 KEY", "evalsha 0 1 KEY"),
    *("ping", "scan 0", "time"),
)
