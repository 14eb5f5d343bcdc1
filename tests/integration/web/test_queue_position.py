"""The queue position of a waiting job: in the answer to its POST and in its status."""

from __future__ import annotations

from typing import Any

import pytest

from eventflow.log.codec import Codec
from eventflow.log.event_store import JobEventStore
from tests.support.driving import Driver
from tests.support.web_app import Client, StartClient
from web.deps import WebDeps

GENERATE = "/api/v1/videos/generate"


@pytest.fixture
def narrow(deps: WebDeps) -> JobEventStore:
    """One job in progress at a time."""
    return JobEventStore(deps.redis, codec=Codec(), keyspace=deps.log.keyspace, clock=deps.clock, most_in_progress=1)


async def post(client: Client, **fields: Any) -> dict[str, Any]:
    async with client.post(GENERATE, json={"script": "# Hi", **fields}) as answer:
        assert answer.status == 202
        body: dict[str, Any] = await answer.json()
        return body


async def place(client: Client, job: dict[str, Any]) -> tuple[int | None, str]:
    async with client.get(f"/api/v1/videos/jobs/{job['job_id']}/status") as answer:
        body = await answer.json()
        assert answer.headers["ETag"]
        return body["queue_position"], body["status"]


async def test_a_waiting_job_has_its_queue_position(start: StartClient, narrow: JobEventStore, driver: Driver) -> None:
    client = await start(log=narrow)
    first, second, third = [await post(client) for _ in range(3)]
    assert [job["queue_position"] for job in (first, second, third)] == [None, 1, 2]
    urgent = await post(client, priority="high")
    assert urgent["queue_position"] == 1
    assert [await place(client, job) for job in (first, second, third, urgent)] == [
        (None, "queued"),
        (2, "queued"),
        (3, "queued"),
        (1, "queued"),
    ]
    async with client.post(f"/api/v1/videos/jobs/{first['job_id']}/cancel") as answer:
        assert answer.status == 202
    assert [await place(client, job) for job in (urgent, second, third)] == [
        (None, "queued"),
        (1, "queued"),
        (2, "queued"),
    ]


async def test_the_etag_changes_with_the_queue_position(start: StartClient, narrow: JobEventStore) -> None:
    client = await start(log=narrow)
    first, waiting = await post(client), await post(client)
    url = f"/api/v1/videos/jobs/{waiting['job_id']}/status"
    async with client.get(url) as answer:
        etag = answer.headers["ETag"]
    async with client.get(url, headers={"If-None-Match": etag}) as answer:
        assert answer.status == 304
    async with client.post(f"/api/v1/videos/jobs/{first['job_id']}/cancel"):
        pass
    async with client.get(url, headers={"If-None-Match": etag}) as answer:
        assert (answer.status, (await answer.json())["queue_position"]) == (200, None)


async def test_an_unknown_priority_is_named(start: StartClient) -> None:
    client = await start()
    async with client.post(GENERATE, json={"script": "# Hi", "priority": "urgent"}) as answer:
        body = await answer.json(content_type=None)
    assert (answer.status, body["errors"][0]["pointer"]) == (422, "/priority")
    assert "high, normal" in body["errors"][0]["reason"]
