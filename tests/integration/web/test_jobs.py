"""Requesting a video, and following its job."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from attrs import evolve
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from eventflow.domain import commands as cmd
from eventflow.domain.progress import progress_field
from eventflow.domain.values import Step
from eventflow.settings import Settings
from eventflow.telemetry.tracing import Tracing
from tests.support.driving import Driver
from tests.support.web_app import Client, StartClient, job_id
from web.deps import WebDeps

GENERATE = "/api/v1/videos/generate"


async def post(client: Client, body: Any, **more: Any) -> tuple[int, dict[str, Any]]:
    async with client.post(GENERATE, json=body, **more) as answer:
        return answer.status, await answer.json(content_type=None)


async def get(client: Client, url: str) -> dict[str, Any]:
    async with client.get(url) as answer:
        assert answer.status == 200, await answer.text()
        return dict(await answer.json())


async def wait_for(probe: Callable[[], Awaitable[Any]], seconds: float = 30.0) -> Any:
    """The probe's first true answer."""
    async with asyncio.timeout(seconds):
        while not (found := await probe()):
            await asyncio.sleep(0.01)
        return found


def status_url(job: str) -> str:
    return f"/api/v1/videos/jobs/{job}/status"


async def test_a_job_is_accepted_and_its_status_is_right_at_once_in_every_process(start: StartClient) -> None:
    first, second = await start(), await start()
    async with first.post(GENERATE, json={"script": "# Hi", "passthrough": {"me": [1, "ü"]}}) as answer:
        assert answer.status == 202
        body = await answer.json()
        assert answer.headers["Location"] == body["status_url"]
    assert body["version"] == 1
    assert body["status"] == "queued"
    for client in (second, first):
        status = await get(client, body["status_url"])
        assert status["job_id"] == body["job_id"]
        assert (status["status"], status["progress"], status["stage"]) == ("queued", 0.0, None)
        assert status["passthrough"] == {"me": [1, "ü"]}
        assert status["created_at"].endswith("Z")


async def test_the_request_reaches_the_log_with_defaults_and_trace(client: Client, deps: WebDeps) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    given = f"00-{'c' * 32}-{'d' * 16}-01"
    _, body = await post(client, {"script": "x"}, headers={"traceparent": given, "X-Request-Id": "mine-1"})
    envelope = (await deps.log.history(body["job_id"]))[0]
    assert envelope.traceparent == given
    assert envelope.correlation_id == "mine-1"
    assert envelope.owner == "local"


async def test_a_recorded_span_is_the_parent_of_the_event(start: StartClient, deps: WebDeps) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    client = await start(tracing=Tracing(provider))
    given = f"00-{'c' * 32}-{'d' * 16}-01"
    _, body = await post(client, {"script": "x"}, headers={"traceparent": given})
    (span,) = exporter.get_finished_spans()
    assert span.context is not None
    assert span.context.trace_id == int("c" * 32, 16)
    assert span.parent is not None
    assert span.parent.span_id == int("d" * 16, 16)
    envelope = (await deps.log.history(body["job_id"]))[0]
    assert envelope.traceparent.split("-")[2] == f"{span.context.span_id:016x}"


async def test_a_durable_acknowledgement_needs_the_append_only_file(
    start: StartClient, settings: Settings, deps: WebDeps
) -> None:
    client = await start(settings=evolve(settings, durable_ack="always"))
    status, body = await post(client, {"script": "x"})
    assert (status, body["code"]) == (503, "not_durable")
    assert "appendonly" in body["detail"]  # the server's own words
    assert body["job_id"]
    await deps.redis.config_set("appendonly", "yes")
    try:
        status, body = await post(client, {"script": "x"})
        assert status == 202, body
    finally:
        await deps.redis.config_set("appendonly", "no")


async def test_status_follows_the_log_without_being_asked_to_reload(client: Client, driver: Driver) -> None:
    job = job_id()
    await driver.create(job)
    assert (await get(client, status_url(job)))["version"] == 1
    record = await driver.plan(job, scenes=2)

    async def current() -> dict[str, Any] | None:
        status = await get(client, status_url(job))
        return status if status["version"] == record.version else None

    status = await wait_for(current)
    assert status["status"] == "processing"
    assert status["stage"] == "rendering"
    assert status["scenes"] == {"total": 2, "rendered": 0, "uploaded": 0, "skipped": 0}
    assert status["title"] == "A talk"
    planning = next(stage for stage in status["stages"] if stage["stage"] == "planning")
    assert planning["state"] == "completed"
    assert planning["attempt"] == 1


async def test_min_version_waits_for_an_event_that_comes_later(client: Client, driver: Driver) -> None:
    job = job_id()
    await driver.create(job)
    waiting = asyncio.create_task(get(client, status_url(job) + "?min_version=5"))
    await get(client, status_url(job))
    record = await driver.plan(job, scenes=2)
    status = await asyncio.wait_for(waiting, 30)
    assert status["version"] >= min(5, record.version)


async def test_a_version_that_does_not_come_is_a_503(client: Client, driver: Driver, monkeypatch: Any) -> None:
    monkeypatch.setattr("web.routes.job_access.MIN_VERSION_SECONDS", 0.05)
    job = job_id()
    await driver.create(job)
    async with client.get(status_url(job) + "?min_version=9") as answer:
        body = await answer.json(content_type=None)
        assert answer.status == 503
        assert answer.headers["Retry-After"]
        assert (body["code"], body["version"]) == ("version_pending", 1)


async def test_live_progress_shows_and_never_falls(client: Client, driver: Driver, deps: WebDeps) -> None:
    job = job_id()
    await driver.create(job)
    await driver.plan(job, scenes=2)
    keys = deps.log.keyspace.of_job(job)
    name = progress_field(Step.RENDER_SCENE, 0, 1)
    await deps.redis.hset(keys.live(job), name, "0.5")
    before = await get(client, status_url(job))
    assert before["progress"] == pytest.approx(10 + 65 / 4, abs=0.1)
    await deps.redis.xadd(keys.progress, {"j": job, "f": name, "p": "0.8"})

    async def more() -> bool:
        return bool((await get(client, status_url(job)))["progress"] > before["progress"])

    await wait_for(more)
    shown = (await get(client, status_url(job)))["progress"]
    await driver.run(job, cmd.RequestCancellation("enough"), cmd.ConfirmCancellation())

    async def cancelled() -> Any:
        status = await get(client, status_url(job))
        return status if status["status"] == "cancelled" else None

    assert (await wait_for(cancelled))["progress"] >= shown


async def test_a_status_that_has_not_changed_is_a_304(client: Client, driver: Driver) -> None:
    job = job_id()
    await driver.create(job)
    async with client.get(status_url(job)) as answer:
        etag = answer.headers["ETag"]
    async with client.get(status_url(job), headers={"If-None-Match": etag}) as answer:
        assert answer.status == 304
        assert await answer.read() == b""
    await driver.plan(job)
    async with client.get(status_url(job) + "?min_version=2", headers={"If-None-Match": etag}) as answer:
        assert answer.status == 200
        assert answer.headers["ETag"] != etag


async def test_the_history_is_gapless_and_paged(client: Client, driver: Driver) -> None:
    job = job_id()
    await driver.create(job)
    record = await driver.plan(job, scenes=3)
    url = f"/api/v1/videos/jobs/{job}/events"
    everything = await get(client, url)
    assert [event["seq"] for event in everything["events"]] == list(range(1, record.version + 1))
    assert everything["next_after"] is None
    assert everything["events"][0]["type"] == "VideoRequested"
    page = await get(client, url + "?after=1&limit=2")
    assert [event["seq"] for event in page["events"]] == [2, 3]
    assert page["next_after"] == 3
    async with client.get(url, headers={"Accept": "text/event-stream"}) as answer:
        assert (answer.status, (await answer.json(content_type=None))["code"]) == (422, "not_available")


async def test_cancel_is_accepted_once_more_and_refused_after_the_end(client: Client, driver: Driver) -> None:
    job = job_id()
    await driver.create(job)
    await driver.plan(job)
    url = f"/api/v1/videos/jobs/{job}/cancel"
    for _ in range(2):
        async with client.post(url) as answer:
            body = await answer.json()
            assert (answer.status, body["result"]) == (202, "cancellation_requested")
    await driver.run(job, cmd.ConfirmCancellation())
    status = await get(client, f"{body['status_url']}?min_version={body['version'] + 1}")
    assert status["status"] == "cancelled"
    async with client.post(url) as answer:
        assert (answer.status, (await answer.json(content_type=None))["code"]) == (409, "already_finished")


async def test_a_failed_job_says_why_and_can_be_reprocessed(client: Client, driver: Driver) -> None:
    job = job_id()
    await driver.create(job)
    url = f"/api/v1/admin/jobs/{job}/reprocess"
    async with client.post(url, json={}) as answer:
        assert (answer.status, (await answer.json(content_type=None))["code"]) == (409, "not_finished")
    record = await driver.fail(job, "typst is missing")
    status = await get(client, f"{status_url(job)}?min_version={record.version}")
    assert status["status"] == "failed"
    assert status["error"] == {
        "category": "initialization",
        "code": "missing_dependency",
        "message": "typst is missing",
        "stage": "planning",
        "scene": None,
        "attempts": 1,
    }
    async with client.post(url, json={"from": "rendering"}) as answer:
        problem = await answer.json(content_type=None)
        assert answer.status == 422
        assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [("/from", "not_possible")]
        assert "reprocess it from planning" in problem["errors"][0]["reason"]
    async with client.post(url, json={"from": "planning"}) as answer:
        body = await answer.json()
        assert (answer.status, body["result"]) == (202, "reprocess_requested")
    status = await get(client, f"{status_url(job)}?min_version={body['version']}")
    assert (status["status"], status["run"], status["error"]) == ("queued", 2, None)


async def test_a_published_job_is_done_again_from_a_stage(client: Client, driver: Driver) -> None:
    job = job_id()
    await driver.create(job)
    await driver.plan(job)
    await driver.render(job, 0, 1)
    await driver.upload(job, 0, 1)
    record = await driver.publish(job, {"720p": b"video"})
    url = f"/api/v1/admin/jobs/{job}/reprocess"
    for wrong, pointer in [
        ({"from": "rendering", "scenes": [0, 7]}, "/scenes"),
        ({"from": "metadata", "scenes": [0]}, "/scenes"),
        ({"from": "cooking"}, "/from"),
        ({"from": "upload", "scene": 1}, "/scene"),
    ]:
        async with client.post(url, json=wrong) as answer:
            problem = await answer.json(content_type=None)
            assert (answer.status, [error["pointer"] for error in problem["errors"]]) == (422, [pointer])
    async with client.post(url, json={"from": "rendering", "scenes": [1]}) as answer:
        body = await answer.json()
        assert (answer.status, body["version"]) == (202, record.version + 3)  # scene 0 can be watched anew
    status = await get(client, f"{status_url(job)}?min_version={body['version']}")
    assert (status["status"], status["stage"], status["run"], status["playable"]) == (
        "processing",
        "rendering",
        2,
        True,
    )
    assert status["scenes"] == {"total": 2, "rendered": 1, "uploaded": 1, "skipped": 0}
    assert [stage["state"] for stage in status["stages"]] == ["completed", "active", "pending", "pending", "pending"]
    async with client.get(f"/api/v1/videos/jobs/{job}/download?proxy=true") as answer:
        assert await answer.read() == b"video"
    async with client.post(url, json={"from": "rendering", "scenes": [1]}) as answer:
        assert (answer.status, (await answer.json(content_type=None))["code"]) == (409, "not_finished")
