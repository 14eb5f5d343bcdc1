"""A server that has lost the newest events of a job; others have then taken it another way, up to the same version."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.commands import Command
from eventflow.domain.values import Step
from eventflow.log.codec import Codec
from eventflow.log.connection import DISCONNECTED, connect
from eventflow.log.event_store import JobEventStore, append
from eventflow.log.feed import FeedTail
from eventflow.runtime.context import Group, StepContext
from eventflow.runtime.pressure import PressureGate
from tests.support.log_server import LogServer
from tests.support.runtime import CAUSE, Runs, Space, a_file, gapless, open_space, scenes_group, utc_now, working
from tests.support.waiting import wait_until
from web.readmodel.projection import Projection, running


@pytest.fixture
async def other(own_server: LogServer, own_space: Space) -> AsyncIterator[Space]:
    """Another process: with a cache of its own."""
    async with open_space(own_server.url, own_space.keyspace.prefix) as space:
        yield space


def _plan(title: str) -> tuple[Command, ...]:
    """Two events."""
    return cmd.StartPlanning(1), cmd.AnnounceScript(run=1, title=title, scene_count=2, plan=a_file())


async def test_commit_goes_on_from_what_is_there(own_server: LogServer, own_space: Space, other: Space) -> None:
    """Without a settlement: the command is decided again."""
    job_id = await own_space.submit()
    written = await _written(own_server, own_space)
    await own_space.do(job_id, *_plan("mine"))
    own_server.lose_after(written)
    await other.do(job_id, *_plan("other"))
    stale = own_space.log._cache[job_id]
    assert stale.version == 3
    after = await own_space.log.execute(
        job_id,
        [cmd.PlanScene(run=1, scene=0, title="scene", start_cells=0, duration_cells=3, spec=a_file(), narration=None)],
        CAUSE,
        record=stale,
    )
    assert after is not None
    assert after == await _folded(other, job_id)
    assert (after.version, after.job.title) == (4, "other")


async def test_load_finds_the_other_history(own_server: LogServer, own_space: Space, other: Space) -> None:
    """At the same version, at a higher one, and where the job is shorter than before."""
    job_id = await own_space.submit()
    written = await _written(own_server, own_space)
    for title, more in (("other", 0), ("higher", 2), ("none", -2)):
        await own_space.do(job_id, *_plan("mine"))
        own_server.lose_after(written)
        if more >= 0:
            await other.do(job_id, *_plan(title))
        await other.do(
            job_id,
            *(
                cmd.PlanScene(
                    run=1, scene=i, title="scene", start_cells=3 * i, duration_cells=3, spec=a_file(), narration=None
                )
                for i in range(more)
            ),
        )
        record = await own_space.log.load(job_id)
        assert record is not None
        assert record == await _folded(other, job_id)
        assert record.version == 3 + more
        own_server.lose_after(written)


async def test_step_that_was_based_on_lost_events_begins_anew(
    own_server: LogServer, own_space: Space, other: Space
) -> None:
    """Its claim is still its own: only what it knows of the job is wrong, and by that maybe what it has done."""
    runs, titles = Runs(), list[str]()
    begin, go = asyncio.Event(), asyncio.Event()

    async def plan(reaction: StepContext) -> Sequence[Command]:
        runs.began[reaction.job_id] += 1
        await begin.wait()
        if not reaction.job.title:
            await reaction.commit(*_plan("mine"))
        titles.append(reaction.job.title)
        await go.wait()
        return [
            cmd.PlanScene(
                run=1,
                scene=0,
                title=f"of {reaction.job.title}",
                start_cells=0,
                duration_cells=3,
                spec=a_file(),
                narration=None,
            )
        ]

    job_id = await own_space.submit()
    async with working(own_space, Group("generation", {ev.VideoRequested: plan}), lease_s=30):
        await wait_until(lambda: runs.began[job_id] == 1)
        written = await _written(own_server, own_space)
        begin.set()
        await wait_until(lambda: titles == ["mine"])
        own_server.lose_after(written)
        await other.do(job_id, *_plan("other"))
        go.set()
        await wait_until(lambda: _has(other, job_id, "ScenePlanned"))
    assert titles == ["mine", "other"]
    history = await other.history(job_id)
    assert [envelope.type for envelope in history] == [
        "VideoRequested",
        "PlanningStarted",
        "ScriptPlanned",
        "ScenePlanned",
    ]
    assert history[-1].event.title == "of other"  # type: ignore[attr-defined]
    assert gapless(history)


@pytest.mark.parametrize("others_go_on", [False, True])
async def test_work_is_not_taken_for_done_by_a_lost_event(
    own_server: LogServer, own_space: Space, other: Space, others_go_on: bool
) -> None:
    """The cache says that the scene is rendered: the log doesn't know of it any more. It is rendered."""
    runs, paused = Runs(), True

    async def render(reaction: StepContext) -> None:
        runs.began[reaction.event.scene] += 1

    async def tell(reason: str) -> None:
        pass

    gate = PressureGate(lambda: "the test isn't ready" if paused else "", tell)
    await gate.check()
    job_id = await own_space.submit_scenes(1)
    async with working(own_space, scenes_group(render), gate=gate) as worker:
        await wait_until(lambda: _has_group(own_space))
        written = await _written(own_server, own_space)
        await worker.log.execute(job_id, [cmd.FinishScene(scene=0, run=1, renditions=())], CAUSE)
        own_server.lose_after(written)
        if others_go_on:
            await other.do(
                job_id,
                cmd.RecordFallback(
                    run=1, step=Step.UPLOAD_SCENE, scene=0, key="key", reason="no answer", retry_count=3
                ),
            )
        paused = False
        await wait_until(lambda: _has(other, job_id, "ScenesCompleted"))
        assert await own_space.parked() == []
    assert runs.began == {0: 1}
    assert gapless(await other.history(job_id))


@pytest.mark.parametrize("in_silence", [False, True])
async def test_follower_of_the_feed_hears_of_every_lost_connection(
    own_server: LogServer, own_space: Space, other: Space, in_silence: bool
) -> None:
    """A pool that finds one lost between two reads may make it anew in silence; what was told before may be gone."""
    job_id = await own_space.submit()
    written = await _written(own_server, own_space)
    await own_space.do(job_id, *_plan("mine"))
    blocking = connect(own_server.url, blocking=True, max_connections=3)
    try:
        tail = FeedTail(blocking, own_space.keyspace)
        await tail.start_at_end()
        assert await tail.read(block_ms=10) == []
        own_server.lose_after(written)
        if in_silence:
            await blocking.connection_pool.disconnect()
        await other.do(job_id, *_plan("other"))
        with pytest.raises(DISCONNECTED):
            await tail.read(block_ms=10)
        await tail.start_at_end()
        await other.do(
            job_id,
            cmd.PlanScene(
                run=1, scene=0, title="scene", start_cells=0, duration_cells=3, spec=a_file(), narration=None
            ),
        )
        assert [note.version for note in await tail.read()] == [4]
    finally:
        await blocking.aclose()


async def test_web_process_serves_what_is_there(own_server: LogServer, own_space: Space, other: Space) -> None:
    job_id = await own_space.submit()
    written = await _written(own_server, own_space)
    await own_space.do(job_id, *_plan("mine"))
    blocking = connect(own_server.url, blocking=True, max_connections=3)
    tail = FeedTail(blocking, own_space.keyspace)
    projection = Projection(own_space.log, tail, capacity=10, render=lambda view, shown: view.job.title.encode())
    try:
        async with running(projection):
            await wait_until(lambda: projection.following)
            assert (await _snapshot(projection, job_id)) == (3, b"mine")
            own_server.lose_after(written)
            await other.do(job_id, *_plan("other"))
            await wait_until(lambda: projection.following)
            assert (await _snapshot(projection, job_id)) == (3, b"other")
    finally:
        await blocking.aclose()


async def _written(server: LogServer, space: Space) -> int:
    """How much of the server's file is there now; with everysec, answers may be ahead of it."""
    await space.synced()
    return server.written()


async def _snapshot(projection: Projection, job_id: str) -> tuple[int, bytes]:
    found = await projection.get(job_id)
    assert found is not None
    return found.view.version, found.body


async def _folded(space: Space, job_id: str) -> object:
    """The job as a process folds it that knows nothing."""
    log = JobEventStore(space.redis, codec=Codec(), keyspace=space.keyspace, clock=utc_now)
    record = None
    for envelope in await log.history(job_id):
        record = append(record, envelope)
    return record


async def _has(space: Space, job_id: str, kind: str) -> bool:
    return kind in await space.types(job_id)


async def _has_group(space: Space) -> bool:
    return bool(await space.redis.exists(space.keys.groups))
