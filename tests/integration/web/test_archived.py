"""Archived jobs over HTTP: served as before; and a web process that was away while the feed was trimmed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from eventflow.log.codec import Codec
from eventflow.log.connection import connect
from eventflow.log.event_store import JobEventStore
from eventflow.log.feed import FeedTail
from eventflow.storage import LocalStore
from tests.support.archiving import Archived, archive_of
from tests.support.driving import Driver
from tests.support.runtime import Space
from tests.support.waiting import wait_until
from tests.support.web_app import Client, StartClient, job_id
from web.deps import WebDeps
from web.readmodel.job_status import render_status
from web.readmodel.projection import Projection, running

VIDEO = b"a video" * 1_000


@pytest.fixture
async def archived(deps: WebDeps, valkey_url: str, tmp_path: Path) -> AsyncIterator[Archived]:
    redis = connect(valkey_url)  # not the app's: what hurts it shouldn't hurt the archiver
    log = JobEventStore(redis, codec=Codec(), keyspace=deps.log.keyspace, clock=deps.clock)
    store = LocalStore(tmp_path / "archive", now=deps.clock, name="archive")
    found = archive_of(Space(valkey_url, redis, log, deps.log.keyspace), store)
    found.ahead = timedelta(seconds=1)
    yield found
    await redis.aclose()


@pytest.fixture
async def client(start: StartClient, deps: WebDeps, archived: Archived) -> Client:
    log = JobEventStore(
        deps.redis, codec=Codec(), keyspace=deps.log.keyspace, clock=deps.clock, archive=archived.reader
    )
    return await start(log=log)


async def published(driver: Driver) -> str:
    job = job_id()
    await driver.create(job)
    await driver.plan(job)
    await driver.render(job, 0, 1)
    await driver.upload(job, 0, 1)
    await driver.publish(job, {"720p": VIDEO}, [b"picture"])
    return job


async def read(client: Client, job: str, what: str) -> Any:
    async with client.get(f"/api/v1/videos/jobs/{job}/{what}") as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def test_archived_job_is_served_as_before(client: Client, driver: Driver, archived: Archived) -> None:
    asked, never_asked = await published(driver), await published(driver)
    what = ("status", "events", "metadata")
    before = [await read(client, asked, name) for name in what]
    assert await archived.archive() == 2
    await archived.everybody_reads()
    await archived.trimmer().trim(archived.clock())
    assert not await archived.in_server(asked)
    assert [await read(client, asked, name) for name in what] == before
    status = await read(client, never_asked, "status")
    assert (status["status"], status["progress"]) == ("completed", 100.0)
    assert (await read(client, never_asked, f"status?min_version={status['version']}"))["version"] == status["version"]
    async with client.get(f"/api/v1/videos/jobs/{never_asked}/download?quality=720p") as answer:
        assert await answer.read() == VIDEO
    async with client.post(f"/api/v1/videos/jobs/{asked}/cancel") as answer:
        assert answer.status == 409
    async with client.get(f"/api/v1/videos/jobs/{job_id()}/status") as answer:
        assert answer.status == 404


async def test_archived_job_is_reprocessed(client: Client, driver: Driver, archived: Archived) -> None:
    job = await published(driver)
    await archived.archive()
    async with client.post(f"/api/v1/admin/jobs/{job}/reprocess", json={}) as answer:
        assert answer.status == 202, await answer.text()
        version = (await answer.json())["version"]
    status = await read(client, job, f"status?min_version={version}")
    assert status["status"] == "queued"
    assert await archived.in_server(job)


async def test_an_unreachable_archive_is_a_503(
    client: Client, driver: Driver, archived: Archived, tmp_path: Path
) -> None:
    job = await published(driver)
    await archived.archive()
    (tmp_path / "archive").rename(tmp_path / "elsewhere")
    async with client.get(f"/api/v1/videos/jobs/{job}/status") as answer:
        assert answer.status == 503
    (tmp_path / "elsewhere").rename(tmp_path / "archive")
    assert (await read(client, job, "status"))["status"] == "completed"


async def test_projection_that_was_away_reads_its_jobs_again(deps: WebDeps, driver: Driver, archived: Archived) -> None:
    """The tail was stopped, a cached job went on, was archived, and the feed was trimmed behind it."""
    now = [0.0]
    log = JobEventStore(
        deps.redis, codec=Codec(), keyspace=deps.log.keyspace, clock=deps.clock, archive=archived.reader
    )
    tail = _Stoppable(FeedTail(deps.blocking, log.keyspace, clock=lambda: now[0]))
    projection = Projection(log, tail, capacity=10, render=render_status)  # type: ignore[arg-type]
    job = job_id()
    await driver.create(job)
    async with running(projection):
        await wait_until(lambda: projection.following)
        first = await projection.get(job)
        assert first is not None
        tail.go.clear()
        await wait_until(lambda: tail.waits)
        await driver.fail(job)
        await archived.archive()
        await archived.everybody_reads()
        await archived.trimmer().trim(archived.clock())
        now[0] = 3_600.0
        tail.go.set()
        await wait_until(lambda: tail.starts == 2)  # it noticed, and began anew
        await wait_until(lambda: projection.following)
        found = await projection.get(job)
        assert found is not None
        assert found.view.status.value == "failed"


class _Stoppable:
    """A tail that can be held between two reads, as a stopped process would be."""

    def __init__(self, tail: FeedTail) -> None:
        self._tail, self.starts, self.waits = tail, 0, False
        self.go = asyncio.Event()
        self.go.set()

    async def start_at_end(self) -> None:
        self.starts += 1
        await self._tail.start_at_end()

    async def read(self, *, block_ms: int) -> list[Any]:
        self.waits = not self.go.is_set()
        await self.go.wait()
        return list(await self._tail.read(block_ms=20))
