"""An orderly stop: finish what can be finished, hand back the rest, leave no trace."""

from __future__ import annotations

import asyncio
import time

from eventflow.domain.topics import Topic
from eventflow.log.commit import Claim
from eventflow.runtime.context import StepContext
from tests.support.crew import Crew
from tests.support.log_server import LogServer
from tests.support.runtime import Chain, Runs, Space, scenes_group, working
from tests.support.waiting import wait_until


async def test_running_step_is_finished_and_settled_on_sigterm(space: Space, crew: Crew) -> None:
    slots = ("--concurrency", "2")  # with one, the request might still be in line behind the scene
    worker = crew(space, "slow", "--seconds", "1.2", "--lease", "1", *slots)
    job_id = await space.submit_scenes(1)
    await wait_until(lambda: crew.journal.words("begin"))
    assert await asyncio.to_thread(worker.end) == 0
    assert crew.journal.words("end") == [(worker.pid, "0")]
    assert (await space.types(job_id))[-2:] == ["SceneRendered", "ScenesCompleted"]
    assert await space.pending(space.topic(Topic.PLANNED), "generation") == []
    assert await _consumers(space) == set()


async def test_unfinished_step_goes_to_another_worker_at_once_and_the_delivery_does_not_count(
    space: Space, crew: Crew
) -> None:
    """With a lease of a minute: without the release nobody would take it over while this test runs."""
    lease = ("--lease", "60")
    stopping = crew(space, "slow", "--seconds", "600", "--drain", "0.2", *lease)
    job_id = await space.submit_scenes(1)
    await wait_until(lambda: crew.journal.words("begin"))
    began = time.monotonic()
    assert await asyncio.to_thread(stopping.end) == 0
    [row] = await space.pending(space.topic(Topic.PLANNED), "generation")
    assert row["times_delivered"] == 0
    crew(space, "slow", "--seconds", "0", *lease)
    await wait_until(lambda: _has(space, job_id, "ScenesCompleted"))
    print(f"\nhanded over {time.monotonic() - began:.2f} s after SIGTERM")
    assert [word for *_, word in crew.journal.lines()] == ["begin", "stopped", "begin", "end"]


async def test_many_restarts_do_not_burn_the_delivery_count(space: Space) -> None:
    """Five deploys during one long step; a count of four deliveries would have failed it."""
    runs = Runs()

    async def endless(reaction: StepContext) -> None:
        runs.began[0] += 1
        await asyncio.sleep(600)

    job_id = await space.submit_scenes(1)
    for restart in range(1, 6):
        async with working(space, scenes_group(endless), lease_s=30, drain_s=0):
            await wait_until(lambda restart=restart: runs.began[0] == restart)  # type: ignore[misc]
    assert "StepFailed" not in await space.types(job_id)
    assert len(await _consumers(space)) <= 1


async def test_release_of_a_lost_lease_changes_nothing(space: Space) -> None:
    """A worker that was paused and then told to stop must not take back what another one works on."""

    async def endless(reaction: StepContext) -> None:
        await asyncio.sleep(600)

    await space.submit_scenes(1)
    stream = space.topic(Topic.PLANNED)
    async with working(space, scenes_group(endless), drain_s=0) as running:
        await wait_until(lambda: space.pending(stream, "generation"))
        [row] = await space.pending(stream, "generation")
        entry = row["message_id"].decode()
        stale = [
            Claim(stream=stream, group="generation", consumer="somebody-else", entry_id=entry, count=1),
            Claim(stream=stream, group="generation", consumer=running.member.consumer, entry_id=entry, count=7),
        ]
        await running.member.release(stale, 1_000)
        [row] = await space.pending(stream, "generation")
        assert row["consumer"] == running.member.consumer.encode()
        assert row["times_delivered"] == 1


async def test_consumers_of_dead_workers_do_not_pile_up(space: Space, crew: Crew) -> None:
    """A killed worker can't say good-bye; what nothing is pending for is removed by the living."""
    for _ in range(3):
        dying = crew(space, "chain", "--lease", "0.5")
        await wait_until(lambda: _consumers(space))
        dying.process.kill()
        dying.process.wait()
    async with working(space, Chain().groups[0], lease_s=0.5) as running:
        job_id = await space.submit()
        await wait_until(lambda: _has(space, job_id, "VideoGenerated"))
        await running.worker.reap(idle_ms=1)
        await wait_until(lambda: _only(space, running.member.consumer))
        assert await _only(space, running.member.consumer)


async def test_stop_while_the_server_is_away_ends_the_worker(own_server: LogServer, own_space: Space) -> None:
    async def endless(reaction: StepContext) -> None:
        await asyncio.sleep(600)

    await own_space.submit_scenes(1)
    async with working(own_space, scenes_group(endless), drain_s=0.2) as running:
        await wait_until(lambda: own_space.pending(own_space.topic(Topic.PLANNED), "generation"))
        own_server.kill()
        await running.stop()
        assert running.task.done()


async def _has(space: Space, job_id: str, kind: str) -> bool:
    return kind in await space.types(job_id)


async def _consumers(space: Space, topic: Topic = Topic.REQUESTED) -> set[str]:
    streams = [space.topic(topic), space.topic(Topic.PLANNED)]
    names: set[str] = set()
    for stream in streams:
        if await space.redis.exists(stream):
            for group in await space.redis.xinfo_groups(stream):
                consumers = await space.redis.xinfo_consumers(stream, group["name"])
                names |= {c["name"].decode() for c in consumers}
    return names


async def _only(space: Space, consumer: str) -> bool:
    return await _consumers(space) <= {consumer}
