"""Whatever becomes of a delivery, its slot and its room are free again, and the next one isn't taken for it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.commands import Command
from eventflow.domain.topics import Topic
from eventflow.log.commit import Commit
from eventflow.log.consumer import GroupMember
from eventflow.runtime.context import Group, StepContext
from eventflow.runtime.leases import StepLimits
from eventflow.runtime.retry_policy import StorageStepError
from tests.support.log_server import LogServer
from tests.support.runtime import Space, a_file, open_space, working
from tests.support.waiting import wait_until


async def test_commands_that_can_never_be_right_are_parked_and_free_their_slot(space: Space) -> None:
    wrong = [await space.submit() for _ in range(3)]

    async def plan(reaction: StepContext) -> Sequence[Command]:
        if reaction.job_id in wrong:
            return [
                cmd.StartPlanning(1),
                cmd.AnnounceScript(run=1, title="a script without scenes", scene_count=0, plan=a_file()),
            ]
        return [cmd.FinishVideo(run=1, videos=(), thumbnails=())]

    async with working(space, Group("generation", {ev.VideoRequested: plan}), concurrency=2) as running:
        await wait_until(lambda: _parked(space, 3))
        right = await space.submit()
        await wait_until(lambda: _generated(space, right))
    assert running.worker.stuck == 0


async def test_event_that_cannot_be_encoded_leaves_no_delivery_in_hand_for_ever(space: Space) -> None:
    """It comes back after its lease, and is parked the third time, with what went wrong: nobody has died of it."""
    job_id = await space.submit()

    async def plan(reaction: StepContext) -> Sequence[Command]:
        return [cmd.FinishVideo(run=1, videos=(object(),), thumbnails=())]  # type: ignore[arg-type]

    async with working(space, Group("generation", {ev.VideoRequested: plan}), concurrency=1, lease_s=0.5) as running:
        await wait_until(lambda: _step_parked(space, job_id))
    assert running.worker.stuck == 0
    assert await space.types(job_id) == ["VideoRequested", "StepParked"]
    [parked] = await space.parked()
    assert parked[b"reason"].startswith(b"AttributeError")


async def test_cancellation_that_comes_from_within_a_step_fails_the_step(space: Space) -> None:
    """What a step waits for may be cancelled by somebody else: nobody has ended the step."""
    tries = 0
    job_id = await space.submit()

    async def plan(reaction: StepContext) -> Sequence[Command]:
        nonlocal tries
        tries += 1
        if tries == 1:
            await _cancelled_by_another()
        return [cmd.FinishVideo(run=1, videos=(), thumbnails=())]

    async with working(space, Group("generation", {ev.VideoRequested: plan}), concurrency=1) as running:
        await wait_until(lambda: _generated(space, job_id))
    assert running.worker.stuck == 0
    assert "StepFailed" in await space.types(job_id)


async def test_cancellation_that_a_step_has_swallowed_does_not_reach_the_next_one(space: Space) -> None:
    """The second delivery follows in the same slot, and isn't taken for one that was ended."""
    first, began, tries = "", asyncio.Event(), 0

    async def plan(reaction: StepContext) -> Sequence[Command]:
        nonlocal tries
        if reaction.job_id == first:
            began.set()
            try:
                await asyncio.sleep(600)
            except asyncio.CancelledError:
                raise StorageStepError("cleanup", "the scratch folder can't be removed") from None
        tries += 1
        if tries == 1:
            await _cancelled_by_another()
        return [cmd.FinishVideo(run=1, videos=(), thumbnails=())]

    group = Group("generation", {ev.VideoRequested: plan})
    dead = GroupMember(
        blocking=space.redis, redis=space.redis, keys=space.keys, group=group.name, topics=group.topics, consumer="dead"
    )
    await dead.ensure()
    second = await space.submit()
    assert len(await dead.read(1)) == 1
    first = await space.submit()
    async with working(space, group, concurrency=1, lease_s=0.6) as running:
        await began.wait()
        await wait_until(lambda: _owns_all(space, running.member.consumer))
        await space.do(first, cmd.RequestCancellation("enough"))
        await wait_until(lambda: _generated(space, second))
    assert running.worker.stuck == 0
    assert "StepFailed" in await space.types(second)
    assert await space.ended(first)


async def test_drain_ends_well_though_the_server_takes_no_writes(own_server: LogServer) -> None:
    """A delivery that is being parked is let go; leases are left to run out."""
    async with open_space(own_server.url) as space:
        wrong, began, go_on = await space.submit(), asyncio.Event(), asyncio.Event()
        slow = await space.submit()
        ended = list[str]()

        async def plan(reaction: StepContext) -> Sequence[Command]:
            began.set()
            try:
                await (go_on.wait() if reaction.job_id == wrong else asyncio.sleep(600))
            finally:
                ended.append(reaction.job_id)
            return [
                cmd.StartPlanning(1),
                cmd.AnnounceScript(run=1, title="a script without scenes", scene_count=0, plan=a_file()),
            ]

        group = Group("generation", {ev.VideoRequested: plan})
        async with working(space, group, drain_s=0.2, lease_s=5.0) as running:
            await began.wait()
            await wait_until(lambda: _owns(space, 2))
            await space.redis.config_set("min-replicas-to-write", 1)
            go_on.set()
            await wait_until(lambda: wrong in ended)
            await running.stop()
        assert sorted(ended) == sorted([wrong, slow])
        assert running.worker.stuck == 0


async def test_worker_whose_steps_ignore_their_end_reads_on_with_its_last_slot(space: Space) -> None:
    """Reads wait for two free slots of eight, but not where seven are gone for good."""
    over = asyncio.Event()
    deaf = [await space.submit() for _ in range(7)]

    async def plan(reaction: StepContext) -> Sequence[Command]:
        while reaction.job_id in deaf and not over.is_set():
            with suppress(asyncio.CancelledError):
                await over.wait()
        return [cmd.FinishVideo(run=1, videos=(), thumbnails=())]

    limits = StepLimits(default_s=0.1, patience_s=0.1)
    group = Group("generation", {ev.VideoRequested: plan})
    async with working(space, group, concurrency=8, lease_s=30.0, limits=limits) as running:
        await wait_until(lambda: sum(each.abandoned for each in running.worker._in_flight) == 7)
        other = await space.submit()
        await wait_until(lambda: _generated(space, other))
        over.set()
        await wait_until(lambda: running.worker.stuck == 0)


async def test_what_follows_an_end_is_not_stopped_by_it(space: Space) -> None:
    """A job that has ended early leaves a hint for the workers of its steps, not for those who tell of its end."""
    told, ended = asyncio.Event(), list[str]()

    async def tell(reaction: StepContext) -> Sequence[Command]:
        await told.wait()
        ended.append(reaction.job_id)
        return []

    job_id = await space.submit()
    await space.do(job_id, cmd.RequestCancellation("enough"))
    assert await space.redis.hget(space.keys.live(job_id), "cancel")
    group = Group("later", {ev.JobCancelled: tell})
    async with working(space, group, lease_s=0.6):
        await wait_until(lambda: space.pending(space.topic(Topic.OUTCOME), "later"))
        idle_ms, renewals = 0, 0
        while renewals < 3 and (rows := await space.pending(space.topic(Topic.OUTCOME), "later")):
            renewals += rows[0]["time_since_delivered"] < idle_ms
            idle_ms = rows[0]["time_since_delivered"]
        told.set()
        await wait_until(lambda: ended or not renewals)
    assert ended == [job_id]


async def test_listener_that_fails_keeps_no_other_commit_from_its_answer(space: Space) -> None:
    answers = list[int]()

    def fails(version: int, error: Exception | None) -> None:
        raise RuntimeError

    for answered in (fails, lambda version, _: answers.append(version)):
        space.log.committer.submit(Commit(keys=space.keys, job_id="-"), answered)
    await wait_until(lambda: answers)


async def _cancelled_by_another() -> None:
    shared = asyncio.create_task(asyncio.sleep(600))
    shared.cancel()
    await shared


async def _parked(space: Space, count: int) -> bool:
    return len(await space.parked()) == count


async def _generated(space: Space, job_id: str) -> bool:
    return "VideoGenerated" in await space.types(job_id)


async def _owns(space: Space, count: int) -> bool:
    return len(await space.pending(space.topic(Topic.REQUESTED), "generation")) == count


async def _owns_all(space: Space, consumer: str) -> bool:
    rows = await space.pending(space.topic(Topic.REQUESTED), "generation")
    return len(rows) == 2 and all(row["consumer"] == consumer.encode() for row in rows)


async def _step_parked(space: Space, job_id: str) -> bool:
    return "StepParked" in await space.types(job_id)
