"""Checks of the service: the log's server, its scripts and groups, the stores, keys."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError

from eventflow.domain.topics import GROUP_TOPICS
from eventflow.log.cluster import ClusterRedis, masters_of
from eventflow.log.connection import DISCONNECTED, load_script
from eventflow.log.errors import LogForbidden, LogUnfit, WrongServer
from eventflow.log.members import PausedWorkers
from eventflow.log.server_check import NO_APPEND_ONLY_FILE, UNKNOWN, check_server, forbidden, inspect_server
from eventflow.settings import Environment, Settings, is_loopback
from eventflow.storage import LocalStore, StorageError
from eventflow.storage.viewer_check import check_as_viewer
from ops.cli.checks.finding import Finding, awaited, fail, ok, warn
from ops.cli.common import CREDENTIALS

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from eventflow.storage import ObjectStore
    from ops.compose import Parts


_SKEW_S = 2.0
#: Parts that only a log server which answers can tell.
_IN_THE_LOG = "log safety, log scripts, groups, dead letters, paused workers, API keys, owner of the stores"
_CHECK_AGAIN = "Run `eventflow doctor` again once the log server answers."
#: Error codes of a store whose disk is full.
_FULL = ("ENOSPC", "EDQUOT")


async def log_server(parts: Parts, *, expected: bool) -> list[Finding]:
    """Check the server and everything in it.

    `expected`: a URL is configured, or a server runs on the data directory; then one that doesn't answer is a failure.
    """
    findings: list[Finding] = []
    for check in (_server, _inside):
        try:
            findings += await check(parts)
        except (RedisError, LogUnfit, *DISCONNECTED) as error:
            unusable = _unusable(error, parts, expected=expected)
            return [*findings, unusable, warn("not checked", _IN_THE_LOG, _CHECK_AGAIN)]
    return findings


def _unusable(error: Exception, parts: Parts, *, expected: bool) -> Finding:
    """Return the finding of a server that can't be used at all."""
    if isinstance(error, NoPermissionError):
        error = forbidden(error, parts.keyspace.prefix)
    if isinstance(error, LogUnfit | WrongServer):
        said, _, remedy = str(error).partition(". ")
        return fail("log server", said, remedy or "Name the master by EVENTFLOW_REDIS_URL.")
    if isinstance(error, AuthenticationError):
        return fail("log server", f"it wants another user or password ({error})", CREDENTIALS)
    if expected or not isinstance(error, DISCONNECTED):
        remedy = "Start the server, or correct EVENTFLOW_REDIS_URL (host, port, password)."
        if "MISCONF" in str(error):
            remedy = "Free space on the server's disk, or mend it: it accepts no job until it can save."
        return fail("log server", str(error), remedy)
    remedy = "Start `eventflow up`, or name a server by EVENTFLOW_REDIS_URL; --data-dir names the folder of an `up`."
    return warn("log server", f"none runs on {parts.settings.data_dir}", remedy)


async def _inside(parts: Parts) -> list[Finding]:
    return [
        await awaited(
            "log scripts", "Allow EVAL and SCRIPT LOAD for this user of the server.", lambda: _scripts(parts)
        ),
        *[await _group(parts, group) for group in GROUP_TOPICS],
        await _dead_letters(parts),
        await _paused(parts),
        await _access(parts),
        await _ownership(parts),
    ]


async def _server(parts: Parts) -> list[Finding]:
    """Check the server, or each master of a cluster; equal findings are shown once."""
    servers = await masters_of(parts.redis)
    found = [finding for server in servers for finding in (await _kind(server), await _skew(server))]
    return [*dict.fromkeys(found), *await _safety(parts), *await _replicas(parts, servers)]


async def _kind(server: Redis) -> Finding:
    found = await inspect_server(server)
    mode = f", {found.mode}" if found.mode != "standalone" else ""
    return ok("log server", f"{found.kind} {found.version}{mode}")


async def _skew(server: Redis) -> Finding:
    before = time.time()
    seconds, microseconds = await server.time()
    return _clock(abs(seconds + microseconds / 1e6 - (before + time.time()) / 2))


async def _safety(parts: Parts) -> list[Finding]:
    try:
        found = await check_server(parts.redis, durable_ack=parts.settings.needs_sync, keyspace=parts.keyspace)
    except LogForbidden:
        raise
    except LogUnfit as error:
        said, _, remedy = str(error).partition(". ")
        return [fail("log safety", said, remedy or "Change the server's configuration.")]
    if UNKNOWN in (found["policy"], found["aof"]):
        remedy = "Set maxmemory-policy noeviction and appendonly yes, or give the user +info for this check."
        return [warn("log safety", "the server's user may not read how it keeps its data", remedy)]
    return [ok("eviction", f"maxmemory-policy {found['policy']}"), _durability(found["aof"] == "on", parts.settings)]


async def _replicas(parts: Parts, servers: Sequence[Redis]) -> list[Finding]:
    """Check replicas: of a cluster, and wherever a POST waits for one (EVENTFLOW_DURABLE_ACK=replica)."""
    wanted = parts.settings.durable_ack == "replica"
    if not wanted and not isinstance(parts.redis, ClusterRedis):
        return []
    try:
        counts = [int((await server.info("replication"))["connected_slaves"]) for server in servers]
    except NoPermissionError:
        return [warn("replicas", "the server's user may not read them", "Give it the right +info.")]
    found = f"{len(servers)} masters, {counts.count(0)} of them without a replica"
    if all(counts):
        return [ok("replicas", found)]
    if wanted:
        remedy = "EVENTFLOW_DURABLE_ACK=replica answers 503 there: add a replica to each, or use always."
        return [fail("replicas", found, remedy)]
    return [warn("replicas", found, "Add a replica to each: without it the failure of a master stops its partitions.")]


def _clock(skew_s: float) -> Finding:
    found = f"{skew_s:.1f} s apart from the server's"
    if skew_s < _SKEW_S:
        return ok("clock", found)
    return warn("clock", found, "Synchronise the clocks (NTP): retries are due, and links expire, by them.")


def _durability(aof: bool, settings: Settings) -> Finding:
    if aof:
        return ok("append-only file", "on")
    if settings.needs_append_only_file:
        return fail("append-only file", "off", NO_APPEND_ONLY_FILE.partition(": ")[2])
    remedy = "Set appendonly yes: without it a crash of the server loses what isn't in its last snapshot."
    return warn("append-only file", "off", remedy)


async def _scripts(parts: Parts) -> str:
    names = sorted(
        entry.name.removesuffix(".lua")
        for entry in files("eventflow.log").joinpath("scripts").iterdir()
        if entry.name.endswith(".lua")
    )
    for name in names:
        await parts.redis.script_load(str(load_script(parts.redis, name).script))
    return f"{len(names)} load"


async def _group(parts: Parts, name: str) -> Finding:
    """Count the workers of a group, and its deliveries: pending (at a worker) and lag (not yet delivered)."""
    consumers: set[str] = set()
    pending, lag, part = 0, 0, f"group {name}"
    for keys in parts.keyspace.all:
        for stream in keys.streams_of(name, GROUP_TOPICS[name]):
            try:
                groups: Any = await parts.redis.xinfo_groups(stream)
                members: Any = await parts.redis.xinfo_consumers(stream, name)
            except ResponseError:  # neither stream nor group: no worker has run yet
                continue
            consumers |= {member["name"].decode() for member in members}
            mine = next(group for group in groups if group["name"].decode() == name)
            pending, lag = pending + mine["pending"], lag + (mine["lag"] or 0)
    found = f"workers: {len(consumers)}, pending: {pending}, lag: {lag}"
    if consumers:
        return ok(part, found)
    return warn(part, found, f"Start one: eventflow worker --group {name}")


async def _dead_letters(parts: Parts) -> Finding:
    count = sum([int(await parts.redis.xlen(keys.dead_letters)) for keys in parts.keyspace.all])
    if not count:
        return ok("dead letters", "none")
    return warn("dead letters", str(count), "See `eventflow dead-letters list` and `show`; then redrive or drop them.")


async def _paused(parts: Parts) -> Finding:
    from ops.compose import utc_now

    paused = await PausedWorkers(parts.redis, parts.keyspace, clock=utc_now).list()
    if not paused:
        return ok("backpressure", "no worker has paused")
    found = "; ".join(f"{worker.consumer} ({worker.group}): {worker.reason}" for worker in paused)
    remedy = "Free disk or memory there, or change its limits (EVENTFLOW_MIN_FREE_SCRATCH_MB, EVENTFLOW_MAX_...)."
    return warn("backpressure", found, remedy)


async def _ownership(parts: Parts) -> Finding:
    """Check that the stores are this environment's. The first process that starts marks a store without a mark."""
    from ops.environment import ForeignStore, refuse_foreign_stores

    part = "owner of the stores"
    try:
        await refuse_foreign_stores(parts)
    except ForeignStore as error:
        said, _, remedy = str(error).partition("; ")
        return fail(part, said, remedy)
    except StorageError:
        return warn(part, "unknown", "A store doesn't answer: see below.")
    return ok(part, "this environment, or none yet")


async def _access(parts: Parts) -> Finding:
    keys = await parts.api_keys.list()
    if keys:
        return ok("API keys", f"{len(keys)}, of {len({key.owner for key in keys})} owners")
    settings = parts.settings
    make_one = "Make one: eventflow keys add OWNER --admin"
    if settings.env is Environment.PRODUCTION or not is_loopback(settings.host):
        return fail("API keys", f"none; the web app refuses to serve on {settings.host}", make_one)
    if await parts.api_keys.ever():
        return fail("API keys", "none is left: every request is answered 401", make_one)
    return ok("API keys", "none: `eventflow up` is open to this machine; `eventflow web` needs one first")


async def stores(parts: Parts) -> list[Finding]:
    """Check each store: its own check, then write, read, sign and delete an object."""
    found: dict[str, ObjectStore] = dict(parts.stores.items())
    if parts.segment_store is not None:
        found["archive"] = parts.segment_store.store
    return [await _store(f"{role} store", store) for role, store in found.items()]


async def _store(part: str, store: ObjectStore) -> Finding:
    remedy = "Create the bucket or folder, and allow this user to read, write, list and delete there (AWS_* variables)."
    if isinstance(store, LocalStore) and not store.root.exists():  # a check creates nothing
        above = next(path for path in store.root.parents if path.exists())
        if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
            return fail(part, f"{store.description} doesn't exist, and can't be created in {above}", remedy)
        return ok(part, f"{store.description} doesn't exist yet; the service creates it")
    try:
        return await awaited(part, remedy, partial(_probe, store), passing=(StorageError,))
    except StorageError as error:
        if error.upstream_code in _FULL:
            remedy = "Free space there, or have the store in a folder on another disk."
        return fail(part, str(error), remedy)


async def viewers(store: ObjectStore) -> Finding:
    """Check that a viewer gets the bytes of a signed URL: from the public address, in ranges, in any page."""
    part, key = "viewers", f"doctor/{secrets.token_hex(8)}"
    if isinstance(store, LocalStore) and not store.root.exists():
        return ok(part, "nothing is delivered yet")
    try:
        await store.put_bytes(key, b"seen", media_type="text/plain")
        try:
            found = await check_as_viewer(store, key)
        finally:
            await store.delete(key)
    except StorageError as error:
        return fail(part, str(error), "Repair the delivery store first.")
    if found is None:
        return ok(part, "get files from the web app")
    if found.problem and isinstance(store, LocalStore):  # the web app may not run yet, or may have another signing key
        return warn(part, found.problem, "Start the web app, and see that EVENTFLOW_PUBLIC_URL leads to it.")
    if found.problem:
        return fail(part, found.problem, found.way_out)
    if not found.pages:
        return warn(part, "get files, but pages of other origins can't read them", "Run `eventflow storage setup`.")
    return ok(part, "get files by signed URLs, in parts, in pages of any origin")


async def players(store: ObjectStore) -> Finding:
    """Check that players in pages of other origins can read the delivery store."""
    from eventflow.storage.s3.store import S3Store

    part = "players"
    if not isinstance(store, S3Store):
        return ok(part, "pages of any origin are served by the web app")
    remedy = "Run `eventflow storage setup`, or give the bucket a CORS rule for GET from any origin."
    try:
        if await store.any_page_may_read():
            return ok(part, f"{store.description} may be read by pages of any origin")
    except StorageError as error:
        return warn(part, f"the store doesn't show its CORS rules: {error}", remedy)
    return warn(part, f"{store.description} can't be read by pages of other origins", remedy)


async def _probe(store: ObjectStore) -> str:
    await store.check()
    key, data = f"doctor/{secrets.token_hex(8)}", secrets.token_bytes(64)
    await store.put_bytes(key, data, media_type="application/octet-stream")
    try:
        if b"".join([chunk async for chunk in store.read(key)]) != data:
            raise RuntimeError(f"{store.description} returns other bytes than were written")
        await store.signed_url(key, expires_in=timedelta(minutes=1))
    finally:
        await store.delete(key)
    return f"{store.description} stores, returns and deletes an object"


def signing(parts: Parts) -> Finding:
    """Check the key that signs links to local files: processes on several hosts must share it."""
    settings = parts.settings
    if settings.signing_key:
        return ok("signing key", "configured")
    remedy = "With several hosts set EVENTFLOW_SIGNING_KEY everywhere: k1:$(openssl rand -hex 32)"
    alone = settings.workspace_url.startswith("file:")
    found = "made by this machine, kept in the data directory"
    return ok("signing key", found) if alone else warn("signing key", found, remedy)
