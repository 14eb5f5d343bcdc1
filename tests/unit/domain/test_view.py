"""What a status shows: statuses, stages with their times and attempts, and progress."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventflow.domain import events as ev
from eventflow.domain.envelope import Envelope
from eventflow.domain.errors import IllegalTransition
from eventflow.domain.evolve import fold
from eventflow.domain.progress import progress, progress_field
from eventflow.domain.state import Phase, SceneStatus
from eventflow.domain.values import Stage, Step
from eventflow.domain.view import JobView, StageState, StageView, Status, apply, view_of
from tests.support import stories as s
from tests.support.walks import LATER, walk, works_of

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: int) -> datetime:
    return START + timedelta(seconds=seconds)


def envelopes(history: s.History) -> list[Envelope]:
    """Event number n happens n seconds after START."""
    parts = ("00-" + "0" * 32, "alice", "c", "", "")
    job_id, owner, correlation, causation, trace = parts
    return [
        Envelope(
            job_id=job_id,
            seq=n,
            owner=owner,
            correlation_id=correlation,
            causation_id=causation,
            traceparent=trace,
            occurred_at=at(n),
            event=e,
        )
        for n, e in enumerate(history, 1)
    ]


def view(*history: ev.Event) -> JobView:
    shown = view_of(envelopes(list(history)))
    assert shown is not None
    return shown


@pytest.mark.parametrize(
    ("phase", "status", "stage"),
    [
        (Phase.REQUESTED, Status.QUEUED, None),
        (Phase.PLANNING, Status.PROCESSING, Stage.PLANNING),
        (Phase.RENDERING, Status.PROCESSING, Stage.RENDERING),
        (Phase.ASSEMBLING, Status.PROCESSING, Stage.ASSEMBLING),
        (Phase.UPLOADING, Status.PROCESSING, Stage.UPLOADING),
        (Phase.EXTRACTING, Status.PROCESSING, Stage.METADATA),
        (Phase.CANCELLING, Status.PROCESSING, Stage.RENDERING),
        (Phase.COMPLETED, Status.COMPLETED, Stage.METADATA),
        (Phase.FAILED, Status.FAILED, Stage.ASSEMBLING),
        (Phase.CANCELLED, Status.CANCELLED, Stage.RENDERING),
    ],
)
def test_status_and_stage(phase: Phase, status: Status, stage: Stage | None) -> None:
    shown = view(*s.upto(phase))
    assert (shown.status, shown.stage) == (status, stage)


def test_the_envelope_is_shown() -> None:
    shown = view(*s.planned(2))
    assert (shown.id, shown.owner, shown.version) == ("00-" + "0" * 32, "alice", 5)
    assert (shown.created_at, shown.updated_at) == (at(1), at(5))
    assert shown.job == fold(s.planned(2))


def test_the_times_of_the_stages_are_those_of_their_events() -> None:
    history = s.published(1)
    when = {type(event): at(n) for n, event in enumerate(history, 1)}
    assert view(*history).stages == {
        Stage.PLANNING: StageView(
            state=StageState.COMPLETED,
            started_at=when[ev.PlanningStarted],
            finished_at=when[ev.ScenePlanned],
            attempt=1,
        ),
        Stage.RENDERING: StageView(
            state=StageState.COMPLETED,
            started_at=when[ev.ScenePlanned],
            finished_at=when[ev.ScenesCompleted],
            attempt=1,
        ),
        Stage.ASSEMBLING: StageView(
            state=StageState.COMPLETED,
            started_at=when[ev.ScenesCompleted],
            finished_at=when[ev.VideoGenerated],
            attempt=1,
        ),
        Stage.UPLOADING: StageView(
            state=StageState.COMPLETED, started_at=when[ev.SceneRendered], finished_at=when[ev.VideoUploaded], attempt=1
        ),
        Stage.METADATA: StageView(
            state=StageState.COMPLETED,
            started_at=when[ev.VideoUploaded],
            finished_at=when[ev.VideoPublished],
            attempt=1,
        ),
    }


def test_a_stage_that_is_begun_again_keeps_its_beginning() -> None:
    planning = view(s.requested(), *s.announced(2), ev.PlanningStarted(1)).stages[Stage.PLANNING]
    assert planning == StageView(state=StageState.ACTIVE, started_at=at(2), finished_at=None, attempt=1)


def test_attempts_count_from_the_first() -> None:
    again = [
        ev.StepFailed(step=Step.RENDER_SCENE, scene=0, run=1, failure=s.failure(), attempt=n, retry_at=LATER)
        for n in (1, 2)
    ]
    other = ev.StepFailed(step=Step.RENDER_SCENE, scene=1, run=1, failure=s.failure(), attempt=1, retry_at=LATER)
    assert view(*s.planned(2)).stages[Stage.RENDERING].attempt == 1
    assert view(*s.planned(2), *again).stages[Stage.RENDERING].attempt == 3
    assert view(*s.planned(2), *again, other).stages[Stage.RENDERING].attempt == 3


def test_a_stage_that_failed_before_it_had_begun_is_active() -> None:
    """A planner may fail before it has said that it starts."""
    failed = ev.StepFailed(step=Step.PLAN, scene=None, run=1, failure=s.failure(), attempt=1, retry_at=LATER)
    expected = StageView(state=StageState.ACTIVE, started_at=at(2), finished_at=None, attempt=2)
    assert view(s.requested(), failed).stages[Stage.PLANNING] == expected
    assert view(s.requested(), failed, ev.PlanningStarted(1)).stages[Stage.PLANNING] == expected


def test_a_failed_job_shows_where() -> None:
    shown = view(s.requested(), ev.JobFailed(run=1, failure=s.failure(), step=Step.PLAN, scene=None, attempts=1))
    assert shown.stages[Stage.PLANNING] == StageView(
        state=StageState.FAILED, started_at=at(2), finished_at=at(2), attempt=1
    )
    assert shown.stage is Stage.PLANNING
    shown = view(
        *s.planned(2),
        s.rendered(0),
        ev.JobFailed(run=1, failure=s.failure(), step=Step.UPLOAD_SCENE, scene=0, attempts=4),
    )
    assert shown.stages[Stage.UPLOADING].state is StageState.FAILED
    assert shown.stages[Stage.RENDERING].state is StageState.STOPPED


def test_a_cancelled_job_leaves_nothing_running() -> None:
    shown = view(*s.upto(Phase.CANCELLED))
    assert shown.stages[Stage.RENDERING] == StageView(
        state=StageState.STOPPED, started_at=at(4), finished_at=at(7), attempt=1
    )
    assert shown.stages[Stage.ASSEMBLING] == StageView()


def test_a_video_in_one_piece_completes_every_stage() -> None:
    video = ev.VideoGenerated(run=1, videos=s.VIDEOS, thumbnails=())
    ending = [
        ev.DeliverablesUploaded(run=1, videos=s.PUBLIC_VIDEOS, thumbnails=()),
        ev.VideoUploaded(1),
        ev.VideoPublished(1, 1, ()),
    ]
    shown = view(s.requested(), ev.PlanningStarted(1), video, *ending)
    assert {stage.state for stage in shown.stages.values()} == {StageState.COMPLETED}
    assert shown.stages[Stage.PLANNING].started_at == at(2)


def test_reprocessing_shows_the_new_run_and_the_old_video() -> None:
    shown = view(*s.published(1), ev.ReprocessRequested(2))
    assert (shown.status, shown.stage, shown.playable) == (Status.QUEUED, None, True)
    assert set(shown.stages.values()) == {StageView()}
    assert not view(*s.generated(1)).playable
    assert view(*s.all_uploaded(1)).playable  # its first scene is up


def test_a_view_refuses_what_the_job_refuses() -> None:
    first, second = envelopes([s.requested(), s.rendered(0)])
    with pytest.raises(IllegalTransition):
        apply(apply(None, first), second)


def test_a_view_goes_on_where_it_was_left() -> None:
    all_of_it = envelopes(s.published(2))
    assert view_of(all_of_it[5:], view_of(all_of_it[:5])) == view_of(all_of_it)
    assert view_of([]) is None


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_stages_make_sense_whatever_happens(seed: int) -> None:
    *_, last = walk(seed)
    shown: JobView | None = None
    for envelope in envelopes(last.history):
        shown = apply(shown, envelope)
        for stage in shown.stages.values():
            assert (stage.state is StageState.PENDING) == (stage.started_at is None) == (stage.attempt == 0)
            open_ended = (StageState.PENDING, StageState.ACTIVE, StageState.PARKED)
            assert (stage.state in open_ended) == (stage.finished_at is None)
            assert stage.started_at is None or stage.started_at <= (stage.finished_at or shown.updated_at)
            assert not (shown.job.finished and stage.state is StageState.ACTIVE)
        if shown.status is Status.COMPLETED:
            assert {stage.state for stage in shown.stages.values()} == {StageState.COMPLETED}
    assert view_of(envelopes(last.history)) == shown


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.data())
def test_a_view_that_is_continued_stays_what_it_was(seed: int, data: st.DataObject) -> None:
    *_, last = walk(seed)
    all_of_it = envelopes(last.history)
    place = data.draw(st.integers(1, len(all_of_it)))
    begun = view_of(all_of_it[:place])
    before = repr(begun)
    assert view_of(all_of_it[place:], begun) == view_of(all_of_it)
    assert repr(begun) == before


def test_progress_from_beginning_to_end() -> None:
    job = [fold(history) for history in (s.upto(Phase.REQUESTED), s.planned(2), s.all_rendered(2), s.generated(2))]
    assert [progress(each, {}) for each in job if each] == [0, 10, 75, 80]
    uploaded = fold(s.all_uploaded(2))
    done = fold(s.published(2))
    assert uploaded is not None
    assert done is not None
    assert progress(uploaded, {}) == 95
    assert progress(uploaded, {progress_field(Step.EXTRACT_METADATA, None, 1): 1.0}) == 99.9
    assert progress(done, {}) == 100


def test_running_steps_count_by_their_fraction() -> None:
    job = fold(s.planned(2))
    assert job is not None
    live = {progress_field(Step.RENDER_SCENE, 1, 1): 0.5}
    assert progress(job, live) == 10 + 65 / 4
    assert progress(job, {progress_field(Step.RENDER_SCENE, 1, 2): 0.5}) == 10


def test_a_scene_whose_upload_failed_was_rendered_all_the_same() -> None:
    history = [*s.planned(2), s.rendered(0)]
    lost = ev.StepFailed(step=Step.UPLOAD_SCENE, scene=0, run=1, failure=s.failure(), attempt=4, retry_at=None)
    live = {progress_field(Step.UPLOAD_SCENE, 0, 1): 0.5}
    before, after = fold(history), fold([*history, lost])
    assert before is not None
    assert after is not None
    assert after.scenes[0].status is SceneStatus.FAILED
    assert progress(after, live) == progress(before, live)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32))
def test_progress_never_falls_within_a_run(seed: int) -> None:
    rng, live, run, before = Random(seed), dict[str, float](), 0, 0.0
    for moment in walk(seed, folly=0.2):
        if moment.job.last_run != run:
            run, before = moment.job.last_run, 0.0
        assert before - 1e-9 <= (before := progress(moment.job, live))
        for work in works_of(moment.job) if moment.job.active else []:
            name = progress_field(work.step, work.scene, work.run)
            live[name] = max(live.get(name, 0.0), rng.random())
        now = progress(moment.job, live)
        assert before - 1e-9 <= now <= 100
        assert (now == 100) == (moment.job.phase is Phase.COMPLETED)
        before = now
