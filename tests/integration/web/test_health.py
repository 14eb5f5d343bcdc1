"""Readiness: the components that it checks, and the faults that make it 503."""

from __future__ import annotations

from pathlib import Path

from eventflow.domain.topics import GROUP_TOPICS
from eventflow.domain.values import StoreRole
from eventflow.log.consumer import GroupMember
from eventflow.log.members import PausedWorkers
from eventflow.storage import LocalStore, ObjectStore
from tests.integration.web.test_projection import until
from tests.support.driving import Driver
from tests.support.web_app import Client, StartClient
from web.deps import WebDeps
from web.readmodel.projection import PROJECTION
from web.routes.health import TopicState, summed


async def test_without_workers_it_is_degraded_and_says_which_groups_lack(client: Client) -> None:
    async with client.get("/readyz") as answer:
        body = await answer.json()
    assert (answer.status, body["status"]) == (200, "degraded")
    requested = body["components"]["groups"]["groups"]["generation"]["requested"]
    assert requested == {"exists": False, "consumers": 0, "pending": 0, "lag": None}
    assert body["components"]["redis"]["status"] == "ok"
    assert body["components"]["storage"]["stores"]["delivery"] == {"status": "ok"}


async def test_with_a_member_in_each_group_it_is_ok(client: Client, deps: WebDeps, driver: Driver) -> None:
    await driver.create("00-" + "1" * 32)
    for group, topics in GROUP_TOPICS.items():
        member = GroupMember(
            blocking=deps.blocking,
            redis=deps.redis,
            keys=deps.log.keyspace.partition(0),
            group=group,
            topics=topics,
            consumer=f"{group}-1",
        )
        await member.ensure()
        for stream in member.streams:
            await deps.redis.xgroup_createconsumer(stream, group, member.consumer)
    projection = client.app[PROJECTION] if hasattr(client, "app") else None
    assert projection is not None
    await until(lambda: projection.following)
    async with client.get("/readyz") as answer:
        body = await answer.json()
    assert (answer.status, body["status"]) == (200, "ok"), body
    assert body["components"]["groups"]["groups"]["generation"]["requested"]["lag"] == 1


async def test_a_paused_worker_shows_with_its_reason(client: Client, deps: WebDeps) -> None:
    paused = PausedWorkers(deps.redis, deps.log.keyspace, clock=deps.clock)
    await paused.note("host-1", "generation", "3 MB are free")
    async with client.get("/readyz") as answer:
        groups = (await answer.json())["components"]["groups"]
    assert groups["paused"] == [{"consumer": "host-1", "group": "generation", "reason": "3 MB are free"}]
    assert groups["status"] == "degraded"


async def test_no_store_that_viewers_reach_is_a_503(
    start: StartClient, stores: dict[StoreRole, ObjectStore], tmp_path: Path, deps: WebDeps
) -> None:
    (tmp_path / "file").write_text("not a folder")
    broken = LocalStore(tmp_path / "file" / "x", now=deps.clock)
    async with (await start(stores={**stores, "delivery": broken})).get("/readyz") as answer:
        assert (answer.status, (await answer.json())["status"]) == (200, "degraded")
    async with (await start(stores={"delivery": broken, "fallback": broken})).get("/readyz") as answer:
        body = await answer.json()
        assert (answer.status, body["status"]) == (503, "unavailable")
        assert body["components"]["storage"]["stores"]["delivery"]["detail"]


def test_streams_are_summed_and_an_unknown_lag_stays_unknown() -> None:
    row = {"name": b"g", "pending": 2, "lag": 3}
    gone = RuntimeError("no such key")
    alive, dead = {"name": b"a", "idle": 10}, {"name": b"b", "idle": 10**6}
    assert summed("g", [[row], [row]], [[alive, dead], [alive]]) == TopicState(
        exists=True, consumers=1, pending=4, lag=6
    )
    assert summed("g", [[row], gone], [[alive], gone]) == TopicState(exists=False, consumers=1, pending=2, lag=3)
    assert summed("g", [[{**row, "lag": None}], [row]], [[], []]) == TopicState(
        exists=True, consumers=0, pending=4, lag=None
    )
