"""The queue's limit: 429 while too many jobs wait, with an honest Retry-After."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from attrs import evolve

from eventflow.domain.topics import Topic
from eventflow.domain.values import Lane
from eventflow.log.codec import Codec
from eventflow.log.consumer import GroupMember
from eventflow.log.event_store import JobEventStore
from eventflow.log.queue_position import count_queue
from eventflow.settings import Settings
from tests.support.runtime import RawRedis
from tests.support.web_app import Client, StartClient
from web.deps import WebDeps
from web.http.errors import Problem
from web.readmodel.queue import RETRY_AFTER_UNKNOWN, Backpressure

GENERATE = "/api/v1/videos/generate"


async def post(client: Client, key: str | None = None, script: str = "# Hi") -> tuple[int, dict[str, Any], Any]:
    headers = {} if key is None else {"Idempotency-Key": key}
    async with client.post(GENERATE, json={"script": script}, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None), answer.headers


async def member(deps: WebDeps) -> GroupMember:
    found = GroupMember(
        blocking=deps.blocking,
        redis=deps.redis,
        keys=deps.log.keyspace.partition(0),
        group="generation",
        topics=(Topic.REQUESTED,),
        consumer="w",
    )
    await found.ensure()
    return found


async def test_a_full_queue_is_a_429_until_a_job_is_begun(
    start: StartClient, settings: Settings, deps: WebDeps
) -> None:
    client = await start(settings=evolve(settings, queue_limit=2))
    assert [(await post(client))[0] for _ in range(2)] == [202, 202]  # no worker has ever been here
    status, body, headers = await post(client)
    assert (status, body["code"]) == (429, "queue_full")
    assert "at most 2" in body["detail"]
    assert headers["Retry-After"] == str(RETRY_AFTER_UNKNOWN)
    worker = await member(deps)
    assert (await post(client))[0] == 429
    assert len(await worker.read(1)) == 1
    assert (await post(client))[0] == 202
    assert (await post(client))[0] == 429


async def test_jobs_that_wait_for_admission_are_in_the_queue(
    start: StartClient, settings: Settings, deps: WebDeps
) -> None:
    log = JobEventStore(deps.redis, codec=Codec(), keyspace=deps.log.keyspace, clock=deps.clock, most_in_progress=1)
    client = await start(settings=evolve(settings, queue_limit=2), log=log)
    worker = await member(deps)
    assert (await post(client))[0] == 202
    assert len(await worker.read(1)) == 1
    assert [(await post(client))[0] for _ in range(3)] == [202, 202, 429]
    assert (await count_queue(deps.redis, log.keyspace)).waiting == 2


async def test_a_replay_is_never_refused_and_a_refusal_takes_no_key(
    start: StartClient, settings: Settings, deps: WebDeps
) -> None:
    client = await start(settings=evolve(settings, queue_limit=1))
    _, first, _ = await post(client, "known")
    assert (await post(client, "new"))[0] == 429
    status, again, headers = await post(client, "known")
    assert (status, again, headers["Idempotency-Replayed"]) == (202, first, "true")
    assert (await post(client, "known", "# Other"))[0] == 409
    assert await (await member(deps)).read(1)
    status, body, headers = await post(client, "new")
    assert status == 202
    assert "Idempotency-Replayed" not in headers
    assert body["job_id"] != first["job_id"]


async def test_waiting_jobs_are_counted_over_partitions(deps: WebDeps) -> None:
    keyspace = evolve(deps.log.keyspace, partitions=3)
    assert (await count_queue(deps.redis, keyspace)).waiting == 0
    for number, keys in enumerate(keyspace.all):
        for _ in range(number + 1):
            await deps.redis.xadd(keys.topic(Topic.REQUESTED, Lane.NORMAL), {"e": "x"})
    assert (await count_queue(deps.redis, keyspace)).waiting == 6


async def test_an_unknown_count_refuses_no_job(start: StartClient, settings: Settings, deps: WebDeps) -> None:
    client = await start(settings=evolve(settings, queue_limit=1))
    worker = await member(deps)
    stream = deps.log.keyspace.partition(0).topic(Topic.REQUESTED, Lane.NORMAL)
    for _ in range(3):
        await deps.redis.xadd(stream, {"e": "x"})
    rows: Any = await deps.redis.xrange(stream)
    await deps.redis.xdel(stream, rows[1][0])  # in the middle of what isn't read: the lag is null from here on
    assert worker.streams
    assert (await count_queue(deps.redis, deps.log.keyspace)).waiting is None
    assert (await post(client))[0] == 202


@pytest.mark.parametrize(
    ("seconds", "begun", "excess", "told"),
    [(10.0, 20, 5, 3), (10.0, 20, 1, 1), (10.0, 1, 1000, 300), (30.0, 0, 1, 300)],
)
async def test_retry_after_goes_by_the_pace_of_late(
    deps: WebDeps, seconds: float, begun: int, excess: int, told: int
) -> None:
    now = [100.0]
    limit = 3
    gauge = Backpressure(redis=deps.redis, keyspace=deps.log.keyspace, limit=limit, monotonic=lambda: now[0])
    stream = deps.log.keyspace.partition(0).topic(Topic.REQUESTED, Lane.NORMAL)
    worker = await member(deps)
    await _fill(deps.redis, stream, begun + limit + excess - 1)
    assert await _refusal(gauge) is not None
    for _ in range(begun):
        await worker.read(1)
    now[0] += seconds
    refused = await _refusal(gauge)
    assert refused is not None
    assert refused.headers["Retry-After"] == str(told)


async def _refusal(gauge: Backpressure) -> Problem | None:
    queue = await gauge.count()
    assert queue is not None
    return gauge.refusal(queue.waiting)


async def _fill(redis: RawRedis, stream: str, count: int) -> None:
    async with redis.pipeline(transaction=False) as pipe:
        for _ in range(count):
            pipe.xadd(stream, {"e": "x"})
        await pipe.execute()


@pytest.mark.parametrize("keyed", [False, True])
async def test_burst_over_several_processes_does_not_pass_the_limit(
    start: StartClient, settings: Settings, deps: WebDeps, keyed: bool
) -> None:
    """All of them look before anybody writes: the script that writes a job counts once more."""
    limit, asked = 5, 40
    clients = [await start(settings=evolve(settings, queue_limit=limit)) for _ in range(4)]
    keys = [f"key-{number}" if keyed else None for number in range(asked)]
    answers = await asyncio.gather(*(post(clients[number % 4], key) for number, key in enumerate(keys)))
    assert Counter(status for status, _, _ in answers) == {202: limit, 429: asked - limit}
    assert all(
        body["code"] == "queue_full" and headers["Retry-After"] for status, body, headers in answers if status == 429
    )
    assert (await count_queue(deps.redis, deps.log.keyspace)).waiting == limit
    for number, (status, body, _) in enumerate(answers):  # what was let in is never refused
        if keyed and status == 202:
            assert (await post(clients[0], keys[number]))[:2] == (202, body)
    if not keyed:  # nothing is left of the others
        page = await deps.log.job_lists.read(None, None, asked)
        assert {entry.job_id for entry in page.entries} == {
            body["job_id"] for status, body, _ in answers if status == 202
        }
    assert len(await (await member(deps)).read(limit)) == limit
    refused = next(number for number, (status, _, _) in enumerate(answers) if status == 429)
    status, body, _ = await post(clients[1], keys[refused])
    assert status == 202
    assert await deps.log.load(body["job_id"]) is not None


async def test_limit_goes_over_all_partitions(start: StartClient, settings: Settings, deps: WebDeps) -> None:
    """Those that wait elsewhere leave less room in a job's own partition."""
    keyspace = evolve(deps.log.keyspace, partitions=3)
    log = JobEventStore(deps.redis, codec=Codec(), keyspace=keyspace, clock=deps.clock)
    client = await start(settings=evolve(settings, queue_limit=12, partitions=3), log=log)
    answers = [await post(client) for _ in range(20)]
    assert [status for status, _, _ in answers] == [202] * 12 + [429] * 8
    assert (await count_queue(deps.redis, keyspace)).waiting == 12
    assert len({body["job_id"][:2] for _, body, _ in answers[:12]}) > 1
