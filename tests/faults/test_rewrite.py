"""An append-only file that is rewritten: the server forgets pending entries whose content was deleted before the
acknowledgement (redis/redis#15729). Ours is deleted after it, in the same script, and only on retry streams."""

from __future__ import annotations

import asyncio

from eventflow.domain.topics import Topic
from eventflow.log.commit import Commit, Committer, OnClaim
from eventflow.log.connection import connect
from eventflow.log.consumer import GroupMember
from tests.support.log_server import LogServer
from tests.support.runtime import Space
from tests.support.waiting import wait_until


async def test_what_is_pending_outlives_a_rewrite_and_a_crash(own_server: LogServer, own_space: Space) -> None:
    """Three entries on a topic, three on a retry stream; one of each is settled, as a step's last commit does."""
    space, blocking = own_space, connect(own_space.url, blocking=True)
    topic, retries = space.topic(Topic.PLANNED), space.keys.retry("generation", Topic.PLANNED)
    first = GroupMember(
        blocking=blocking,
        redis=space.redis,
        keys=space.keys,
        group="generation",
        topics=(Topic.PLANNED,),
        consumer="first",
    )
    later = GroupMember(
        blocking=blocking,
        redis=space.redis,
        keys=space.keys,
        group="generation",
        topics=(Topic.PLANNED,),
        consumer="later",
    )
    await first.ensure()
    for number in range(3):
        await space.redis.xadd(topic, {"e": f"topic {number}"})
        await space.redis.xadd(retries, {"e": f"retry {number}"})
    committer = Committer(space.redis)
    for delivery in await first.read(6):
        if delivery.payload in (b"topic 1", b"retry 1"):
            on_claim: OnClaim = "discard" if delivery.retried else "settle"
            await committer.commit(Commit(keys=space.keys, job_id="-", claim=delivery.claim, on_claim=on_claim))
    await _rewritten(space)
    own_server.kill()
    await asyncio.to_thread(own_server.start)
    taken = await later.reclaim(0, 100)
    assert sorted(delivery.payload or b"gone" for delivery in taken) == [b"retry 0", b"retry 2", b"topic 0", b"topic 2"]
    assert {(delivery.claim.consumer, delivery.claim.count) for delivery in taken} == {("later", 2)}
    assert (await space.redis.xlen(topic), await space.redis.xlen(retries)) == (3, 2)
    await blocking.aclose()


async def _rewritten(space: Space) -> None:
    """Until the file is one that was written anew, and is on disk."""
    before = (await space.redis.info("persistence"))["aof_rewrites"]
    await space.redis.bgrewriteaof()

    async def done() -> bool:
        about = await space.redis.info("persistence")
        return about["aof_rewrites"] > before and not about["aof_rewrite_in_progress"]

    await wait_until(done)
    assert (await space.redis.info("persistence"))["aof_last_bgrewrite_status"] == "ok"
    await space.synced()
