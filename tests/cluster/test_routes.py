"""The way to the node of each key: over several slots, after a change of masters, while a slot is being moved."""

from __future__ import annotations

from typing import Any

import pytest
import redis as sync_redis

from eventflow.log.cluster import ClusterRedis, slot_of
from eventflow.log.connection import DISCONNECTED, connect
from eventflow.log.errors import NotDurable
from eventflow.log.feed import Appended, FeedTail
from eventflow.log.server_check import check_server
from tests.support.cluster_server import MASTERS, ClusterServer
from tests.support.runtime import Chain, Space, working
from tests.support.waiting import wait_until, wait_until_sync

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def cluster(space: Space) -> ClusterRedis:
    assert isinstance(space.redis, ClusterRedis)
    return space.redis


async def test_pipeline_over_all_masters_answers_in_order(space: Space, cluster: ClusterRedis) -> None:
    names = [f"{keys.base}name" for keys in space.keyspace.all]
    async with cluster.pipeline(transaction=False) as pipe:
        for number, name in enumerate(names):
            pipe.set(name, number)
            pipe.get(name)
            pipe.lpush(name, "no list")
        answers: list[Any] = await pipe.execute(raise_on_error=False)
    assert answers[0::3] == [True] * len(names)
    assert answers[1::3] == [str(number).encode() for number in range(len(names))]
    assert all("WRONGTYPE" in str(answer) for answer in answers[2::3])
    found = {key async for key in cluster.scan_iter(f"{space.keyspace.prefix}:*name")}
    assert found == {name.encode() for name in names}
    assert len(await cluster.masters()) == MASTERS


async def test_every_master_is_checked(cluster: ClusterRedis) -> None:
    assert (await check_server(cluster, durable_ack=False))["aof"] == "on"
    last = (await cluster.masters())[-1]
    await last.config_set("maxmemory-policy", "allkeys-lru")
    with pytest.raises(Exception, match="maxmemory-policy is allkeys-lru"):
        await check_server(cluster, durable_ack=False)
    await last.config_set("maxmemory-policy", "noeviction")


async def test_answer_that_waits_for_a_replica(space: Space) -> None:
    for _ in range(6):
        assert await space.types(await space.submit(durable_ms=5_000, replicas=1)) == ["VideoRequested"]
    with pytest.raises(NotDurable, match="1 of 2 replicas"):
        await space.submit(durable_ms=100, replicas=2)


async def test_masters_and_replicas_that_change_places_are_followed(
    space: Space, shared_cluster: ClusterServer
) -> None:
    """Nothing is lost where the change is asked for; the new master doesn't know our scripts."""
    before = await space.submit()
    blocking = connect(space.url, blocking=True)
    tail = FeedTail(blocking, space.keyspace)
    await tail.start_at_end()
    feeds = {shared_cluster.master_of(keys.feed): keys.feed for keys in space.keyspace.all}
    for feed in list(feeds.values())[:2]:  # of two masters: a second change of one would undo the first
        shared_cluster.change_places(feed)
    after = [await space.submit() for _ in range(6)]
    with pytest.raises(DISCONNECTED, match="has changed"):  # whoever follows the feed begins anew
        await tail.read(block_ms=0)
    await tail.start_at_end()
    groups = Chain().groups
    async with working(space, groups[0]), working(space, groups[1]), working(space, groups[2]):
        await wait_until(lambda: space.ended(before, *after))
    noted = {note.job_id for note in await tail.read() if isinstance(note, Appended)}
    assert noted == {before, *after}
    await blocking.aclose()


async def test_slot_that_is_being_moved_is_found_at_both_ends(
    space: Space, cluster: ClusterRedis, shared_cluster: ClusterServer
) -> None:
    """ASK for what the old node doesn't have any more, MOVED when all is done."""
    name = f"{space.keys.base}name"
    slot, source = slot_of(name), shared_cluster.master_of(name)
    target = next(port for port in shared_cluster.masters() if port != source)
    await cluster.set(name, "old")
    with sync_redis.Redis(port=source) as old, sync_redis.Redis(port=target) as new:
        ids = [node.execute_command("CLUSTER MYID").decode() for node in (old, new)]
        new.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", ids[0])
        old.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", ids[1])
        assert await cluster.get(name) == b"old"
        assert await cluster.incr(f"{name}-new") == 1  # it isn't on the old node: ASK
        async with cluster.pipeline(transaction=False) as pipe:
            pipe.get(name)
            pipe.incr(f"{name}-new")
            assert await pipe.execute() == [b"old", 2]
        for key in old.execute_command("CLUSTER GETKEYSINSLOT", slot, 1000):
            old.execute_command("MIGRATE", "127.0.0.1", target, key, 0, 5000)
        for node in (new, old):
            node.execute_command("CLUSTER SETSLOT", slot, "NODE", ids[1])
    assert await cluster.get(name) == b"old"
    assert await cluster.get(f"{name}-new") == b"2"
    wait_until_sync(lambda: shared_cluster.master_of(name) == target)
