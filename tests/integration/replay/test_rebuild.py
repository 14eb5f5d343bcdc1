"""`eventflow replay rebuild` on a real server: what it finds, what it mends, and that it mends it once."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from eventflow.domain import commands as cmd
from eventflow.domain.progress import progress_field
from eventflow.domain.state import Phase
from eventflow.domain.topics import GROUP_TOPICS, Topic
from eventflow.domain.values import Failure, FailureCategory, Step
from eventflow.log.codec import Codec
from eventflow.log.feed import read_feed
from tests.support.rebuilding import Rebuilder, dump
from tests.support.runtime import Chain, Space, utc_now, working
from tests.support.waiting import wait_until

GONE = "00-" + "ab" * 16


async def finished(space: Space) -> str:
    job_id = await space.submit()
    await space.do(
        job_id,
        cmd.FinishVideo(run=1, videos=(), thumbnails=()),
        cmd.FinishUpload(run=1, videos=(), thumbnails=()),
        cmd.PublishVideo(1, ()),
    )
    return job_id


async def groups_exist(space: Space) -> None:
    for group, topics in GROUP_TOPICS.items():
        for stream in space.keys.streams_of(group, topics):
            await space.redis.xgroup_create(stream, group, id="0", mkstream=True)


async def settle_all(space: Space) -> None:
    """Hand out everything and settle it, as workers do that then lose what they should have appended."""
    for group, topics in GROUP_TOPICS.items():
        for stream in space.keys.streams_of(group, topics):
            rows = await space.redis.xrange(stream)
            await space.redis.xgroup_setid(stream, group, rows[-1][0] if rows else "0")


async def named(space: Space, job_id: str) -> list[int]:
    """The versions of the job in the feed, in its order."""
    pages = [page async for page in read_feed(space.redis, space.keys)]
    return [note.version for page in pages for _, note in page if note.job_id == job_id]


async def test_a_sound_log_has_no_differences(space: Space, rebuild: Rebuilder) -> None:
    await groups_exist(space)
    jobs = [await finished(space) for _ in range(3)]
    waiting = await space.submit_scenes(3)
    cancelled = await space.submit()
    await space.do(cancelled, cmd.RequestCancellation("no"))
    before = await dump(space)
    report = await rebuild()
    assert (report.jobs, report.found) == (5, {})
    assert report.events == 5 * len(jobs) + len(await space.history(waiting)) + 3
    assert await dump(space) == before


async def test_work_that_nobody_will_be_handed_is_delivered_again(space: Space, rebuild: Rebuilder) -> None:
    """As after a restore of the jobs' streams alone: the routing was lost with the topics."""
    await groups_exist(space)
    job_id = await space.submit_scenes(2)
    await settle_all(space)
    report = await rebuild()
    assert rebuild.kinds == ["stalled", "stalled"]
    assert report.left == 0
    retried = await space.redis.xrange(space.keys.retry("generation", Topic.PLANNED))
    history = await space.history(job_id)
    assert [Codec().decode(fields[b"e"]) for _, fields in retried] == history[-2:]
    assert (await rebuild()).found == {}


async def test_stalled_jobs_finish_after_a_rebuild(space: Space, rebuild: Rebuilder) -> None:
    await groups_exist(space)
    jobs = [await space.submit() for _ in range(20)]
    for job_id in jobs[:10]:
        await space.do(job_id, cmd.FinishVideo(run=1, videos=(), thumbnails=()))
    await settle_all(space)
    assert (await rebuild()).repaired == {"stalled": 20}
    async with AsyncExitStack() as stack:
        for group in Chain().groups:
            await stack.enter_async_context(working(space, group))
        await wait_until(lambda: space.ended(*jobs))
    assert (await rebuild()).found == {}
    assert not await space.parked()


@pytest.mark.parametrize("place", ["undelivered", "pending", "delayed", "retry", "parked", "no group"])
async def test_work_on_its_way_is_left_alone(space: Space, rebuild: Rebuilder, place: str) -> None:
    job_id = await space.submit()
    requested = space.topic(Topic.REQUESTED)
    payload = (await space.redis.xrange(requested))[0][1][b"e"]
    if place != "no group":
        await groups_exist(space)
    if place == "pending":
        await space.redis.xreadgroup("generation", "w", {requested: ">"})
    elif place in ("delayed", "retry", "parked"):
        await settle_all(space)
        retry = space.keys.retry("generation", Topic.REQUESTED)
        if place == "delayed":
            await space.redis.zadd(space.keys.delayed, {retry.encode() + b"\n" + payload: 2e12})
        else:
            await space.redis.xadd(retry if place == "retry" else space.keys.dead_letters, {"e": payload})
    assert (await rebuild()).found == {}
    assert (await rebuild(job_id)).found == {}


async def test_a_retry_whose_delay_was_lost_is_delivered_again(space: Space, rebuild: Rebuilder) -> None:
    await groups_exist(space)
    job_id = await space.submit()
    failure = Failure(FailureCategory.GENERATION, "broken", "it broke")
    await space.do(job_id, cmd.FailStep(step=Step.PLAN, scene=None, run=1, failure=failure, retry_at=utc_now()))
    await settle_all(space)
    await rebuild()
    assert rebuild.kinds == ["stalled"]
    assert await space.redis.xlen(space.keys.retry("generation", Topic.REQUESTED)) == 1


async def test_a_cancellation_that_nobody_would_confirm_is_ended(space: Space, rebuild: Rebuilder) -> None:
    await groups_exist(space)
    job_id = await space.submit_scenes(1)
    await space.do(job_id, cmd.RequestCancellation("no"))
    assert (await rebuild()).found == {}  # the scene's delivery waits: its worker will confirm
    await settle_all(space)
    await rebuild(dry_run=True)
    assert rebuild.kinds == ["limbo"]
    await rebuild()
    assert (await space.job(job_id)).phase is Phase.CANCELLED
    assert (await rebuild()).found == {}


@pytest.mark.parametrize("harm", ["all gone", "first", "middle", "last", "doubled", "ahead", "wrong type"])
async def test_the_feed_names_every_version_once_and_in_order(space: Space, rebuild: Rebuilder, harm: str) -> None:
    await groups_exist(space)
    job_id, other = await finished(space), await finished(space)
    feed = space.keys.feed
    ids = [entry_id async for page in read_feed(space.redis, space.keys) for entry_id, n in page if n.job_id == job_id]
    if harm == "all gone":
        await space.redis.delete(feed)
    elif harm in ("first", "middle", "last"):
        await space.redis.xdel(feed, ids[{"first": 0, "middle": 2, "last": -1}[harm]])
    elif harm == "doubled":
        await space.redis.xadd(feed, {"j": job_id, "v": 3, "t": "DeliverablesUploaded"})
    elif harm == "ahead":
        await space.redis.xadd(feed, {"j": job_id, "v": 6, "t": "VideoPublished"})
    else:
        await space.redis.xdel(feed, ids[-1])
        await space.redis.xadd(feed, {"j": job_id, "v": 5, "t": "JobFailed"})
    report = await rebuild(*([job_id] if harm == "wrong type" else []))  # the count of the first pass has no types
    if harm == "first":  # what is before the feed's first entry counts as trimmed
        assert report.found == {}
        return
    assert set(rebuild.kinds) == {"feed"}
    assert report.left == 0
    assert await named(space, job_id) == [1, 2, 3, 4, 5]
    assert await named(space, other) == [1, 2, 3, 4, 5]
    assert (await rebuild()).found == {}
    assert (await rebuild(job_id)).found == {}


async def test_a_trimmed_feed_is_sound(space: Space, rebuild: Rebuilder) -> None:
    await groups_exist(space)
    old = await finished(space)
    new = await finished(space)
    page = await anext(read_feed(space.redis, space.keys))
    first = next(entry_id for entry_id, note in page if note.job_id == new)
    await space.redis.xtrim(space.keys.feed, minid=first, approximate=False)
    assert await named(space, old) == []
    assert (await rebuild()).found == {}
    assert (await rebuild(old, new)).found == {}


async def test_a_history_that_does_not_fold_is_reported_and_the_others_go_on(space: Space, rebuild: Rebuilder) -> None:
    await groups_exist(space)
    good, gap, garbage, foreign = [await finished(space) for _ in range(4)]
    await space.redis.xdel(space.keys.events(gap), "3-0")
    await space.redis.xadd(space.keys.events(garbage), {"e": b"\xff"}, id="6-0")
    await space.redis.delete(space.keys.events(foreign))
    for entry_id, fields in await space.redis.xrange(space.keys.events(good)):
        await space.redis.xadd(space.keys.events(foreign), fields, id=entry_id)
    report = await rebuild()
    reasons = {d.job_id: d.detail for d in rebuild.of("history")}
    assert report.jobs == 4
    assert reasons.keys() == {gap, garbage, foreign}
    assert reasons[gap].startswith(f"event 3: it is event 4 of {gap}")
    assert reasons[garbage].startswith("event 6: not an event")
    assert good in reasons[foreign]
    assert report.repaired == {}


async def test_a_job_whose_stream_is_gone_is_reported(space: Space, rebuild: Rebuilder) -> None:
    await groups_exist(space)
    lost = await finished(space)
    await space.redis.delete(space.keys.events(lost))
    await rebuild()
    assert [(d.job_id, d.repair) for d in rebuild.of("missing")] == [(lost, None)]
    await rebuild(GONE)
    assert [d.job_id for d in rebuild.of("missing")] == [GONE]


async def test_live_hashes_hold_what_belongs_to_the_present_run(space: Space, rebuild: Rebuilder) -> None:
    await groups_exist(space)
    live = space.keys.live
    running, stopped, done, cancelled = [await space.submit_scenes(2) for _ in range(4)]
    await space.redis.hset(live(running), mapping={progress_field(Step.RENDER_SCENE, 1, 1): "0.5"})
    assert (await rebuild()).found == {}

    await space.redis.hset(live(running), mapping={"cancel": 1, progress_field(Step.RENDER_SCENE, 1, 7): "0.5"})
    await space.do(stopped, cmd.RequestCancellation("no"))
    await space.redis.delete(live(stopped))
    await space.do(cancelled, cmd.RequestCancellation("no"), cmd.ConfirmCancellation())
    done = await finished(space)
    await space.redis.hset(live(done), mapping={progress_field(Step.PLAN, None, 1): "1.0"})
    await space.redis.hset(live(GONE), mapping={"cancel": 1})
    report = await rebuild()
    assert {d.job_id for d in rebuild.of("live")} == {running, stopped, done, GONE}
    assert report.left == 0
    assert await space.redis.hgetall(live(running)) == {progress_field(Step.RENDER_SCENE, 1, 1).encode(): b"0.5"}
    assert await space.redis.hgetall(live(stopped)) == {b"cancel": b"1"}
    assert await space.redis.hgetall(live(cancelled)) == {b"cancel": b"1"}
    assert not await space.redis.exists(live(done), live(GONE))
    assert (await rebuild()).found == {}


async def test_a_dry_run_writes_nothing_and_finds_the_same(space: Space, rebuild: Rebuilder) -> None:
    await groups_exist(space)
    jobs = [await space.submit_scenes(2), await finished(space), await space.submit_scenes(1)]
    await space.do(jobs[2], cmd.RequestCancellation("no"))
    await settle_all(space)
    await space.redis.xadd(space.keys.feed, {"j": jobs[1], "v": 2, "t": "VideoGenerated"})
    await space.redis.hset(space.keys.live(jobs[1]), mapping={"cancel": 1})
    before = await dump(space)
    dry = await rebuild(dry_run=True)
    assert rebuild.kinds == ["feed", "limbo", "live", "stalled", "stalled"]
    assert await dump(space) == before
    wet = await rebuild()
    assert wet.found == dry.found == wet.repaired
    assert await dump(space) != before
    assert (await rebuild()).found == {}


async def test_slices_see_every_job_once(space: Space, rebuild: Rebuilder) -> None:
    await groups_exist(space)
    jobs = [await finished(space) for _ in range(40)]
    await space.redis.delete(space.keys.feed)
    rebuild.slice_entries = 20
    assert (await rebuild(dry_run=True)).jobs == 40
    assert (await rebuild()).repaired == {"feed": 40}
    report = await rebuild()  # ten slices now
    assert (report.jobs, report.events, report.found) == (40, 200, {})
    assert [await named(space, job_id) for job_id in jobs] == [[1, 2, 3, 4, 5]] * 40


async def test_work_in_progress_is_no_difference(space: Space, rebuild: Rebuilder) -> None:
    """Rebuilds beside workers that move jobs all the time find nothing, and do no harm."""
    async with AsyncExitStack() as stack:
        for group in Chain().groups:
            await stack.enter_async_context(working(space, group, concurrency=8))
        jobs: list[str] = []

        async def submit() -> None:
            for _ in range(300):
                jobs.append(await space.submit())

        submitting = asyncio.create_task(submit())
        while not submitting.done():
            assert (await rebuild()).found == {}
        await submitting
        await wait_until(lambda: space.ended(*jobs))
    report = await rebuild()
    assert (report.jobs, report.events, report.found) == (300, 1500, {})
