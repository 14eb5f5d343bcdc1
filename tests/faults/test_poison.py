"""Entries that nobody can handle, and one that kills whoever tries."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
import pytest

from eventflow.domain import events as ev
from eventflow.domain.commands import Command
from eventflow.domain.state import Phase
from eventflow.domain.topics import Topic
from eventflow.domain.values import FailureCategory
from eventflow.runtime.context import Group, StepContext
from tests.support.crew import Crew
from tests.support.runtime import Chain, Runs, Space, gapless, scenes_group, working
from tests.support.waiting import wait_until


async def _poisoned(space: Space, fields: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """What is parked for an entry with `fields`, between two jobs that go on."""
    stream = space.topic(Topic.REQUESTED)
    before = await space.submit()
    await space.redis.xadd(stream, fields)
    behind = await space.submit()
    async with working(space, Chain().groups[0]):
        await wait_until(lambda: _count(space, 1))
        for job_id in (before, behind):
            await wait_until(lambda job_id=job_id: _generated(space, job_id))  # type: ignore[misc]
        await wait_until(lambda: _nothing_pending(space, stream, "generation"))
    [parked] = await space.parked()
    assert parked[b"stream"] == stream.encode()
    assert parked[b"group"] == b"generation"
    assert b"Traceback" in parked[b"cause"]
    assert {b"entry", b"count", b"at", b"e"} <= parked.keys()
    return parked


@pytest.mark.parametrize(
    "raw", [b"\xff\xfe", b"{", b"[]", b"null", b"{}", b'{"type": "VideoRequested", "data": 7}', b""], ids=repr
)
async def test_undecodable_entry_is_parked_and_others_go_on(space: Space, raw: bytes) -> None:
    parked = await _poisoned(space, {b"e": raw})
    assert parked[b"e"] == raw
    assert parked[b"reason"].startswith(b"DecodeError")


async def test_entry_without_payload_is_parked(space: Space) -> None:
    parked = await _poisoned(space, {b"something": b"else"})
    assert parked[b"reason"].startswith(b"DecodeError")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"type": "VideoTeleported"}, b"unknown event type 'VideoTeleported'"),
        ({"dataversion": 99}, b"VideoRequested has version 99; this code reads up to"),
    ],
    ids=["unknown type", "newer schema version"],
)
async def test_event_of_newer_code_is_parked_with_its_cause(
    space: Space, changes: dict[str, object], reason: bytes
) -> None:
    await space.submit()
    [(_, fields)] = await space.redis.xrange(space.topic(Topic.REQUESTED))
    raw = orjson.dumps({**orjson.loads(fields[b"e"]), **changes})
    parked = await _poisoned(space, {b"e": raw})
    assert reason in parked[b"reason"]
    assert parked[b"e"] == raw


async def test_event_of_a_job_that_the_log_does_not_know_is_parked(space: Space) -> None:
    job_id = await space.submit()
    [(entry, _fields)] = await space.redis.xrange(space.topic(Topic.REQUESTED))
    await space.redis.delete(space.keys.events(job_id))
    async with working(space, Chain().groups[0]):
        await wait_until(lambda: _count(space, 1))
        await wait_until(lambda: _nothing_pending(space, space.topic(Topic.REQUESTED), "generation"))
    [parked] = await space.parked()
    assert parked[b"reason"].startswith((b"LookupError", b"JobMissing"))
    assert parked[b"entry"] == entry


async def test_event_without_a_handler_is_parked_and_not_delivered_again(space: Space) -> None:
    await space.submit_scenes(1)

    async def never(reaction: StepContext) -> Sequence[Command]:
        raise AssertionError

    group = Group("generation", {ev.ReprocessRequested: never})  # reads the topic of VideoRequested as well
    async with working(space, group):
        await wait_until(lambda: _count(space, 1))
        await wait_until(lambda: _nothing_pending(space, space.topic(Topic.REQUESTED), "generation"))
    [parked] = await space.parked()
    assert b"has no handler for VideoRequested" in parked[b"reason"]


async def test_entry_that_kills_three_workers_fails_its_job_as_resource(space: Space, crew: Crew) -> None:
    runs = Runs()

    async def render(reaction: StepContext) -> None:
        runs.began[reaction.event.scene] += 1

    job_id = await space.submit_scenes(1)
    for died in range(3):
        process = crew(space, "deadly", "--lease", "0.5")
        await wait_until(lambda died=died: _begun(crew, died + 1))  # type: ignore[misc]
        assert process.process.wait(10) == -9
    async with working(space, scenes_group(render), lease_s=0.5):
        await wait_until(lambda: space.ended(job_id))
    assert not runs.began
    history = await space.history(job_id)
    failed, job_failed = history[-2].event, history[-1].event
    assert isinstance(failed, ev.StepFailed)
    assert failed.failure.category is FailureCategory.RESOURCE
    assert failed.retry_at is None
    assert isinstance(job_failed, ev.JobFailed)
    assert job_failed.failure.category is FailureCategory.RESOURCE
    assert job_failed.failure.code == "delivery_limit"
    assert "3 workers have begun it and died of it" in job_failed.failure.message
    assert (await space.job(job_id)).phase is Phase.FAILED
    assert await space.pending(space.topic(Topic.PLANNED), "generation") == []
    assert gapless(history)


async def _begun(crew: Crew, count: int) -> bool:
    return len(crew.journal.words("begin")) == count


async def _count(space: Space, parked: int) -> bool:
    return len(await space.parked()) == parked


async def _generated(space: Space, job_id: str) -> bool:
    return "VideoGenerated" in await space.types(job_id)


async def _nothing_pending(space: Space, stream: str, group: str) -> bool:
    [info] = await space.redis.xinfo_groups(stream)
    return bool(info["pending"] == 0 and info["lag"] == 0)
