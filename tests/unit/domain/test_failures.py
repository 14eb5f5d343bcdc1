"""What becomes of failed attempts: retried, given up, and when the job fails of them."""

from datetime import UTC, datetime

import pytest

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.decide import decide, decide_all
from eventflow.domain.evolve import fold
from eventflow.domain.state import Job, Phase, SceneStatus
from eventflow.domain.values import Failure, FailureCategory, Step
from tests.support import stories as s
from tests.support.spec import given

LATER = datetime(2030, 1, 1, tzinfo=UTC)
TRANSIENT = [
    FailureCategory.GENERATION,
    FailureCategory.STORAGE,
    FailureCategory.RESOURCE,
    FailureCategory.INTERNAL,
]
HOPELESS = [FailureCategory.INITIALIZATION]

#: A phase, and the step of the whole job that may fail in it.
STEPS = [
    (Phase.REQUESTED, Step.PLAN),
    (Phase.PLANNING, Step.PLAN),
    (Phase.ASSEMBLING, Step.ASSEMBLE),
    (Phase.UPLOADING, Step.UPLOAD_VIDEO),
    (Phase.EXTRACTING, Step.EXTRACT_METADATA),
]


def fail(
    step: Step, scene: int | None = None, why: Failure | None = None, retry_at: datetime | None = LATER
) -> cmd.FailStep:
    return cmd.FailStep(step=step, scene=scene, run=1, failure=why or s.failure(), retry_at=retry_at)


def step_failed(c: cmd.FailStep, attempt: int, *, final: bool) -> ev.StepFailed:
    return ev.StepFailed(
        step=c.step,
        scene=c.scene,
        run=c.run,
        failure=c.failure,
        attempt=attempt,
        retry_at=None if final else c.retry_at,
    )


@pytest.mark.parametrize(("phase", "step"), STEPS)
@pytest.mark.parametrize("category", TRANSIENT)
def test_a_transient_failure_is_retried(phase: Phase, step: Step, category: FailureCategory) -> None:
    command = fail(step, why=s.failure(category))
    job = given(s.upto(phase)).when(command).then(step_failed(command, 1, final=False))
    assert job.phase is phase


@pytest.mark.parametrize(("phase", "step"), STEPS)
@pytest.mark.parametrize("category", HOPELESS)
def test_a_hopeless_failure_fails_the_job_at_once(phase: Phase, step: Step, category: FailureCategory) -> None:
    command = fail(step, why=s.failure(category))
    failed = ev.JobFailed(run=1, failure=command.failure, step=step, scene=None, attempts=1)
    job = given(s.upto(phase)).when(command).then(step_failed(command, 1, final=True), failed)
    assert (job.phase, job.failure) == (Phase.FAILED, failed)


@pytest.mark.parametrize("retries", [0, 1, 2, 3])
def test_one_try_and_so_many_retries(retries: int) -> None:
    job: Job | None = fold([s.requested(retry_attempts=retries)])
    command = fail(Step.PLAN)
    for attempt in range(1, retries + 1):
        events, job = decide_all(job, [command])
        assert events == [step_failed(command, attempt, final=False)]
    last = [
        step_failed(command, retries + 1, final=True),
        ev.JobFailed(run=1, failure=s.failure(), step=Step.PLAN, scene=None, attempts=retries + 1),
    ]
    assert decide(job, command) == last


def test_without_a_time_for_a_retry_there_is_none() -> None:
    command = fail(Step.PLAN, retry_at=None)
    given(s.requested()).when(command).then(
        step_failed(command, 1, final=True),
        ev.JobFailed(run=1, failure=s.failure(), step=Step.PLAN, scene=None, attempts=1),
    )


def test_attempts_are_counted_by_step_and_scene() -> None:
    history = s.planned(2)
    one, other, plan = fail(Step.RENDER_SCENE, 0), fail(Step.RENDER_SCENE, 1), fail(Step.UPLOAD_SCENE, 0)
    given(history).when(one, other, one, s.finish_scene(0), plan).then(
        step_failed(one, 1, final=False),
        step_failed(other, 1, final=False),
        step_failed(one, 2, final=False),
        s.rendered(0),
        step_failed(plan, 1, final=False),
    )


@pytest.mark.parametrize("phase", list(Phase))
def test_a_step_fails_only_while_it_is_due(phase: Phase) -> None:
    """A planner that stumbles after its last scene must not fail the job, neither must any other late loser."""
    due = {step for where, step in STEPS if where is phase}
    for step in set(Step) - due:
        given(s.upto(phase)).when(fail(step, retry_at=None)).then_nothing()


def test_a_scene_that_is_done_fails_no_more() -> None:
    render, upload = fail(Step.RENDER_SCENE, 0, retry_at=None), fail(Step.UPLOAD_SCENE, 0, retry_at=None)
    given(s.planned(2), s.rendered(0)).when(render).then_nothing()
    given(s.planned(2)).when(upload).then_nothing()
    given(s.planned(2), s.rendered(0), s.uploaded(0)).when(render, upload).then_nothing()
    given(s.planned(2)).when(fail(Step.PLAN, 0), fail(Step.RENDER_SCENE), fail(Step.RENDER_SCENE, 5)).then_nothing()


def test_a_scene_that_failed_for_good_waits_for_the_others() -> None:
    command = fail(Step.RENDER_SCENE, 0, retry_at=None)
    lost = step_failed(command, 1, final=True)
    job = given(s.planned(3)).when(command).then(lost)
    assert (job.phase, job.scenes[0].status) == (Phase.RENDERING, SceneStatus.FAILED)
    end = ev.JobFailed(run=1, failure=s.failure(), step=Step.RENDER_SCENE, scene=0, attempts=1)
    given(s.planned(3), lost).when(
        s.finish_scene(1), s.finish_scene_upload(1), s.finish_scene(2), s.finish_scene_upload(2)
    ).then(s.rendered(1), s.uploaded(1), s.rendered(2), s.uploaded(2), end)


def test_a_scene_that_failed_waits_for_those_that_are_not_planned_yet() -> None:
    command = fail(Step.RENDER_SCENE, 0, retry_at=None)
    history = [s.requested(), *s.announced(2), s.scene_planned(0)]
    end = ev.JobFailed(run=1, failure=s.failure(), step=Step.RENDER_SCENE, scene=0, attempts=1)
    given(history).when(command, s.plan_scene(1), s.finish_scene(1), s.finish_scene_upload(1)).then(
        step_failed(command, 1, final=True), s.scene_planned(1), s.rendered(1), s.uploaded(1), end
    )


def test_the_last_scene_to_fail_fails_the_job() -> None:
    first = fail(Step.RENDER_SCENE, 1, s.failure(code="first"), retry_at=None)
    second = fail(Step.RENDER_SCENE, 0, s.failure(code="second"), retry_at=None)
    given(s.planned(2)).when(first, second).then(
        step_failed(first, 1, final=True),
        step_failed(second, 1, final=True),
        ev.JobFailed(run=1, failure=first.failure, step=Step.RENDER_SCENE, scene=1, attempts=1),
    )


def test_a_failed_upload_of_a_scene_fails_the_job_after_the_others() -> None:
    command = fail(Step.UPLOAD_SCENE, 0, retry_at=None)
    given(s.generated(2)).when(command, s.finish_upload(), s.finish_scene_upload(1)).then(
        step_failed(command, 1, final=True),
        ev.DeliverablesUploaded(
            run=1, videos=s.PUBLIC_VIDEOS, thumbnails=s.PUBLIC_THUMBNAILS, captions=s.PUBLIC_CAPTIONS
        ),
        s.uploaded(1),
        ev.JobFailed(run=1, failure=s.failure(), step=Step.UPLOAD_SCENE, scene=0, attempts=1),
    )


def test_a_scene_in_a_broken_environment_fails_the_job_at_once() -> None:
    command = fail(Step.RENDER_SCENE, 0, s.failure(FailureCategory.INITIALIZATION))
    given(s.planned(3)).when(command).then(
        step_failed(command, 1, final=True),
        ev.JobFailed(run=1, failure=command.failure, step=Step.RENDER_SCENE, scene=0, attempts=1),
    )


def test_a_scene_that_kills_its_workers_is_not_tried_again() -> None:
    command = fail(Step.RENDER_SCENE, 0, s.failure(FailureCategory.RESOURCE), retry_at=None)
    job = given(s.planned(2)).when(command).then(step_failed(command, 1, final=True))
    assert job.phase is Phase.RENDERING


def test_the_answer_tells_how_often_it_was_tried() -> None:
    history = [*s.planned(1)]
    history[0] = s.requested(retry_attempts=2)
    command = fail(Step.RENDER_SCENE, 0)
    events, _ = decide_all(fold(history), [command, command, command])
    assert [e.attempt for e in events if isinstance(e, ev.StepFailed)] == [1, 2, 3]
    assert events[-1] == ev.JobFailed(run=1, failure=s.failure(), step=Step.RENDER_SCENE, scene=0, attempts=3)
