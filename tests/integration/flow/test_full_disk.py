"""A worker whose disk is full leaves its work to others, and no job is lost by it."""

from __future__ import annotations

from pathlib import Path

from eventflow.domain import events as ev
from eventflow.domain.state import Phase
from eventflow.domain.values import FailureCategory
from eventflow.log.members import PausedWorkers
from ops.compose import utc_now
from tests.support.full_disk import on_small_disk
from tests.support.programs import Programs
from tests.support.studio import StudioOf, simulation
from tests.support.waiting import wait_until


async def test_what_found_no_room_on_one_machine_is_done_on_another(
    studio: StudioOf, programs: Programs, tmp_path: Path, unshare: str
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    full = programs.start(
        *("worker", "--group", "generation"),
        within=lambda command: on_small_disk(unshare, command, disk, 2_000, free_kb=8),
        EVENTFLOW_SCRATCH_DIR=str(disk),
        EVENTFLOW_MIN_FREE_SCRATCH_MB="0",
        EVENTFLOW_RETRY_BASE_SECONDS="2",
    )
    async with studio(workers=()) as s:
        job = await s.space.submit(simulation(quality_levels=("360p",)))

        async def failures() -> list[ev.StepFailed]:
            return [e.event for e in await s.space.history(job) if isinstance(e.event, ev.StepFailed)]

        await wait_until(failures, 60, what="a step that found no room")
        paused = PausedWorkers(s.parts.redis, s.parts.keyspace, clock=utc_now)
        await wait_until(paused.list, what="the note of the worker that rests")
        async with studio():
            await wait_until(lambda: s.space.ended(job), 60, what="the job's end")
        assert (await s.space.job(job)).phase is Phase.COMPLETED
        for failed in await failures():
            assert (failed.failure.category, failed.failure.code) == (FailureCategory.RESOURCE, "disk_full")
        [note] = await paused.list()
        assert "no space is left on the worker's disk" in note.reason
    assert "worker paused" in full.err
