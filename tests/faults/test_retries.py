"""What fails: tried again by the failed group alone, at most three times, and told with its reason."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Sequence
from datetime import timedelta

import pytest

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.commands import Command
from eventflow.domain.state import Phase
from eventflow.domain.topics import Topic
from eventflow.domain.values import FailureCategory, VideoRequest
from eventflow.runtime.context import Group, StepContext
from eventflow.runtime.retry_policy import GenerationError, InitializationError, RetryPolicy, StorageStepError
from tests.support.crew import Crew
from tests.support.log_server import LogServer
from tests.support.runtime import REQUEST, Chain, Runs, Space, gapless, scenes_group, working
from tests.support.waiting import wait_until


async def test_transient_failure_is_retried_by_its_group_alone(space: Space) -> None:
    """Two groups read the same topic; one fails twice. The other one sees the event once."""
    runs = Runs()

    async def flaky(reaction: StepContext) -> None:
        runs.began["generation"] += 1
        if runs.began["generation"] <= 2:
            raise StorageStepError("unavailable", "no answer")

    async def watch(reaction: StepContext) -> Sequence[Command]:
        runs.began["watchers"] += 1
        return []

    watchers = Group("watchers", {ev.VideoRequested: watch})
    async with working(space, watchers), working(space, Chain(flaky).groups[0]):
        job_id = await space.submit()
        await wait_until(lambda: _has(space, job_id, "VideoGenerated"))
        await wait_until(lambda: _empty(space, "generation"))
    assert runs.began == {"generation": 3, "watchers": 1}
    failures = [e.event for e in await space.history(job_id) if isinstance(e.event, ev.StepFailed)]
    assert [f.attempt for f in failures] == [1, 2]
    assert all(f.retry_at for f in failures)
    assert await space.redis.zcard(space.keys.delayed) == 0
    assert await space.redis.xlen(space.topic(Topic.REQUESTED)) == 1
    assert not await space.redis.exists(space.keys.retry("watchers", Topic.REQUESTED)) or (
        await space.redis.xlen(space.keys.retry("watchers", Topic.REQUESTED)) == 0
    )


async def test_job_fails_after_one_try_and_three_retries(space: Space) -> None:
    runs = Runs()

    async def failing(reaction: StepContext) -> None:
        runs.began["try"] += 1
        raise StorageStepError("unavailable", f"no answer to try {runs.began['try']}")

    policy = RetryPolicy(base_s=0.05, cap_s=10)
    async with working(space, Chain(failing).groups[0], retry=policy):
        job_id = await space.submit()
        await wait_until(lambda: space.ended(job_id))
    history = await space.history(job_id)
    failures = [(e.occurred_at, e.event) for e in history if isinstance(e.event, ev.StepFailed)]
    assert runs.began["try"] == 4
    assert [f.attempt for _, f in failures] == [1, 2, 3, 4]
    assert [f.retry_at is None for _, f in failures] == [False, False, False, True]
    for number, (at, failure) in enumerate(failures[:3]):
        assert failure.retry_at is not None
        longest = timedelta(seconds=0.05 * 2**number)
        assert longest / 2 - timedelta(milliseconds=20) <= failure.retry_at - at <= longest
    for (_, failure), (later, _) in itertools.pairwise(failures):
        assert failure.retry_at is not None
        assert later >= failure.retry_at - timedelta(milliseconds=1)  # due times are whole milliseconds
    last = history[-1].event
    assert isinstance(last, ev.JobFailed)
    assert (last.failure.category, last.failure.code) == (FailureCategory.STORAGE, "unavailable")
    assert last.failure.message == "no answer to try 4"
    assert last.attempts == 4
    assert gapless(history)


@pytest.mark.parametrize("retries", [0, 1])
async def test_fewer_retries_when_the_request_says_so(space: Space, retries: int) -> None:
    async def failing(reaction: StepContext) -> None:
        raise RuntimeError("boom")

    async with working(space, Chain(failing).groups[0]):
        job_id = await space.submit(VideoRequest(script=REQUEST.script, retry_attempts=retries))
        await wait_until(lambda: space.ended(job_id))
    assert (await space.types(job_id)).count("StepFailed") == retries + 1


async def test_initialization_error_fails_the_job_at_once_with_its_detail(space: Space) -> None:
    runs = Runs()

    async def refuses(reaction: StepContext) -> None:
        runs.began[reaction.event.scene] += 1
        raise InitializationError("unknown_voice", "there is no voice 'xx'; there are: en-us, de")

    job_id = await space.submit_scenes(2)
    async with working(space, scenes_group(refuses), concurrency=1):
        await wait_until(lambda: space.ended(job_id))
        await wait_until(lambda: _empty(space, "generation"))
    last = (await space.history(job_id))[-1].event
    assert isinstance(last, ev.JobFailed)
    assert last.failure.category is FailureCategory.INITIALIZATION
    assert last.failure.message == "there is no voice 'xx'; there are: en-us, de"
    assert last.attempts == 1
    assert sum(runs.began.values()) == 1


async def test_failed_scene_fails_the_job_only_after_the_others_have_finished(space: Space) -> None:
    runs = Runs()

    async def render(reaction: StepContext) -> None:
        runs.began[reaction.event.scene] += 1
        if reaction.event.scene == 0:
            raise RuntimeError("this one never works")

    async def upload(reaction: StepContext) -> Sequence[Command]:
        return [cmd.FinishSceneUpload(scene=reaction.event.scene, run=reaction.event.run, renditions=())]

    job_id = await space.submit_scenes(3)
    async with working(space, scenes_group(render), concurrency=1):
        await wait_until(lambda: _last_failure(space, job_id))
        types = await space.types(job_id)
        assert "JobFailed" not in types
        async with working(space, Group("upload", {ev.SceneRendered: upload})):
            await wait_until(lambda: space.ended(job_id))
    types = await space.types(job_id)
    assert types[-1] == "JobFailed"
    assert types.count("SceneUploaded") == 2
    assert types.count("SceneRendered") == 2
    assert runs.began == {0: 4, 1: 1, 2: 1}
    assert "ScenesCompleted" not in types


async def test_delayed_retry_survives_a_killed_server(own_server: LogServer, own_space: Space) -> None:
    runs = Runs()

    async def flaky(reaction: StepContext) -> None:
        runs.began["try"] += 1
        if runs.began["try"] == 1:
            raise StorageStepError("unavailable", "no answer")

    job_id = await own_space.submit()
    async with working(own_space, Chain(flaky).groups[0], retry=RetryPolicy(base_s=600, cap_s=1200)):
        await wait_until(lambda: _has(own_space, job_id, "StepFailed"))
    await own_space.synced()
    own_server.kill()
    own_server.start()
    [(member, _)] = await own_space.redis.zrange(own_space.keys.delayed, 0, -1, withscores=True)
    await own_space.redis.zadd(own_space.keys.delayed, {member: 1})  # due now, rather than in ten minutes
    async with working(own_space, Chain(flaky).groups[0]):
        await wait_until(lambda: _has(own_space, job_id, "VideoGenerated"))
    assert runs.began["try"] == 2
    assert gapless(await own_space.history(job_id))


async def test_retry_waits_for_its_time(space: Space) -> None:
    async def failing(reaction: StepContext) -> None:
        raise RuntimeError("boom")

    job_id = await space.submit()
    async with working(space, Chain(failing).groups[0], retry=RetryPolicy(base_s=600, cap_s=1200), lease_s=0.3):
        await wait_until(lambda: _has(space, job_id, "StepFailed"))
        moved = await space.redis.xlen(space.keys.retry("generation", Topic.REQUESTED))
    assert moved == 0
    assert await space.redis.zcard(space.keys.delayed) == 1
    assert (await space.job(job_id)).phase is Phase.REQUESTED


async def _has(space: Space, job_id: str, kind: str) -> bool:
    return kind in await space.types(job_id)


async def _last_failure(space: Space, job_id: str) -> bool:
    """The broken scene has been tried for the last time, and the others are rendered."""
    events = [e.event for e in await space.history(job_id)]
    final = any(isinstance(e, ev.StepFailed) and e.retry_at is None for e in events)
    return final and sum(isinstance(e, ev.SceneRendered) for e in events) == 2


async def _empty(space: Space, group: str) -> bool:
    """Nothing of the group is pending or undelivered, in topics and retries."""
    for topic in (Topic.REQUESTED, Topic.PLANNED):
        for stream in (space.topic(topic), space.keys.retry(group, topic)):
            if not await space.redis.exists(stream):
                continue
            for info in await space.redis.xinfo_groups(stream):
                if info["name"] == group.encode() and (info["pending"] or info["lag"]):
                    return False
    return True


@pytest.mark.parametrize(("asked_s", "waits_s"), [(30.0, 30.0), (86_400.0, 900.0)], ids=["as asked", "bounded"])
async def test_retry_after_of_an_upstream_is_respected(space: Space, asked_s: float, waits_s: float) -> None:
    async def throttled(reaction: StepContext) -> None:
        raise StorageStepError("slow_down", "come back later", retry_after_s=asked_s)

    job_id = await space.submit()
    async with working(space, Chain(throttled).groups[0], retry=RetryPolicy(base_s=2, cap_s=10)):
        await wait_until(lambda: _has(space, job_id, "StepFailed"))
    [(at, failed)] = [(e.occurred_at, e.event) for e in await space.history(job_id) if e.type == "StepFailed"]
    assert isinstance(failed, ev.StepFailed)
    assert failed.retry_at is not None
    pause = failed.retry_at - at
    assert timedelta(seconds=waits_s + 0.9) <= pause <= timedelta(seconds=waits_s + 2)
    [(_, due_ms)] = await space.redis.zrange(space.keys.delayed, 0, -1, withscores=True)
    assert due_ms == int(failed.retry_at.timestamp() * 1000)


async def test_error_that_no_retry_can_mend_fails_the_step_at_once_with_its_category(space: Space) -> None:
    runs = Runs()

    async def render(reaction: StepContext) -> None:
        runs.began[reaction.event.scene] += 1
        if reaction.event.scene == 0:
            raise GenerationError("profile_mismatch", "it can only fail again", retryable=False)

    job_id = await space.submit_scenes(2)
    async with working(space, scenes_group(render)):
        await wait_until(lambda: _final(space, job_id))
        await wait_until(lambda: _has(space, job_id, "SceneRendered"))
    await space.do(job_id, cmd.FinishSceneUpload(scene=1, run=1, renditions=()))
    job = await space.job(job_id)
    assert job.failure is not None
    assert (job.failure.failure.category, job.failure.attempts) == (FailureCategory.GENERATION, 1)
    assert runs.began == {0: 1, 1: 1}
    assert await space.redis.zcard(space.keys.delayed) == 0


async def test_delayed_retries_survive_the_server_and_every_worker(
    own_server: LogServer, own_space: Space, crew: Crew
) -> None:
    """All killed at once; what was put off is done by those who come later, each once."""
    workers = [crew(own_space, "failing", "--retry", "600", "--concurrency", "4") for _ in range(2)]
    job_ids = [await own_space.submit_scenes(2) for _ in range(5)]
    await wait_until(lambda: _delayed(own_space, 10))
    await own_space.synced()
    own_server.kill()
    for worker in workers:
        worker.signal(signal.SIGKILL)
    own_server.start()
    due = await own_space.redis.zrange(own_space.keys.delayed, 0, -1)
    await own_space.redis.zadd(own_space.keys.delayed, dict.fromkeys(due, 1))  # now, rather than in ten minutes
    runs = Runs()

    async def render(reaction: StepContext) -> None:
        runs.began[reaction.job_id, reaction.event.scene] += 1

    async with working(own_space, scenes_group(render)):
        for job_id in job_ids:
            await wait_until(lambda job_id=job_id: _has(own_space, job_id, "ScenesCompleted"))  # type: ignore[misc]
        await wait_until(lambda: _delayed(own_space, 0))
    assert runs.began == {(job_id, scene): 1 for job_id in job_ids for scene in range(2)}
    assert await own_space.redis.xlen(own_space.keys.retry("generation", Topic.PLANNED)) == 0


async def _delayed(space: Space, count: int) -> bool:
    return await space.redis.zcard(space.keys.delayed) == count


async def _final(space: Space, job_id: str) -> bool:
    return any(isinstance(e.event, ev.StepFailed) and not e.event.retry_at for e in await space.history(job_id))
