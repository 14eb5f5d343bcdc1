"""Dead letters over HTTP: admins list, show, redrive and drop them; nobody else may."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from eventflow.domain.topics import Topic
from eventflow.domain.values import Lane
from eventflow.settings import Settings
from tests.support.driving import Driver
from tests.support.runtime import RawRedis
from tests.support.web_app import Client, job_id
from web.deps import WebDeps
from web.openapi.spec import build

BASE = "/api/v1/admin/parked"


async def _park(deps: WebDeps, payload: bytes, reason: str = "DecodeError: not an event") -> str:
    """What a worker of the generation group leaves."""
    keys = deps.log.keyspace.partition(0)
    fields: dict[Any, Any] = {
        "e": payload,
        "stream": keys.topic(Topic.REQUESTED, Lane.NORMAL),
        "group": "generation",
        "entry": "1-1",
        "count": "1",
        "at": "2026-01-01T00:00:00+00:00",
        "reason": reason,
        "cause": "Traceback (most recent call last):\n",
        "stderr": "",
    }
    redis: RawRedis = deps.redis
    entry: bytes = await redis.xadd(keys.dead_letters, fields)
    return f"00-{entry.decode()}"


async def _request_of(deps: WebDeps, job: str) -> bytes:
    redis: RawRedis = deps.redis
    [(_, fields)] = await redis.xrange(deps.log.keyspace.of_job(job).events(job))
    payload: bytes = fields[b"e"]
    return payload


async def test_a_dead_letter_is_listed_shown_redriven_and_gone(
    client: Client, deps: WebDeps, driver: Driver, settings: Settings
) -> None:
    job = job_id()
    await driver.create(job)
    name = await _park(deps, await _request_of(deps, job))
    odd = await _park(deps, b"\xff{")
    document = build(settings, deps.pipelines)
    listed = await _get(client, document, "", 200)
    assert [e["id"] for e in listed["entries"]] == [odd, name]
    assert listed["next_cursor"] is None
    entry = await _get(client, document, name, 200)
    assert (entry["job_id"], entry["topic"], entry["event_type"]) == (job, "requested", "VideoRequested")
    assert entry["job"] == {"phase": "requested", "version": 1, "finished": False}
    assert entry["input"]["subject"] == job
    undecodable = await _get(client, document, odd, 200)
    assert (undecodable["input"], undecodable["input_text"], undecodable["job"]) == (None, "\\xff{", None)
    assert undecodable["problem"]

    async with client.post(f"{BASE}/{name}/redrive") as answer:
        assert (answer.status, await answer.json()) == (202, {"id": name, "result": "redriven", "job_id": job})
    async with client.post(f"{BASE}/{name}/redrive") as answer:
        assert (answer.status, (await answer.json())["code"]) == (404, "not_parked")
    assert await deps.redis.xlen(deps.log.keyspace.partition(0).retry("generation", Topic.REQUESTED)) == 1
    await _get(client, document, name, 404)


async def test_dropping_a_dead_letter_fails_its_job(client: Client, deps: WebDeps, driver: Driver) -> None:
    job = job_id()
    await driver.create(job)
    name = await _park(deps, await _request_of(deps, job), "IllegalTransition: odd")
    async with client.delete(f"{BASE}/{name}") as answer:
        body = await answer.json()
    assert (answer.status, body["result"], body["job"]["phase"]) == (200, "dropped", "failed")
    async with client.get(f"/api/v1/videos/jobs/{job}/status") as answer:
        error = (await answer.json())["error"]
    assert error["code"] == "parked_dropped"
    assert "IllegalTransition: odd" in error["message"]


async def test_a_dead_lettered_step_shows_in_the_status(client: Client, driver: Driver) -> None:
    from eventflow.domain.commands import DeadLetterStep
    from eventflow.domain.values import Step

    job = job_id()
    await driver.create(job)
    await driver.plan(job, scenes=1)
    record = await driver.run(
        job, DeadLetterStep(step=Step.RENDER_SCENE, scene=0, run=1, reason="IllegalTransition: odd")
    )
    async with client.get(f"/api/v1/videos/jobs/{job}/status?min_version={record.version}") as answer:
        stages = {stage["stage"]: stage["state"] for stage in (await answer.json())["stages"]}
    assert stages["rendering"] == "parked"
    async with client.post(f"/api/v1/videos/jobs/{job}/cancel") as answer:
        assert answer.status == 202
    assert (await driver.run(job)).job.finished


async def test_pages_continue_by_cursor(client: Client, deps: WebDeps) -> None:
    names = [await _park(deps, str(n).encode()) for n in range(5)]
    seen, cursor = list[str](), ""
    for _ in range(3):
        async with client.get(BASE, params={"limit": "2", **({"cursor": cursor} if cursor else {})}) as answer:
            body = await answer.json()
        seen += [entry["id"] for entry in body["entries"]]
        cursor = body["next_cursor"]
    assert (seen, cursor) == (names[::-1], None)


@pytest.mark.parametrize("query", [{"cursor": "x"}, {"cursor": "00-0-0"}, {"limit": "0"}, {"limit": "201"}, {"a": "b"}])
async def test_an_invalid_query_is_refused(client: Client, query: dict[str, str]) -> None:
    async with client.get(BASE, params=query) as answer:
        assert answer.status == 422


async def test_only_admins_get_in(client: Client, deps: WebDeps) -> None:
    name = await _park(deps, b"x")
    _, token = await deps.api_keys.add("alice")
    headers = {"Authorization": f"Bearer {token}"}
    for method, path in (("GET", ""), ("GET", f"/{name}"), ("DELETE", f"/{name}"), ("POST", f"/{name}/redrive")):
        async with client.request(method, BASE + path, headers=headers) as answer:
            assert answer.status == 403
    assert await deps.redis.xlen(deps.log.keyspace.partition(0).dead_letters) == 1


async def _get(client: Client, document: dict[str, Any], name: str, status: int) -> dict[str, Any]:
    """The answer, which fits the API's description."""
    async with client.get(f"{BASE}/{name}".rstrip("/")) as answer:
        body: dict[str, Any] = await answer.json(content_type=None)
        assert answer.status == status
    described = document["paths"][BASE + ("/{parked_id}" if name else "")]["get"]["responses"][str(status)]
    (content,) = described["content"].values()
    jsonschema.Draft202012Validator({**content["schema"], "components": document["components"]}).validate(body)
    return body
