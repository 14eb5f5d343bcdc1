"""Workers: what happens when one dies, when a step fails, and when somebody changes their mind."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from itertools import pairwise

from eventflow.domain import events as ev
from eventflow.domain.commands import Command, PlanScene, RequestCancellation
from eventflow.domain.state import Phase
from eventflow.domain.topics import Topic
from eventflow.log.dead_letters import DeadLetters
from eventflow.runtime.context import Group, StepContext
from eventflow.runtime.retry_policy import RetryPolicy, StorageStepError
from tests.support.crew import Crew
from tests.support.runtime import Chain, Space, a_file, gapless, scenes_group, working
from tests.support.waiting import wait_until


async def test_a_killed_worker_is_replaced(space: Space, crew: Crew) -> None:
    """A worker holds a lease on what it was given. When it dies, another one takes the work over: it is done once."""
    job_id = await space.submit_scenes(1)
    dying = crew(space, "slow", "--seconds", "60", "--lease", "1")
    await wait_until(lambda: crew.journal.words("begin"))
    dying.signal(signal.SIGKILL)
    crew(space, "slow", "--seconds", "0", "--lease", "1")
    await wait_until(lambda: _rendered(space, job_id))
    assert (await space.types(job_id)).count("SceneRendered") == 1
    assert gapless(await space.history(job_id))


async def test_a_failed_step_is_tried_again_after_longer_and_longer_pauses(space: Space) -> None:
    """Each failure is an event of the job, with the time of the next try. After three retries the job fails."""

    async def fail(context: StepContext) -> None:
        raise StorageStepError("unavailable", "no answer")

    async with working(space, Chain(fail).groups[0], retry=RetryPolicy(base_s=0.05, cap_s=10)):
        job_id = await space.submit()
        await wait_until(lambda: space.ended(job_id))
    failures = [(e.occurred_at, e.event) for e in await space.history(job_id) if isinstance(e.event, ev.StepFailed)]
    pauses = [failure.retry_at - at for at, failure in failures if failure.retry_at is not None]
    assert len(pauses) == 3
    assert all(later > earlier / 2 for earlier, later in pairwise(pauses)), "doubled, less up to a half by chance"
    assert failures[-1][1].retry_at is None
    assert (await space.job(job_id)).phase is Phase.FAILED


async def test_a_dead_letter_is_redriven(space: Space) -> None:
    """A step whose result breaks a rule of the domain is a defect of ours, and goes to the dead letters.

    Once the defect is mended, a redrive delivers it again, and the job continues where it stood.
    """

    async def plan(context: StepContext) -> Sequence[Command]:
        return []

    async def broken(context: StepContext) -> Sequence[Command]:
        return [
            PlanScene(
                run=context.event.run,
                scene=99,
                title="No such scene",
                start_cells=0,
                duration_cells=1,
                spec=a_file(),
                narration=None,
            )
        ]

    async def mended(context: StepContext) -> None:
        """The work takes no time here."""

    job_id = await space.submit_scenes(1)
    async with working(space, Group("generation", {ev.VideoRequested: plan, ev.ScenePlanned: broken})):
        await wait_until(space.parked, what="a dead letter")
    [letter] = (await DeadLetters(space.log).page(10))[0]
    assert (letter.job_id, letter.topic) == (job_id, Topic.PLANNED)
    assert "scene 99" in letter.reason
    await DeadLetters(space.log).redrive(letter.id)
    async with working(space, scenes_group(mended)):
        await wait_until(lambda: _rendered(space, job_id))
    assert await space.parked() == []


async def test_cancelling_stops_what_runs(space: Space, crew: Crew) -> None:
    """A running step is told within a heartbeat, cleans up, and only then is the job cancelled."""
    crew(space, "slow", "--seconds", "60", "--lease", "1")
    job_id = await space.submit_scenes(1)
    await wait_until(lambda: crew.journal.words("begin"))
    await space.do(job_id, RequestCancellation("enough"))
    await wait_until(lambda: space.ended(job_id))
    assert crew.journal.words("stopped")
    assert (await space.job(job_id)).phase is Phase.CANCELLED


async def _rendered(space: Space, job_id: str) -> bool:
    return "ScenesCompleted" in await space.types(job_id)
