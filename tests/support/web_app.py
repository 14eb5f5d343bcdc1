"""The app on a real valkey-server and local stores."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from attrs import define, evolve, field

from eventflow.access.api_keys import ApiKeys
from eventflow.domain.job_ids import new_job_id
from eventflow.domain.values import StoreRole
from eventflow.log.codec import Codec
from eventflow.log.connection import connect
from eventflow.log.event_store import JobEventStore
from eventflow.log.keys import Keyspace
from eventflow.requests.limits import PipelineFacts
from eventflow.settings import Settings, load_settings
from eventflow.storage import LocalStore, ObjectStore, SigningKeys
from handlers.assets.ingest import MediaInspector
from handlers.generation.scene_planner import ScenePlanner
from tests.support.driving import Driver
from web.app import create_app
from web.deps import WebDeps

SIGNING = SigningKeys.parse("k1:" + "5a" * 32)
PIPELINES = {"explainer": PipelineFacts(), "simulation": PipelineFacts(needs_script=False)}
Client = TestClient[web.Request, web.Application]
StartClient = Callable[..., Awaitable[Client]]


@define
class Clock:
    """Time that tests set."""

    at: datetime = field(factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.at


def job_id() -> str:
    return new_job_id(0, secrets.token_hex(16))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    wanted = {"EVENTFLOW_DATA_DIR": str(tmp_path), "EVENTFLOW_MAX_SCRIPT_CHARS": "50000", "EVENTFLOW_OPEN_ACCESS": "on"}
    return load_settings(wanted)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stores(tmp_path: Path, clock: Clock) -> dict[StoreRole, ObjectStore]:
    roles: tuple[StoreRole, ...] = ("workspace", "delivery", "fallback")
    return {role: LocalStore(tmp_path / role, now=clock, signing=SIGNING, name=role) for role in roles}


@pytest.fixture
async def deps(
    valkey_url: str, settings: Settings, stores: dict[StoreRole, ObjectStore], clock: Clock
) -> AsyncIterator[WebDeps]:
    redis, blocking = connect(valkey_url), connect(valkey_url, blocking=True)
    keyspace = Keyspace()
    log = JobEventStore(redis, codec=Codec(), keyspace=keyspace, clock=clock, cache_size=8)
    yield WebDeps(
        settings=settings,
        log=log,
        redis=redis,
        blocking=blocking,
        stores=stores,
        api_keys=ApiKeys(redis, keyspace.api_keys, clock=clock),
        pipelines=PIPELINES,
        planner=ScenePlanner(settings),
        clock=clock,
        random_hex=lambda digits: secrets.token_hex(digits)[:digits],
        signing=SIGNING,
        inspector=MediaInspector(clock=clock),
    )
    await redis.aclose()
    await blocking.aclose()


@pytest.fixture
def start(deps: WebDeps, aiohttp_client: Callable[..., Awaitable[Client]]) -> StartClient:
    """Starts another web process's worth of app on the same log: `await start(settings=...)`."""

    async def begin(**changes: Any) -> Client:
        return await aiohttp_client(create_app(evolve(deps, **changes)))

    return begin


@pytest.fixture
async def client(start: StartClient) -> Client:
    return await start()


@pytest.fixture
def driver(deps: WebDeps, stores: dict[StoreRole, ObjectStore]) -> Driver:
    """Works on a log of its own, as a worker in another process does."""
    log = JobEventStore(deps.redis, codec=Codec(), keyspace=deps.log.keyspace, clock=deps.clock)
    return Driver(log, stores)
