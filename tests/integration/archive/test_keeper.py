"""The running archive worker: over partitions, on S3, and over a store or a group that is away for a while."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from eventflow.archive.maintenance import MaintenanceWorker
from eventflow.archive.restore import restore
from eventflow.archive.verify import verify
from eventflow.domain.topics import Topic
from eventflow.log.codec import Codec
from eventflow.log.keys import Keyspace
from eventflow.storage.s3.store import S3Store
from tests.support.archiving import Archived, archive_of
from tests.support.log_server import LogServer
from tests.support.runtime import CHAIN, Space, open_space
from tests.support.s3_servers import moto_server, options_for
from tests.support.waiting import wait_until


@asynccontextmanager
async def keeping(archived: Archived) -> AsyncIterator[None]:
    parts = archived.archiver(), archived.list_expiry(), archived.trimmer()
    keeper = MaintenanceWorker(*parts, clock=archived.clock, random=Random(1))
    stop = asyncio.Event()
    running = asyncio.create_task(keeper.run(stop))
    try:
        yield
        stop.set()
        async with asyncio.timeout(30):
            await running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def gone(archived: Archived, job_id: str) -> bool:
    return not await archived.in_server(job_id)


async def test_jobs_are_archived_as_they_end_and_members_leave_nothing_behind(archived: Archived) -> None:
    async with keeping(archived):
        for _ in range(3):
            job = await archived.finished()
            await wait_until(lambda job=job: gone(archived, job))  # type: ignore[misc]
    consumers = await archived.space.redis.xinfo_consumers(archived.space.topic(Topic.OUTCOME), "archive")
    assert consumers == []


async def test_store_that_is_away_is_waited_for(archived: Archived, tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    folder.write_text("a file where the folder should be")
    async with keeping(archived):
        job = await archived.finished()
        await wait_until(lambda: _held(archived))
        assert [e.type for e in await archived.log.history(job)] == CHAIN
        folder.unlink()
        await wait_until(lambda: gone(archived, job))
    assert [e.type for e in await archived.log.history(job)] == CHAIN


async def _held(archived: Archived) -> bool:
    return bool(await archived.space.pending(archived.space.topic(Topic.OUTCOME), "archive"))


async def test_group_that_is_destroyed_comes_back(archived: Archived) -> None:
    async with keeping(archived):
        first = await archived.finished()
        await wait_until(lambda: gone(archived, first))
        await archived.space.redis.xgroup_destroy(archived.space.topic(Topic.OUTCOME), "archive")
        second = await archived.finished()
        await wait_until(lambda: gone(archived, second))
    assert [e.type for e in await archived.log.history(first)] == CHAIN


async def test_partitions_are_archived_and_restored_one_by_one(shared_server: LogServer, archived: Archived) -> None:
    async with open_space(shared_server.url) as space, open_space(shared_server.url) as other:
        wide = archive_of(Space(space.url, space.redis, space.log, Keyspace(space.keyspace.prefix, 3)), archived.store)
        jobs = [await wide.finished(partition) for partition in (0, 1, 2, 1)]
        assert await wide.archive() == 4
        assert sorted([s.partition async for s in wide.segment_store.segments()]) == [0, 1, 2]
        assert [s.partition async for s in wide.segment_store.segments(1)] == [1]
        narrow = archive_of(other, archived.store)  # with one partition for new jobs; old ones stay where they are
        found = await restore(narrow.segment_store, narrow.pointers, merge=False, dry_run=False)
        assert (found.jobs, found.written) == (4, 4)
        for job in jobs:
            assert [e.type for e in await wide.log.history(job)] == CHAIN
            assert [e.type for e in await narrow.log.history(job)] == CHAIN
        assert (await verify(narrow.segment_store, narrow.pointers, Codec(), lambda done, total: None)).defects == ()


async def test_archive_on_s3(space: Space) -> None:
    with moto_server() as server:
        store = S3Store(server.bucket, "archive", options=options_for(server))
        try:
            archived = archive_of(space, store)
            jobs = [await archived.finished() for _ in range(5)]
            assert await archived.archive(segment_jobs=2) == 5
            assert [len(await archived.log.history(job)) for job in jobs] == [5] * 5
            found = await verify(archived.segment_store, archived.pointers, Codec(), lambda done, total: None)
            assert (found.segments, found.histories, found.defects) == (3, 5, ())
        finally:
            await store.close()
