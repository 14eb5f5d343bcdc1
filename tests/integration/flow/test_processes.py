"""Worker processes as they are deployed: shared scenes, killed renderers and planners, and what they log."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest
from attrs import evolve

from eventflow.domain import events as ev
from eventflow.domain.state import Phase
from eventflow.domain.topics import Topic
from eventflow.domain.values import VideoRequest
from tests.support.programs import Program, Programs
from tests.support.runtime import OWNER, Space, gapless, open_space
from tests.support.waiting import wait_until

LEASE_S = 2.0
ONE_AT_A_TIME = ("--group", "generation", "--concurrency", "1")
REQUEST = VideoRequest(script="", quality_levels=("360p",))


def _script(scenes: int, sentences: int = 3) -> str:
    text = " ".join(["A consumer group reads the events of its topic and commits what follows."] * sentences)
    return "\n\n".join(f"## Part {n}\n\n{text}" for n in range(1, scenes + 1))


@pytest.fixture
async def space(environment: dict[str, str]) -> AsyncIterator[Space]:
    async with open_space(environment["EVENTFLOW_REDIS_URL"], environment["EVENTFLOW_NAMESPACE"]) as space:
        yield space


async def _ready(*workers: Program) -> None:
    for worker in workers:
        await wait_until(lambda worker=worker: "ready" in worker.out, 60, what=f"{worker.name} is ready")  # type: ignore[arg-type,misc]


def _steps(worker: Program, step: str, message: str = "step settled") -> list[dict[str, object]]:
    lines = [json.loads(line) for line in worker.err.splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == message and line.get("step") == step]


@pytest.mark.chaos
async def test_two_processes_share_one_jobs_scenes(space: Space, programs: Programs) -> None:
    workers = [programs.start("worker", *ONE_AT_A_TIME) for _ in range(2)]
    others = [programs.start("worker", "--group", group) for group in ("upload", "metadata")]
    await _ready(*workers, *others)
    job_id = await space.submit(evolve(REQUEST, script=_script(4)))
    await wait_until(lambda: space.ended(job_id), 90, what="the job has ended")
    job = await space.job(job_id)
    assert job.phase is Phase.COMPLETED, job.failure
    for worker in [*workers, *others]:
        worker.signal(signal.SIGTERM)
        assert worker.wait().code == 0, worker.err[-2000:]
    shares = [[line["scene"] for line in _steps(worker, "render_scene")] for worker in workers]
    assert all(shares), shares
    assert sorted(scene for share in shares for scene in share) == list(range(len(job.scenes)))  # type: ignore[type-var]
    print(f"\nscenes rendered by each process: {[len(share) for share in shares]}")
    _check_logs(job_id, [*workers, *others])


def _check_logs(job_id: str, workers: list[Program]) -> None:
    """Each step has one line that tells whose it was and how long it took; secrets are in none."""
    stages = set()
    for worker in workers:
        text = worker.err
        for secret in ("Signature=", "X-Amz-Signature", "Bearer ", "signing_key"):
            assert secret not in text
        for line in [json.loads(line) for line in text.splitlines()]:
            datetime.fromisoformat(line["timestamp"])
            if line["event"] != "step settled":
                continue
            assert (line["job_id"], line["owner"], line["correlation_id"]) == (job_id, OWNER, "request-1")
            assert line["stage_ms"] >= 0
            assert line["level"] == "info"
            stages.add(line["stage"])
    assert stages - {None} == {"planning", "rendering", "assembling", "uploading", "metadata"}


@pytest.mark.chaos
async def test_scene_of_a_killed_process_is_taken_over(space: Space, programs: Programs) -> None:
    """SIGKILL in mid-scene, and nothing new comes on the stream; the job completes."""
    first, second = (programs.start("worker", *ONE_AT_A_TIME) for _ in range(2))
    others = [programs.start("worker", "--group", group) for group in ("upload", "metadata")]
    await _ready(first, second, *others)
    job_id = await space.submit(evolve(REQUEST, script=_script(6, sentences=4)))
    await wait_until(lambda: _rendering(space, job_id, first), 60, what="the first one renders its second scene")
    first.signal_group(signal.SIGKILL)
    killed = time.monotonic()
    left = await space.pending(space.topic(Topic.PLANNED), "generation")
    orphans = {row["message_id"] for row in left if _is_of(row, first)}
    assert orphans
    await wait_until(lambda: _nobody_elses(space, first), 60, what="the orphan is taken over")
    took_s = time.monotonic() - killed
    print(f"\nentry of the killed process taken over after {took_s:.2f} s ({took_s / LEASE_S:.2f} leases)")
    assert took_s < 4 * LEASE_S  # with its own work still going on
    await wait_until(lambda: space.ended(job_id), 90, what="the job has ended")
    history = await space.history(job_id)
    job = await space.job(job_id)
    assert job.phase is Phase.COMPLETED, job.failure
    rendered = [e.event.scene for e in history if isinstance(e.event, ev.SceneRendered)]
    assert sorted(rendered) == list(range(len(job.scenes)))
    assert [e.type for e in history].count("ScenesCompleted") == 1
    assert gapless(history)


@pytest.mark.chaos
async def test_plan_of_a_killed_process_goes_on_where_it_was(space: Space, programs: Programs, tmp_path: Path) -> None:
    planner = ("--group", "generation", "--topic", "requested", "--concurrency", "1")
    first = programs.start("worker", *planner)
    await _ready(first)
    job_id = await space.submit(evolve(REQUEST, script=_script(30, sentences=8)))
    await wait_until(lambda: _planned(space, job_id, 3), 60, what="some scenes are planned")
    first.signal_group(signal.SIGKILL)
    before = [e.event for e in await space.history(job_id) if isinstance(e.event, ev.ScenePlanned)]
    count = (await space.job(job_id)).scene_count
    assert count is not None
    assert 3 <= len(before) < count, "the planner was done before it was killed"
    second = programs.start("worker", *planner)
    await wait_until(lambda: _planned(space, job_id, count), 90, what="all scenes are planned")
    await wait_until(lambda: _nothing_pending(space), what="the plan is settled")
    history = await space.history(job_id)
    after = [e.event for e in history if isinstance(e.event, ev.ScenePlanned)]
    print(f"\nkilled after {len(before)} of {count} scenes")
    assert after[: len(before)] == before
    assert [e.scene for e in after] == list(range(count))
    assert [e.type for e in history].count("ScriptPlanned") == 1
    starts = [sum(e.duration_cells for e in after[:n]) for n in range(count)]
    assert [e.start_cells for e in after] == starts
    assert gapless(history)
    assert await space.redis.xlen(space.topic(Topic.PLANNED)) == count
    assert second.process.poll() is None


def _is_of(row: dict[str, object], worker: Program) -> bool:
    """A consumer's name holds its process id."""
    consumer = row["consumer"]
    assert isinstance(consumer, bytes)
    return f"-{worker.process.pid}-" in consumer.decode()


async def _rendering(space: Space, job_id: str, worker: Program) -> bool:
    if len(_steps(worker, "render_scene")) < 1:
        return False
    rows = await space.pending(space.topic(Topic.PLANNED), "generation")
    return any(_is_of(row, worker) for row in rows)


async def _nobody_elses(space: Space, dead: Program) -> bool:
    rows = await space.pending(space.topic(Topic.PLANNED), "generation")
    return not any(_is_of(row, dead) for row in rows)


async def _planned(space: Space, job_id: str, count: int) -> bool:
    return (await space.types(job_id)).count("ScenePlanned") >= count


async def _nothing_pending(space: Space) -> bool:
    return not await space.pending(space.topic(Topic.REQUESTED), "generation")
