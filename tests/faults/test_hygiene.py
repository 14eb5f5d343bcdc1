"""What killed workers leave behind: their consumers go, what was pending for them doesn't."""

from __future__ import annotations

import secrets

import pytest

from eventflow.domain.topics import Topic
from eventflow.log.connection import connect
from eventflow.log.consumer import GroupMember
from tests.support.runtime import Chain, Running, Space, gapless, working
from tests.support.waiting import wait_until

RESTARTS, BETWEEN = 1_000, 100
GROUP = Chain().groups[0]


@pytest.mark.chaos
async def test_a_thousand_killed_workers_leave_no_consumer_and_lose_no_entry(space: Space) -> None:
    """Each dies with an entry in its hands; after every hundred a worker lives long enough to clean up."""
    blocking = connect(space.url, blocking=True)
    jobs: list[str] = []
    try:
        for _ in range(0, RESTARTS, BETWEEN):
            for _ in range(BETWEEN):
                jobs.append(await space.submit())
                dying = GroupMember(
                    blocking=blocking,
                    redis=space.redis,
                    keys=space.keys,
                    group=GROUP.name,
                    topics=GROUP.topics,
                    consumer=secrets.token_hex(8),
                )
                await dying.ensure()
                assert len(await dying.read(1)) == 1
            await dying.remove_silent_consumers(0)  # from streams that they had nothing of
            assert await _group(space) == (BETWEEN, BETWEEN)
            async with working(space, GROUP, concurrency=64, lease_s=0.2) as running:
                await wait_until(lambda: _generated(space, len(jobs)))
                await wait_until(lambda running=running: _alone(space, running))  # type: ignore[misc]
            assert await _group(space) == (0, 0)
    finally:
        await blocking.aclose()
    for job_id in jobs[:: RESTARTS // 20]:
        history = await space.history(job_id)
        assert [envelope.type for envelope in history] == ["VideoRequested", "VideoGenerated"]
        assert gapless(history)


async def _group(space: Space) -> tuple[int, int]:
    """(consumers, pending) of all streams that the group reads; a consumer counts on each of them."""
    about = [(await space.redis.xinfo_groups(stream))[0] for stream in _streams(space)]
    return sum(group["consumers"] for group in about), sum(group["pending"] for group in about)


def _streams(space: Space) -> tuple[str, ...]:
    return space.keys.streams_of(GROUP.name, GROUP.topics)


async def _generated(space: Space, count: int) -> bool:
    return int(await space.redis.xlen(space.topic(Topic.GENERATED))) == count


async def _alone(space: Space, running: Running) -> bool:
    """Whether nothing is pending, and no consumer left but the living one. The reaper has come."""
    await running.worker.reap(idle_ms=1)
    consumers, pending = await _group(space)
    return pending == 0 and consumers <= len(_streams(space))
