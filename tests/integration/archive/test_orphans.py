"""Segments that nothing points at: found, and removed only where every job of them is in another one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from redis.exceptions import ResponseError

from eventflow.archive.verify import Orphan, remove_orphans
from eventflow.domain import commands as cmd
from eventflow.domain.topics import Topic
from eventflow.log.archive_pointers import ArchivedJob
from tests.integration.archive.test_restore import verified
from tests.support.archiving import Archived, StrikesAt, Struck
from tests.support.runtime import CAUSE, CHAIN


async def names(archived: Archived) -> list[str]:
    return [segment.name async for segment in archived.segment_store.segments()]


async def orphans(archived: Archived) -> tuple[Orphan, ...]:
    found = await verified(archived)
    assert found.defects == ()
    return found.orphans


async def test_segment_of_an_archiver_that_died_is_an_orphan_once_its_jobs_are_archived(archived: Archived) -> None:
    jobs = [await archived.finished() for _ in range(3)]
    with pytest.raises(Struck):
        await archived.archive(segment_store=StrikesAt(archived.segment_store, "put", after=True))
    (left,) = await names(archived)
    assert await orphans(archived) == ()  # nothing else holds its jobs yet but the server
    await archived.archive()
    (orphan,) = await orphans(archived)
    assert (orphan.name, orphan.jobs) == (left, 3)
    assert await remove_orphans(archived.segment_store, archived.pointers, [orphan]) == [orphan]
    assert left not in await names(archived)
    assert await orphans(archived) == ()
    for job in jobs:
        assert [e.type for e in await archived.log.history(job)] == CHAIN


async def test_segment_whose_jobs_have_all_gone_on_is_forgotten_by_the_server_too(archived: Archived) -> None:
    job = await archived.finished()
    await archived.archive()
    (old,) = await names(archived)
    await archived.log.execute(job, [cmd.RequestReprocess()], CAUSE)
    assert await orphans(archived) == ()  # should the server be lost, this is what is left of the job
    finish: list[cmd.Command] = [
        cmd.FinishVideo(run=2, videos=(), thumbnails=()),
        cmd.FinishUpload(run=2, videos=(), thumbnails=()),
        cmd.PublishVideo(2, ()),
    ]
    await archived.log.execute(job, finish, CAUSE)
    await archived.archive()
    found = await orphans(archived)
    assert [orphan.name for orphan in found] == [old]
    await remove_orphans(archived.segment_store, archived.pointers, found)
    known = await archived.pointers.segment_names(archived.space.keys)
    assert list(known.values()) == await names(archived)
    assert len(await archived.log.history(job)) == 10


async def test_what_is_no_orphan_any_more_is_not_removed(archived: Archived) -> None:
    """Between verification and removal the server was restored, and points at the segment."""
    job = await archived.finished()
    with pytest.raises(Struck):
        await archived.archive(segment_store=StrikesAt(archived.segment_store, "put", after=True))
    await archived.archive()
    found = await orphans(archived)
    graves, name = archived.space.keys.archive_pointer(job)
    await archived.space.redis.hdel(graves, name)
    assert await remove_orphans(archived.segment_store, archived.pointers, found) == []
    assert len(await names(archived)) == 2


async def test_archive_that_no_server_knows_has_no_orphans(archived: Archived, empty: Archived) -> None:
    await archived.finished()
    await archived.archive()
    assert await orphans(empty) == ()


async def test_burial_comes_within_the_hour_or_not_at_all(archived: Archived) -> None:
    """An archiver that slept for a day must not point at a segment that was removed meanwhile."""
    job = await archived.finished()
    archiver = archived.archiver()
    await archiver.ensure()

    class SleptFor:
        async def archive_jobs(self, keys: object, segment: str, *rest: list[ArchivedJob]) -> int:
            ms, sha256 = segment[3:].split("-")
            late = f"00/{int(ms) - 3_700_000:013d}-{sha256}"
            return await archived.pointers.archive_jobs(archived.space.keys, late, *rest)  # type: ignore[arg-type]

    with pytest.raises(ResponseError, match="over an hour old"):
        await archived.archive(pointers=SleptFor())
    assert await archived.in_server(job)
    assert await archived.pointers.find(job) is None
    await archived.archive()  # the entry was kept for the next one
    assert await archived.pointers.find(job) is not None
    assert await archived.space.pending(archived.space.topic(Topic.OUTCOME), "archive") == []


async def test_few_jobs_wait_for_others_and_many_do_not(archived: Archived) -> None:
    lingering = {"linger_s": 3_600.0, "segment_jobs": 3}
    await archived.finished()
    await archived.finished()
    assert await archived.archive(**lingering) == 0
    await archived.finished()
    await archived.finished()
    assert await archived.archive(**lingering) == 3
    archived.ahead = timedelta(hours=1, minutes=1)
    assert await archived.archive(**lingering) == 1
    assert len(await names(archived)) == 2
