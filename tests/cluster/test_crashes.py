"""Workers and masters that die: what was begun is taken over, and what a replica has acknowledged is done."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time

import pytest
from redis.exceptions import RedisError

from eventflow.domain import commands as cmd
from eventflow.domain.job_ids import new_job_id
from eventflow.domain.topics import Topic
from eventflow.log.connection import DISCONNECTED
from eventflow.log.errors import NotDurable
from tests.cluster.conftest import PARTITIONS
from tests.support.cluster_server import ClusterServer
from tests.support.crew import Crew
from tests.support.runtime import CAUSE, CHAIN, REQUEST, Space, a_file, gapless
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(240)
SPREAD = ("--partitions", str(PARTITIONS))
JOBS = 200


async def test_killed_worker_is_replaced_on_every_master(space: Space, crew: Crew) -> None:
    """Cluster brokers elsewhere never reclaim what a dead consumer has left."""
    jobs = [await _scene_in(space, number) for number in range(PARTITIONS)]
    dying = crew(space, "slow", "--seconds", "60", "--concurrency", str(PARTITIONS), *SPREAD)
    await wait_until(lambda: len(crew.journal.words("begin")) == PARTITIONS, what="a scene of each partition has begun")
    dying.signal(signal.SIGKILL)
    survivor = crew(space, "slow", "--concurrency", "2", *SPREAD)
    for job_id in jobs:
        await wait_until(lambda job_id=job_id: _has(space, job_id, "ScenesCompleted"))  # type: ignore[misc]
        types = await space.types(job_id)
        assert types.count("SceneRendered") == 1
        assert gapless(await space.history(job_id))
    assert {pid for pid, _ in crew.journal.words("end")} == {survivor.pid}
    for keys in space.keyspace.all:
        for stream in keys.streams_of("generation", (Topic.REQUESTED, Topic.PLANNED)):
            await wait_until(lambda stream=stream: _nothing_pending(space, stream))  # type: ignore[misc]


async def test_jobs_that_a_replica_has_survive_the_failover_of_a_master(
    own_cluster: ClusterServer, own_space: Space, crew: Crew
) -> None:
    """SIGKILL of a master in the middle of 200 jobs whose requests were acknowledged by WAIT 1, with others on the way.

    All of them complete, their histories are gapless, nothing is there twice. The dead master comes back as a replica.
    """
    space = own_space
    for _ in range(2):
        crew(space, "chain", "--seconds", "0.01", "--concurrency", "4", "--lease", "2", *SPREAD)
    first = await asyncio.gather(*(_acknowledged(space) for _ in range(JOBS // 2)))
    await wait_until(lambda: _some_ended(space), what="some jobs have ended")
    victim = own_cluster.master_of(space.keys.feed)
    rest = [asyncio.create_task(_acknowledged(space)) for _ in range(JOBS // 2)]
    await asyncio.sleep(0)
    own_cluster.kill(victim)
    killed, unfinished = time.monotonic(), JOBS - await _count_ended(space)
    jobs = [*first, *await asyncio.gather(*rest)]
    await wait_until(lambda: own_cluster.master_of(space.keys.feed) != victim, what="a new master")
    failover_s = time.monotonic() - killed
    await asyncio.to_thread(own_cluster.start_node, victim)
    await wait_until(lambda: _all_ended(space, jobs), 120, what="all jobs have ended")
    print(f"\n{unfinished} of {JOBS} jobs unfinished at the kill; new master after {failover_s:.1f} s, ", end="")
    print(f"all done after {time.monotonic() - killed:.1f} s")
    await _check_nothing_doubled(space, jobs)
    await asyncio.to_thread(own_cluster.wait_whole)


async def _check_nothing_doubled(space: Space, jobs: list[str]) -> None:
    for job_id in jobs:
        history = await space.history(job_id)
        assert [envelope.type for envelope in history] == CHAIN
        assert gapless(history)
    feed = [row for keys in space.keyspace.all for row in await _feed(space, keys.feed)]
    assert len(feed) == len(set(feed))
    assert set(jobs) <= {job_id for job_id, _ in feed}
    for keys in space.keyspace.all:
        assert await space.redis.xlen(keys.dead_letters) == 0


async def _scene_in(space: Space, partition: int) -> str:
    job_id = new_job_id(partition, f"{partition:032x}")
    await space.log.create(job_id, REQUEST, CAUSE)
    await space.do(job_id, cmd.StartPlanning(1), cmd.AnnounceScript(run=1, title="t", scene_count=1, plan=a_file()))
    await space.do(
        job_id,
        cmd.PlanScene(run=1, scene=0, title="scene", start_cells=0, duration_cells=3, spec=a_file(), narration=None),
    )
    return job_id


async def _acknowledged(space: Space) -> str:
    """A job that a replica has. A client that gets no answer asks again, for a new job: the other one may be there."""
    while True:
        try:
            return await space.submit(durable_ms=1_000, replicas=1)
        except (NotDurable, *DISCONNECTED):
            await asyncio.sleep(0.1)


async def _some_ended(space: Space) -> bool:
    return await _count_ended(space) >= 10


async def _count_ended(space: Space) -> int:
    """Of those on masters that live."""
    count = 0
    for number in range(PARTITIONS):
        with contextlib.suppress(*DISCONNECTED):
            count += await space.redis.xlen(_outcome(space, number))
    return count


def _outcome(space: Space, number: int) -> str:
    return space.keyspace.partition(number).topic(Topic.OUTCOME, REQUEST.priority)


async def _all_ended(space: Space, jobs: list[str]) -> bool:
    try:
        return await space.ended(*jobs)
    except (RedisError, *DISCONNECTED):  # on purpose
        return False


async def _feed(space: Space, stream: str) -> list[tuple[str, int]]:
    return [(f[b"j"].decode(), int(f[b"v"])) for _, f in await space.redis.xrange(stream)]


async def _has(space: Space, job_id: str, kind: str) -> bool:
    return kind in await space.types(job_id)


async def _nothing_pending(space: Space, stream: str) -> bool:
    return await space.pending(stream, "generation") == []
