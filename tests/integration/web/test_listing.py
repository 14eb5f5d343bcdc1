"""The list of jobs: complete, without repeats, the owner's own, and stable while new jobs arrive."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest
from attrs import evolve

from eventflow.domain import commands as cmd
from eventflow.domain.job_ids import new_job_id, partition_of
from eventflow.log.codec import Codec
from eventflow.log.event_store import JobEventStore
from eventflow.log.job_lists import Cursor
from eventflow.log.rebuild_job_lists import rebuild_job_lists
from eventflow.settings import Settings
from tests.support.driving import Driver
from tests.support.web_app import Client, StartClient
from web.deps import WebDeps

JOBS = "/api/v1/videos/jobs"
GENERATE = "/api/v1/videos/generate"
PARTITIONS = 3


@pytest.fixture
def wide(deps: WebDeps, settings: Settings) -> WebDeps:
    """The same over three partitions."""
    keyspace = evolve(deps.log.keyspace, partitions=PARTITIONS)
    log = JobEventStore(deps.redis, codec=Codec(), keyspace=keyspace, clock=deps.clock)
    return evolve(deps, settings=evolve(settings, partitions=PARTITIONS), log=log)


@pytest.fixture
async def client(start: StartClient, wide: WebDeps) -> Client:
    return await start(settings=wide.settings, log=wide.log)


@pytest.fixture
def driver(wide: WebDeps) -> Driver:
    return Driver(wide.log, dict(wide.stores))


async def listed(client: Client, token: str | None = None, **query: Any) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with client.get(JOBS, params=query, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        return dict(await answer.json())


async def pages(client: Client, **query: Any) -> AsyncIterator[list[str]]:
    """The ids of page after page."""
    page = await listed(client, **query)
    while True:
        yield [job["job_id"] for job in page["jobs"]]
        if page["next_cursor"] is None:
            return
        page = await listed(client, cursor=page["next_cursor"], **query)


async def walk(client: Client, **query: Any) -> list[str]:
    return [job_id async for page in pages(client, **query) for job_id in page]


def an_id(number: int) -> str:
    return new_job_id(number % PARTITIONS, secrets.token_hex(16))


async def create(driver: Driver, count: int, owner: str = "local") -> list[str]:
    """Their ids, newest first."""
    ids = [an_id(number) for number in range(count)]
    for job_id in ids:
        await driver.create(job_id, owner)
    return ids[::-1]


async def test_pages_of_any_size_give_every_job_once_newest_first(client: Client, driver: Driver) -> None:
    assert await walk(client) == []
    ids = await create(driver, 11)
    for limit in (1, 3, 10, 11, 100):
        assert await walk(client, limit=limit) == ids
    assert [len(page) async for page in pages(client, limit=4)] == [4, 4, 3]
    assert [len(page) async for page in pages(client, limit=11)] == [11]  # no empty page behind the last one


async def test_what_is_told_of_a_job(client: Client, driver: Driver) -> None:
    (job_id,) = await create(driver, 1)
    record = await driver.plan(job_id, scenes=2, title="A talk")
    await driver.render(job_id, 0)
    (job,) = (await listed(client))["jobs"]
    async with client.get(job["status_url"]) as answer:
        status = await answer.json()
    assert job == {name: status[name] for name in job if name not in ("owner", "status_url")} | {
        "owner": "local",
        "status_url": f"{JOBS}/{job_id}/status",
    }
    assert (job["title"], job["status"], job["stage"]) == ("A talk", "processing", "rendering")
    assert job["version"] == record.version + 1


async def test_no_gap_and_no_repeat_while_jobs_arrive_at_two_processes(
    client: Client, start: StartClient, wide: WebDeps, driver: Driver
) -> None:
    other = await start(settings=wide.settings, log=wide.log)
    before = await create(driver, 40)
    accepted: list[str] = []
    stop = asyncio.Event()

    async def post() -> None:
        while not stop.is_set():
            async with other.post(GENERATE, json={"script": "# Hi"}) as answer:
                accepted.append((await answer.json())["job_id"])

    posting = [asyncio.create_task(post()) for _ in range(4)]
    try:
        for limit in (1, 7, 13):
            known = set(accepted)
            found = await walk(client, limit=limit)
            assert len(found) == len(set(found))
            assert known | set(before) <= set(found)
            assert [job_id for job_id in found if job_id in before] == before
    finally:
        stop.set()
        await asyncio.gather(*posting)
    assert len({partition_of(job_id) for job_id in accepted}) == PARTITIONS
    assert set(await walk(client, limit=50)) == {*accepted, *before}


async def test_a_cursor_works_in_another_process_and_never_shows_newer_jobs(
    client: Client, start: StartClient, wide: WebDeps, driver: Driver
) -> None:
    ids = await create(driver, 2)  # the third partition has none yet
    first = await listed(client, limit=1)
    await create(driver, 6)
    restarted = await start(settings=wide.settings, log=wide.log)
    second = await listed(restarted, limit=10, cursor=first["next_cursor"])
    assert [job["job_id"] for page in (first, second) for job in page["jobs"]] == ids
    assert second["next_cursor"] is None


async def test_each_owner_sees_their_own_and_an_admin_all(client: Client, driver: Driver, deps: WebDeps) -> None:
    hers, his = await create(driver, 3, "alice"), await create(driver, 4, "bob")
    (_, alice), (_, admin) = await deps.api_keys.add("alice"), await deps.api_keys.add("root", ["admin"])
    assert await walk(client, token=alice) == hers
    assert await walk(client, token=alice, owner="alice") == hers
    assert await walk(client, token=admin) == []
    assert await walk(client, token=admin, owner="bob", limit=3) == his
    assert await walk(client, token=admin, owner="*", limit=2) == [*his, *hers]
    for owner in ("bob", "*"):
        async with client.get(JOBS, params={"owner": owner}, headers={"Authorization": f"Bearer {alice}"}) as answer:
            assert answer.status == 403
    page = await listed(client, token=admin, owner="*", limit=2)
    again = await listed(client, token=alice, cursor=page["next_cursor"])  # somebody else's cursor opens nothing
    assert {job["owner"] for job in again["jobs"]} <= {"alice"}


async def test_jobs_of_one_status(client: Client, driver: Driver) -> None:
    ids = await create(driver, 9)
    for job_id in ids[:3]:
        await driver.plan(job_id)
    for job_id in ids[3:5]:
        await driver.fail(job_id)
    await driver.run(ids[5], cmd.RequestCancellation("no"))
    wanted = {"processing": ids[:3], "failed": ids[3:5], "cancelled": ids[5:6], "queued": ids[6:], "completed": []}
    for status, expected in wanted.items():
        for limit in (1, 2, 50):
            assert await walk(client, status=status, limit=limit) == expected


async def test_a_page_is_bounded_work_and_may_be_short(
    client: Client, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.routes.listing.MAX_SCANNED", 4)
    monkeypatch.setattr("web.routes.listing.MAX_LIMIT", 2)
    ids = await create(driver, 10)
    await driver.fail(ids[-1])
    found = [page async for page in pages(client, status="failed", limit=2)]
    assert found == [[], [], [ids[-1]]]


async def test_a_name_without_a_job_and_an_unreadable_job_are_passed_over(
    client: Client, driver: Driver, wide: WebDeps
) -> None:
    ids = await create(driver, 5)
    await wide.log.job_lists.enter(an_id(1), "local")  # a crash came before its first event
    await wide.redis.xadd(wide.log.keyspace.of_job(ids[2]).events(ids[2]), {"e": b"no event"}, id="2-0")
    assert await walk(client, limit=2) == [*ids[:2], *ids[3:]]


async def test_a_removed_job_leaves_no_gap(client: Client, driver: Driver, wide: WebDeps) -> None:
    ids = await create(driver, 6)
    page = await listed(client, limit=2)
    for job_id in ids[1:3]:
        await wide.log.job_lists.remove(job_id, "local")
    rest = await listed(client, cursor=page["next_cursor"])
    assert [job["job_id"] for job in rest["jobs"]] == ids[3:]


async def test_places_only_grow_whatever_the_clock_does(wide: WebDeps) -> None:
    index, name = wide.log.job_lists, wide.log.keyspace.partition(0).jobs_of("local")
    ahead = 2**52
    await wide.redis.zadd(name, {"earlier": ahead})  # as if the server's clock had been set back since
    jobs = [new_job_id(0, secrets.token_hex(16)) for _ in range(50)]
    for job_id in (*jobs, *jobs):  # a repeat changes nothing
        await index.enter(job_id, "local")
    rows: Any = await wide.redis.zrange(name, 1, -1, withscores=True)
    assert [(job_id.decode(), int(place)) for job_id, place in rows] == [
        (job_id, ahead + number) for number, job_id in enumerate(jobs, 1)
    ]


async def test_lists_are_rebuilt_from_the_jobs(client: Client, driver: Driver, wide: WebDeps) -> None:
    ids = await create(driver, 7) + await create(driver, 2, "alice")
    for name in [name async for name in wide.redis.scan_iter("ef:*jobs*")]:
        await wide.redis.delete(name)
    (newest,) = await create(driver, 1)
    assert await walk(client) == [newest]
    assert await rebuild_job_lists(wide.log) == len(ids)
    assert await rebuild_job_lists(wide.log) == 0
    assert set(await walk(client, limit=2)) == {newest, *ids[:7]}
    assert set(await walk(client, owner="*", limit=2)) == {newest, *ids}
    assert (await walk(client))[0] == newest


BAD = ["", "x", "=" * 20, "A" * 3000, "é", "AQAAAAAAAAAA=", "'; DROP", "AQ" + "_" * 10, Cursor((1,)).to_text() + "A"]


@pytest.mark.parametrize(
    "text", [*BAD, base64.urlsafe_b64encode(b"\x02" + bytes(8)).decode(), Cursor((2**60,)).to_text()]
)
async def test_a_hostile_cursor_is_named(client: Client, text: str) -> None:
    async with client.get(JOBS, params={"cursor": text}) as answer:
        body = await answer.json(content_type=None)
        assert (answer.status, body["errors"][0]["pointer"]) == (422, "?cursor")


async def test_cursors_of_other_numbers_of_partitions(client: Client, driver: Driver) -> None:
    ids = await create(driver, 6)
    top = 2**53
    assert [j["job_id"] for j in (await listed(client, cursor=Cursor((top,) * 3).to_text()))["jobs"]] == ids
    fewer = (await listed(client, cursor=Cursor((top,)).to_text()))["jobs"]
    assert [job["job_id"] for job in fewer] == [job_id for job_id in ids if partition_of(job_id) == 0]
    more = (await listed(client, cursor=Cursor((top,) * 256).to_text()))["jobs"]
    assert [job["job_id"] for job in more] == ids


@pytest.mark.parametrize(
    "query", [{"status": "done"}, {"limit": "0"}, {"limit": "101"}, {"page": "2"}, {"owner": "a b"}]
)
async def test_bad_queries(client: Client, query: dict[str, str]) -> None:
    async with client.get(JOBS, params=query) as answer:
        body = await answer.json(content_type=None)
        assert (answer.status, body["errors"][0]["pointer"]) == (422, "?" + next(iter(query)))
