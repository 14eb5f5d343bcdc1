"""Deleted jobs and the archive: an archived job can be deleted, and nothing brings it back."""

from __future__ import annotations

from eventflow.archive.restore import list_archived, restore
from eventflow.domain import commands as cmd
from eventflow.domain.state import Phase
from eventflow.domain.topics import Topic
from eventflow.log.rebuild_job_lists import rebuild_job_lists
from tests.support.archiving import Archived
from tests.support.runtime import CAUSE, CHAIN

DELETE = (cmd.RequestDeletion("asked"), cmd.ConfirmDeletion(3))
LONG = 86_400.0


async def phase(archived: Archived, job: str) -> Phase:
    archived.log.forget(job)
    record = await archived.log.load(job)
    assert record is not None
    return record.job.phase


async def test_an_archived_job_is_deleted_and_archived_again_at_once(archived: Archived) -> None:
    job, kept = await archived.finished(), await archived.finished()
    await archived.archive()
    await archived.log.execute(job, DELETE[:1], CAUSE)
    assert await phase(archived, job) is Phase.DELETING
    await archived.archive(archive_after_s=LONG)
    assert await archived.in_server(job), "not before its files are gone"
    await archived.log.execute(job, DELETE[1:], CAUSE)
    await archived.archive(archive_after_s=LONG)  # other outcomes would stay for a day
    assert not await archived.in_server(job)
    assert [event.type for event in await archived.log.history(job)] == [*CHAIN, "DeletionRequested", "JobDeleted"]
    assert await archived.listed() == [kept]
    assert await list_archived(archived.segment_store, archived.pointers, archived.log) == 0
    assert await archived.listed() == [kept]


async def test_a_restore_does_not_bring_it_back(archived: Archived, empty: Archived) -> None:
    job, kept = await archived.finished(), await archived.finished()
    await archived.archive()
    await archived.log.execute(job, DELETE, CAUSE)
    await archived.archive(archive_after_s=LONG)
    found = await restore(archived.segment_store, archived.pointers, merge=True, dry_run=True)
    assert found.jobs == 2
    await restore(empty.segment_store, empty.pointers, merge=False, dry_run=False, log=empty.log)
    assert await phase(empty, job) is Phase.DELETED
    assert await empty.listed() == [kept]
    assert await rebuild_job_lists(empty.log) == 0
    record = await empty.log.execute(
        job,
        [cmd.RecordCost(run=1, scene=None, service="planner", amount="1", currency="credits", reference="late")],
        CAUSE,
    )
    assert record is not None  # a late bill puts it into the server once more, and into no list
    assert await empty.in_server(job)
    assert await empty.listed() == [kept]


async def test_deletions_wait_a_little_for_each_other(archived: Archived) -> None:
    jobs = [await archived.finished() for _ in range(3)]
    for job in jobs:
        await archived.log.execute(job, DELETE, CAUSE)
    await archived.archive(archive_after_s=LONG, linger_s=3_600.0)
    assert [await archived.in_server(job) for job in jobs] == [True] * 3
    archived.ahead += archived.ahead.resolution * 61_000_000
    await archived.archive(archive_after_s=LONG, linger_s=3_600.0)
    assert [await archived.in_server(job) for job in jobs] == [False] * 3
    assert len([segment async for segment in archived.segment_store.segments()]) == 1
    assert await archived.length(Topic.DELETED) == 3
