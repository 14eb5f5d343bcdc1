"""Whether a server is fit to be the log: one check, for starting processes, `/readyz` and `doctor` alike.

What a server is comes from HELLO, which every user may send; how it keeps its data from INFO, which belongs to the
commands that operators often deny (`-@dangerous`): then that part isn't known.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from attrs import field, frozen
from redis.asyncio import Redis
from redis.exceptions import BusyLoadingError, NoPermissionError, ResponseError

from eventflow.log.cluster import masters_of
from eventflow.log.connection import DISCONNECTED, REPLICA_ROLES, distrust, load_script, said_hello, syncs_always
from eventflow.log.errors import LogForbidden, LogUnfit, Misled
from eventflow.log.keys import Keyspace

#: Streams and scripts as we need them; Valkey began at 7.2.
OLDEST_REDIS = (7, 0)
_TOO_OLD = "is too old: use Redis 7.0 or Valkey 7.2, or later."
UNKNOWN = "unknown"
FORGETS = (
    "The server has no append-only file: a crash or restart of it loses jobs that were acknowledged. Set appendonly "
    "yes there; where replicas or the service's own storage keep the log, say so by EVENTFLOW_LOG_PERSISTENCE=any."
)


@frozen
class Server:
    """What a server says of itself. `info` is empty where its user may not ask."""

    about: dict[str, Any]
    info: dict[str, Any] = field(factory=dict)

    @property
    def kind(self) -> str:
        if "valkey_version" in self.info or self.about.get("server") == "valkey":
            return "Valkey"
        return "Redis"

    @property
    def version(self) -> str:
        told = self.info.get("valkey_version") or self.about.get("version") or self.info.get("redis_version")
        return str(told or UNKNOWN)

    @property
    def mode(self) -> str:
        return str(self.about.get("mode") or self.info.get("redis_mode") or "standalone")

    @property
    def old(self) -> bool:
        return self.kind == "Redis" and self.version != UNKNOWN and _number(self.version) < OLDEST_REDIS

    @property
    def knows_waitaof(self) -> bool:
        return self.kind == "Valkey" or self.version == UNKNOWN or _number(self.version) >= (7, 2)


async def look_at(redis: Redis) -> Server:
    """Ask a server what it is. Raises connection errors, Misled (a replica), BusyLoadingError, LogForbidden."""
    client: Any = redis
    try:
        about = said_hello(await client.execute_command("HELLO"))
    except ResponseError:  # a proxy in front of it
        about = {}
    info: dict[str, Any] = {}
    with suppress(ResponseError):  # denied, or a server before Redis 7, which takes one section at a time
        info = await redis.info("server", "memory", "persistence", "replication")
    if about.get("role", info.get("role")) in REPLICA_ROLES:
        distrust(redis)
        raise Misled("the server is a replica: it takes no writes. Name the master by EVENTFLOW_REDIS_URL.")
    if info.get("loading"):
        raise BusyLoadingError("the server loads its data")
    try:
        await redis.ping()  # where INFO is denied, this tells that it loads
    except NoPermissionError as error:
        raise forbidden(error) from error
    return Server(about, info)


async def check_server(
    redis: Redis, *, durable_ack: bool, append_only_file: bool = False, keyspace: Keyspace | None = None
) -> dict[str, str]:
    """Refuse a server that would lose data or can't serve us; in a cluster any master of that kind. Returns what was
    found: its version, eviction policy and whether it has an append-only file, the latter two "unknown" where its user
    may not ask. With `append_only_file` one that says it has none is refused. With `keyspace` the user's rights to its
    keys are checked, too.

    Of a cluster some masters may be `unreachable`: a failover is about to replace them.

    Raises LogUnfit with the setting to change, LogForbidden with the right that is missing, Misled for a replica.
    Raises BusyLoadingError while it loads its data: until then it says that it has no append-only file.
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
    server = await look_at(redis)
    if server.mode == "sentinel":
        raise LogUnfit("this is a Sentinel, which holds no data. Name the master by EVENTFLOW_REDIS_URL.")
    if server.old:
        raise LogUnfit(f"{server.kind} {server.version} {_TOO_OLD}")
    policy = str(server.info.get("maxmemory_policy", "noeviction")) if server.info else UNKNOWN
    if policy not in ("noeviction", UNKNOWN):
        raise LogUnfit(f"maxmemory-policy is {policy}: the server may evict events. Set maxmemory-policy noeviction.")
    aof = ("on" if server.info.get("aof_enabled") else "off") if server.info else UNKNOWN
    if append_only_file and aof == "off":
        raise LogUnfit(FORGETS)
    if durable_ack:
        await _check_durable(redis, server, aof)
    return {"version": server.version, "policy": policy, "aof": aof}


async def _check_durable(redis: Redis, server: Server, aof: str) -> None:
    """Whether the server can say when it has synced."""
    missing = LogUnfit(
        "EVENTFLOW_DURABLE_ACK=always needs the append-only file. Set appendonly yes, or use EVENTFLOW_DURABLE_ACK=no."
    )
    if aof == "off":
        raise missing
    client: Any = redis
    try:
        if server.knows_waitaof:
            await client.execute_command("WAITAOF", 1, 0, 1)  # an error where there is no such file
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
    """Raises LogForbidden where the server's user may not do everything that the log needs, on our keys."""
    try:
        denied: Any = await load_script(redis, "rights")(keys=[keyspace.partition(0).base + "rights"], args=NEEDED)
    except NoPermissionError as error:
        raise forbidden(error, keyspace.prefix) from error
    if denied:
        names = ", ".join(name.decode() for name in denied)
        key = f"{keyspace.prefix}:*"
        raise forbidden(f"it may not run these commands on the keys {key}: {names}", keyspace.prefix)


def forbidden(why: object, prefix: str = "ef") -> LogForbidden:
    """What to do where a command or a key is denied."""
    return LogForbidden(
        f"the server's user lacks rights: {str(why).rstrip('.')}. "
        f"Give it the rule ~{prefix}:* +@all -@dangerous (ACL SETUSER); see Rights on the server, in README.md."
    )


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])


def _on_key(*names: str) -> tuple[str, ...]:
    return tuple(f"{name} KEY" for name in names)


#: Every command that we send, ourselves or in scripts; a right that only some settings need (WAIT) isn't asked for.
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
