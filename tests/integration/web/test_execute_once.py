"""A cancel or reprocess that is repeated after a lost answer gets the first answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from yarl import URL

from eventflow.domain import commands as cmd
from eventflow.log.connection import connect
from eventflow.log.event_store import JobEventStore
from ops.chaos.proxy import proxy_of
from tests.support.driving import Driver
from tests.support.web_app import Client, StartClient, job_id
from web.deps import WebDeps

CANCEL = "/api/v1/videos/jobs/{}/cancel"
REPROCESS = "/api/v1/admin/jobs/{}/reprocess"


async def post(client: Client, url: str, body: Any = None, **headers: str) -> tuple[int, dict[str, Any], bool]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with client.post(url, json=body, headers=sent) as answer:
        return answer.status, await answer.json(content_type=None), "Idempotency-Replayed" in answer.headers


async def types(deps: WebDeps, job: str) -> list[str]:
    return [envelope.type for envelope in await deps.log.history(job)]


@pytest.mark.parametrize("header", ["X_Request_Id", "Idempotency_Key"])
async def test_a_repeated_cancel_is_accepted_again(client: Client, driver: Driver, deps: WebDeps, header: str) -> None:
    job, url = job_id(), CANCEL
    await driver.create(job)  # nobody has begun it: it is cancelled at once
    status, first, replayed = await post(client, url.format(job), **{header: "mine"})
    assert (status, replayed) == (202, False)
    status, again, replayed = await post(client, url.format(job), **{header: "mine"})
    assert (status, replayed) == (202, True)
    assert again == first
    assert await types(deps, job) == ["VideoRequested", "CancellationRequested", "JobCancelled"]
    status, body, _ = await post(client, url.format(job), **{header: "another"})
    assert (status, body["code"]) == (409, "already_finished")


async def test_a_cancel_repeated_after_the_end_of_the_job(client: Client, driver: Driver) -> None:
    job = job_id()
    await driver.create(job)
    await driver.plan(job)
    _, first, _ = await post(client, CANCEL.format(job), X_Request_Id="mine")
    await driver.run(job, cmd.ConfirmCancellation())
    status, again, _ = await post(client, CANCEL.format(job), X_Request_Id="mine")
    assert (status, again) == (202, first)


@pytest.mark.parametrize("owner", ["local", "alice"])
async def test_a_reprocess_is_executed_once_per_key(client: Client, driver: Driver, deps: WebDeps, owner: str) -> None:
    job = job_id()
    await driver.create(job, owner)
    await driver.fail(job)
    url = REPROCESS.format(job)
    answers = await asyncio.gather(*(post(client, url, {}, Idempotency_Key="k") for _ in range(5)))
    assert [status for status, _, _ in answers] == [202] * 5
    assert len({body["version"] for _, body, _ in answers}) == 1
    assert sum(not replayed for _, _, replayed in answers) == 1
    await driver.run(job, cmd.RequestCancellation("no"))  # the job has ended once more
    assert (await post(client, url, {}, Idempotency_Key="k"))[1:] == (answers[0][1], True)
    assert (await types(deps, job)).count("ReprocessRequested") == 1
    status, _, replayed = await post(client, url, {}, Idempotency_Key="k2")
    assert (status, replayed) == (202, False)
    assert (await types(deps, job)).count("ReprocessRequested") == 2
    status, refused, _ = await post(client, url, {})
    assert (status, refused["code"]) == (409, "not_finished")


async def test_a_constant_request_id_does_not_suppress_commands(client: Client, driver: Driver, deps: WebDeps) -> None:
    job = job_id()
    await driver.create(job)
    for _ in range(2):
        await driver.run(job, cmd.RequestCancellation("no"))
        status, _, replayed = await post(client, REPROCESS.format(job), {}, X_Request_Id="constant")
        assert (status, replayed) == (202, False)
    assert (await types(deps, job)).count("ReprocessRequested") == 2


async def test_a_malformed_key_is_named(client: Client, driver: Driver) -> None:
    job = job_id()
    await driver.create(job)
    status, body, _ = await post(client, CANCEL.format(job), Idempotency_Key='"open')
    assert (status, body["code"]) == (400, "bad_idempotency_key")


@pytest.mark.parametrize("url", [CANCEL, REPROCESS])
async def test_a_lost_answer_of_the_log_is_no_409(
    start: StartClient, driver: Driver, deps: WebDeps, valkey_url: str, url: str
) -> None:
    """The log's client repeats the commit; the version has moved, and the decision that is taken again is a refusal."""
    job = job_id()
    await driver.create(job)
    if url is REPROCESS:
        await driver.fail(job)
    async with proxy_of(URL(valkey_url).port or 0) as proxy:
        redis = connect(f"redis://127.0.0.1:{proxy.port}/0")
        log = JobEventStore(redis, codec=deps.log.codec, keyspace=deps.log.keyspace, clock=deps.clock)
        client = await start(log=log, redis=redis)
        proxy.lose(b"Requested")
        status, body, _ = await post(client, url.format(job))
        assert proxy.lost == 1
        await redis.aclose()
    assert status == 202, body
    expected = "ReprocessRequested" if url is REPROCESS else "CancellationRequested"
    assert (await types(deps, job)).count(expected) == 1
