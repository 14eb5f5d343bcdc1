"""Liveness and readiness.

`/readyz` answers 503 only if this process can't serve: the log is unreachable, or all stores with viewers' files are.
Faults that hinder work but not answers (no consumers, a store that refuses files) are `degraded`, with 200: removing
web processes from the load balancer wouldn't help (decision 22).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web
from attrs import field, frozen
from redis.exceptions import NoPermissionError, RedisError, ResponseError

from eventflow.domain.topics import GROUP_TOPICS, LANES, SELDOM, Topic
from eventflow.log.errors import LogUnfit, WrongServer
from eventflow.log.members import PausedWorkers
from eventflow.log.server_check import check_server, forbidden
from eventflow.storage import LocalStore, ObjectStore, StorageError
from eventflow.storage.owner_mark import MARK
from eventflow.storage.viewer_check import check_as_viewer
from web.deps import WebDeps
from web.http.json_response import json_response
from web.readmodel.projection import PROJECTION

#: Longest wait for one component.
CHECK_SECONDS = 3.0
#: How long a report is reused: probes of several load balancers cost one check.
CACHE_SECONDS = 2.0
#: How long the result of a viewer's check is reused: it fetches a file from the delivery store.
VIEWER_CACHE_SECONDS = 60.0
#: A consumer that has read within this time is alive; its reads block for 2 s at most.
ALIVE_MS = 15_000

OK, DEGRADED, UNAVAILABLE = "ok", "degraded", "unavailable"
Report = dict[str, Any]


@frozen(kw_only=True)
class TopicState:
    """A topic of a group, summed over partitions and lanes. `lag` is None if the server doesn't know it."""

    exists: bool
    consumers: int
    pending: int
    lag: int | None


@frozen(kw_only=True)
class Health:
    """Checks the components that the app depends on. `monotonic` gives seconds."""

    deps: WebDeps
    monotonic: Callable[[], float]
    _lock: asyncio.Lock = field(factory=asyncio.Lock, init=False)
    _cached: dict[str, tuple[float, Report]] = field(factory=dict, init=False)

    @property
    def _paused(self) -> PausedWorkers:
        return PausedWorkers(self.deps.redis, self.deps.log.keyspace, clock=self.deps.clock)

    async def report(self) -> Report:
        """The body of `/readyz` but for the feed, at most `CACHE_SECONDS` old."""
        async with self._lock:
            until, report = self._cached.get("report", (0.0, {}))
            if self.monotonic() >= until:
                report = await self._check()
                self._cached["report"] = (self.monotonic() + CACHE_SECONDS, report)
            return report

    async def _check(self) -> Report:
        redis, storage, groups = await asyncio.gather(self._redis(), self._storage(), self._groups())
        viewers = [storage["stores"][role]["status"] for role in ("delivery", "fallback") if role in storage["stores"]]
        unavailable = redis["status"] == UNAVAILABLE or (viewers and OK not in viewers)
        degraded = any(part["status"] != OK for part in (redis, storage, groups))
        overall = UNAVAILABLE if unavailable else DEGRADED if degraded else OK
        return {"status": overall, "components": {"redis": redis, "storage": storage, "groups": groups}}

    async def _redis(self) -> Report:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                found = await check_server(
                    self.deps.redis,
                    durable_ack=self.deps.settings.needs_sync,
                    append_only_file=self.deps.settings.needs_append_only_file,
                    keyspace=self.deps.log.keyspace,
                )
        except (LogUnfit, WrongServer) as error:
            return {"status": UNAVAILABLE, "detail": str(error)}
        except (RedisError, OSError, TimeoutError):
            return {"status": UNAVAILABLE, "detail": "The server can't be reached. Check EVENTFLOW_REDIS_URL."}
        return {"status": DEGRADED if "unreachable" in found else OK, **found}

    async def _storage(self) -> Report:
        roles = list(self.deps.stores)
        states = await asyncio.gather(*(_check_store(self.deps.stores[role]) for role in roles))
        stores = dict(zip(roles, states, strict=True))
        if (refused := await self._viewers()) and stores["delivery"]["status"] == OK:
            stores["delivery"] = {"status": DEGRADED, "detail": refused}
        status = OK if all(state["status"] == OK for state in states) else DEGRADED
        return {"status": status, "stores": stores}

    async def _viewers(self) -> str:
        """The fault that keeps viewers from the files of a remote delivery store; empty without one.

        The mark that processes write there when they start is fetched as a viewer would fetch a file.
        """
        store = self.deps.stores.get("delivery")
        if store is None or isinstance(store, LocalStore):
            return ""
        until, known = self._cached.get("viewers", (0.0, {}))
        if self.monotonic() >= until:
            try:
                async with asyncio.timeout(CHECK_SECONDS):
                    found = await check_as_viewer(store, MARK)
                refused = found is not None and found.problem and not found.missing
                known = {"refused": f"{found.problem}. {found.way_out}" if found and refused else ""}
            except (StorageError, TimeoutError):
                known = {"refused": ""}  # the check of the store itself reports this
            self._cached["viewers"] = (self.monotonic() + VIEWER_CACHE_SECONDS, known)
        return str(known["refused"])

    async def _groups(self) -> Report:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                groups = {
                    group: {topic: await self._topic(group, topic) for topic in topics}
                    for group, topics in GROUP_TOPICS.items()
                }
                paused = await self._paused.list()
        except NoPermissionError as error:
            return {"status": DEGRADED, "detail": str(forbidden(error, self.deps.log.keyspace.prefix)), "groups": {}}
        except (RedisError, OSError, TimeoutError):
            return {"status": DEGRADED, "detail": "The server can't be reached.", "groups": {}}
        alive = all(
            state.exists and (state.consumers or topic in SELDOM)
            for topics in groups.values()
            for topic, state in topics.items()
        )
        shown = {
            group: {topic.value: _shown(state) for topic, state in topics.items()} for group, topics in groups.items()
        }
        report: Report = {"status": OK if alive and not paused else DEGRADED, "groups": shown}
        if paused:
            report["paused"] = [{"consumer": p.consumer, "group": p.group, "reason": p.reason} for p in paused]
        return report

    async def _topic(self, group: str, topic: Topic) -> TopicState:
        streams = [keys.topic(topic, lane) for keys in self.deps.log.keyspace.all for lane in LANES]
        async with self.deps.redis.pipeline(transaction=False) as pipe:
            for stream in streams:
                pipe.xinfo_groups(stream)
                pipe.xinfo_consumers(stream, group)
            answers: list[Any] = await pipe.execute(raise_on_error=False)
        for answer in answers:
            if isinstance(answer, Exception) and not isinstance(answer, ResponseError):
                raise answer
        return summed(group, answers[0::2], answers[1::2])


def summed(group: str, groups: list[Any], consumers: list[Any]) -> TopicState:
    """The state over several streams, from their XINFO GROUPS and XINFO CONSUMERS; a missing stream gave an error."""
    rows = [
        row for answer in groups if not isinstance(answer, Exception) for row in answer if row["name"] == group.encode()
    ]
    lags = [row.get("lag") for row in rows]
    alive = {
        consumer["name"]
        for answer in consumers
        if not isinstance(answer, Exception)
        for consumer in answer
        if consumer["idle"] < ALIVE_MS
    }
    known = [lag for lag in lags if lag is not None]
    return TopicState(
        exists=len(rows) == len(groups),
        consumers=len(alive),
        pending=sum(row["pending"] for row in rows),
        lag=sum(known) if rows and len(known) == len(lags) else None,
    )


def _shown(topic: TopicState) -> Report:
    return {"exists": topic.exists, "consumers": topic.consumers, "pending": topic.pending, "lag": topic.lag}


async def _check_store(store: ObjectStore) -> Report:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await store.check()
    except StorageError as error:
        return {"status": UNAVAILABLE, "detail": str(error)}
    except TimeoutError:
        return {"status": UNAVAILABLE, "detail": f"No answer within {CHECK_SECONDS:g} s."}
    return {"status": OK}


HEALTH = web.AppKey("health", Health)


async def healthz(_: web.Request) -> web.Response:
    """The process is alive: it answers."""
    return json_response({"status": OK})


async def readyz(request: web.Request) -> web.Response:
    """200 if the process can serve, else 503, with the state of each component."""
    report = await request.app[HEALTH].report()
    feed = {"status": OK if request.app[PROJECTION].following else DEGRADED}
    status = DEGRADED if report["status"] == OK and feed["status"] != OK else report["status"]
    body = {"status": status, "components": {**report["components"], "feed": feed}}
    return json_response(body, status=503 if status == UNAVAILABLE else 200, headers={"Cache-Control": "no-store"})
