"""A server is lost: what was archived is served again by an empty one; and `verify` finds what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from eventflow.archive.restore import NotEmpty, list_archived, restore
from eventflow.archive.verify import Verified, verify
from eventflow.domain import commands as cmd
from eventflow.log.codec import Codec
from eventflow.log.rebuild_job_lists import rebuild_job_lists
from ops.replay.inspect import Inspector
from tests.support.archiving import Archived
from tests.support.runtime import CAUSE, CHAIN, OWNER


async def restored(archived: Archived, *, merge: bool = False, dry_run: bool = False) -> tuple[int, int, int]:
    found = await restore(archived.segment_store, archived.pointers, merge=merge, dry_run=dry_run, log=archived.log)
    return found.segments, found.jobs, found.written


async def verified(archived: Archived) -> Verified:
    return await verify(archived.segment_store, archived.pointers, Codec(), lambda done, total: None)


async def test_empty_server_serves_every_archived_job_again(archived: Archived, empty: Archived) -> None:
    jobs = [await archived.finished() for _ in range(30)]
    before = {job: await archived.space.history(job) for job in jobs}
    await archived.archive(segment_jobs=7)
    assert await restored(empty, dry_run=True) == (5, 30, 0)
    assert await empty.log.load(jobs[0]) is None
    assert await restored(empty) == (5, 30, 30)
    page = await empty.log.job_lists.read(OWNER, None, 100)
    assert [entry.job_id for entry in page.entries] == jobs[::-1]
    for job in jobs:
        assert await empty.log.history(job) == before[job]
    record = await empty.log.execute(jobs[0], [cmd.RequestReprocess()], CAUSE)
    assert record is not None
    assert record.version == 6
    assert (await verified(empty)).defects == ()


async def test_newest_version_of_a_job_is_restored(archived: Archived, empty: Archived) -> None:
    job = await archived.finished()
    await archived.archive()
    await archived.log.execute(job, [cmd.RequestReprocess()], CAUSE)
    finish: list[cmd.Command] = [
        cmd.FinishVideo(run=2, videos=(), thumbnails=()),
        cmd.FinishUpload(run=2, videos=(), thumbnails=()),
        cmd.PublishVideo(2, ()),
    ]
    await archived.log.execute(job, finish, CAUSE)
    await archived.archive()
    assert await restored(empty) == (2, 1, 2)
    assert [e.type for e in await empty.log.history(job)] == [*CHAIN, "ReprocessRequested", *CHAIN[1:]]


async def test_lists_are_made_anew_with_what_is_archived(archived: Archived) -> None:
    jobs = [await archived.finished() for _ in range(5)]
    await archived.archive(segment_jobs=2)
    await archived.log.execute(jobs[1], [cmd.RequestReprocess()], CAUSE)  # it is in the server again
    keys = archived.space.keys
    await archived.space.redis.delete(keys.all_jobs, keys.jobs_of(OWNER))
    assert await list_archived(archived.segment_store, archived.pointers, archived.log) == 4
    assert await list_archived(archived.segment_store, archived.pointers, archived.log) == 0
    assert await rebuild_job_lists(archived.log) == 1
    page = await archived.log.job_lists.read(OWNER, None, 100)
    assert [entry.job_id for entry in page.entries] == jobs[::-1]


async def test_restore_is_refused_where_there_are_jobs_and_may_be_repeated(archived: Archived, empty: Archived) -> None:
    job = await archived.finished()
    await archived.archive()
    await restored(empty)
    with pytest.raises(NotEmpty):
        await restored(empty)
    assert await restored(empty, merge=True) == (1, 1, 0)
    await empty.log.execute(job, [cmd.RequestReprocess()], CAUSE)
    assert await restored(empty, merge=True) == (1, 1, 0)  # the server's job is newer
    assert await empty.in_server(job)


async def test_restore_that_broke_off_goes_on(archived: Archived, empty: Archived) -> None:
    for _ in range(10):
        await archived.finished()
    await archived.archive(segment_jobs=3)

    def break_off(done: int, total: int) -> None:
        if done == 2:
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await restore(empty.segment_store, empty.pointers, merge=False, dry_run=False, on_segment=break_off)
    assert await restored(empty) == (4, 10, 10 - 6)
    assert await empty.pointers.count(empty.space.keys) == 10


async def test_older_copy_in_the_server_gives_way_to_the_archive(archived: Archived, empty: Archived) -> None:
    """A server that came back from an old snapshot knows a job's beginning only."""
    job = await archived.finished()
    keys, other = archived.space.keys, empty.space.keys
    for entry_id, fields in await archived.space.redis.xrange(keys.events(job), count=2):
        await empty.space.redis.xadd(other.events(job), fields, id=entry_id)
    await archived.archive()
    assert await restored(empty, merge=True) == (1, 1, 1)
    assert [e.type for e in await empty.log.history(job)] == CHAIN


async def test_sound_archive_verifies_and_says_what_is_not_served(archived: Archived, empty: Archived) -> None:
    jobs = [await archived.finished() for _ in range(4)]
    await archived.archive(segment_jobs=2)
    assert await archived.reader.unarchive(jobs[0], 5)
    assert await verified(archived) == Verified(segments=2, histories=4, archived=3, unserved=0, defects=())
    assert await verified(empty) == Verified(segments=2, histories=4, archived=0, unserved=4, defects=())


def _flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "wording"),
    [
        (lambda path: _flip(path, 100), "checksum is wrong"),
        (lambda path: _flip(path, -70), "index's checksum"),
        (lambda path: _flip(path, -1), "format version"),
        (lambda path: path.write_bytes(path.read_bytes()[:-9]), "doesn't end as a segment does"),
        (lambda path: path.unlink(), "no sound block of this job"),
    ],
)
async def test_every_kind_of_damage_is_found(archived: Archived, tmp_path: Path, damage: Any, wording: str) -> None:
    sound = await archived.finished()
    await archived.archive()
    job = await archived.finished()
    await archived.archive()
    _, segment = [s async for s in archived.segment_store.segments()]
    damage(tmp_path / "archive" / segment.name)
    defects = (await verified(archived)).defects
    assert any(wording in defect for defect in defects), defects
    assert any(job in defect for defect in defects)
    assert not any(sound in defect for defect in defects)


async def test_tombstone_that_points_elsewhere_is_found(archived: Archived) -> None:
    job = await archived.finished()
    await archived.archive()
    graves, name = archived.space.keys.archive_pointer(job)
    raw: Any = await archived.space.redis.hget(graves, name)
    await archived.space.redis.hset(graves, name, raw[:3] + bytes([0, 0, 0, 9]) + raw[7:])
    (defect,) = (await verified(archived)).defects
    assert job in defect


async def test_rebuild_misses_no_job_that_is_archived(archived: Archived) -> None:
    """The feed still names it, because an older job goes on."""
    going_on, job = await archived.space.submit(), await archived.finished()
    await archived.archive()
    await archived.trimmer().trim(archived.clock())
    inspector = Inspector(redis=archived.space.redis, codec=Codec(), keyspace=archived.space.keyspace)
    assert [d for d in await inspector.confirmed([going_on, job]) if d.job_id == job] == []
    graves, name = archived.space.keys.archive_pointer(job)
    await archived.space.redis.hdel(graves, name)
    assert [d.job_id for d in await inspector.confirmed([job])] == [job]
