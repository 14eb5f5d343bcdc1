"""Archived jobs drop off the lists when the window is over; a job that isn't archived is always listed."""

from __future__ import annotations

import asyncio
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from eventflow.archive.restore import restore
from eventflow.domain import commands as cmd
from eventflow.log.keys import Keyspace
from tests.integration.archive.test_keeper import keeping
from tests.support.archiving import Archived, archive_of
from tests.support.log_server import LogServer
from tests.support.runtime import CAUSE, CHAIN, OWNER, REQUEST, Space, open_space
from tests.support.waiting import wait_until


async def test_what_is_archived_and_older_than_the_window_is_listed_no_more(archived: Archived) -> None:
    old = [await archived.finished(owner=owner) for owner in (OWNER, "alice", OWNER)]
    await archived.archive()
    waiting = await archived.finished()  # as old, and not archived
    going_on = await archived.space.submit()
    await archived.unlist(listed_s=3_600)
    assert await archived.listed(None) == [going_on, waiting, *old[::-1]]
    archived.ahead = timedelta(hours=2)
    await archived.unlist(listed_s=3_600)
    assert await archived.listed(None) == await archived.listed() == [going_on, waiting]
    assert await archived.listed("alice") == []
    for job in old:
        assert [e.type for e in await archived.log.history(job)] == CHAIN


async def test_pages_segments_and_many_owners(archived: Archived) -> None:
    """Those that stay are passed over, wherever they are; nothing of an owner without jobs is left."""
    jobs = [await archived.finished(owner=f"owner-{number}") for number in range(23)]
    await archived.archive(segment_jobs=4)
    for job in jobs[::5]:
        assert await archived.reader.unarchive(job, 5)
    await archived.unlist(page=3)
    assert await archived.listed(None) == jobs[::5][::-1]
    names = [name async for name in archived.space.redis.scan_iter(f"{archived.space.keyspace.prefix}:*:jobs*")]
    assert len(names) == 1 + len(jobs[::5])
    assert await archived.archive() == 5
    await archived.unlist(page=3)
    assert await archived.listed(None) == []


async def test_job_that_is_done_again_is_listed_where_it_was(archived: Archived) -> None:
    jobs = [await archived.finished() for _ in range(3)]
    await archived.archive()
    newest = await archived.space.submit()
    await archived.unlist()
    assert await archived.listed() == [newest]
    for job in (jobs[1], jobs[0]):
        await archived.log.execute(job, [cmd.RequestReprocess()], CAUSE)
    await archived.unlist()
    assert await archived.listed() == await archived.listed(None) == [newest, jobs[1], jobs[0]]


async def test_revival_takes_no_place_that_is_taken(archived: Archived) -> None:
    job = await archived.finished()
    (first, *_), keys = await archived.log.history(job), archived.space.keys
    await archived.archive()
    await archived.unlist()
    place = round(first.occurred_at.timestamp() * 1_000_000)
    for name in keys.lists_of(OWNER):
        await archived.space.redis.zadd(name, {"one": place, "two": place + 1})
    assert await archived.reader.unarchive(job, 5)
    rows: Any = await archived.space.redis.zrange(keys.jobs_of(OWNER), 0, -1, withscores=True)
    assert [(name.decode(), int(at) - place) for name, at in rows] == [("one", 0), ("two", 1), (job, 2)]


async def test_revivals_and_drop_offs_at_the_same_time_end_listed_or_archived(archived: Archived) -> None:
    """Several archivers' passes and revivals race; whatever comes last, who isn't archived is listed, in both lists."""
    jobs = [await archived.finished() for _ in range(6)]
    stop = asyncio.Event()

    async def pass_after_pass() -> None:
        list_expiry = archived.list_expiry(page=2)
        while not stop.is_set():
            await list_expiry.step()

    passes = [asyncio.create_task(pass_after_pass()) for _ in range(3)]
    for _ in range(15):
        await archived.archive()
        revived = await asyncio.gather(*(archived.reader.unarchive(job, 5) for job in jobs))
        assert all(revived)
        assert set(await archived.listed()) == set(await archived.listed(None)) == set(jobs)
    stop.set()
    await asyncio.gather(*passes)


async def test_drop_off_that_is_decided_too_early_leaves_a_revived_job_alone(archived: Archived) -> None:
    """The script looks for itself: the pointer was there when the page was read, and is no more."""
    job = await archived.finished()
    await archived.archive()
    assert await archived.reader.unarchive(job, 5)
    assert await archived.log.job_lists.remove_archived(archived.space.keys, [(job, OWNER)]) == 0
    assert await archived.listed() == [job]


async def test_late_repeat_of_a_request_does_not_list_an_archived_job_anew(archived: Archived) -> None:
    job = await archived.finished()
    await archived.archive()
    await archived.unlist()
    record = await archived.log.create(job, REQUEST, CAUSE)
    assert record.version == 5
    assert await archived.listed() == []


async def test_cursor_stays_right_while_jobs_drop_off(archived: Archived) -> None:
    jobs = [await archived.finished() for _ in range(6)]
    index = archived.log.job_lists
    first = await index.read(OWNER, None, 2)
    await archived.archive()
    kept = [jobs[1], jobs[3]]
    for job in kept:
        assert await archived.reader.unarchive(job, 5)
    await archived.unlist()
    second = await index.read(OWNER, first.end, 2)
    assert [entry.job_id for entry in second.entries] == kept[::-1]
    newest = await archived.space.submit()
    assert (await index.read(OWNER, second.end, 2)).entries == ()
    assert await archived.listed() == [newest, *kept[::-1]]


async def test_every_partition_is_gone_over(shared_server: LogServer, archived: Archived) -> None:
    async with open_space(shared_server.url) as space:
        wide = archive_of(Space(space.url, space.redis, space.log, Keyspace(space.keyspace.prefix, 4)), archived.store)
        jobs = [await wide.finished(number % 4, f"owner-{number % 3}") for number in range(20)]
        await wide.archive()
        stays = await wide.finished(3)
        assert len(await wide.listed(None)) == len(jobs) + 1
        await wide.unlist(page=2)
        assert await wide.listed(None) == [stays]
        assert [await wide.listed(f"owner-{number}") for number in range(3)] == [[]] * 3


async def test_damaged_segment_holds_up_its_own_jobs_only(archived: Archived, tmp_path: Path) -> None:
    lost = await archived.finished()
    await archived.archive()
    (segment,) = [s async for s in archived.segment_store.segments()]
    sound = await archived.finished()
    await archived.archive()
    (tmp_path / "archive" / segment.name).unlink()
    with capture_logs() as notes:
        await archived.unlist()
    assert await archived.listed() == [lost]
    assert any(segment.name in note.get("error", "") for note in notes)
    assert [e.type for e in await archived.log.history(sound)] == CHAIN


async def test_names_without_a_job_and_strange_ones_are_passed_over(archived: Archived) -> None:
    job = await archived.finished()
    await archived.archive()
    nobody = f"00-{secrets.token_hex(16)}"
    await archived.log.job_lists.enter(nobody, OWNER)
    await archived.space.redis.zadd(archived.space.keys.all_jobs, {"no id": 1})
    await archived.unlist()
    assert await archived.listed(None) == [nobody, "no id"]
    assert job not in await archived.listed()


async def test_restored_server_lists_what_the_window_asks_for(archived: Archived, empty: Archived) -> None:
    old = await archived.finished()
    newer = await archived.finished()
    await archived.archive()
    since = (await archived.log.history(newer))[0].occurred_at
    await restore(empty.segment_store, empty.pointers, merge=False, dry_run=False, log=empty.log, listed_since=since)
    assert await empty.listed() == [newer]
    assert [e.type for e in await empty.log.history(old)] == CHAIN


async def test_running_worker_lets_jobs_drop_off(archived: Archived) -> None:
    jobs = [await archived.finished() for _ in range(3)]
    await archived.archive()
    async with keeping(archived):
        await wait_until(lambda: _nothing(archived))
    assert [len(await archived.log.history(job)) for job in jobs] == [5] * 3


async def _nothing(archived: Archived) -> bool:
    return await archived.listed(None) == []
