"""Two lanes in one group: high goes first, normal isn't starved, and nobody takes more than there is room for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from attrs import evolve

from eventflow.domain.topics import Topic
from eventflow.domain.values import Lane
from eventflow.log.connection import connect
from eventflow.log.consumer import NORMAL_SHARE, Delivery, GroupMember
from eventflow.log.queue_position import count_queue
from eventflow.runtime.context import StepContext
from tests.support.runtime import REQUEST, Chain, Space, working
from tests.support.waiting import wait_until

HIGH = evolve(REQUEST, priority=Lane.HIGH)


@pytest.fixture
async def member(space: Space) -> AsyncIterator[GroupMember]:
    blocking = connect(space.url, blocking=True)
    member = GroupMember(
        blocking=blocking,
        redis=space.redis,
        keys=space.keys,
        group="generation",
        topics=(Topic.REQUESTED,),
        consumer="w",
    )
    await member.ensure()
    yield member
    await blocking.aclose()


def lanes(deliveries: list[Delivery]) -> list[str]:
    return [delivery.claim.stream.rpartition(":")[2] for delivery in deliveries]


async def test_read_takes_the_high_lane_first_and_no_more_than_there_is_room_for(
    space: Space, member: GroupMember
) -> None:
    """XREADGROUP's COUNT would be for each stream: 16 entries, half of them of the normal lane."""
    for request in [REQUEST] * 20 + [HIGH] * 10:
        await space.submit(request)
    assert lanes(await member.read(8)) == ["high"] * 8
    assert lanes(await member.read(8)) == ["high"] * 2 + ["normal"] * 6
    assert len(await space.pending(space.keys.topic(Topic.REQUESTED, Lane.NORMAL), "generation")) == 6


async def test_normal_lane_is_not_starved_by_a_full_high_one(space: Space, member: GroupMember) -> None:
    """One read in four is of the normal lane, however much waits in the other."""
    for request in [HIGH] * 20 + [REQUEST] * 5:
        await space.submit(request)
    read = [lane for _ in range(4 * NORMAL_SHARE) for lane in lanes(await member.read(1))]
    assert read == (["high"] * (NORMAL_SHARE - 1) + ["normal"]) * 4


async def test_retries_go_before_both_lanes(space: Space, member: GroupMember) -> None:
    await space.submit(HIGH)
    await space.submit()
    await space.redis.xadd(space.keys.retry("generation", Topic.REQUESTED), {"e": "x"})
    assert lanes(await member.read(3)) == ["requested", "high", "normal"]


async def test_busy_worker_begins_the_high_lane_next_and_holds_no_more_than_its_slots(space: Space) -> None:
    """Behind 40 of the normal lane: with two slots, the next entry that is begun is of the high lane."""
    slots, begun, step = 2, list[Lane](), asyncio.Semaphore(0)
    most = 0

    async def render(reaction: StepContext) -> None:
        nonlocal most
        begun.append(reaction.job.request.priority)
        held = [len(await space.pending(space.keys.topic(Topic.REQUESTED, lane), "generation")) for lane in Lane]
        most = max(most, sum(held))
        await step.acquire()

    for _ in range(40):
        await space.submit()
    async with working(space, Chain(render).groups[0], concurrency=slots, lease_s=30):
        await wait_until(lambda: len(begun) == slots)
        for _ in range(6):
            await space.submit(HIGH)
        for more in range(1, 9):
            step.release()
            await wait_until(lambda more=more: len(begun) == slots + more)  # type: ignore[misc]
        later = begun[slots:]
        assert later.count(Lane.HIGH) == 6  # six of eight: every fourth read is the normal lane's
        assert later[: NORMAL_SHARE - 1].count(Lane.HIGH) >= NORMAL_SHARE - 2
        for _ in range(40):
            step.release()
    assert most == slots


async def test_queue_of_one_is_a_queue(space: Space, member: GroupMember) -> None:
    """Some scalers see a lag of one as none. Ours is counted by the server, and told as it is."""
    assert (await count_queue(space.redis, space.keyspace)).waiting == 0
    await space.submit()
    assert (await count_queue(space.redis, space.keyspace)).waiting == 1
    await member.read(1)
    assert (await count_queue(space.redis, space.keyspace)).waiting == 0
    await space.submit(HIGH)
    assert (await count_queue(space.redis, space.keyspace)).waiting == 1
