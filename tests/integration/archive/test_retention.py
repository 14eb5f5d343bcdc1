"""Jobs whose time is over are asked to be deleted: each owner's by its own time, archived or not."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from random import Random

from eventflow.archive.deletion_policy import DeletionPolicy
from eventflow.archive.maintenance import MaintenanceWorker
from eventflow.archive.restore import list_archived
from eventflow.domain import commands as cmd
from eventflow.domain.state import Phase
from eventflow.log.event_store import JobEventStore
from eventflow.settings import FinishedJobsSettings
from tests.support.archiving import Archived
from tests.support.runtime import CAUSE, REQUEST
from tests.support.waiting import wait_until

SETTINGS = FinishedJobsSettings(delete_after_days=30, delete_after_days_by_owner={"alice": 10, "bob": 0})


async def phases(archived: Archived, *jobs: str) -> list[Phase]:
    found = []
    for job in jobs:
        archived.log.forget(job)
        record = await archived.log.load(job)
        assert record is not None
        found.append(record.job.phase)
    return found


def retention(archived: Archived, settings: FinishedJobsSettings = SETTINGS, page: int = 2) -> DeletionPolicy:
    return DeletionPolicy(log=archived.log, settings=settings, clock=archived.clock, page=page)


async def sweep(retention: DeletionPolicy) -> int:
    steps = 1
    while await retention.step():
        steps += 1
    return steps


async def test_each_owners_jobs_have_their_time(archived: Archived) -> None:
    jobs = [await archived.finished(owner=owner) for owner in ("alice", "bob", "carol", "alice", "bob")]
    await archived.archive()  # as after a week
    sweeper = retention(archived)
    for days, deleting in ((9, ()), (11, (0, 3)), (31, (0, 2, 3))):
        archived.ahead = timedelta(days=days)
        await sweep(sweeper)
        wanted = [Phase.DELETING if n in deleting else Phase.COMPLETED for n in range(5)]
        assert await phases(archived, *jobs) == wanted, days
    last = (await archived.log.history(jobs[0]))[-1]
    assert last.event.reason == "kept for 10 days"  # type: ignore[attr-defined]
    before = await phases(archived, *jobs)
    await sweep(sweeper)
    await sweep(retention(archived))
    assert await phases(archived, *jobs) == before
    assert len(await archived.log.history(jobs[0])) == 6


async def test_time_begins_anew_with_what_is_done_again_and_a_job_at_work_stays(archived: Archived) -> None:
    again, working = await archived.finished(owner="alice"), await archived.space.submit(REQUEST)
    await archived.archive()
    shared = archived.log
    log = JobEventStore(
        shared.redis, codec=shared.codec, keyspace=shared.keyspace, clock=archived.clock, archive=shared.archive
    )
    archived.ahead = timedelta(days=8)
    done = (
        cmd.FinishVideo(run=2, videos=(), thumbnails=()),
        cmd.FinishUpload(run=2, videos=(), thumbnails=()),
        cmd.PublishVideo(2, ()),
    )
    await log.execute(again, [cmd.RequestReprocess(), *done], CAUSE)
    for days, phase in ((11, Phase.COMPLETED), (17, Phase.COMPLETED), (19, Phase.DELETING), (40, Phase.DELETING)):
        archived.ahead = timedelta(days=days)
        await sweep(retention(archived))
        assert await phases(archived, again, working) == [phase, Phase.REQUESTED], days
    await archived.space.do(working, cmd.RequestCancellation("no"))
    archived.ahead = timedelta(days=71)
    await sweep(retention(archived))
    assert await phases(archived, working) == [Phase.DELETING]


async def test_without_a_retention_nothing_is_looked_at(archived: Archived) -> None:
    job = await archived.finished()
    archived.ahead = timedelta(days=30_000)
    assert not await retention(archived, FinishedJobsSettings()).step()
    assert await phases(archived, job) == [Phase.COMPLETED]


async def test_what_is_to_be_deleted_stays_listed_until_then(archived: Archived) -> None:
    hers, his = await archived.finished(owner="alice"), await archived.finished(owner="bob")
    await archived.archive()
    archived.ahead = timedelta(days=5)
    await archived.unlist(stays=SETTINGS.deletes)
    assert await archived.listed(None) == [hers]
    keys = archived.space.keys
    await archived.space.redis.delete(*keys.lists_of("alice"))
    for stays, entered in ((lambda _: False, 0), (SETTINGS.deletes, 1), (SETTINGS.deletes, 0)):
        found = list_archived(archived.segment_store, archived.pointers, archived.log, archived.clock(), stays)
        assert await found == entered
    archived.ahead = timedelta(days=11)
    await sweep(retention(archived))
    assert await phases(archived, hers, his) == [Phase.DELETING, Phase.COMPLETED]


async def test_the_keeper_does_so_by_itself(archived: Archived) -> None:
    job = await archived.finished(owner="alice")
    archived.ahead = timedelta(days=11)
    keeper = MaintenanceWorker(
        None, None, archived.trimmer(), clock=archived.clock, random=Random(1), deletion=retention(archived)
    )
    stop = asyncio.Event()
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        group.create_task(keeper.run(stop))

        async def deleting() -> bool:
            return await phases(archived, job) == [Phase.DELETING]

        await wait_until(deleting, 20, what="the job is to be deleted")
        stop.set()
    assert (await archived.space.types(job))[-1] == "DeletionRequested"
