"""What is parked: told to its job, sent again once and to its group alone, or given up on purpose."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.commands import Command
from eventflow.domain.errors import IllegalTransition
from eventflow.domain.state import Phase
from eventflow.domain.topics import Topic
from eventflow.domain.values import Stage
from eventflow.domain.view import StageState, view_of
from eventflow.log.dead_letters import DeadLetter, DeadLetters
from eventflow.log.errors import DeadLetterMissing, DeadLetterRefused
from eventflow.runtime.context import Group, StepContext
from eventflow.runtime.retry_policy import MAX_DELIVERIES, GenerationError, StorageStepError
from tests.support.runtime import CAUSE, Chain, Runs, Space, gapless, scenes_group, working
from tests.support.waiting import wait_until

CANCEL = cmd.RequestCancellation("enough")


def _gap(broken: Sequence[int]) -> Group:
    """Scenes in `broken` are refused by the domain, as a defect of ours would be."""

    async def plan(reaction: StepContext) -> Sequence[Command]:
        return []

    async def render(reaction: StepContext) -> Sequence[Command]:
        scene, run = reaction.event.scene, reaction.event.run
        wrong = cmd.PlanScene(
            run=run, scene=99, title="", start_cells=0, duration_cells=1, spec=reaction.event.spec, narration=None
        )
        return [wrong] if scene in broken else [cmd.FinishScene(scene=scene, run=run, renditions=())]

    return Group("generation", {ev.VideoRequested: plan, ev.ScenePlanned: render})


async def _parked_scene(space: Space, scenes: int = 1, broken: Sequence[int] = (0,)) -> tuple[str, DeadLetter]:
    """A job whose scenes in `broken` are parked and whose others are rendered."""
    job_id = await space.submit_scenes(scenes)
    async with working(space, _gap(broken)):
        await wait_until(lambda: _count(space, len(broken)))
        await wait_until(lambda: _rendered(space, job_id, scenes - len(broken)))
    [entry, *_] = (await DeadLetters(space.log).page(10))[0]
    return job_id, entry


async def test_parked_delivery_tells_its_job_in_the_same_commit(space: Space) -> None:
    job_id, entry = await _parked_scene(space)
    history = await space.history(job_id)
    parked = history[-1].event
    assert isinstance(parked, ev.StepParked)
    assert "scene 99" in parked.reason
    assert entry.reason == parked.reason
    assert entry.envelope is not None
    assert history[-1].causation_id == entry.envelope.id
    view = view_of(history)
    assert view is not None
    assert view.stages[Stage.RENDERING].state is StageState.PARKED
    assert "Traceback" in entry.cause
    assert (entry.group, entry.topic, entry.attempts, entry.job_id) == ("generation", Topic.PLANNED, 1, job_id)


async def test_redrive_continues_the_job_once_though_asked_for_ten_times(space: Space) -> None:
    runs = Runs()

    async def render(reaction: StepContext) -> None:
        runs.began[reaction.event.scene] += 1

    job_id, entry = await _parked_scene(space, 2)
    parked = DeadLetters(space.log)
    asked = await asyncio.gather(*(parked.redrive(entry.id) for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(answer, DeadLetter) for answer in asked) == 1
    assert sum(isinstance(answer, DeadLetterMissing) for answer in asked) == 9
    assert await space.redis.xlen(space.keys.retry("generation", Topic.PLANNED)) == 1
    async with working(space, scenes_group(render)):
        await wait_until(lambda: _rendered(space, job_id, 2))
        await wait_until(lambda: _retries_empty(space))
    assert runs.began == {0: 1}
    view = view_of(await space.history(job_id))
    assert view is not None
    assert view.stages[Stage.RENDERING].state is StageState.COMPLETED
    assert await space.parked() == []
    assert gapless(await space.history(job_id))


async def test_redrive_keeps_every_checkpoint(space: Space) -> None:
    """Neither its own group's position in the topic moves, nor any other group sees the event again."""
    runs = Runs()

    async def watch(reaction: StepContext) -> Sequence[Command]:
        runs.began["watchers"] += 1
        return []

    job_id, entry = await _parked_scene(space)
    stream = space.topic(Topic.PLANNED)
    async with working(space, Group("watchers", {ev.ScenePlanned: watch})):
        await wait_until(lambda: runs.began["watchers"] == 1)
        before = await _positions(space, stream)
        await DeadLetters(space.log).redrive(entry.id)
        async with working(space, scenes_group(_nothing)):
            await wait_until(lambda: _rendered(space, job_id, 1))
            later = await space.submit_scenes(1)
            await wait_until(lambda: _rendered(space, later, 1))
            await wait_until(lambda: runs.began["watchers"] == 2)
    after = await _positions(space, stream)
    assert [name for name, _, _ in after] == [name for name, _, _ in before]
    [(entry_id, _)] = await space.redis.xrevrange(stream, count=1)
    assert {(position, pending) for _, position, pending in after} == {(entry_id, 0)}
    assert await space.redis.xlen(stream) == 2


async def test_redriven_delivery_is_counted_anew_and_may_be_parked_again(space: Space) -> None:
    job_id, first = await _parked_scene(space)
    parked = DeadLetters(space.log)
    await parked.redrive(first.id)
    async with working(space, _gap((0,))):
        await wait_until(lambda: _count(space, 1))
    [again], cursor = await parked.page(10)
    assert cursor == ""
    assert again.id != first.id
    assert (again.attempts, again.topic, again.job_id) == (1, Topic.PLANNED, job_id)
    assert again.stream == space.keys.retry("generation", Topic.PLANNED)
    assert (await space.types(job_id)).count("StepParked") == 2


async def test_job_that_waits_for_a_parked_delivery_is_cancelled_at_once(space: Space) -> None:
    job_id, entry = await _parked_scene(space, 2)
    await space.do(job_id, CANCEL)
    assert (await space.job(job_id)).phase is Phase.CANCELLED
    await space.do(job_id, cmd.RequestReprocess())  # and is free for another try
    await DeadLetters(space.log).drop(entry.id, CAUSE)
    assert (await space.types(job_id))[-3:] == ["CancellationRequested", "JobCancelled", "ReprocessRequested"]


async def test_delivery_that_is_parked_while_its_job_is_cancelled_confirms(space: Space) -> None:
    async def render(reaction: StepContext) -> Sequence[Command]:
        await space.do(reaction.job_id, CANCEL)
        raise IllegalTransition("a defect")

    async def defective(reaction: StepContext) -> Sequence[Command]:
        await space.do(reaction.job_id, CANCEL)
        return [
            cmd.PlanScene(
                run=1, scene=99, title="", start_cells=0, duration_cells=1, spec=reaction.event.spec, narration=None
            )
        ]

    for handler in (render, defective):
        job_id = await space.submit_scenes(1)
        async with working(space, Group("generation", {ev.ScenePlanned: handler, ev.VideoRequested: _idle})):
            await wait_until(lambda job_id=job_id: space.ended(job_id))  # type: ignore[misc]
        assert (await space.job(job_id)).phase is Phase.CANCELLED


async def test_drop_fails_the_job_that_waits_for_it(space: Space) -> None:
    """As a scene that failed for good would: once the others are through."""
    job_id, entry = await _parked_scene(space, 2)
    parked = DeadLetters(space.log)
    _, record = await parked.drop(entry.id, CAUSE)
    assert record is not None
    assert record.job.phase is Phase.RENDERING
    await space.do(job_id, cmd.FinishSceneUpload(scene=1, run=1, renditions=()))
    job = await space.job(job_id)
    assert job.phase is Phase.FAILED
    assert job.failure is not None
    assert job.failure.failure.code == "parked_dropped"
    assert "scene 99" in job.failure.failure.message
    assert await space.parked() == []
    with pytest.raises(DeadLetterMissing):
        await parked.drop(entry.id, CAUSE)


async def test_drop_for_a_group_that_was_added_later_leaves_the_job_alone(space: Space) -> None:
    async def watch(reaction: StepContext) -> Sequence[Command]:
        return [
            cmd.PlanScene(
                run=1, scene=99, title="", start_cells=0, duration_cells=1, spec=reaction.event.spec, narration=None
            )
        ]

    job_id = await space.submit_scenes(1)
    before = await space.types(job_id)
    async with working(space, Group("watchers", {ev.ScenePlanned: watch})):
        await wait_until(lambda: _count(space, 1))
    [entry], _ = await DeadLetters(space.log).page(10)
    await DeadLetters(space.log).drop(entry.id, CAUSE)
    assert await space.types(job_id) == before
    assert await space.parked() == []


async def test_what_cannot_be_decoded_is_redriven_as_it_is_where_its_topic_is_known(space: Space) -> None:
    """For code that knows it, after an upgrade; nothing in the bytes is changed."""
    job_id = await space.submit()
    written = orjson.loads(space.log.codec.encode((await space.history(job_id))[0]))
    raw = orjson.dumps({**written, "type": "VideoTeleported"})
    await space.redis.xadd(space.topic(Topic.REQUESTED), {"e": raw})
    async with working(space, Chain().groups[0]):
        await wait_until(lambda: _count(space, 1))
    parked = DeadLetters(space.log)
    [entry], _ = await parked.page(10)
    assert entry.envelope is None
    assert "VideoTeleported" in entry.problem
    assert entry.job_id == job_id
    with pytest.raises(DeadLetterRefused, match=r"Cancel the job first"):
        await parked.drop(entry.id, CAUSE)
    await parked.redrive(entry.id)
    [(_, fields)] = await space.redis.xrange(space.keys.retry("generation", Topic.REQUESTED))
    assert fields == {b"e": raw}


async def test_redrive_is_refused_where_nobody_would_read_it(space: Space) -> None:
    parked = DeadLetters(space.log)
    odd: dict[Any, Any] = {"e": b"\xff", "stream": f"{space.keys.base}topic:gossip:normal", "group": "generation"}
    await space.redis.xadd(space.keys.dead_letters, odd)
    await space.redis.xadd(space.keys.dead_letters, {**odd, "e": b"", "stream": space.topic(Topic.PLANNED)})
    [empty, unknown], _ = await parked.page(10)
    with pytest.raises(DeadLetterRefused, match=r"topic:gossip:normal is of no topic"):
        await parked.redrive(unknown.id)
    with pytest.raises(DeadLetterRefused, match="it holds no event"):
        await parked.redrive(empty.id)
    for entry in (empty, unknown):
        assert await parked.drop(entry.id, CAUSE) == (entry, None)
    for name in ("", "00-0-0", "zz-1-1", "00-1", f"00-{2**64}-0", entry.id):
        with pytest.raises(DeadLetterMissing):
            await parked.find(name)


async def test_pages_show_every_entry_once_newest_first(space: Space) -> None:
    """Over partitions; an entry that comes meanwhile doesn't disturb, nor one that goes."""
    space.keyspace = space.log.keyspace = type(space.keyspace)(space.keyspace.prefix, 3)
    for number in range(30):
        keys = space.keyspace.partition(number % 3)
        await space.redis.xadd(keys.dead_letters, {"e": str(number), "group": "g"}, id=f"{1 + number // 3}-1")
    parked, seen, cursor = DeadLetters(space.log), list[bytes](), ""
    while True:
        entries, cursor = await parked.page(7, cursor)
        seen += [entry.payload for entry in entries]
        if not cursor:
            break
        await space.redis.xadd(space.keyspace.partition(1).dead_letters, {"e": "new"})
        await space.redis.xdel(entries[-1].keys.dead_letters, entries[-1].entry_id)
    assert seen == [str(n).encode() for n in reversed(range(30))]
    assert len([entry async for entry in parked.all()]) == 30 - 4 + 4


async def test_what_a_program_has_said_is_kept(space: Space) -> None:
    class ProgramFailed(GenerationError):
        stderr = b"x" * 9_000 + b"moov atom not found"

    async def fails(reaction: StepContext) -> Sequence[Command]:
        raise ProgramFailed("probe", "the program ended with 1")

    async with working(space, Group("watchers", {ev.JobCancelled: fails}), lease_s=0.5):
        job_id = await space.submit()
        await space.do(job_id, CANCEL)
        await wait_until(lambda: _count(space, 1))  # no step of a job: tried three times, then parked
    [entry], _ = await DeadLetters(space.log).page(10)
    assert entry.stderr.endswith("moov atom not found")
    assert len(entry.stderr) == 8_000


async def test_what_is_no_step_waits_for_a_store_as_long_as_that_is_away(space: Space) -> None:
    tried: list[int] = []

    async def fails(reaction: StepContext) -> Sequence[Command]:
        tried.append(len(tried))
        if len(tried) <= 2 * MAX_DELIVERIES:
            raise StorageStepError("storage_unavailable", "nobody answers")
        return []

    async with working(space, Group("watchers", {ev.JobCancelled: fails}), lease_s=0.5):
        job_id = await space.submit()
        await space.do(job_id, CANCEL)
        await wait_until(lambda: len(tried) > 2 * MAX_DELIVERIES)
        retries = space.keys.retry("watchers", Topic.OUTCOME)
        await wait_until(lambda: _empty(space, retries))
    assert await space.parked() == []
    assert await space.redis.zcard(space.keys.delayed) == 0


async def _idle(reaction: StepContext) -> Sequence[Command]:
    return []


async def _nothing(reaction: StepContext) -> None:
    pass


async def _positions(space: Space, stream: str) -> list[tuple[bytes, bytes, int]]:
    infos = await space.redis.xinfo_groups(stream)
    return sorted((i["name"], i["last-delivered-id"], i["pending"]) for i in infos)


async def _count(space: Space, parked: int) -> bool:
    return len(await space.parked()) == parked


async def _rendered(space: Space, job_id: str, scenes: int) -> bool:
    return (await space.types(job_id)).count("SceneRendered") == scenes


async def _retries_empty(space: Space) -> bool:
    return await _empty(space, space.keys.retry("generation", Topic.PLANNED))


async def _empty(space: Space, stream: str) -> bool:
    return await space.redis.xlen(stream) == 0
