"""Steps that hang, and workers that hang with them: nothing waits for ever."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Sequence

import pytest

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.commands import Command
from eventflow.domain.state import Phase
from eventflow.domain.topics import Topic
from eventflow.domain.values import FailureCategory, Step
from eventflow.runtime.context import Group, StepContext
from eventflow.runtime.leases import StepLimits
from eventflow.runtime.watchdog import Pulse, watched
from tests.support.crew import Crew
from tests.support.runtime import Runs, Space, gapless, scenes_group, working
from tests.support.waiting import wait_until, wait_until_sync

SHORT = StepLimits(default_s=0.3, patience_s=0.3)
#: Cancelled soon, but waited for.
PATIENT = StepLimits(default_s=0.3, patience_s=600)


async def test_step_that_hangs_is_ended_recorded_and_tried_again(space: Space) -> None:
    runs = Runs()

    async def render(reaction: StepContext) -> None:
        runs.began["try"] += 1
        if runs.began["try"] == 1:
            try:
                await asyncio.sleep(600)
            finally:
                runs.ended["cleaned up"] += 1

    job_id = await space.submit_scenes(1)
    async with working(space, scenes_group(render), limits=PATIENT):
        await wait_until(lambda: _rendered(space, job_id))
        await wait_until(lambda: _nothing_pending(space))
    assert runs.began["try"] == 2
    assert runs.ended["cleaned up"] == 1
    failed = (await space.history(job_id))[-3].event
    assert isinstance(failed, ev.StepFailed)
    assert (failed.failure.category, failed.failure.code) == (FailureCategory.TIMEOUT, "step_timeout")
    assert failed.retry_at is not None
    assert gapless(await space.history(job_id))


async def test_step_that_always_hangs_fails_after_its_last_retry(space: Space) -> None:
    async def endless(reaction: StepContext) -> Sequence[Command]:
        await asyncio.sleep(600)
        return []

    job_id = await space.submit()
    async with working(space, Group("generation", {ev.VideoRequested: endless}), limits=PATIENT):
        await wait_until(lambda: space.ended(job_id))
    job = await space.job(job_id)
    assert job.failure is not None
    assert (job.failure.failure.code, job.failure.attempts) == ("step_timeout", 4)


@pytest.mark.parametrize("swallows", [True, False], ids=["done all the same", "another error"])
async def test_handler_that_ends_its_own_way_when_told_to(space: Space, swallows: bool) -> None:
    """Finished work counts although it was late; an error of the clean-up doesn't hide that time was the reason."""
    runs = Runs()

    async def render(reaction: StepContext) -> None:
        runs.began["try"] += 1
        if runs.began["try"] > 1:
            return
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            if not swallows:
                raise RuntimeError("the clean-up failed") from None

    job_id = await space.submit_scenes(1)
    async with working(space, scenes_group(render), limits=PATIENT):
        await wait_until(lambda: _rendered(space, job_id))
    codes = [e.event.failure.code for e in await space.history(job_id) if isinstance(e.event, ev.StepFailed)]
    assert codes == ([] if swallows else ["step_timeout"])


async def test_limits_differ_by_step_and_a_handler_may_ask_for_more(space: Space) -> None:
    release = asyncio.Event()

    async def render(reaction: StepContext) -> None:
        if reaction.event.scene == 0:
            reaction.allow(600)
        await release.wait()

    job_id = await space.submit_scenes(2)
    limits = StepLimits(600, {Step.RENDER_SCENE: 0.2}, patience_s=600)
    async with working(space, scenes_group(render), limits=limits):
        await wait_until(lambda: _has(space, job_id, "StepFailed"))
        release.set()
        await wait_until(lambda: _rendered(space, job_id, 2))
    failed = [e.event.scene for e in await space.history(job_id) if isinstance(e.event, ev.StepFailed)]
    assert set(failed) == {1}


async def test_step_that_ignores_its_end_goes_to_another_worker_and_counts_for_nothing(space: Space) -> None:
    """A thread that never asks: its entry isn't renewed any longer; what it brings in the end is refused."""
    release, runs = threading.Event(), Runs()

    async def stubborn(reaction: StepContext) -> None:
        runs.began["stubborn"] += 1
        await reaction.in_thread(release.wait)
        runs.ended["stubborn"] += 1

    async def quick(reaction: StepContext) -> None:
        runs.began["quick"] += 1

    job_id = await space.submit_scenes(1)
    try:
        async with working(space, scenes_group(stubborn), lease_s=0.6, limits=SHORT, concurrency=1) as stuck:
            await wait_until(lambda: runs.began["stubborn"] == 1)
            async with working(space, scenes_group(quick), lease_s=0.6):
                await wait_until(lambda: _rendered(space, job_id))
            await asyncio.wait([stuck.task])  # its only slot is taken: it ends by itself
            assert stuck.worker.stuck == 1
            release.set()
            await wait_until(lambda: not stuck.worker.stuck)
    finally:
        release.set()
    assert runs.began == {"stubborn": 1, "quick": 1}
    assert (await space.types(job_id)).count("SceneRendered") == 1
    assert "StepFailed" not in await space.types(job_id)
    assert gapless(await space.history(job_id))


async def test_worker_goes_on_beside_a_step_that_ignores_its_end(space: Space) -> None:
    release, runs = asyncio.Event(), Runs()

    async def render(reaction: StepContext) -> None:
        runs.began["scene"] += 1
        if runs.began["scene"] == 1:
            try:
                await asyncio.sleep(600)
            finally:
                await release.wait()

    job_id = await space.submit_scenes(2)
    try:
        async with working(
            space, scenes_group(render), lease_s=600, limits=SHORT, concurrency=2, drain_s=0.1
        ) as running:
            await wait_until(lambda: _rendered(space, job_id))
            await wait_until(lambda: any(each.abandoned for each in running.worker._in_flight))
            later = await space.submit_scenes(2)
            await wait_until(lambda: _rendered(space, later, 2))
            release.set()
    finally:
        release.set()


async def test_process_whose_slots_are_all_stuck_ends_and_an_entry_that_hangs_everybody_fails(
    space: Space, crew: Crew
) -> None:
    """Each time the delivery counts, so that it comes to its limit instead of going round for ever."""
    job_id = await space.submit_scenes(1)
    for number in range(3):
        process = crew(space, "stubborn", "--seconds", "600", "--lease", "0.5", "--limit", "0.2")
        await wait_until(lambda number=number: len(crew.journal.words("begin")) == number + 1)  # type: ignore[misc]
        await wait_until(lambda process=process: process.process.poll() is not None, what="the end of the process")  # type: ignore[arg-type,misc]
        assert process.process.returncode == 1
        said = process.log.read_text()
        assert "ignores its cancellation" in said
        assert "Thread 0x" in said  # where it hangs
    async with working(space, scenes_group(_nothing), lease_s=0.5):
        await wait_until(lambda: space.ended(job_id))
    job = await space.job(job_id)
    assert job.failure is not None
    assert job.failure.failure.code == "delivery_limit"
    assert crew.journal.words("end") == []


async def test_cancelled_job_ends_though_its_step_ignores_it(space: Space, crew: Crew) -> None:
    crew(space, "stubborn", "--seconds", "600", "--lease", "0.5", "--limit", "1")
    job_id = await space.submit_scenes(1)
    await wait_until(lambda: crew.journal.words("begin"))
    await space.do(job_id, cmd.RequestCancellation("enough"))
    async with working(space, scenes_group(_nothing), lease_s=0.5):
        await wait_until(lambda: space.ended(job_id))
    assert (await space.job(job_id)).phase is Phase.CANCELLED


async def test_process_whose_event_loop_stands_still_ends_and_another_one_does_its_work(
    space: Space, crew: Crew
) -> None:
    job_id = await space.submit_scenes(1)
    process = crew(space, "blocking", "--seconds", "600", "--lease", "0.5", "--watchdog", "1")
    await wait_until(lambda: process.process.poll() is not None, what="the end of the process")
    assert process.process.returncode == 1
    assert "in blocking" in process.log.read_text()
    async with working(space, scenes_group(_nothing), lease_s=0.5):
        await wait_until(lambda: _rendered(space, job_id))
    assert crew.journal.words("end") == []


async def test_process_that_has_gone_deaf_ends_instead_of_looking_alive(space: Space, crew: Crew) -> None:
    """Its heartbeat goes on, its reads never come back: 10.5 h of silence elsewhere."""
    process = crew(space, "slow", "--lease", "0.5", "--watchdog", "1", "--deaf")
    await wait_until(lambda: process.process.poll() is not None, what="the end of the process")
    assert process.process.returncode == 1
    assert "read 00" in process.log.read_text()


async def test_process_that_was_paused_for_long_is_no_hang(space: Space, crew: Crew) -> None:
    process = crew(space, "slow", "--lease", "0.5", "--watchdog", "0.8")
    process.signal(signal.SIGSTOP)
    await asyncio.sleep(4)  # longer than the watchdog's limit and a read: there is no condition to wait for
    process.signal(signal.SIGCONT)
    job_id = await space.submit_scenes(1)
    await wait_until(lambda: _rendered(space, job_id))
    assert process.end() == 0


def test_watchdog_says_which_loop_is_stuck_and_lets_resting_ones_be() -> None:
    now, late = [0.0], list[Sequence[str]]()
    pulse = Pulse(10, monotonic=lambda: now[0])
    for loop in ("read", "sweep", "reap", "gone"):
        pulse.beat(loop, 60 if loop == "reap" else 0)
    pulse.rest("gone")
    now[0] = 10.5
    assert pulse.late() == ["read", "sweep"]
    pulse.beat("sweep")
    assert pulse.late() == ["read"]
    with watched(pulse, late.append, period_s=0.01):
        wait_until_sync(lambda: late)
    assert late == [["read"]]
    pulse.forgive()
    assert pulse.late() == []


async def _nothing(reaction: StepContext) -> None:
    pass


async def _has(space: Space, job_id: str, kind: str) -> bool:
    return kind in await space.types(job_id)


async def _rendered(space: Space, job_id: str, scenes: int = 1) -> bool:
    return (await space.types(job_id)).count("SceneRendered") >= scenes


async def _nothing_pending(space: Space) -> bool:
    return not await space.pending(space.topic(Topic.PLANNED), "generation")
