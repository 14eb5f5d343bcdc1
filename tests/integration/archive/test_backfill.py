"""Retroactive groups: every old event once, whether it is still in its topic or was trimmed long ago."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from eventflow.archive.backfill import Backfill, Replay, Replayed
from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.commands import Command
from eventflow.domain.topics import Topic
from eventflow.log.codec import Codec
from eventflow.log.consumer import GroupMember
from eventflow.runtime.context import Group, StepContext
from tests.support.archiving import Archived, StrikesAt, Struck, read_all
from tests.support.runtime import CAUSE, working
from tests.support.waiting import wait_until

TOPICS = (Topic.REQUESTED, Topic.OUTCOME)
ALL = Replay("statistics", TOPICS)


def backfill(archived: Archived, archive: Any = None) -> Backfill:
    return Backfill(archived.pointers, archived.segment_store, archive or archived.reader, Codec())


async def replayed(archived: Archived, replay: Replay = ALL, *, dry_run: bool = False, again: bool = False) -> Replayed:
    return await backfill(archived).run(replay, dry_run=dry_run, again=again, on_jobs=lambda jobs: None)


async def deliveries(archived: Archived) -> Counter[tuple[str, int]]:
    member = GroupMember(
        blocking=archived.space.redis,
        redis=archived.space.redis,
        keys=archived.space.keys,
        group="statistics",
        topics=TOPICS,
        consumer="one",
    )
    await member.ensure()
    codec = Codec()
    envelopes = [codec.decode(delivery.payload or b"") for delivery in await read_all(member)]
    return Counter((envelope.job_id, envelope.seq) for envelope in envelopes)


async def a_past(archived: Archived) -> list[str]:
    """Jobs that are archived and trimmed, that are in the server and trimmed, and that nobody has read yet."""
    old = [await archived.finished() for _ in range(5)]
    await archived.archive(segment_jobs=2)
    going_on = [await archived.space.submit() for _ in range(3)]
    await archived.everybody_reads()
    await archived.trimmer().trim(archived.clock())
    assert await archived.length(Topic.REQUESTED) == 0
    new = [await archived.finished() for _ in range(4)]
    return [*old, *going_on, *new]


async def test_new_group_is_given_every_old_event_once(archived: Archived) -> None:
    jobs = await a_past(archived)
    dry = await replayed(archived, dry_run=True)
    assert (dry.from_topics, dry.from_histories) == (8, 13)
    assert "statistics" not in await _groups(archived)
    assert await replayed(archived) == dry
    found = await deliveries(archived)
    assert set(found.values()) == {1}
    assert Counter(job for job, _ in found) == Counter({job: 1 if 5 <= at < 8 else 2 for at, job in enumerate(jobs)})


async def _groups(archived: Archived) -> list[str]:
    groups: Any = await archived.space.redis.xinfo_groups(archived.space.topic(Topic.REQUESTED))
    return [group["name"].decode() for group in groups]


async def test_the_same_replay_twice_delivers_nothing_more(archived: Archived) -> None:
    await a_past(archived)
    await replayed(archived)
    first = await deliveries(archived)
    assert await replayed(archived) == Replayed(from_topics=0, from_histories=0, jobs=0, partitions_done=1)
    assert not await deliveries(archived)
    await replayed(archived, again=True)
    assert await deliveries(archived) == first


async def test_replay_that_broke_off_goes_on_without_delivering_twice(archived: Archived) -> None:
    await a_past(archived)
    struck = backfill(archived, StrikesAt(archived.reader, "history", after=False))
    with pytest.raises(Struck):  # the archived jobs were delivered, those in the server weren't
        await struck.run(ALL, dry_run=False, again=False, on_jobs=lambda jobs: None)
    first = await deliveries(archived)
    assert first
    await replayed(archived)
    second = await deliveries(archived)
    assert set((first + second).values()) == {1}
    assert len(first + second) == 8 + 13


async def test_nothing_is_trimmed_between_a_replay_and_its_delivery(archived: Archived) -> None:
    await a_past(archived)
    await replayed(archived)
    await archived.everybody_reads()
    await archived.archive()
    await archived.trimmer().trim(archived.clock())
    assert len(await deliveries(archived)) == 8 + 13


async def test_jobs_that_end_meanwhile_are_delivered_once(archived: Archived) -> None:
    await a_past(archived)
    stop = asyncio.Event()

    async def life() -> None:
        while not stop.is_set():
            await archived.finished()
            await archived.everybody_reads()
            await archived.archive()
            await archived.trimmer().trim(archived.clock())

    living = asyncio.create_task(life())
    await replayed(archived)
    stop.set()
    await living
    found = await deliveries(archived)
    assert set(found.values()) == {1}
    ended = await archived.pointers.count(archived.space.keys)
    assert len(found) >= 2 * ended + 3


async def test_only_what_came_since_the_time_is_replayed(archived: Archived) -> None:
    old = await archived.finished()
    await archived.archive()
    await archived.everybody_reads()
    await archived.trimmer().trim(archived.clock())
    since = datetime.now(UTC)
    new = await archived.finished()
    await replayed(archived, Replay("statistics", TOPICS, since))
    assert {job for job, _ in await deliveries(archived)} == {new}
    assert old != new


async def test_handlers_of_a_retroactive_group_are_given_archived_jobs(archived: Archived) -> None:
    """Through the real runtime, which folds the job before it hands it over."""
    jobs = [await archived.finished() for _ in range(3)]
    await archived.archive()
    await archived.everybody_reads()
    await archived.trimmer().trim(archived.clock())
    await replayed(archived, Replay("statistics", (Topic.OUTCOME,)))
    seen: dict[str, int] = {}

    async def count(reaction: StepContext) -> Sequence[Command]:
        seen[reaction.job_id] = reaction.record.version
        return []

    group = Group("statistics", {ev.VideoPublished: count})
    async with working(archived.space, group, archive=archived.reader):
        await wait_until(lambda: len(seen) == 3)
    assert seen == dict.fromkeys(jobs, 5)


async def test_known_group_that_is_set_back_settles_what_is_done(archived: Archived) -> None:
    jobs = [await archived.finished() for _ in range(3)]
    await archived.everybody_reads()
    await archived.archive()
    await archived.trimmer().trim(archived.clock())
    await archived.log.execute(jobs[0], [cmd.RequestReprocess()], CAUSE)
    await replayed(archived, Replay("generation", (Topic.REQUESTED,)))
    planned: list[str] = []

    async def plan(reaction: StepContext) -> Sequence[Command]:
        planned.append(reaction.envelope.id)
        return [cmd.FinishVideo(run=reaction.job.run, videos=(), thumbnails=())]

    group = Group("generation", {ev.VideoRequested: plan, ev.ReprocessRequested: plan})
    async with working(archived.space, group, archive=archived.reader):
        await wait_until(lambda: _settled(archived))
    assert planned == [f"{jobs[0]}.6"]


async def _settled(archived: Archived) -> bool:
    redis, keys = archived.space.redis, archived.space.keys
    groups: Any = await redis.xinfo_groups(archived.space.topic(Topic.REQUESTED))
    lag = next(group["lag"] for group in groups if group["name"] == b"generation")
    pending = await archived.space.pending(archived.space.topic(Topic.REQUESTED), "generation")
    return lag == 0 and not pending and await redis.xlen(keys.retry("generation", Topic.REQUESTED)) == 0
