"""A worker that is short of disk or memory takes nothing on, says so, and goes on when there is room again."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

from eventflow.domain import events as ev
from eventflow.domain.topics import Topic
from eventflow.domain.values import FailureCategory
from eventflow.log.members import PAUSED_STALE_S, PausedWorkers
from eventflow.runtime.context import Group, StepContext
from eventflow.runtime.pressure import PressureGate, PressureLimits
from eventflow.runtime.retry_policy import ResourceError, RetryPolicy
from tests.support.runtime import Chain, Space, utc_now, working
from tests.support.waiting import wait_until

MB = 1_000_000


def _container(folder: Path, used_mb: int, droppable_mb: int = 0, limit: str = str(1_000 * MB)) -> None:
    """The files of a cgroup v2, as a kernel writes them."""
    (folder / "memory.max").write_text(limit + "\n")
    (folder / "memory.stat").write_text(f"anon 1\ninactive_file {droppable_mb * MB}\n")
    (folder / "memory.current").write_text(f"{used_mb * MB}\n")


async def test_worker_without_room_takes_nothing_and_goes_on_when_there_is_some(space: Space, tmp_path: Path) -> None:
    paused = PausedWorkers(space.redis, space.keyspace, clock=utc_now)
    limits = PressureLimits(scratch=tmp_path, max_container_share=0.9, cgroup=tmp_path)
    gate = PressureGate(limits.reason, lambda reason: paused.note("w-1", "generation", reason))
    group = Chain().groups[0]
    _container(tmp_path, 100)
    async with working(space, group, gate=gate, lease_s=0.5):
        await wait_until(lambda: _generated_one(space))
        _container(tmp_path, 950)
        await wait_until(lambda: not gate.is_open)
        await wait_until(lambda: _reads_ended(space))
        orphan = await space.submit()
        async with working(space, group, lease_s=0.5):  # there are others who have room
            await wait_until(lambda: _has(space, orphan, "VideoGenerated"))
        [note] = await paused.list()
        assert (note.consumer, note.group) == ("w-1", "generation")
        assert note.reason == "the container uses 950 of its 1000 MB of memory"
        waiting = await space.submit()
        await wait_until(lambda: _lag(space, 1))
        assert await space.types(waiting) == ["VideoRequested"]
        assert await space.pending(space.topic(Topic.REQUESTED), "generation") == []
        _container(tmp_path, 950, droppable_mb=100)
        await wait_until(lambda: _has(space, waiting, "VideoGenerated"))
    assert await paused.list() == []
    assert gate.reason == ""


def _short_of_disk(tried: list[str], name: str, times: int) -> Group:
    """A group whose step finds no room the first `times` times; each try is noted under `name`."""

    async def step(reaction: StepContext) -> None:
        tried.append(name)
        if tried.count(name) <= times:
            raise ResourceError("disk_full", "no space is left on the worker's disk")

    return Chain(step).groups[0]


async def _failures(space: Space, job: str) -> list[ev.StepFailed]:
    return [e.event for e in await space.history(job) if isinstance(e.event, ev.StepFailed)]


async def test_a_step_that_had_too_little_here_is_tried_elsewhere(space: Space) -> None:
    tried: list[str] = []
    paused = PausedWorkers(space.redis, space.keyspace, clock=utc_now)
    gate = PressureGate(lambda: "", lambda reason: paused.note("w-1", "generation", reason))
    retry = RetryPolicy(base_s=0.05)
    async with working(space, _short_of_disk(tried, "full", 100), gate=gate, retry=retry, rest_s=600):
        job = await space.submit()
        await wait_until(lambda: not gate.is_open)
        await wait_until(lambda: _reads_ended(space))
        async with working(space, _short_of_disk(tried, "other", 0)):
            await wait_until(lambda: _has(space, job, "VideoGenerated"))
        assert (tried[0], tried[-1]) == ("full", "other")
        [note] = await wait_until(paused.list, what="the note of the worker that rests")
        assert note.reason == "a step has failed here: no space is left on the worker's disk"
    for failed in await _failures(space, job):
        assert (failed.failure.code, failed.failure.category) == ("disk_full", FailureCategory.RESOURCE)
        assert failed.retry_at is not None


async def test_where_there_is_no_other_worker_it_is_tried_again_after_a_rest(space: Space) -> None:
    tried: list[str] = []
    gate = PressureGate(lambda: "", lambda reason: _stated(tried, reason))
    async with working(space, _short_of_disk(tried, "full", 1), gate=gate, retry=RetryPolicy(base_s=2), rest_s=0.5):
        job = await space.submit()
        await wait_until(lambda: _has(space, job, "VideoGenerated"))
    assert tried.count("full") == 2
    assert len(await _failures(space, job)) == 1


async def _stated(tried: list[str], reason: str) -> None:
    tried.append(f"told: {reason}")


async def test_note_of_a_paused_worker_that_was_killed_is_forgotten(space: Space) -> None:
    now = [utc_now()]
    paused = PausedWorkers(space.redis, space.keyspace, clock=lambda: now[0])
    await paused.note("w-1", "upload", "no room")
    assert len(await paused.list()) == 1
    now[0] += timedelta(seconds=PAUSED_STALE_S + 1)
    assert await paused.list() == []
    assert not await space.redis.exists(space.keyspace.paused_workers)


def test_each_limit_says_what_is_short(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    assert PressureLimits(scratch=tmp_path).reason() == ""
    assert (
        PressureLimits(
            scratch=tmp_path, min_free_bytes=free // 2, max_memory_bytes=10**13, max_container_share=0.9
        ).reason()
        == ""
    )
    assert "free for scratch files" in PressureLimits(scratch=tmp_path, min_free_bytes=free * 2).reason()
    assert PressureLimits(scratch=tmp_path / "to" / "be" / "made", min_free_bytes=1).reason() == ""
    assert "this process uses" in PressureLimits(scratch=tmp_path, max_memory_bytes=MB).reason()


def test_a_container_without_a_limit_has_none(tmp_path: Path) -> None:
    limits = PressureLimits(scratch=tmp_path, max_container_share=0.9, cgroup=tmp_path)
    assert limits.reason() == ""
    _container(tmp_path, 10**6, limit="max")
    assert limits.reason() == ""
    _container(tmp_path, 899)
    assert limits.reason() == ""
    _container(tmp_path, 901)
    assert limits.reason() == "the container uses 901 of its 1000 MB of memory"


async def _generated_one(space: Space) -> bool:
    job_id = await space.submit()
    await wait_until(lambda: _has(space, job_id, "VideoGenerated"))
    return True


async def _has(space: Space, job_id: str, kind: str) -> bool:
    return kind in await space.types(job_id)


async def _reads_ended(space: Space) -> bool:
    """The read that was waiting as the gate closed has come back: nobody blocks on the server."""
    return not any("b" in client["flags"] for client in await space.redis.client_list())


async def _lag(space: Space, lag: int) -> bool:
    infos = await space.redis.xinfo_groups(space.topic(Topic.REQUESTED))
    return any(i["name"] == b"generation" and i["lag"] == lag for i in infos)
