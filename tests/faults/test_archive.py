"""Jobs on their way between the server and the archive: at every moment in one of them, whatever dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from eventflow.domain import commands as cmd
from eventflow.domain.errors import AlreadyFinished
from eventflow.domain.state import Phase
from eventflow.domain.topics import Topic
from eventflow.domain.values import Step
from eventflow.log.errors import ArchiveDamaged, VersionConflict
from tests.support.archiving import Archived, StrikesAt, Struck, archived_space
from tests.support.runtime import CAUSE, CHAIN, REQUEST, Space
from tests.support.stories import failure


@pytest.fixture
async def archived(space: Space, tmp_path: Path) -> AsyncIterator[Archived]:
    async with archived_space(space, tmp_path / "archive") as archived:
        yield archived


async def test_archived_job_is_served_as_before(archived: Archived) -> None:
    jobs = [await archived.finished() for _ in range(20)]
    before = {job: (await archived.space.history(job), await archived.space.job(job)) for job in jobs}
    assert await archived.archive() == 20
    for job in jobs:
        assert not await archived.in_server(job)
        record = await archived.log.load(job)
        assert record is not None
        assert (await archived.log.history(job), record.job) == before[job]
        assert await archived.log.history(job, after=2) == before[job][0][2:]
        assert await archived.log.history(job, after=1, limit=2) == before[job][0][1:3]
        assert await archived.log.history(job, after=5) == []
    assert len([segment async for segment in archived.segment_store.segments()]) == 1
    assert await archived.pointers.count(archived.space.keys) == 20


async def test_long_history_is_archived_whole(archived: Archived) -> None:
    job = await archived.space.submit_scenes(1_500)
    await archived.space.do(job, cmd.RequestCancellation("enough"), cmd.ConfirmCancellation())
    before = await archived.space.history(job)
    await archived.archive()
    assert not await archived.in_server(job)
    assert await archived.log.history(job) == before
    assert len(before) > 1_500


async def test_only_what_is_older_than_the_retention_is_taken(archived: Archived) -> None:
    archived.ahead = timedelta()
    job = await archived.finished()
    assert await archived.archive(archive_after_s=3600) == 0
    assert await archived.space.pending(archived.space.topic(Topic.OUTCOME), "archive") == []  # nobody holds it
    archived.ahead = timedelta(seconds=3601)
    assert await archived.archive(archive_after_s=3600) == 1
    assert not await archived.in_server(job)


async def test_job_that_goes_on_stays_until_its_next_outcome(archived: Archived) -> None:
    running, again = await archived.space.submit_scenes(2), await archived.finished()
    await archived.space.do(again, cmd.RequestReprocess())
    assert await archived.archive() == 1
    assert await archived.in_server(running)
    assert await archived.in_server(again)
    await archived.space.do(again, cmd.FailStep(step=Step.PLAN, scene=None, run=2, failure=failure(), retry_at=None))
    await archived.archive()
    assert not await archived.in_server(again)
    assert [e.type for e in await archived.log.history(again)][-1] == "JobFailed"


async def test_commit_to_an_archived_job_puts_it_back_first(archived: Archived) -> None:
    job = await archived.finished()
    await archived.archive()
    with pytest.raises(AlreadyFinished):
        await archived.log.execute(job, [cmd.RequestCancellation("no")], CAUSE)
    assert not await archived.in_server(job)  # a look alone brings nothing back
    record = await archived.log.execute(job, [cmd.RequestReprocess()], CAUSE)
    assert record is not None
    assert (record.version, record.job.phase, record.job.run) == (6, Phase.REQUESTED, 2)
    assert await archived.in_server(job)
    assert await archived.pointers.find(job) is None
    assert await archived.space.types(job) == [*CHAIN, "ReprocessRequested"]
    await archived.archive()
    assert await archived.in_server(job)  # it is unfinished; the delivery that the revival made is settled
    assert await archived.space.redis.xlen(archived.space.keys.retry("archive", Topic.OUTCOME)) == 0


async def test_job_that_was_put_back_for_nothing_is_archived_again(archived: Archived) -> None:
    job = await archived.finished()
    await archived.archive()
    assert await archived.reader.unarchive(job, 5)
    assert not await archived.reader.unarchive(job, 5)
    assert await archived.in_server(job)
    assert await archived.archive() == 1
    assert not await archived.in_server(job)
    assert [e.type for e in await archived.log.history(job)] == CHAIN


async def test_late_results_and_repeated_requests_do_not_bring_an_archived_job_back(archived: Archived) -> None:
    job = await archived.finished()
    stale = await archived.log.load(job)
    await archived.archive()
    assert stale is not None
    await archived.log.execute(job, [cmd.FinishVideo(run=1, videos=(), thumbnails=())], CAUSE, record=stale)
    record = await archived.log.create(job, REQUEST, CAUSE)  # an idempotent POST, a week later
    assert record.version == 5
    assert not await archived.in_server(job)
    with pytest.raises(VersionConflict):
        await archived.log.create(job, REQUEST, replace(CAUSE, correlation_id="somebody else"))


STRIKES = [
    ("segment_store", "put", False),
    ("segment_store", "put", True),
    ("pointers", "archive_jobs", False),
    ("pointers", "archive_jobs", True),
]


@pytest.mark.parametrize(("part", "call", "after"), STRIKES)
async def test_archiver_that_dies_anywhere_loses_nothing(archived: Archived, part: str, call: str, after: bool) -> None:
    jobs = [await archived.finished() for _ in range(5)]
    before = {job: await archived.space.history(job) for job in jobs}
    parts = {part: StrikesAt(getattr(archived, part), call, after=after)}
    with pytest.raises(Struck):
        await archived.archive(**parts)
    for job in jobs:  # in the server or in the archive, never in neither, never in both
        assert await archived.log.history(job) == before[job]
        assert await archived.in_server(job) != (await archived.pointers.find(job) is not None)
    await archived.archive()  # another member takes over what the dead one held
    for job in jobs:
        assert not await archived.in_server(job)
        assert await archived.log.history(job) == before[job]
    assert await archived.space.pending(archived.space.topic(Topic.OUTCOME), "archive") == []


async def test_archiver_that_wakes_up_late_takes_nothing_that_has_changed(archived: Archived) -> None:
    """It stored a segment, slept, and meanwhile the job was archived by another, put back and done anew."""
    job, other = await archived.finished(), await archived.finished()
    held = asyncio.Event()
    sleeping = asyncio.Event()

    class Slow:
        def __getattr__(self, name: str) -> Any:
            return getattr(archived.pointers, name)

        async def archive_jobs(self, *args: Any) -> int:
            sleeping.set()
            await held.wait()
            return await archived.pointers.archive_jobs(*args)

    slow = asyncio.create_task(archived.archive(pointers=Slow()))
    await sleeping.wait()
    await archived.archive()
    await archived.log.execute(job, [cmd.RequestReprocess()], CAUSE)
    held.set()
    await slow
    assert await archived.in_server(job)
    assert await archived.space.types(job) == [*CHAIN, "ReprocessRequested"]
    assert [e.type for e in await archived.log.history(other)] == CHAIN


async def test_moves_and_reads_at_the_same_time_always_find_the_job(archived: Archived) -> None:
    job = await archived.finished()
    stop = asyncio.Event()

    async def move() -> None:
        for _ in range(30):
            await archived.archive()
            assert await archived.reader.unarchive(job, 5)
        stop.set()

    async def read() -> int:
        count = 0
        while not stop.is_set():
            assert [e.type for e in await archived.log.history(job)] == CHAIN
            count += 1
        return count

    mover = asyncio.create_task(move())
    counts = await asyncio.gather(*(read() for _ in range(3)))
    await mover
    assert min(counts) > 0


async def test_damaged_block_is_told_and_not_served(archived: Archived, tmp_path: Path) -> None:
    job = await archived.finished()
    await archived.archive()
    (segment,) = [s async for s in archived.segment_store.segments()]
    path = tmp_path / "archive" / segment.name
    data = bytearray(path.read_bytes())
    data[60] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    with pytest.raises(ArchiveDamaged, match="checksum"):
        await archived.log.history(job)


async def test_history_that_does_not_fold_is_parked_and_stays(archived: Archived) -> None:
    job = await archived.finished()
    keys = archived.space.keys
    (entry,) = await archived.space.redis.xrange(keys.events(job), "5-0")
    await archived.space.redis.xadd(keys.events(job), entry[1], id="6-0")
    good = await archived.finished()
    await archived.archive()
    assert await archived.in_server(job)
    assert not await archived.in_server(good)
    (parked,) = await archived.space.parked()
    assert b"doesn't follow version 5" in parked[b"reason"]
