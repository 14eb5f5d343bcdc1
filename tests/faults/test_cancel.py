"""Cancellation: of what waits, of what runs here and elsewhere, and in a race with the end."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

import pytest

from eventflow.domain.commands import FinishScene, RequestCancellation
from eventflow.domain.errors import AlreadyFinished
from eventflow.domain.state import Phase
from eventflow.domain.topics import Topic
from eventflow.runtime.context import StepContext
from eventflow.runtime.retry_policy import StorageStepError
from tests.support.crew import Crew
from tests.support.runtime import Chain, Runs, Space, gapless, scenes_group, working
from tests.support.waiting import wait_until

CANCEL = RequestCancellation("enough")


async def test_queued_job_is_cancelled_at_once_and_its_work_is_not_done(space: Space) -> None:
    """A worker that gets the entry all the same stops at its next heartbeat."""
    runs = Runs()

    async def endless(reaction: StepContext) -> None:
        await asyncio.sleep(600)
        runs.ended[reaction.job_id] += 1

    job_id = await space.submit()
    await space.do(job_id, CANCEL)
    assert (await space.job(job_id)).phase is Phase.CANCELLED
    async with working(space, Chain(endless).groups[0]):
        await wait_until(lambda: _settled(space, Topic.REQUESTED))
    assert not runs.ended
    assert await space.types(job_id) == ["VideoRequested", "CancellationRequested", "JobCancelled"]


async def test_running_step_is_stopped_within_a_heartbeat_and_cleans_up(
    space: Space, crew: Crew, tmp_path: Path
) -> None:
    """In another process; its thread is told by `should_stop`, its scratch folder is gone afterwards."""
    lease_s = 1.5
    crew(space, "slow", "--seconds", "60", "--lease", str(lease_s), "--store", str(tmp_path / "store"))
    job_id = await space.submit_scenes(1)
    await wait_until(lambda: crew.journal.words("begin"))
    # "begin" is noted before the folder is made.
    await wait_until(lambda: len(list((tmp_path / "scratch").glob("*"))) == 1, what="the scratch folder")
    asked = time.monotonic()
    await space.do(job_id, CANCEL)
    await wait_until(lambda: crew.journal.words("stopped"))
    await wait_until(lambda: space.ended(job_id))
    took_s = time.monotonic() - asked
    print(f"\ncancelled after {took_s:.2f} s with a heartbeat of {lease_s / 3:.2f} s")
    assert took_s < 60 / 2
    assert (await space.job(job_id)).phase is Phase.CANCELLED
    assert list((tmp_path / "scratch").iterdir()) == []
    assert [p for p in (tmp_path / "store").rglob("*") if p.is_file()] == []
    assert (await space.types(job_id))[-2:] == ["CancellationRequested", "JobCancelled"]
    await wait_until(lambda: _settled(space, Topic.PLANNED))


async def test_steps_on_all_workers_are_stopped_though_the_first_one_confirms(space: Space, crew: Crew) -> None:
    """Whoever confirms ends the job; the others must still hear of it, whenever their heartbeat comes."""
    crew(space, "slow", "--seconds", "60", "--lease", "0.6")
    crew(space, "slow", "--seconds", "60", "--lease", "3")
    job_id = await space.submit_scenes(2)
    await wait_until(lambda: len(crew.journal.words("begin")) == 2)
    await space.do(job_id, CANCEL)
    await wait_until(lambda: len(crew.journal.words("stopped")) == 2, 20, what="both steps have stopped")
    await wait_until(lambda: _settled(space, Topic.PLANNED))
    types = await space.types(job_id)
    assert types.count("JobCancelled") == 1
    assert "SceneRendered" not in types


async def test_steps_of_a_failed_job_are_stopped(space: Space, crew: Crew) -> None:
    """An initialization error ends the job at once; what the others are doing is in vain."""
    crew(space, "slow", "--seconds", "60", "--lease", "1")
    job_id = await space.submit_scenes(1)
    await wait_until(lambda: crew.journal.words("begin"))
    from eventflow.domain import commands as cmd
    from eventflow.domain.values import Failure, FailureCategory, Step

    failure = Failure(FailureCategory.INITIALIZATION, "no_such_voice", "there is no such voice")
    await space.do(job_id, cmd.FailStep(step=Step.RENDER_SCENE, scene=0, run=1, failure=failure, retry_at=None))
    await wait_until(lambda: crew.journal.words("stopped"), 20, what="the step has stopped")
    await wait_until(lambda: _settled(space, Topic.PLANNED))
    assert (await space.job(job_id)).phase is Phase.FAILED


@pytest.mark.parametrize("attempt", range(5))
async def test_race_of_cancel_and_completion_has_one_winner(space: Space, attempt: int) -> None:
    """Whoever comes second finds the job as the first one left it."""
    begun, go = asyncio.Event(), asyncio.Event()

    async def wait(reaction: StepContext) -> None:
        if reaction.envelope.type == "VideoUploaded":
            begun.set()
            await go.wait()

    one, two, three = Chain(wait).groups
    async with working(space, one), working(space, two), working(space, three):
        job_id = await space.submit()
        async with asyncio.timeout(20):
            await begun.wait()
        go.set()
        try:
            await asyncio.sleep(0.0004 * attempt)
            await space.do(job_id, CANCEL)
            cancelled = True
        except AlreadyFinished:
            cancelled = False
        await wait_until(lambda: space.ended(job_id))
        await wait_until(lambda: _settled(space, Topic.UPLOADED, "metadata"))
    history = await space.history(job_id)
    types = [envelope.type for envelope in history]
    assert sum(t in ("VideoPublished", "JobCancelled") for t in types) == 1
    assert (types[-1] == "JobCancelled") == cancelled
    assert gapless(history)
    assert len(await space.redis.xrange(space.topic(Topic.OUTCOME))) == 1


async def test_cancellation_that_overtakes_the_last_result_still_has_an_end(space: Space) -> None:
    """The step ends before any heartbeat can tell it: its settlement is the last that anybody holds."""

    async def cancelled_meanwhile(reaction: StepContext) -> None:
        if reaction.envelope.type == "VideoUploaded":
            await space.do(reaction.job_id, CANCEL)

    async def fails_then(reaction: StepContext) -> None:
        await space.do(reaction.job_id, CANCEL)
        raise RuntimeError("and it failed, too")

    one, two, three = Chain(cancelled_meanwhile).groups
    async with working(space, one), working(space, two), working(space, three):
        job_id = await space.submit()
        await wait_until(lambda: space.ended(job_id))
    assert (await space.job(job_id)).phase is Phase.CANCELLED
    failing = await space.submit_scenes(1)
    async with working(space, scenes_group(fails_then)):
        await wait_until(lambda: space.ended(failing))
    assert (await space.types(failing))[-2:] == ["CancellationRequested", "JobCancelled"]


async def test_result_that_comes_after_the_cancellation_changes_nothing(space: Space) -> None:
    job_id = await space.submit_scenes(1)
    await space.do(job_id, CANCEL)
    before = await space.types(job_id)
    await space.do(job_id, FinishScene(scene=0, run=1, renditions=()))
    assert await space.types(job_id) == before


async def test_cancelled_job_whose_holder_dies_is_ended_by_whoever_takes_over(space: Space, crew: Crew) -> None:
    process = crew(space, "slow", "--seconds", "60", "--lease", "30")  # its heartbeat won't come in time
    job_id = await space.submit_scenes(1)
    await wait_until(lambda: crew.journal.words("begin"))
    process.signal(signal.SIGSTOP)
    await space.do(job_id, CANCEL)
    assert (await space.job(job_id)).phase is Phase.CANCELLING
    process.signal(signal.SIGKILL)
    runs = Runs()

    async def render(reaction: StepContext) -> None:
        runs.began["render"] += 1

    async with working(space, scenes_group(render), lease_s=0.5):
        await wait_until(lambda: space.ended(job_id))
        await wait_until(lambda: _settled(space, Topic.PLANNED))
    assert (await space.job(job_id)).phase is Phase.CANCELLED
    assert not runs.began


async def test_job_that_waits_for_its_retry_is_cancelled_at_once(space: Space) -> None:
    async def throttled(reaction: StepContext) -> None:
        raise StorageStepError("slow_down", "come back later", retry_after_s=600)

    job_id = await space.submit_scenes(1)
    async with working(space, scenes_group(throttled)):
        await wait_until(lambda: _failed(space, job_id))
        await space.do(job_id, CANCEL)
        assert (await space.job(job_id)).phase is Phase.CANCELLED
        [(member, _)] = await space.redis.zrange(space.keys.delayed, 0, -1, withscores=True)
        await space.redis.zadd(space.keys.delayed, {member: 1})  # its retry comes all the same, and does nothing
        await wait_until(lambda: _no_retry_left(space))
    assert (await space.types(job_id))[-3:] == ["StepFailed", "CancellationRequested", "JobCancelled"]


async def _failed(space: Space, job_id: str) -> bool:
    return "StepFailed" in await space.types(job_id)


async def _no_retry_left(space: Space) -> bool:
    left = await space.redis.zcard(space.keys.delayed)
    return left + await space.redis.xlen(space.keys.retry("generation", Topic.PLANNED)) == 0


async def _settled(space: Space, topic: Topic, group: str = "generation") -> bool:
    infos = await space.redis.xinfo_groups(space.topic(topic))
    return any(i["name"] == group.encode() and i["pending"] == 0 and i["lag"] == 0 for i in infos)
