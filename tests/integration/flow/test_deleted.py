"""A job is deleted: every file of it in every store, and none of a job that has taken scenes from it."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from attrs import evolve

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.state import Job, Phase
from eventflow.domain.values import ReprocessFrom, files_of
from eventflow.requests.forks import create_fork, fork_of
from ops.compose import request_reader
from tests.support.programs import Programs
from tests.support.rebuilding import Rebuilder
from tests.support.runtime import CAUSE
from tests.support.studio import Studio, StudioOf, simulation
from tests.support.waiting import wait_until

REQUEST = simulation(quality_levels=("360p",))
DELETE = cmd.RequestDeletion("asked")


STORES = ("workspace", "delivery", "fallback")


def of_job(studio: Studio, job_id: str) -> list[Path]:
    return [path for store in STORES for path in studio.files(store) if job_id in path.parts]


async def ended(studio: Studio, job_id: str) -> Job:
    await wait_until(lambda: studio.space.ended(job_id), 60, what="the job has ended")
    return await studio.space.job(job_id)


async def deleted(studio: Studio, job_id: str) -> None:
    await studio.space.do(job_id, DELETE)
    assert (await ended(studio, job_id)).phase is Phase.DELETED


def _cleared(s: Studio, job_id: str) -> bool:
    """Whether what a job leaves in the workspace is what is said in its scenes."""
    return all(path.suffix == ".json" for path in of_job(s, job_id) if "workspace" in path.parts)


async def test_a_job_goes_with_all_its_files_and_a_fork_of_it_stays(studio: StudioOf) -> None:
    async with studio(EVENTFLOW_SCENE_CACHE_DAYS="1") as s:
        original = await s.space.submit(REQUEST)
        assert (await ended(s, original)).phase is Phase.COMPLETED
        history = await s.space.history(original)
        fork = fork_of(history, len(history), {"thumbnail_generation": False}, request_reader(s.parts.settings))
        await create_fork(s.parts.log, fork, CAUSE)
        job = await ended(s, fork.job_id)
        reused = [e.event for e in await s.space.history(fork.job_id) if isinstance(e.event, ev.SceneReused)]
        assert len(reused) == len(job.scenes) == 3
        taken = {file.key for file in files_of(tuple(reused)) if f"/{fork.job_id}/" not in file.key}
        assert not any((s.folder / "data" / store / key).exists() for key in taken for store in STORES)
        await wait_until(lambda: _cleared(s, fork.job_id), what="the fork has cleared its workspace")
        theirs = of_job(s, fork.job_id)
        assert of_job(s, original)
        assert any("cache" in path.parts for path in s.files("workspace"))

        await deleted(s, original)

        assert of_job(s, original) == []
        assert not any("cache" in path.parts for path in s.files("workspace"))
        assert set(theirs) - set(of_job(s, fork.job_id)) == set()
        last = (await s.space.history(original))[-1].event
        assert isinstance(last, ev.JobDeleted)
        assert last.files > 6
        await s.space.do(fork.job_id, cmd.RequestReprocess(ReprocessFrom.RENDERING, (1,)))
        assert (await ended(s, fork.job_id)).phase is Phase.COMPLETED


async def test_files_in_the_fallback_store_and_of_failed_and_cancelled_jobs_go_too(studio: StudioOf) -> None:
    local = evolve(REQUEST, s3_upload_enabled=False, cleanup_local_files=False)
    async with studio(workers=("generation", "upload", "metadata")) as s:
        kept, cancelled = await s.space.submit(local), await s.space.submit(REQUEST)
        await s.space.do(cancelled, cmd.RequestCancellation("no"))
        assert (await ended(s, cancelled)).phase is Phase.CANCELLED
        assert (await ended(s, kept)).phase is Phase.COMPLETED
        assert s.files("fallback")
        for job_id in (cancelled, kept):
            await deleted(s, job_id)
        assert s.files("fallback") == s.files("delivery") == s.files("workspace") == []


async def test_a_fork_that_has_not_begun_makes_its_scenes_itself(studio: StudioOf) -> None:
    async with studio() as s:
        original = await s.space.submit(REQUEST)
        assert (await ended(s, original)).phase is Phase.COMPLETED
        history = await s.space.history(original)
        await deleted(s, original)
        fork = fork_of(history, len(history), {}, request_reader(s.parts.settings))  # asked for before, made after
        await create_fork(s.parts.log, fork, CAUSE)
        assert (await ended(s, fork.job_id)).phase is Phase.COMPLETED


@pytest.mark.chaos
async def test_a_killed_worker_leaves_the_rest_to_the_next_one(studio: StudioOf, programs: Programs) -> None:
    """SIGKILL once the files are gone and before anybody has written that down."""
    async with studio() as s:
        job_id = await s.space.submit(REQUEST)
        assert (await ended(s, job_id)).phase is Phase.COMPLETED
        await wait_until(lambda: s.cleared, what="the workspace is cleared")
    async with studio(workers=()) as s:
        again = (cmd.RequestReprocess(), cmd.RequestCancellation("no"))
        await s.space.do(job_id, *again)  # one that ended early: the worker looks twice
        first = programs.start("worker", "--group", "metadata")
        await wait_until(lambda: "ready" in first.out, 60, what="the worker is ready")
        await s.space.do(job_id, DELETE)
        await wait_until(lambda: not of_job(s, job_id), 30, what="the files are gone")
        first.signal_group(signal.SIGKILL)
        assert (await s.space.job(job_id)).phase is Phase.DELETING
        assert (await Rebuilder(s.space)(dry_run=True)).found == {}
        late = s.folder / "data" / "delivery" / "videos" / job_id / "360p" / "late.mp4"
        late.parent.mkdir(parents=True)
        late.write_bytes(b"of a worker that woke up late")
        programs.start("worker", "--group", "metadata")
        await wait_until(lambda: s.space.ended(job_id), 60, what="the job is deleted")
        assert of_job(s, job_id) == []
        assert (await s.space.types(job_id))[-2:] == ["DeletionRequested", "JobDeleted"]
        assert (await Rebuilder(s.space)()).found == {}
        assert (await s.space.job(job_id)).phase is Phase.DELETED
