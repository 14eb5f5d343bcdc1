"""The log on Redis Streams: commits, the archive, and a check of all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from eventflow.domain import commands as cmd
from eventflow.log.commit import Commit, Committer, NewEvent
from eventflow.log.errors import VersionConflict
from tests.support.archiving import archived_space
from tests.support.rebuilding import Rebuilder, dump
from tests.support.runtime import CHAIN, Space

FINISHED = (
    cmd.FinishVideo(run=1, videos=(), thumbnails=()),
    cmd.FinishUpload(run=1, videos=(), thumbnails=()),
    cmd.PublishVideo(1, ()),
)


async def test_a_commit_is_all_or_nothing(space: Space) -> None:
    """Events, their delivery to groups, the feed and the settling of what caused them are one script on the server.

    A commit that was decided on another version of the job than the stored one writes nothing at all.
    """
    job_id = await space.submit()
    before = await dump(space)
    stale = Commit(
        keys=space.keyspace.of_job(job_id),
        job_id=job_id,
        expected=7,
        events=(NewEvent("PlanningStarted", '{"time":"2026-01-01T00:00:00+00:00"}', None),),
    )
    with pytest.raises(VersionConflict):
        await Committer(space.redis).commit(stale)
    assert await dump(space) == before


async def test_an_archived_job_is_read_as_before(space: Space, tmp_path: Path) -> None:
    """Finished jobs leave Redis for a segment in a store; a pointer stays, and reads go through it."""
    async with archived_space(space, tmp_path / "archive") as archived:
        job_id = await archived.finished()
        before = await archived.log.history(job_id)
        assert await archived.archive() == 1
        assert not await archived.in_server(job_id)
        assert await archived.log.history(job_id) == before
        assert [envelope.type for envelope in before] == CHAIN


async def test_a_rebuild_of_a_sound_log_finds_nothing(space: Space, rebuild: Rebuilder) -> None:
    """All that isn't history can be made from it. `projections rebuild` compares both, and here there is nothing to
    repair."""
    await space.do(await space.submit(), *FINISHED)
    report = await rebuild(dry_run=True)
    assert (report.jobs, report.found) == (1, {})
