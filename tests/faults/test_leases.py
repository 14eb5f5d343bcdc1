"""Whose an entry is: long work, waiting work, dead and paused workers, rivals."""

from __future__ import annotations

import asyncio
import hashlib
import signal
import time
from pathlib import Path

import pytest
from redis.exceptions import ResponseError

from eventflow.domain.topics import Topic
from eventflow.log.connection import connect
from eventflow.log.consumer import GroupMember, Renewal
from eventflow.runtime.context import StepContext
from tests.support.crew import Crew
from tests.support.files import stored_files
from tests.support.runtime import Runs, Space, gapless, scenes_group, working
from tests.support.waiting import wait_until


async def test_work_of_five_leases_runs_once(space: Space) -> None:
    """Two workers; the one that has nothing to do must not take over what the other still works on."""
    runs, lease_s = Runs(), 1.0

    async def render(reaction: StepContext) -> None:
        runs.began[reaction.event.scene] += 1
        await asyncio.sleep(5 * lease_s)

    job_id = await space.submit_scenes(1)
    group = scenes_group(render)
    async with working(space, group, lease_s=lease_s), working(space, group, lease_s=lease_s):
        await wait_until(lambda: _has(space, job_id, "ScenesCompleted"))
    assert runs.began == {0: 1}
    assert (await space.types(job_id)).count("SceneRendered") == 1


async def test_entry_that_waits_for_a_slot_is_not_delivered_again(space: Space) -> None:
    """A worker with one slot takes over what a dead one has left; it waits for leases before it begins."""
    runs, lease_s = Runs(), 1.0

    async def render(reaction: StepContext) -> None:
        runs.began[reaction.job_id] += 1
        await asyncio.sleep(5 * lease_s)

    jobs = [await space.submit_scenes(1) for _ in range(2)]
    topic = space.topic(Topic.PLANNED)
    await space.redis.xgroup_create(topic, "generation", id="0")
    await space.redis.xreadgroup("generation", "dead", {topic: ">"}, count=1)
    group = scenes_group(render)
    async with working(space, group, concurrency=1, lease_s=lease_s) as first:
        await wait_until(lambda: _owned_by(space, first.member.consumer, 2, topic))
        async with working(space, group, concurrency=1, lease_s=lease_s):
            for job_id in jobs:
                await wait_until(lambda job_id=job_id: _has(space, job_id, "ScenesCompleted"))  # type: ignore[misc]
    assert runs.began == dict.fromkeys(jobs, 1)


async def test_killed_worker_is_replaced_within_two_leases_on_an_idle_stream(space: Space, crew: Crew) -> None:
    lease_s = 1.0
    dying = crew(space, "slow", "--seconds", "60", "--lease", str(lease_s))
    job_id = await space.submit_scenes(1)
    await wait_until(lambda: _journal(crew, "begin", 1))
    crew(space, "slow", "--seconds", "0", "--lease", str(lease_s))
    dying.signal(signal.SIGKILL)
    killed = time.monotonic()
    await wait_until(lambda: _journal(crew, "begin", 2))
    took_s = time.monotonic() - killed
    await wait_until(lambda: _has(space, job_id, "ScenesCompleted"))
    print(f"\nrecovery after SIGKILL: {took_s:.2f} s with a lease of {lease_s:g} s ({took_s / lease_s:.2f} leases)")
    assert (await space.types(job_id)).count("SceneRendered") == 1
    assert gapless(await space.history(job_id))
    assert await space.pending(space.topic(Topic.PLANNED), "generation") == []
    assert took_s < 5 * lease_s


async def test_entry_of_a_dead_worker_is_not_left_for_the_end_of_the_backlog(space: Space, crew: Crew) -> None:
    """The only worker that is left is busy all the time; the orphan gets a free slot before the newer scenes do."""
    scenes, lease_s, order = 30, 0.5, list[int]()

    async def render(reaction: StepContext) -> None:
        order.append(reaction.event.scene)
        await asyncio.sleep(0.2)

    dying = crew(space, "slow", "--seconds", "60", "--lease", str(lease_s))
    job_id = await space.submit_scenes(scenes)
    await wait_until(lambda: _journal(crew, "begin", 1))
    dying.signal(signal.SIGKILL)
    async with working(space, scenes_group(render), concurrency=1, lease_s=lease_s):
        await wait_until(lambda: _has(space, job_id, "ScenesCompleted"))
    assert sorted(order) == list(range(scenes))
    assert order.index(0) < scenes // 2


async def test_worker_that_was_paused_longer_than_its_lease_changes_nothing(
    space: Space, crew: Crew, tmp_path: Path
) -> None:
    """Neither the log nor a stored object: it even finishes its work before it learns that it has lost it."""
    store = tmp_path / "store"
    options = ("--lease", "1", "--store", str(store))
    paused = crew(space, "slow", "--seconds", "1.5", *options)
    job_id = await space.submit_scenes(1)
    await wait_until(lambda: _journal(crew, "begin", 1))
    paused.signal(signal.SIGSTOP)
    crew(space, "slow", "--seconds", "0", *options)
    await wait_until(lambda: _has(space, job_id, "ScenesCompleted"))
    log_before, files_before = await _snapshot(space, job_id), _tree(store)
    assert len(files_before) == 1

    paused.signal(signal.SIGCONT)
    await wait_until(lambda: any(words in paused.log.read_text() for words in ("step stopped", "lease lost")))
    assert await asyncio.to_thread(paused.end) == 0

    assert await _snapshot(space, job_id) == log_before
    files_after = _tree(store)
    assert {path: files_after[path] for path in files_before} == files_before
    assert (await space.types(job_id)).count("SceneRendered") == 1
    assert list((tmp_path / "scratch").iterdir()) == []


async def test_version_conflicts_are_decided_again_without_redoing_the_work(space: Space) -> None:
    """Many scenes of one job end at the same moment on two workers."""
    runs, scenes = Runs(), 24
    gate = asyncio.Event()

    async def render(reaction: StepContext) -> None:
        runs.began[reaction.event.scene] += 1
        await gate.wait()

    job_id = await space.submit_scenes(scenes)
    group = scenes_group(render)
    async with working(space, group, concurrency=12), working(space, group, concurrency=12):
        await wait_until(lambda: _true(sum(runs.began.values()) == scenes))
        gate.set()
        await wait_until(lambda: _has(space, job_id, "ScenesCompleted"))
    types = await space.types(job_id)
    assert runs.began == dict.fromkeys(range(scenes), 1)
    assert types.count("SceneRendered") == scenes
    assert types.count("ScenesCompleted") == 1
    assert gapless(await space.history(job_id))
    assert await space.redis.xlen(space.topic(Topic.COMPLETED)) == 1


async def test_redelivery_of_settled_work_is_settled_without_work(space: Space) -> None:
    runs = Runs()

    async def render(reaction: StepContext) -> None:
        runs.began[reaction.event.scene] += 1

    job_id = await space.submit_scenes(1)
    async with working(space, scenes_group(render)):
        await wait_until(lambda: _has(space, job_id, "ScenesCompleted"))
        stream = space.topic(Topic.PLANNED)
        [(_, fields)] = await space.redis.xrange(stream)
        again = await space.redis.xadd(stream, fields)
        await wait_until(lambda: _delivered_and_settled(space, stream, again))
    assert runs.began == {0: 1}
    assert (await space.types(job_id)).count("SceneRendered") == 1


async def _has(space: Space, job_id: str, kind: str) -> bool:
    return kind in await space.types(job_id)


async def _true(value: bool) -> bool:
    return value


async def _journal(crew: Crew, word: str, count: int) -> bool:
    """At least `count` lines with `word`."""
    return len(crew.journal.words(word)) >= count


async def _owned_by(space: Space, consumer: str, count: int, *streams: str) -> bool:
    rows = [row for stream in streams for row in await space.pending(stream, "generation")]
    return sum(row["consumer"] == consumer.encode() for row in rows) == count


async def _delivered_and_settled(space: Space, stream: str, entry: bytes) -> bool:
    [info] = await space.redis.xinfo_groups(stream)
    return bool(info["last-delivered-id"] == entry and info["pending"] == 0)


async def _snapshot(space: Space, job_id: str) -> object:
    """Everything that is in the log, byte by byte, but for the progress of runs."""
    keys = space.keys
    streams = [keys.events(job_id), keys.feed, keys.dead_letters, *(space.topic(topic) for topic in Topic)]
    delayed = await space.redis.zrange(keys.delayed, 0, -1)
    return [await space.redis.xrange(stream) for stream in streams], delayed


def _tree(folder: Path) -> dict[str, tuple[str, int]]:
    """Path -> (digest, inode) of each stored object."""
    return {str(p): (hashlib.sha256(p.read_bytes()).hexdigest(), p.stat().st_ino) for p in stored_files(folder)}


async def test_what_a_sweep_has_taken_over_is_kept_though_another_stream_fails(space: Space) -> None:
    """Its deliveries are counted: thrown away, it would come to its limit without ever being worked on."""
    blocking = connect(space.url, blocking=True)
    try:
        dying, living = (
            GroupMember(
                blocking=blocking,
                redis=space.redis,
                keys=space.keys,
                group="generation",
                topics=(Topic.REQUESTED, Topic.PLANNED),
                consumer=name,
            )
            for name in ("dying", "living")
        )
        await dying.ensure()
        await space.submit_scenes(1)
        (planned, _) = await dying.read(2)
        assert planned.claim.stream == space.topic(Topic.PLANNED)
        await space.redis.xgroup_destroy(space.topic(Topic.REQUESTED), "generation")
        (taken,) = await living.reclaim(0, 10)
        assert (taken.claim.stream, taken.claim.count) == (space.topic(Topic.PLANNED), 2)
        await living.renew([Renewal(claim=taken.claim, job_id="-", field="", fraction=None)])
        with pytest.raises(ResponseError, match="NOGROUP"):
            await living.reclaim(60_000, 10)
    finally:
        await blocking.aclose()


async def test_a_sweep_never_takes_what_the_consumer_itself_is_working_on(space: Space) -> None:
    """However old its lease has become, between renewing it and looking for others'."""
    blocking = connect(space.url, blocking=True)
    try:
        own, other = (
            GroupMember(
                blocking=blocking,
                redis=space.redis,
                keys=space.keys,
                group="generation",
                topics=(Topic.PLANNED,),
                consumer=name,
            )
            for name in ("own", "other")
        )
        await own.ensure()
        await space.submit_scenes(3)
        mine, forgotten = await own.read(2)
        (orphan,) = await other.read(1)
        for delivery in (mine, forgotten, orphan):
            claim = delivery.claim
            aged = [claim.entry_id]
            await space.redis.xclaim(claim.stream, claim.group, claim.consumer, 0, aged, idle=60_000, justid=True)
        swept = await own.reclaim(30_000, 10, [mine.claim])
        assert {d.claim.entry_id for d in swept} == {forgotten.claim.entry_id, orphan.claim.entry_id}
        rows = await space.redis.xpending_range(mine.claim.stream, "generation", "-", "+", 10)
        counts = {row["message_id"].decode(): row["times_delivered"] for row in rows}
        assert counts == {mine.claim.entry_id: 1, forgotten.claim.entry_id: 2, orphan.claim.entry_id: 2}
    finally:
        await blocking.aclose()
