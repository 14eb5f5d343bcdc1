"""The cache of folded jobs: fresh, bounded, and correct while the feed is away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eventflow.log.codec import Codec, DecodeError
from eventflow.log.connection import connect
from eventflow.log.event_store import JobEventStore
from eventflow.log.feed import FeedTail
from eventflow.log.keys import Keyspace
from tests.support.driving import Driver
from tests.support.valkey import running_server
from tests.support.web_app import Clock, job_id
from web.deps import WebDeps
from web.readmodel.job_status import HistoryGap, fold_on, render_status, slim
from web.readmodel.projection import Projection, VersionPending, running


async def until(probe: Callable[[], Any], seconds: float = 8.0) -> None:
    async with asyncio.timeout(seconds):
        while not probe():
            await asyncio.sleep(0.01)


def projection_of(deps: WebDeps, capacity: int = 100) -> Projection:
    return Projection(deps.log, FeedTail(deps.blocking, deps.log.keyspace), capacity=capacity, render=render_status)


async def test_a_cached_job_is_kept_fresh_by_the_tail(deps: WebDeps, driver: Driver) -> None:
    projection = projection_of(deps)
    job = job_id()
    await driver.create(job)
    async with running(projection):
        await until(lambda: projection.following)
        assert projection.cached(job) is None
        first = await projection.get(job)
        assert first is not None
        assert first.view.job.request.script == ""
        assert projection.cached(job) is first
        record = await driver.plan(job)

        def shows() -> bool:
            seen = projection.cached(job)
            return seen is not None and seen.view.version == record.version

        await until(shows)


async def test_a_burst_over_many_jobs_is_applied_in_order(deps: WebDeps, driver: Driver) -> None:
    projection = projection_of(deps)
    jobs = [job_id() for _ in range(30)]
    await asyncio.gather(*(driver.create(job) for job in jobs))
    async with running(projection):
        await until(lambda: projection.following)
        await asyncio.gather(*(projection.get(job) for job in jobs))

        async def work(job: str) -> None:
            await driver.plan(job, scenes=3)
            for scene in range(3):
                await driver.render(job, scene)
                await driver.upload(job, scene)
            await driver.publish(job, {"720p": b"video"})

        readers = [asyncio.create_task(_read_all(projection, jobs)) for _ in range(3)]
        await asyncio.gather(*(work(job) for job in jobs))
        for job in jobs:
            history = await deps.log.history(job)
            seen = await projection.get(job, min_version=history[-1].seq)
            assert seen is not None
            wanted = fold_on(None, [slim(envelope) for envelope in history])
            assert seen.view == wanted
            assert seen.progress == 100.0
        for reader in readers:
            reader.cancel()
            await asyncio.wait([reader])


async def _read_all(projection: Projection, jobs: list[str]) -> None:
    """Asks all the time; versions and progress never go back."""
    seen: dict[str, tuple[int, float]] = {}
    while True:
        for job in jobs:
            found = await projection.get(job)
            assert found is not None
            version, progress = seen.get(job, (0, 0.0))
            assert found.view.version >= version
            assert found.progress >= progress
            seen[job] = (found.view.version, found.progress)
        await asyncio.sleep(0)


async def test_the_cache_is_bounded_and_keeps_requested_jobs(deps: WebDeps, driver: Driver) -> None:
    projection = projection_of(deps, capacity=3)
    jobs = [job_id() for _ in range(4)]
    for job in jobs:
        await driver.create(job)
    async with running(projection):
        await until(lambda: projection.following)
        for job in jobs[:3]:
            await projection.get(job)
        projection.cached(jobs[0])
        await projection.get(jobs[3])
        assert [projection.cached(job) is not None for job in jobs] == [True, False, True, True]
        for _ in range(10):
            assert await projection.get(job_id()) is None  # unknown ids push nothing out
        assert projection.cached(jobs[0]) is not None


async def test_many_are_read_at_once_and_cached_like_one(deps: WebDeps, driver: Driver) -> None:
    projection = projection_of(deps)
    jobs = [job_id() for _ in range(6)]
    for job in jobs:
        await driver.create(job)
    async with running(projection):
        await until(lambda: projection.following)
        await projection.get(jobs[0])
        unknown = job_id()
        found = await projection.get_many([*jobs, unknown])
        assert list(found) == jobs
        assert all(projection.cached(job) is found[job] for job in jobs)
        record = await driver.plan(jobs[1])
        await until(lambda: projection.cached(jobs[1]) and projection.cached(jobs[1]).view.version == record.version)
        await driver.create(unknown)
        assert list(await projection.get_many([unknown])) == [unknown]
        small = await projection_of(deps, capacity=2).get_many(jobs)
        assert [small[job].view for job in jobs] == [(await projection.get_many(jobs))[job].view for job in jobs]


async def test_many_with_one_that_cannot_be_read(deps: WebDeps, driver: Driver) -> None:
    projection = projection_of(deps)
    good, bad = job_id(), job_id()
    for job in (good, bad):
        await driver.create(job)
    await deps.redis.xadd(deps.log.keyspace.of_job(bad).events(bad), {"e": b"no event"}, id="2-0")
    async with running(projection):
        await until(lambda: projection.following)
        with pytest.raises(DecodeError):
            await projection.get_many([good, bad])
        assert list(await projection.get_many([good])) == [good]
        assert projection.cached(good) is not None


async def test_without_a_tail_every_answer_is_read(deps: WebDeps, driver: Driver) -> None:
    projection = projection_of(deps)
    job = job_id()
    await driver.create(job)
    assert await projection.get(job) is not None
    assert projection.cached(job) is None
    record = await driver.plan(job)
    seen = await projection.get(job)
    assert seen is not None
    assert seen.view.version == record.version
    waiting = asyncio.create_task(projection.get(job, min_version=record.version + 1))
    await driver.render(job, 0)
    assert await asyncio.wait_for(waiting, 30) is not None
    with pytest.raises(VersionPending):
        await projection.get(job, min_version=99, timeout_s=0.01)


async def test_a_job_in_a_partition_that_is_not_followed_is_read_each_time(deps: WebDeps, driver: Driver) -> None:
    projection = projection_of(deps)
    job = "0a-" + job_id()[3:]
    await driver.create(job)
    async with running(projection):
        await until(lambda: projection.following)
        assert await projection.get(job) is not None
        record = await driver.plan(job)
        seen = await projection.get(job)
        assert seen is not None
        assert seen.view.version == record.version


async def test_views_are_right_after_the_server_was_away_and_lost_events(tmp_path: Path, clock: Clock) -> None:
    with running_server(tmp_path / "data") as server:
        redis, blocking = connect(server.url), connect(server.url, blocking=True)
        log = JobEventStore(redis, codec=Codec(), keyspace=Keyspace(), clock=clock)
        driver = Driver(log, {})
        projection = Projection(log, FeedTail(blocking, log.keyspace), capacity=9, render=render_status)
        kept, lost = job_id(), job_id()
        await driver.create(kept)
        await driver.create(lost)
        async with running(projection):
            await until(lambda: projection.following)
            for job in (kept, lost):
                await projection.get(job)
            # As after a crash without fsync: one job is gone, the other goes on while nobody follows.
            await redis.delete(log.keyspace.of_job(lost).events(lost))
            await redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            record = await driver.plan(kept)
            seen = await projection.get(kept, min_version=record.version)
            assert seen is not None
            await until(lambda: projection.following)
            await wait_until_gone(projection, lost)
            assert (await _current(projection, kept)) == record.version
        await redis.aclose()
        await blocking.aclose()


async def wait_until_gone(projection: Projection, job: str) -> None:
    async with asyncio.timeout(30):
        while await projection.get(job) is not None:
            await asyncio.sleep(0.01)


async def _current(projection: Projection, job: str) -> int:
    seen = await projection.get(job)
    assert seen is not None
    return seen.view.version


async def test_a_gap_is_noticed(deps: WebDeps, driver: Driver) -> None:
    job = job_id()
    await driver.create(job)
    await driver.plan(job)
    history = await deps.log.history(job)
    with pytest.raises(HistoryGap):
        fold_on(None, [history[0], history[2]])
    assert fold_on(None, [history[0], history[0], history[1]]) == fold_on(None, history[:2])
