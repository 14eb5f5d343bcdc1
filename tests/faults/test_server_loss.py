"""A server that crashes, hangs, loses an answer or has too few connections."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from pathlib import Path

import pytest
import redis as sync_redis

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.commands import Command, RequestCancellation
from eventflow.domain.topics import Topic
from eventflow.domain.values import Step
from eventflow.log.connection import BLOCK_MS, COMMAND_TIMEOUT_S, DISCONNECTED, READ_TIMEOUT_S, connect
from eventflow.log.errors import LogUnfit, NotDurable
from eventflow.log.server_check import check_server
from eventflow.runtime.context import Group, StepContext
from ops.chaos.proxy import Proxy, proxy_of
from tests.support.crew import Crew
from tests.support.log_server import LogServer, log_server
from tests.support.runtime import (
    CHAIN,
    Chain,
    RawRedis,
    Runs,
    Space,
    a_file,
    gapless,
    open_space,
    scenes_group,
    working,
)
from tests.support.waiting import wait_until, wait_until_sync


async def test_server_that_is_killed_under_load_and_comes_back(
    own_server: LogServer, own_space: Space, crew: Crew
) -> None:
    """Two worker processes of all groups. Every job ends, every history is gapless, no event is there twice."""
    for _ in range(2):
        crew(own_space, "chain", "--seconds", "0.01", "--concurrency", "4", "--lease", "2")
    jobs = [await own_space.submit() for _ in range(150)]
    await own_space.synced()
    for bounce in range(2):
        outcome, some = own_space.topic(Topic.OUTCOME), 20 + 40 * bounce
        await wait_until(lambda outcome=outcome, some=some: _longer(own_space, outcome, some))  # type: ignore[misc]
        own_server.kill()
        await asyncio.sleep(0.3 * bounce)  # a short and a longer outage
        await asyncio.to_thread(own_server.start)
    await wait_until(lambda: _longer(own_space, own_space.topic(Topic.OUTCOME), 150), 60, what="all jobs ended")
    for job_id in jobs:
        history = await own_space.history(job_id)
        assert [envelope.type for envelope in history] == CHAIN
        assert gapless(history)
    feed = [(f[b"j"], f[b"v"]) for _, f in await own_space.redis.xrange(own_space.keys.feed)]
    assert len(feed) == len(set(feed)) == 150 * len(CHAIN)
    assert await own_space.parked() == []


async def test_server_that_hangs_longer_than_a_lease(own_server: LogServer, own_space: Space) -> None:
    """Our own leases are as old as those of the dead then; the worker keeps what it is working on."""
    runs, lease_s = Runs(), 0.5
    go = asyncio.Event()

    async def render(reaction: StepContext) -> None:
        runs.began[reaction.event.scene] += 1
        await go.wait()

    job_id = await own_space.submit_scenes(3)
    async with working(own_space, scenes_group(render), lease_s=lease_s):
        await wait_until(lambda: len(runs.began) == 3)
        own_server.pause()
        await asyncio.sleep(3 * lease_s)
        own_server.resume()
        # Two more heartbeats and sweeps, told by an entry that is swept up.
        await own_space.redis.xgroup_create(own_space.topic(Topic.PLANNED), "other", id="0")
        await wait_until(lambda: _young(own_space, lease_s))
        go.set()
        await wait_until(lambda: _has(own_space, job_id, "ScenesCompleted"))
    assert runs.began == {0: 1, 1: 1, 2: 1}


async def test_blocking_reads_end_well_before_the_socket_gives_up(space: Space) -> None:
    assert BLOCK_MS / 1000 + 5 <= READ_TIMEOUT_S
    blocking = connect(space.url, blocking=True)
    try:
        assert blocking.connection_pool.connection_kwargs["socket_timeout"] == READ_TIMEOUT_S
        assert space.redis.connection_pool.connection_kwargs["socket_timeout"] == COMMAND_TIMEOUT_S
        # A read that waits as long as it may, and finds nothing, is no error.
        await space.redis.xgroup_create("idle", "g", mkstream=True)
        found = await blocking.xreadgroup("g", "c", {"idle": ">"}, block=BLOCK_MS)
        assert not found
    finally:
        await blocking.aclose()


async def test_burst_of_500_does_not_run_the_pool_dry(space: Space) -> None:
    """16 connections; whoever finds none waits for one."""
    jobs = await asyncio.gather(*(space.submit() for _ in range(500)))
    for job_id in jobs:
        space.log.forget(job_id)
    records = await asyncio.gather(*(space.log.load(job_id) for job_id in jobs))
    assert all(record is not None and record.version == 1 for record in records)
    await asyncio.gather(*(space.do(job_id, RequestCancellation("enough")) for job_id in jobs))
    assert await space.redis.xlen(space.keys.feed) == 500 * 3


@pytest.fixture
async def proxy(own_server: LogServer):  # type: ignore[no-untyped-def]
    async with proxy_of(own_server.port) as proxy:
        yield proxy


async def test_lost_answer_to_a_settling_commit_loses_no_work_and_doubles_no_event(
    own_space: Space, proxy: Proxy
) -> None:
    runs = Runs()

    async def upload(reaction: StepContext) -> Sequence[Command]:
        runs.began[reaction.envelope.type] += 1
        proxy.lose(b"DeliverablesUploaded")
        fallback = cmd.RecordFallback(
            run=1, step=Step.UPLOAD_VIDEO, scene=None, key="key", reason="no answer", retry_count=3
        )
        return [fallback, cmd.FinishUpload(run=1, videos=(), thumbnails=())]

    job_id = await own_space.submit()
    await own_space.do(job_id, cmd.FinishVideo(run=1, videos=(), thumbnails=()))
    through = Space(f"redis://127.0.0.1:{proxy.port}/0", own_space.redis, own_space.log, own_space.keyspace)
    async with working(through, Group("upload", {ev.VideoGenerated: upload})):
        await wait_until(lambda: _has(own_space, job_id, "VideoUploaded"))
        await wait_until(lambda: proxy.lost == 1)
        await wait_until(lambda: _settled(own_space, Topic.GENERATED, "upload"))
    types = await own_space.types(job_id)
    assert types == ["VideoRequested", "VideoGenerated", "UploadFellBack", "DeliverablesUploaded", "VideoUploaded"]
    assert runs.began == {"VideoGenerated": 1}
    assert await own_space.redis.xlen(own_space.keys.feed) == len(types)
    assert await own_space.redis.xlen(own_space.topic(Topic.UPLOADED)) == 1


async def test_lost_answer_to_a_commit_on_the_way_doubles_no_event(own_space: Space, proxy: Proxy) -> None:
    """The step goes on where it was: what was written is found, and not written again."""
    runs = Runs()

    async def plan(reaction: StepContext) -> Sequence[Command]:
        runs.began["plan"] += 1
        await reaction.commit(cmd.StartPlanning(1))
        proxy.lose(b"ScriptPlanned")
        await reaction.commit(cmd.AnnounceScript(run=1, title="t", scene_count=2, plan=a_file()))
        for index in range(2):
            proxy.lose(b"ScenePlanned")
            await reaction.commit(
                cmd.PlanScene(
                    run=1,
                    scene=index,
                    title="s",
                    start_cells=3 * index,
                    duration_cells=3,
                    spec=a_file(),
                    narration=None,
                )
            )
        return []

    job_id = await own_space.submit()
    through = Space(f"redis://127.0.0.1:{proxy.port}/0", own_space.redis, own_space.log, own_space.keyspace)
    async with working(through, Group("generation", {ev.VideoRequested: plan})):
        await wait_until(lambda: _settled(own_space, Topic.REQUESTED, "generation"))
    expected = ["VideoRequested", "PlanningStarted", "ScriptPlanned", "ScenePlanned", "ScenePlanned"]
    assert await own_space.types(job_id) == expected
    assert proxy.lost == 3
    assert runs.began == {"plan": 1}


async def test_lost_answer_to_a_request_makes_no_second_job(own_space: Space, proxy: Proxy) -> None:
    async with open_space(f"redis://127.0.0.1:{proxy.port}/0", own_space.keyspace.prefix) as through:
        for durable_ms in (0, 3_000):
            proxy.lose(b"VideoRequested")
            job_id = await through.submit(durable_ms=durable_ms)
            assert await own_space.types(job_id) == ["VideoRequested"]
    assert proxy.lost == 2
    assert await own_space.redis.xlen(own_space.topic(Topic.REQUESTED)) == 2


async def test_durably_acknowledged_jobs_survive_a_crash_right_after_the_answer(
    own_server: LogServer, own_space: Space
) -> None:
    jobs = await asyncio.gather(*(own_space.submit(durable_ms=5_000) for _ in range(20)))
    own_server.kill()
    await asyncio.to_thread(own_server.start)
    for job_id in jobs:
        own_space.log.forget(job_id)
        assert await own_space.types(job_id) == ["VideoRequested"]
    assert await own_space.redis.xlen(own_space.topic(Topic.REQUESTED)) == 20


async def test_durable_answer_is_refused_when_the_disk_does_not_follow(own_space: Space) -> None:
    """`appendfsync no`: nobody syncs within the time; the event is there, and the same request may be sent again."""
    await own_space.redis.config_set("appendfsync", "no")
    with pytest.raises(NotDurable, match="synced"):
        await own_space.submit(durable_ms=200)
    await own_space.redis.config_set("appendfsync", "everysec")
    assert await own_space.redis.xlen(own_space.keys.feed) == 1


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl", "allkeys-random"])
async def test_server_that_may_evict_events_is_refused(own_space: Space, policy: str) -> None:
    await own_space.redis.config_set("maxmemory-policy", policy)
    with pytest.raises(LogUnfit, match=f"maxmemory-policy is {policy}.*noeviction"):
        await check_server(own_space.redis, durable_ack=False)


async def test_durable_answers_without_an_append_only_file_are_refused(space: Space) -> None:
    with pytest.raises(LogUnfit, match="appendonly yes"):
        await check_server(space.redis, durable_ack=True)
    assert (await check_server(space.redis, durable_ack=False))["aof"] == "off"


async def test_server_out_of_memory_refuses_and_goes_on_when_there_is_room(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """noeviction: a commit that finds no memory writes nothing, and the step is done when there is some again."""
    with log_server(tmp_path_factory.mktemp("small")) as server:
        async with open_space(server.url) as space:
            job_id = await space.submit()
            used = (await space.redis.info("memory"))["used_memory"]
            async with working(space, Chain().groups[0], lease_s=0.5):
                await space.redis.config_set("maxmemory", used // 2)
                with pytest.raises(Exception, match=r"OOM|memory"):
                    await space.submit()
                await space.redis.config_set("maxmemory", 0)
                await wait_until(lambda: _has(space, job_id, "VideoGenerated"))
            assert gapless(await space.history(job_id))


async def _longer(space: Space, stream: str, count: int) -> bool:
    try:
        return bool(await space.redis.xlen(stream) >= count)
    except DISCONNECTED:  # on purpose
        return False


async def _young(space: Space, lease_s: float) -> bool:
    rows = await space.pending(space.topic(Topic.PLANNED), "generation")
    return len(rows) == 3 and all(row["time_since_delivered"] < lease_s * 1000 for row in rows)


async def _has(space: Space, job_id: str, kind: str) -> bool:
    return kind in await space.types(job_id)


async def _settled(space: Space, topic: Topic, group: str) -> bool:
    redis: RawRedis = space.redis
    if not await redis.exists(space.topic(topic)):
        return False
    infos = await redis.xinfo_groups(space.topic(topic))
    return any(i["name"] == group.encode() and i["pending"] == 0 and i["lag"] == 0 for i in infos)


async def test_server_that_loads_its_data_is_waited_for_not_found_unfit(tmp_path: Path) -> None:
    """Meanwhile it says that it has no append-only file: a worker that started just then would refuse it."""
    with log_server(tmp_path, aof=True) as server:
        with sync_redis.Redis(port=server.port) as client:
            client.mset({f"key-{number}": secrets.token_bytes(1024) for number in range(500)})
            client.bgrewriteaof()  # a snapshot, which takes its time to load
            wait_until_sync(lambda: _rewritten(client), what="the rewritten file")
        server.kill()
    slow = LogServer(tmp_path, aof=True, key_load_delay="4000", loading_process_events_interval_bytes="1024")
    starting = asyncio.create_task(asyncio.to_thread(slow.start))
    redis = connect(slow.url)
    try:
        found: list[str] = []
        while not starting.done():
            try:
                found.append((await check_server(redis, durable_ack=True))["aof"])
            except DISCONNECTED as error:
                found.append(type(error).__name__)
        await starting
        assert "BusyLoadingError" in found
        assert (await check_server(redis, durable_ack=True))["aof"] == "on"
    finally:
        await redis.aclose()
        slow.kill()


def _rewritten(client: sync_redis.Redis) -> bool:
    found = client.info("persistence")
    return found["aof_rewrite_in_progress"] == 0 and found["aof_rewrite_scheduled"] == 0
