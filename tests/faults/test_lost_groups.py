"""Consumer groups that are missing: before the first start, and lost while workers run."""

from __future__ import annotations

from eventflow.domain.topics import Topic
from eventflow.runtime.context import StepContext
from tests.support.log_server import LogServer
from tests.support.runtime import CHAIN, Chain, Runs, Space, gapless, working
from tests.support.waiting import wait_until


async def test_group_that_is_new_sees_what_was_appended_before_it(space: Space) -> None:
    jobs = [await space.submit() for _ in range(5)]
    one, two, three = Chain().groups
    async with working(space, one):
        for job_id in jobs:
            await wait_until(lambda job_id=job_id: _has(space, job_id, "VideoGenerated"))  # type: ignore[misc]
    async with working(space, two), working(space, three):
        await wait_until(lambda: space.ended(*jobs))
    assert [await space.types(job_id) for job_id in jobs] == [CHAIN] * 5


async def test_destroyed_group_comes_back_and_skips_nothing(space: Space) -> None:
    """Made anew from the beginning: what was settled before is settled again without work."""
    runs = Runs()

    async def count(reaction: StepContext) -> None:
        runs.began[reaction.job_id] += 1

    stream = space.topic(Topic.REQUESTED)
    async with working(space, Chain(count).groups[0], lease_s=0.5):
        before = await space.submit()
        await wait_until(lambda: _has(space, before, "VideoGenerated"))
        assert await space.redis.xgroup_destroy(stream, "generation")
        behind = [await space.submit() for _ in range(3)]
        for job_id in behind:
            await wait_until(lambda job_id=job_id: _has(space, job_id, "VideoGenerated"))  # type: ignore[misc]
        await wait_until(lambda: _nothing_left(space, stream))
    assert runs.began == dict.fromkeys([before, *behind], 1)
    for job_id in (before, *behind):
        assert gapless(await space.history(job_id))


async def test_flushed_server_is_worked_on_again_without_a_hot_loop(own_server: LogServer, own_space: Space) -> None:
    one, two, three = Chain().groups
    async with working(own_space, one), working(own_space, two), working(own_space, three):
        first = await own_space.submit()
        await wait_until(lambda: own_space.ended(first))
        await own_space.redis.flushall()
        own_space.log.forget(first)
        before = await _commands(own_space)
        jobs = [await own_space.submit() for _ in range(5)]
        await wait_until(lambda: own_space.ended(*jobs))
        spent = await _commands(own_space) - before
    assert [await own_space.types(job_id) for job_id in jobs] == [CHAIN] * 5
    # Without a pause three workers would send tens of thousands of reads in that time.
    assert spent < 20_000


async def test_group_that_is_destroyed_under_running_work_lets_no_result_through_twice(space: Space) -> None:
    """The claim is gone with the group: the commit is refused, and the new delivery does the work."""
    runs = Runs()
    stream = space.topic(Topic.REQUESTED)

    async def destroy_first(reaction: StepContext) -> None:
        runs.began[0] += 1
        if runs.began[0] == 1:
            await space.redis.xgroup_destroy(stream, "generation")

    async with working(space, Chain(destroy_first).groups[0], lease_s=0.5):
        job_id = await space.submit()
        await wait_until(lambda: _has(space, job_id, "VideoGenerated"))
    assert runs.began[0] == 2
    assert (await space.types(job_id)).count("VideoGenerated") == 1


async def _has(space: Space, job_id: str, kind: str) -> bool:
    return kind in await space.types(job_id)


async def _nothing_left(space: Space, stream: str) -> bool:
    [info] = await space.redis.xinfo_groups(stream)
    return bool(info["pending"] == 0 and info["lag"] == 0)


async def _commands(space: Space) -> int:
    return int((await space.redis.info("stats"))["total_commands_processed"])
