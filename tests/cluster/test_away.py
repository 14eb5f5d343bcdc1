"""A master that takes connections and answers nothing, and isn't failed over: the partitions of the others go on."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from eventflow.domain import commands as cmd
from eventflow.domain.job_ids import new_job_id, partition_of
from eventflow.log.connection import COMMAND_TIMEOUT_S
from eventflow.runtime.context import StepContext
from tests.cluster.conftest import PARTITIONS
from tests.support.cluster_server import RedisPrograms, cluster_server
from tests.support.runtime import CAUSE, REQUEST, Runs, Space, a_file, gapless, open_space, scenes_group, working
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(240)
JOBS = 60
#: A read, a commit or a renewal that waits for the silent master is given up after this, having been tried again.
GIVEN_UP_S = 4 * COMMAND_TIMEOUT_S


async def test_silent_master_delays_nobody_else(redis_programs: RedisPrograms, tmp_path: Path) -> None:
    """Every slot has a step of the silent master in it when it falls silent; they end, and can't be committed."""
    runs, go = Runs(), asyncio.Event()

    async def render(reaction: StepContext) -> None:
        runs.began[reaction.job_id] += 1
        if partition_of(reaction.job_id) in away:
            await go.wait()

    with cluster_server(redis_programs, tmp_path / "cluster", node_timeout_ms=120_000) as cluster:
        async with open_space(cluster.url, partitions=PARTITIONS) as space:
            silent = cluster.master_of(space.keys.feed)
            away = {keys.partition for keys in space.keyspace.all if cluster.master_of(keys.feed) == silent}
            there = [number for number in range(PARTITIONS) if number not in away]
            async with working(space, scenes_group(render), concurrency=2, lease_s=90) as running:
                held = [await _scene_in(space, 0) for _ in range(2)]
                await wait_until(lambda: all(runs.began[job] for job in held), what="both slots are taken")
                cluster.pause(silent)
                go.set()
                began = time.monotonic()
                jobs = [await _scene_in(space, there[number % len(there)]) for number in range(JOBS)]
                await wait_until(
                    lambda: _rendered(space, jobs), GIVEN_UP_S - (time.monotonic() - began), what="the others' scenes"
                )
                print(f"\n{JOBS} scenes beside a silent master: {time.monotonic() - began:.1f} s", end="")
                cluster.resume(silent)
                await wait_until(lambda: _rendered(space, held), 60, what="those that had to wait")
                assert not running.task.done()
            for job_id in held + jobs:
                assert gapless(await space.history(job_id))
    assert all(runs.began[job] == 1 for job in held + jobs)


async def _scene_in(space: Space, partition: int) -> str:
    job_id = new_job_id(partition, f"{time.monotonic_ns():032x}")
    await space.log.create(job_id, REQUEST, CAUSE)
    await space.do(job_id, cmd.StartPlanning(1), cmd.AnnounceScript(run=1, title="t", scene_count=1, plan=a_file()))
    await space.do(
        job_id,
        cmd.PlanScene(run=1, scene=0, title="scene", start_cells=0, duration_cells=3, spec=a_file(), narration=None),
    )
    return job_id


async def _rendered(space: Space, jobs: list[str]) -> bool:
    return all(["ScenesCompleted" in await space.types(job) for job in jobs])
