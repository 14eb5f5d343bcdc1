"""Many partitions and several workers: each waits at its share, and none is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from eventflow.domain.job_ids import new_job_id
from eventflow.runtime.context import StepContext
from tests.support.log_server import LogServer
from tests.support.runtime import CAUSE, REQUEST, Chain, Running, Space, open_space, working
from tests.support.waiting import wait_until

PARTITIONS, WORKERS = 32, 4


@pytest.fixture
async def wide(shared_server: LogServer) -> AsyncIterator[Space]:
    async with open_space(shared_server.url, partitions=PARTITIONS) as space:
        yield space


def _are_shared(crew: list[Running]) -> bool:
    shares = [running.assignment.mine for running in crew if running.assignment]
    return all(len(share) < PARTITIONS for share in shares) and set().union(*shares) == set(range(PARTITIONS))


async def test_hot_partition_uses_every_worker(wide: Space) -> None:
    """Each step waits until all workers have one: those too that wait elsewhere."""
    all_busy = asyncio.Barrier(WORKERS)

    async def before(reaction: StepContext) -> None:
        await all_busy.wait()

    generation = Chain(before).groups[0]
    async with AsyncExitStack() as stack:
        crew = [
            await stack.enter_async_context(working(wide, generation, concurrency=1, max_connections=40, shared=True))
            for _ in range(WORKERS)
        ]
        await wait_until(lambda: _are_shared(crew), what="every worker has a share")
        jobs = [new_job_id(5, f"{number:032x}") for number in range(WORKERS)]
        for job_id in jobs:
            await wide.log.create(job_id, REQUEST, CAUSE)
        for job_id in jobs:
            await wait_until(lambda job_id=job_id: _generated(wide, job_id))  # type: ignore[misc]


async def test_share_of_a_worker_that_leaves_goes_to_the_others(wide: Space) -> None:
    generation = Chain().groups[0]
    async with AsyncExitStack() as stack:
        crew = [
            await stack.enter_async_context(working(wide, generation, max_connections=40, shared=True))
            for _ in range(WORKERS)
        ]
        await wait_until(lambda: _are_shared(crew), what="every worker has a share")
        for running in crew[1:]:
            await running.stop()
        last = crew[0].assignment
        assert last is not None
        await wait_until(lambda: len(last.mine) == PARTITIONS, what="the last one waits everywhere")


async def _generated(space: Space, job_id: str) -> bool:
    return "VideoGenerated" in await space.types(job_id)
