"""Trimming: what everybody has dealt with goes, and nothing else ever does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from eventflow.domain import commands as cmd
from eventflow.domain.topics import GROUP_TOPICS, Topic
from eventflow.log.consumer import GroupMember
from eventflow.log.errors import PositionLost
from eventflow.log.feed import FeedTail
from eventflow.log.groups import group_states, registered_groups, remove_group
from tests.support.archiving import Archived, archived_space, read_all
from tests.support.log_server import LogServer
from tests.support.runtime import CAUSE, Space, open_space, utc_now
from tests.support.waiting import wait_until


@pytest.fixture
async def archived(space: Space, tmp_path: Path) -> AsyncIterator[Archived]:
    async with archived_space(space, tmp_path / "archive") as archived:
        yield archived


def member_of(space: Space, group: str, consumer: str = "one") -> GroupMember:
    return GroupMember(
        blocking=space.redis,
        redis=space.redis,
        keys=space.keys,
        group=group,
        topics=GROUP_TOPICS[group],
        consumer=consumer,
    )


async def trim(archived: Archived, **options: Any) -> tuple[int, int]:
    gone = await archived.trimmer(**options).trim(archived.clock())
    return gone.topics, gone.feed


async def test_what_all_groups_have_acknowledged_goes(archived: Archived) -> None:
    """Acked streams grow elsewhere; lengths are measured, because a trim that does nothing raises no error."""
    for _ in range(250):
        await archived.finished()
    await archived.everybody_reads()
    await archived.archive()
    assert await archived.length(Topic.REQUESTED) == 250
    topics, feed = await trim(archived)
    assert topics == 4 * 250
    assert feed == await _appended(archived, 250)
    for topic in Topic:
        assert await archived.length(topic) == 0
    assert await archived.space.redis.xlen(archived.space.keys.feed) == 0
    assert await trim(archived) == (0, 0)


async def _appended(archived: Archived, jobs: int) -> int:
    added: Any = await archived.space.redis.xinfo_stream(archived.space.keys.feed)
    assert added["entries-added"] >= jobs
    return int(added["entries-added"])


async def test_undelivered_and_unacknowledged_entries_stay(archived: Archived) -> None:
    """MAXLEN would drop them, and the group's lag would read 0."""
    space = archived.space
    jobs = [await archived.finished() for _ in range(30)]
    generation = member_of(space, "generation")
    await generation.ensure()
    first = [d for d in await generation.read(10) if ":requested:" in d.claim.stream]
    for delivery in first[5:]:  # five stay in hand
        await space.redis.xack(delivery.claim.stream, "generation", delivery.claim.entry_id)
    await trim(archived)
    left = await space.redis.xrange(space.topic(Topic.REQUESTED))
    assert len(left) == 30
    for delivery in first[:5]:
        await space.redis.xack(delivery.claim.stream, "generation", delivery.claim.entry_id)
    await trim(archived)
    assert await archived.length(Topic.REQUESTED) == 20
    rest = [d for d in await read_all(generation) if ":requested:" in d.claim.stream]
    assert [archived.log.codec.decode(d.payload or b"").job_id for d in rest] == jobs[10:]


async def test_pending_entries_keep_their_content(archived: Archived) -> None:
    """Trimmed ids that stay pending crash others by a payload of nil, and an AOF rewrite drops them."""
    space = archived.space
    for _ in range(10):
        await archived.finished()
    await archived.everybody_reads()
    last = await archived.finished()
    generation = member_of(space, "generation", "dies")
    deliveries = await read_all(generation)
    assert deliveries
    await archived.archive()
    await trim(archived)
    swept = await member_of(space, "generation", "takes over").reclaim(0, 100)
    assert [d.payload for d in swept] == [d.payload for d in deliveries]
    assert {archived.log.codec.decode(d.payload or b"").job_id for d in swept} == {last}


async def test_aof_rewrite_after_trimming_keeps_what_is_pending(
    own_server: LogServer, own_space: Space, tmp_path: Path
) -> None:
    async with archived_space(own_space, tmp_path / "archive") as archived:
        jobs = [await archived.finished() for _ in range(20)]
        generation = member_of(own_space, "generation", "dies")
        await generation.ensure()
        held = [d for d in await read_all(generation) if ":requested:" in d.claim.stream]
        for delivery in held[:10]:
            await own_space.redis.xack(delivery.claim.stream, "generation", delivery.claim.entry_id)
        await archived.archive()
        assert (await trim(archived))[0] == 10  # requests that were acknowledged; outcomes wait for metadata
        await own_space.redis.bgrewriteaof()
        await wait_until(lambda: _rewritten(own_space))
        own_server.kill()
        own_server.start()
        swept = await member_of(own_space, "generation", "takes over").reclaim(0, 100)
        assert [archived.log.codec.decode(d.payload or b"").job_id for d in swept] == jobs[10:]
        for job in jobs:
            assert len(await archived.log.history(job)) == 5  # pointers are in the file, too


async def _rewritten(space: Space) -> bool:
    info: Any = await space.redis.info("persistence")
    return not info["aof_rewrite_in_progress"] and not info["aof_rewrite_scheduled"]


async def test_orphan_group_holds_nothing_up_and_a_registered_one_does(archived: Archived) -> None:
    space = archived.space
    await space.redis.xgroup_create(space.topic(Topic.GENERATED), "forgotten", id="0", mkstream=True)
    for _ in range(10):
        await archived.finished()
    await archived.everybody_reads()
    await trim(archived, feed=False)
    assert await archived.length(Topic.GENERATED) == 0
    late = GroupMember(
        blocking=space.redis,
        redis=space.redis,
        keys=space.keys,
        group="statistics",
        topics=(Topic.GENERATED,),
        consumer="one",
    )
    await late.ensure()
    await archived.finished()
    await archived.everybody_reads()
    await trim(archived, feed=False)
    assert await archived.length(Topic.GENERATED) == 1
    states = {state.name: state for state in await group_states(space.redis, space.keyspace, live_ms=1_000)}
    assert not states["forgotten"].registered
    assert (states["statistics"].registered, states["statistics"].lag) == (True, 1)
    assert await remove_group(space.redis, space.keyspace, "statistics") == 2
    await trim(archived, feed=False)
    assert await archived.length(Topic.GENERATED) == 0
    assert "statistics" not in await registered_groups(space.redis, space.keys)


async def test_groups_that_never_started_hold_their_topics_up(archived: Archived) -> None:
    await archived.finished()
    generation = member_of(archived.space, "generation")
    await generation.ensure()
    for delivery in await read_all(generation):
        await archived.space.redis.xack(delivery.claim.stream, "generation", delivery.claim.entry_id)
    await trim(archived)
    assert await archived.length(Topic.REQUESTED) == 0
    assert await archived.length(Topic.UPLOADED) == 1
    assert await archived.length(Topic.OUTCOME) == 1  # and outcomes wait for the archive, even while there is none


async def test_lost_group_holds_everything_up_until_it_is_back(archived: Archived) -> None:
    space = archived.space
    await archived.finished()
    await archived.everybody_reads()
    await space.redis.xgroup_destroy(space.topic(Topic.UPLOADED), "metadata")
    await trim(archived)
    assert await archived.length(Topic.UPLOADED) == 1
    await archived.everybody_reads()
    await trim(archived)
    assert await archived.length(Topic.UPLOADED) == 0


async def test_everything_stays_for_the_grace(archived: Archived) -> None:
    await archived.finished()
    await archived.everybody_reads()
    await archived.archive()
    assert await trim(archived, grace_s=60) == (0, 0)


async def test_feed_goes_up_to_the_first_job_that_is_not_archived(archived: Archived) -> None:
    first, going_on, last = await archived.finished(), await archived.space.submit(), await archived.finished()
    await archived.everybody_reads()
    await archived.archive()
    _, gone = await trim(archived)
    feed = await archived.space.redis.xrange(archived.space.keys.feed)
    assert gone > 0
    assert feed[0][1][b"j"].decode() == going_on
    assert {fields[b"j"].decode() for _, fields in feed} == {going_on, last}
    await archived.space.do(going_on, cmd.RequestCancellation("no"))
    await archived.archive()
    await trim(archived)
    assert await archived.space.redis.xlen(archived.space.keys.feed) == 0
    assert await archived.log.load(first) is not None


async def test_without_an_archive_the_feed_and_the_jobs_stay(archived: Archived) -> None:
    job = await archived.finished()
    await archived.everybody_reads()
    topics, feed = await trim(archived, feed=False)
    assert (topics, feed) == (3, 0)
    assert await archived.in_server(job)


async def test_tail_that_was_away_for_long_notices_that_entries_are_gone(archived: Archived) -> None:
    now = [0.0]
    async with open_space(archived.space.url, archived.space.keyspace.prefix) as other:
        tail = FeedTail(other.redis, other.keyspace, clock=lambda: now[0], check_after_s=10.0)
        await archived.finished()
        await tail.start_at_end()
        assert await tail.read(block_ms=1) == []
        await archived.finished()
        now[0] = 100.0  # stopped and continued, say
        await archived.everybody_reads()
        assert await tail.read(block_ms=1) != []  # nothing was trimmed, so nothing is lost
        await archived.finished()
        await archived.archive()
        await trim(archived)
        now[0] = 200.0
        with pytest.raises(PositionLost):
            await tail.read(block_ms=1)
        await tail.start_at_end()
        after = await archived.finished()
        assert {note.job_id for note in await tail.read(block_ms=1)} == {after}


async def test_handlers_of_trimmed_topics_go_on_with_archived_jobs(archived: Archived) -> None:
    """Reprocessing an archived job under trimmed topics is delivered as ever."""
    job = await archived.finished()
    await archived.everybody_reads()
    await archived.archive()
    await trim(archived)
    await archived.log.execute(job, [cmd.RequestReprocess()], CAUSE)
    (delivery,) = await read_all(member_of(archived.space, "generation"))
    envelope = archived.log.codec.decode(delivery.payload or b"")
    assert (envelope.job_id, envelope.type, envelope.seq) == (job, "ReprocessRequested", 6)
    assert envelope.occurred_at <= utc_now()
