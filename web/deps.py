"""What the app is made of: passed in by whoever starts it, reached by handlers through `web.AppKey`s."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from aiohttp import web
from attrs import frozen
from redis.asyncio import Redis

from eventflow.domain.values import StoreRole
from eventflow.identity import ApiKeys, Principal
from eventflow.log.jobs import JobLog
from eventflow.settings import Settings
from eventflow.storage import ObjectStore, SigningKeys
from eventflow.telemetry.tracing import Tracing


@frozen(kw_only=True)
class WebDeps:
    """Everything that the app needs from outside; whoever made the clients and stores closes them.

    `blocking` is a client of its own (`connect(url, blocking=True)`) for the feed's tail. `stores` maps roles to
    stores; "workspace" is only checked for readiness. `signing` verifies URLs of local stores. `pipelines` are the
    names that a request may give; `voices` likewise, or None where any well-formed name goes. `random_hex(n)` gives
    n random hex digits, unguessable.
    """

    settings: Settings
    log: JobLog
    redis: Redis
    blocking: Redis
    stores: Mapping[StoreRole, ObjectStore]
    api_keys: ApiKeys
    pipelines: frozenset[str]
    clock: Callable[[], datetime]
    random_hex: Callable[[int], str]
    signing: SigningKeys | None = None
    tracing: Tracing = Tracing()
    voices: frozenset[str] | None = None


DEPS = web.AppKey("deps", WebDeps)

#: The id that a request's answer, problem and log lines carry.
REQUEST_ID = web.RequestKey("request_id", str)
#: Who is asking; only on routes below /api.
PRINCIPAL = web.RequestKey("principal", Principal)
