"""The OpenAPI document is true: compared with routes and real answers, and fuzzed by its own description."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from eventflow.access.api_keys import ApiKeys
from eventflow.domain.values import StoreRole
from eventflow.log.codec import Codec
from eventflow.log.connection import connect
from eventflow.log.event_store import JobEventStore
from eventflow.log.keys import Keyspace
from eventflow.settings import Settings
from eventflow.storage import ObjectStore
from handlers.assets.ingest import MediaInspector
from handlers.generation.scene_planner import ScenePlanner
from tests.support.driving import Driver
from tests.support.web_app import PIPELINES, SIGNING, Client, Clock, job_id
from web.app import create_app, routes
from web.deps import WebDeps
from web.openapi.spec import build
from web.server import serving

JOB = "00-" + "7" * 32


@pytest.fixture
def document(settings: Settings) -> dict[str, Any]:
    return build(settings, PIPELINES, ScenePlanner(settings))


def test_it_is_valid_openapi(document: dict[str, Any]) -> None:
    validate(document)


def described(path: str) -> str:
    """A route's path as OpenAPI has it, without the patterns of its parameters."""
    return re.sub(r":[^}]+}", "}", path)


def test_it_describes_every_route_and_no_other(document: dict[str, Any]) -> None:
    told = {
        (method.upper(), path) for path, methods in document["paths"].items() for method in methods if method != "x"
    }
    assert told == {(route.method, described(route.path)) for route in routes()}


async def test_real_answers_fit_their_schemas(client: Client, driver: Driver, document: dict[str, Any]) -> None:
    job, failed = job_id(), job_id()
    await driver.create(job)
    await driver.plan(job, scenes=1)
    await driver.create(failed)
    await driver.fail(failed)
    base = "/api/v1/videos/jobs/{job_id}/"
    cases: list[tuple[str, str, str, Any]] = [
        ("POST", "/api/v1/videos/generate", "", {"script": "x", "passthrough": {"a": 1}}),
        ("POST", "/api/v1/videos/generate", "", {"nope": 1}),
        ("GET", "/api/v1/videos/jobs", "", None),
        ("GET", base + "status", job, None),
        ("GET", base + "status", failed, None),
        ("GET", base + "status", job_id(), None),
        ("GET", base + "events", job, None),
        ("GET", base + "metadata", job, None),
        ("POST", base + "playback-token", job, {"expires_in": 60}),
        ("POST", base + "playback-token", job, {"expires_in": 1}),
        ("GET", base + "stream.m3u8", job, None),
        ("GET", base + "stream", job, None),
        ("POST", base + "cancel", job, None),
        ("POST", "/api/v1/admin/jobs/{job_id}/reprocess", failed, {}),
        ("POST", "/api/v1/admin/jobs/{job_id}/reprocess", failed, {"from": "planning"}),
        ("GET", base + "status", failed, None),
        ("POST", "/api/v1/assets", "", {"url": "https://media.example.org/a.png"}),
        ("GET", "/api/v1/assets/{asset_id}", "", None),
        ("POST", "/api/v1/videos/plan", "", {"script": "# Hi"}),
        ("POST", "/api/v1/videos/plan", "", {"scenes": [{"title": "Hi"}], "voice": None, "captions": "burned"}),
        ("POST", "/api/v1/videos/plan", "", {"scenes": [{"titel": "Hi"}]}),
        ("GET", "/api/v1/pipelines", "", None),
        ("GET", "/api/v1/themes", "", None),
        ("GET", "/api/v1/voices", "", None),
        ("GET", "/healthz", "", None),
        ("GET", "/readyz", "", None),
    ]
    for case in cases:
        await _fits(client, document, *case)
    await driver.publish(failed, {"720p": b"v"}, [b"t"], run=2)
    for what in ("status", "metadata", "events"):
        await _fits(client, document, "GET", base + what, failed, None)
    for _ in range(2):
        await _fits(client, document, "DELETE", base.removesuffix("/"), failed, None)
    for what in ("status", "metadata", "events"):
        await _fits(client, document, "GET", base + what, failed, None)


async def _fits(client: Client, document: dict[str, Any], method: str, path: str, job: str, body: Any) -> None:
    async with client.request(method, path.replace("{job_id}", job), json=body) as answer:
        described = document["paths"][path][method.lower()]["responses"][str(answer.status)]
        schema = described["content"][answer.content_type]["schema"]
        value = await answer.json(content_type=None)
    whole = {**schema, "components": document["components"]}
    jsonschema.Draft202012Validator(whole).validate(value)


class AnyScenes(ScenePlanner):
    """Describes scenes as objects of any kind: `test_planning` makes real ones, much faster."""

    @property
    def scenes_schema(self) -> Mapping[str, Any]:
        return {"type": "array", "items": {"type": "object"}, "minItems": 1, "maxItems": 3}


class Served:
    """The app in a thread with a loop of its own, for a client that blocks."""

    def __init__(self, url: str, settings: Settings, stores: dict[StoreRole, ObjectStore], clock: Clock) -> None:
        self._arguments = (url, settings, stores, clock)
        self._ready = threading.Event()
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self.url = ""

    def __enter__(self) -> Served:
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async for deps in self._deps():
            driver = Driver(deps.log, dict(deps.stores))
            await driver.create(JOB)
            await driver.publish(JOB, {"720p": b"some video"}, [b"a picture"])
            async with serving(create_app(deps), "127.0.0.1", 0) as address:
                self.url = address.url
                self._ready.set()
                await self._stop.wait()

    async def _deps(self) -> AsyncIterator[WebDeps]:
        url, settings, stores, clock = self._arguments
        redis, blocking = connect(url), connect(url, blocking=True)
        keyspace = Keyspace()
        yield WebDeps(
            settings=settings,
            log=JobEventStore(redis, codec=Codec(), keyspace=keyspace, clock=clock),
            redis=redis,
            blocking=blocking,
            stores=stores,
            api_keys=ApiKeys(redis, keyspace.api_keys, clock=clock),
            pipelines=PIPELINES,
            planner=AnyScenes(settings),
            clock=clock,
            random_hex=lambda digits: job_id()[3:].ljust(digits, "0")[:digits],
            signing=SIGNING,
            inspector=MediaInspector(clock=clock),
        )
        await redis.aclose()
        await blocking.aclose()


@pytest.fixture
def served(valkey_url: str, settings: Settings, stores: dict[StoreRole, ObjectStore], clock: Clock) -> Iterator[Served]:
    with Served(valkey_url, settings, stores, clock) as running:
        yield running


def never_a_500(_context: object, response: Any, _case: object) -> None:
    """503 is an honest answer: a version that doesn't come."""
    assert response.status_code in (503, *range(200, 500))


CHECKS = [never_a_500, status_code_conformance, content_type_conformance, response_schema_conformance]
FUZZ = settings(
    max_examples=20,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.chaos
@pytest.mark.timeout(300)  # hundreds of requests, and a loaded machine
def test_a_fuzz_by_the_document_finds_no_answer_that_it_does_not_describe(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.routes.job_access.MIN_VERSION_SECONDS", 0.02)
    schema = schemathesis.openapi.from_url(served.url + "/openapi.json")
    schema.config.base_url = served.url
    asked: set[str] = set()
    for operation in schema.get_all_operations():
        api = operation.ok()
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):

            @FUZZ
            @given(case=api.as_strategy(generation_mode=mode), known=st.booleans())
            def fuzz(case: Any, known: bool) -> None:
                if known and case.path_parameters and "job_id" in case.path_parameters:
                    case.path_parameters["job_id"] = JOB
                asked.add(case.operation.path)
                case.call_and_validate(checks=CHECKS, allow_redirects=False, timeout=15)

            try:
                fuzz()
            except Exception as error:
                if "Unsatisfiable" not in type(error).__name__:
                    raise
    asked.add("/openapi.json")  # read above; schemathesis leaves the document itself out
    assert asked == {described(route.path) for route in routes()}
