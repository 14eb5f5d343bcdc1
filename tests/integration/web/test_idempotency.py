"""Idempotency keys: one job per key, and a clear refusal of other requests under the same key."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from attrs import evolve

from eventflow.domain.values import VideoRequest
from eventflow.requests.limits import RequestLimits
from eventflow.requests.video_request import RequestReader
from eventflow.settings import Settings
from tests.support.driving import Driver
from tests.support.web_app import PIPELINES, Client, StartClient
from web.deps import WebDeps
from web.requests.http_input import digest_of

GENERATE = "/api/v1/videos/generate"
BODY = {"script": "# Hi", "quality_levels": ["720p"], "passthrough": {"a": 1, "b": [2]}}


async def post(client: Client, key: str | None, body: Any = None, **headers: str) -> tuple[int, dict[str, Any], Any]:
    sent = headers if key is None else {"Idempotency-Key": key, **headers}
    async with client.post(GENERATE, json=body or BODY, headers=sent) as answer:
        return answer.status, await answer.json(content_type=None), answer.headers


async def jobs_in(deps: WebDeps) -> int:
    return len([key async for key in deps.redis.scan_iter("ef:*:events", count=1000)])


async def test_a_repeat_gets_the_first_answer_again(start: StartClient, driver: Driver, deps: WebDeps) -> None:
    first, second = await start(), await start()
    status, body, headers = await post(first, "order-1")
    assert status == 202
    assert "Idempotency-Replayed" not in headers
    await driver.plan(body["job_id"])  # the job goes on; the answer stays
    for client in (second, first):
        again = await post(client, "order-1")
        assert again[:2] == (202, body)
        assert again[2]["Idempotency-Replayed"] == "true"
        assert again[2]["Location"] == body["status_url"]
    assert await jobs_in(deps) == 1


async def test_many_at_once_at_two_processes_make_one_job(start: StartClient, deps: WebDeps) -> None:
    clients = [await start(), await start()]
    answers = await asyncio.gather(*(post(clients[n % 2], "same") for n in range(40)))
    assert {status for status, _, _ in answers} == {202}
    assert len({body["job_id"] for _, body, _ in answers}) == 1
    assert sum("Idempotency-Replayed" not in headers for _, _, headers in answers) == 1
    assert await jobs_in(deps) == 1
    assert await deps.redis.xlen(deps.log.keyspace.partition(0).feed) == 1


async def test_another_body_under_the_key_is_a_409(client: Client, deps: WebDeps) -> None:
    await post(client, "k")
    status, body, _ = await post(client, "k", {"script": "# Other"})
    assert (status, body["code"]) == (409, "idempotency_key_reused")
    assert body["errors"][0]["pointer"] == "Idempotency-Key"
    assert await jobs_in(deps) == 1


async def test_the_same_request_told_otherwise_is_the_same(client: Client, deps: WebDeps) -> None:
    _, body, _ = await post(client, "k")
    told = {"passthrough": {"b": [2], "a": 1}, "retry_attempts": 3, "quality_levels": ["720p"], "script": "# Hi"}
    status, again, _ = await post(client, '"k"', told)  # quoted as the draft has it
    assert (status, again["job_id"]) == (202, body["job_id"])


async def test_a_refused_request_leaves_the_key_free(client: Client) -> None:
    assert (await post(client, "k", {"script": 7}))[0] == 422
    status, _, headers = await post(client, "k")
    assert status == 202
    assert "Idempotency-Replayed" not in headers


async def test_keys_of_different_owners_do_not_meet(client: Client, deps: WebDeps) -> None:
    found = []
    tokens = [(await deps.api_keys.add(owner))[1] for owner in ("alice", "bob")]
    for token in tokens:
        status, body, headers = await post(client, "k", Authorization=f"Bearer {token}")
        assert (status, "Idempotency-Replayed" in headers) == (202, False)
        found.append(body["job_id"])
    assert len(set(found)) == 2
    names = [key async for key in deps.redis.scan_iter("*idem*")]
    assert len(names) == 2
    assert not any(name.endswith(b":k") for name in names)


async def test_an_expired_key_is_new(start: StartClient, settings: Settings, deps: WebDeps) -> None:
    client = await start(settings=evolve(settings, idempotency_seconds=100))
    _, first, _ = await post(client, "k")
    (name,) = [key async for key in deps.redis.scan_iter("*idem*")]
    assert 0 < await deps.redis.ttl(name) <= 100
    await deps.redis.pexpire(name, 1)
    async with asyncio.timeout(30):
        while await deps.redis.exists(name):
            await asyncio.sleep(0.005)
    status, second, _ = await post(client, "k")
    assert status == 202
    assert second["job_id"] != first["job_id"]


@pytest.mark.parametrize("key", ["k" * 256, '"open', '"a"b"', '""', "ä", '"' + "k" * 256 + '"', '"a\\n"', "a\tb"])
async def test_a_malformed_key_is_named(client: Client, deps: WebDeps, key: str) -> None:
    status, body, _ = await post(client, key)
    assert (status, body["code"]) == (400, "bad_idempotency_key")
    assert body["errors"][0]["pointer"] == "Idempotency-Key"
    assert await jobs_in(deps) == 0


async def test_two_keys_are_refused(client: Client) -> None:
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    async with client.post(GENERATE, json=BODY, headers=headers) as answer:
        assert answer.status == 400


@pytest.mark.parametrize("key", ["k" * 255, "a b", '"a \\"b\\" \\\\"', "8e03978e-40d5-43dd-bc93-6894a57f9324", "'"])
async def test_accepted_and_refused_keys(client: Client, key: str) -> None:
    assert (await post(client, key))[0] == 202
    assert (await post(client, key))[2]["Idempotency-Replayed"] == "true"


async def test_a_replay_waits_for_its_sync_too(start: StartClient, settings: Settings, deps: WebDeps) -> None:
    client = await start(settings=evolve(settings, durable_ack="always"))
    status, body, _ = await post(client, "k")
    assert (status, body["code"]) == (503, "not_durable")  # the server has no append-only file
    assert (await post(client, "k"))[0] == 503
    await deps.redis.config_set("appendonly", "yes")
    try:
        status, again, _ = await post(client, "k")
        assert (status, again["job_id"]) == (202, body["job_id"])
    finally:
        await deps.redis.config_set("appendonly", "no")
    assert await jobs_in(deps) == 1


def test_defaults_leave_no_trace_in_the_digest() -> None:
    read = RequestReader(RequestLimits(pipelines=PIPELINES, default_pipeline="explainer")).read
    short = read({"script": "x"})
    long = read({"script": "x", "pipeline": "explainer", "voice": {"rate": 1}, "retry_attempts": 3})
    assert digest_of(short) == digest_of(long) == digest_of(VideoRequest(script="x"))
    assert digest_of(short) != digest_of(read({"script": "x", "voice": {"rate": 1.5}}))
    assert digest_of(short) != digest_of(read({"script": "x", "passthrough": {}}))
