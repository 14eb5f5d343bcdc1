"""The cache of playlists: fed events and read events give the same playlists."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from eventflow.domain import commands as cmd
from eventflow.domain.envelope import Envelope
from eventflow.domain.values import SceneRendition
from eventflow.log.event_store import JobEventStore
from eventflow.log.feed import FeedTail
from tests.support.driving import RENDITION, Driver
from tests.support.runtime import RawRedis
from tests.support.waiting import wait_until
from tests.support.web_app import Clock, job_id
from web.deps import WebDeps
from web.readmodel.job_status import render_status
from web.readmodel.playlist_cache import JobPlaylists, PlaylistCache
from web.readmodel.projection import Projection, running

QUALITY = RENDITION.quality


@pytest.fixture
async def job(driver: Driver) -> str:
    made = job_id()
    await driver.create(made)
    await driver.plan(made, scenes=4)
    return made


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The versions after which a history was read."""
    seen: list[int] = []
    history = JobEventStore.history

    async def counted(self: JobEventStore, job: str, *, after: int = 0, limit: int | None = None) -> list[Envelope]:
        seen.append(after)
        return await history(self, job, after=after, limit=limit)

    monkeypatch.setattr(JobEventStore, "history", counted)
    return seen


async def add(driver: Driver, job: str, scene: int, made: SceneRendition = RENDITION) -> int:
    commands: Sequence[Any] = (
        cmd.FinishScene(scene=scene, run=1, renditions=(made,)),
        cmd.FinishSceneUpload(scene=scene, run=1, renditions=(made,)),
    )
    return (await driver.run(job, *commands)).version


def listed(watched: JobPlaylists) -> int:
    return len(watched.editions.current.scenes)


async def history_of(driver: Driver, job: str, after: int = 0) -> list[Envelope]:
    return await driver.log.history(job, after=after)


async def test_fed_events_are_not_read_again(driver: Driver, job: str, reads: list[int]) -> None:
    playlists = PlaylistCache(driver.log)
    version = await add(driver, job, 0)
    watched = await playlists.at(job, version)
    assert listed(watched) == 1
    for scene in (1, 2):
        heard = await history_of(driver, job, after=await _grown(driver, job, scene))
        reads.clear()
        playlists.feed(heard)
        assert await playlists.at(job, heard[-1].seq) is watched
        assert (listed(watched), reads) == (scene + 1, [])
    playlists.feed(await history_of(driver, job))  # all of it once more
    assert listed(watched) == 3


async def _grown(driver: Driver, job: str, scene: int) -> int:
    """Adds a scene; the version before that."""
    record = await driver.log.load(job)
    assert record is not None
    await add(driver, job, scene)
    return record.version


async def test_events_that_do_not_continue_the_fold_are_read(driver: Driver, job: str, reads: list[int]) -> None:
    playlists = PlaylistCache(driver.log)
    first = await add(driver, job, 0)
    watched = await playlists.at(job, first)
    second = await add(driver, job, 1)
    third = await add(driver, job, 2)
    heard = await history_of(driver, job, after=second)
    reads.clear()
    playlists.feed(heard)
    assert (listed(watched), watched.version) == (1, first)
    assert listed(await playlists.at(job, third)) == 3
    assert reads == [first - 1]


async def test_unwatched_jobs_are_not_cached(driver: Driver, job: str) -> None:
    playlists = PlaylistCache(driver.log)
    playlists.feed(await history_of(driver, job))
    assert playlists.cached(job) is None


async def test_a_lost_history_is_not_continued(driver: Driver, job: str, clock: Clock) -> None:
    playlists = PlaylistCache(driver.log)
    version = await add(driver, job, 0)
    stale = await playlists.at(job, version)
    events = driver.log.keyspace.of_job(job).events(job)
    redis: RawRedis = driver.log.redis
    kept = (await redis.xrange(events))[:-3]
    await redis.delete(events)
    for entry, fields in kept:
        await redis.xadd(events, fields, id=entry)
    driver.log.forget(job)
    clock.at += timedelta(seconds=1)
    longer = evolve(RENDITION, segments=RENDITION.segments * 2)
    assert await add(driver, job, 0, longer) == version
    playlists.feed(await history_of(driver, job))
    assert playlists.cached(job) is None
    fresh = await playlists.at(job, version)
    assert fresh is not stale
    assert len(fresh.editions.current.scenes[0].renditions[0].segments) == 2


async def test_events_fed_during_a_read_make_the_next_request_read_again(driver: Driver, job: str) -> None:
    playlists = PlaylistCache(driver.log)
    version = await add(driver, job, 0)
    watched = await playlists.at(job, version)
    heard = await history_of(driver, job, after=await _grown(driver, job, 1))
    async with watched.lock:
        playlists.feed(heard)
    assert playlists.cached(job) is None
    assert listed(await playlists.at(job, heard[-1].seq)) == 2


async def test_the_tail_feeds_the_playlist_cache(deps: WebDeps, driver: Driver, job: str) -> None:
    playlists = PlaylistCache(deps.log)
    tail = FeedTail(deps.blocking, deps.log.keyspace)
    projection = Projection(deps.log, tail, capacity=10, render=render_status, on_events=playlists.feed)
    version = await add(driver, job, 0)
    async with running(projection):
        await wait_until(lambda: projection.following)
        await projection.get(job)
        watched = await playlists.at(job, version)
        grown = await add(driver, job, 1)
        await wait_until(lambda: watched.version == grown)
    assert listed(watched) == 2


async def test_requests_during_a_read_of_the_tail_do_not_wait(
    deps: WebDeps, driver: Driver, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    projection = Projection(deps.log, FeedTail(deps.blocking, deps.log.keyspace), capacity=10, render=render_status)
    advance, go_on = Projection._catch_up, asyncio.Event()
    reading = asyncio.Event()

    async def held_up(self: Projection, entries: Sequence[Any], *, live: bool) -> None:
        if not live:
            reading.set()
            await go_on.wait()
        await advance(self, entries, live=live)

    monkeypatch.setattr(Projection, "_catch_up", held_up)
    async with running(projection):
        await wait_until(lambda: projection.following)
        first = await projection.get(job)
        assert first is not None
        grown = await add(driver, job, 0)
        async with asyncio.timeout(30):
            await reading.wait()
        assert projection.cached(job) is first
        asked_for = await projection.get(job, min_version=grown)  # who knows of it gets it
        assert asked_for is not None
        assert asked_for.view.version == grown
        go_on.set()
        latest = await add(driver, job, 1)
        await wait_until(lambda: (seen := projection.cached(job)) is not None and seen.view.version == latest)
