"""`JobView`: the status of a job as its owner sees it, folded from its events and their times.

The web app's cache, the command line and a rebuild share this fold: `evolve`, and the clock times of the stages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

from attrs import field

from eventflow.domain import events as ev
from eventflow.domain._records import frozen_record, replace, update_draft
from eventflow.domain.envelope import Envelope
from eventflow.domain.evolve import apply_in_place, evolve
from eventflow.domain.state import Job, Phase
from eventflow.domain.values import STAGE_OF_STEP, ReprocessFrom, Stage
from eventflow.domain.work import dead_lettered_work


class Status(StrEnum):
    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DELETING = "deleting"
    DELETED = "deleted"


_STATUS = {
    Phase.REQUESTED: Status.QUEUED,
    Phase.COMPLETED: Status.COMPLETED,
    Phase.FAILED: Status.FAILED,
    Phase.CANCELLED: Status.CANCELLED,
    Phase.DELETING: Status.DELETING,
    Phase.DELETED: Status.DELETED,
}
_STAGE = {
    Phase.PLANNING: Stage.PLANNING,
    Phase.RENDERING: Stage.RENDERING,
    Phase.ASSEMBLING: Stage.ASSEMBLING,
    Phase.UPLOADING: Stage.UPLOADING,
    Phase.EXTRACTING: Stage.METADATA,
}


class StageState(StrEnum):
    PENDING = "pending"
    ACTIVE = "active"
    COMPLETED = "completed"
    PARKED = "parked"  #: work of it is dead-lettered: an operator has to redrive or drop it
    FAILED = "failed"
    STOPPED = "stopped"  #: the job ended before the stage did: cancelled, or failed elsewhere


@frozen_record(kw_only=True)
class StageView:
    """One stage of the job's present run. `attempt` counts from 1 once the stage has begun; times are of events."""

    state: StageState = StageState.PENDING
    started_at: datetime | None = None
    finished_at: datetime | None = None
    attempt: int = 0


_NO_STAGES: Mapping[Stage, StageView] = {stage: StageView() for stage in Stage}


@frozen_record(kw_only=True)
class JobView:
    """A job as its owner sees it at `version`."""

    id: str
    owner: str
    version: int
    created_at: datetime
    updated_at: datetime
    job: Job
    stages: Mapping[Stage, StageView] = field(default=_NO_STAGES)

    @property
    def status(self) -> Status:
        return _STATUS.get(self.job.phase, Status.PROCESSING)

    @property
    def stage(self) -> Stage | None:
        """The present stage, or the last one of a job that ended; None while it is queued."""
        now = _STAGE.get(self.job.phase)
        if now is not None:
            return now
        if self.job.failure is not None:
            return STAGE_OF_STEP[self.job.failure.step]
        begun = [stage for stage in Stage if self.stages[stage].started_at]
        return begun[-1] if begun else None

    @property
    def playable(self) -> bool:
        """Whether viewers can watch something: the first scene, or a video published in this run or an earlier one."""
        return (self.job.published is not None or self.job.streaming) and not self.job.gone


#: Events at which a stage begins and ends. A stage keeps the time of its first beginning in a run.
_BEGINS: dict[type[ev.Event], Stage] = {
    ev.PlanningStarted: Stage.PLANNING,
    ev.ScenePlanned: Stage.RENDERING,
    ev.SceneRendered: Stage.UPLOADING,
    ev.ScenesCompleted: Stage.ASSEMBLING,
    ev.VideoUploaded: Stage.METADATA,
}
_ENDS: dict[type[ev.Event], Stage] = {
    ev.ScenesCompleted: Stage.RENDERING,
    ev.VideoGenerated: Stage.ASSEMBLING,
    ev.VideoUploaded: Stage.UPLOADING,
    ev.VideoPublished: Stage.METADATA,
}


def apply(view: JobView | None, envelope: Envelope) -> JobView:
    """Return the view after one more event. Raises IllegalTransition as `evolve` does."""
    event, at = envelope.event, envelope.occurred_at
    if view is None:
        job = evolve(None, event)
        return JobView(
            id=envelope.job_id, owner=envelope.owner, version=envelope.seq, created_at=at, updated_at=at, job=job
        )
    job = evolve(view.job, event)
    stages = _stages(view.stages, job, event, at)
    return replace(view, version=envelope.seq, updated_at=at, job=job, stages=stages)


def view_of(envelopes: Iterable[Envelope], view: JobView | None = None) -> JobView | None:
    """Apply `envelopes` in order to `view` (None: no event yet), by way of a single draft. Raises as `apply` does."""
    remaining = iter(envelopes)
    for envelope in remaining:
        view = apply(view, envelope)  # a new view and a new job, which nobody else knows yet: the draft
        for later in remaining:
            _apply_in_place(view, later)
    return view


def _apply_in_place(draft: JobView, envelope: Envelope) -> None:
    event, at, job = envelope.event, envelope.occurred_at, draft.job
    apply_in_place(job, event)
    stages = _stages(draft.stages, job, event, at)
    update_draft(draft, version=envelope.seq, updated_at=at, stages=stages)


def _stages(stages: Mapping[Stage, StageView], job: Job, event: ev.Event, at: datetime) -> Mapping[Stage, StageView]:
    kind = type(event)
    if isinstance(event, ev.ReprocessRequested):
        return {**stages, **dict.fromkeys(_STAGES_FROM[event.from_stage], StageView())}
    if isinstance(event, ev.ArtefactLost):
        return {**stages, **_reopened(stages)}
    touched: dict[Stage, StageView] = {}

    def begin(stage: Stage) -> None:
        old = stages[stage]
        if old.started_at is None:
            touched[stage] = StageView(state=StageState.ACTIVE, started_at=at, attempt=1)

    def end(stage: Stage, state: StageState = StageState.COMPLETED) -> None:
        old = touched.get(stage, stages[stage])
        if old.finished_at is None:
            started, attempt = old.started_at or at, max(1, old.attempt)
            touched[stage] = StageView(state=state, started_at=started, finished_at=at, attempt=attempt)

    if kind in _ENDS:
        end(_ENDS[kind])
    if kind in _BEGINS:
        begin(_BEGINS[kind])
    if kind is ev.VideoGenerated:
        end(Stage.PLANNING)  # a pipeline without scenes plans and renders in one step
        end(Stage.RENDERING)
        begin(Stage.UPLOADING)
    if kind is ev.SceneReused:
        begin(Stage.RENDERING)
        begin(Stage.UPLOADING)
    if kind in (ev.ScenePlanned, ev.SceneReused) and job.all_scenes_planned:
        end(Stage.PLANNING)
    if isinstance(event, ev.StepFailed) and event.retry_at is not None:
        stage = STAGE_OF_STEP[event.step]
        old = stages[stage]
        attempt = max(old.attempt, event.attempt + 1)
        touched[stage] = StageView(state=StageState.ACTIVE, started_at=old.started_at or at, attempt=attempt)
    if isinstance(event, ev.JobFailed):
        end(STAGE_OF_STEP[event.step], StageState.FAILED)
    if job.finished:
        for stage, seen in stages.items():
            if seen.started_at is not None:
                end(stage, StageState.STOPPED)
    after = {**stages, **touched} if touched else stages
    return _with_dead_letters(after, job, at) if job.dead_letters or kind is ev.StepFailed else after


def _with_dead_letters(stages: Mapping[Stage, StageView], job: Job, at: datetime) -> Mapping[Stage, StageView]:
    """Show a stage as parked while any of its work is dead-lettered."""
    waiting = {STAGE_OF_STEP[work.step] for work in dead_lettered_work(job)}
    shown = dict(stages)
    for stage, seen in stages.items():
        if stage in waiting:
            started, attempt = seen.started_at or at, max(1, seen.attempt)
            shown[stage] = StageView(state=StageState.PARKED, started_at=started, attempt=attempt)
        elif seen.state is StageState.PARKED:
            shown[stage] = replace(seen, state=StageState.ACTIVE)
    return shown


#: The stages that a reprocess runs again.
_STAGES_FROM: dict[ReprocessFrom, tuple[Stage, ...]] = {
    ReprocessFrom.PLANNING: tuple(Stage),
    ReprocessFrom.RENDERING: (Stage.RENDERING, Stage.ASSEMBLING, Stage.UPLOADING, Stage.METADATA),
    ReprocessFrom.UPLOAD: (Stage.UPLOADING, Stage.METADATA),
    ReprocessFrom.METADATA: (Stage.METADATA,),
}


def _reopened(stages: Mapping[Stage, StageView]) -> dict[Stage, StageView]:
    """Return the stages that a lost file sets back: to rendering, unless the job hasn't finished that yet."""
    if stages[Stage.RENDERING].finished_at is None:
        return {}
    reopened = {
        stage: replace(seen, state=StageState.ACTIVE, finished_at=None, attempt=seen.attempt + 1)
        for stage in (Stage.RENDERING, Stage.UPLOADING)
        if (seen := stages[stage]).finished_at is not None
    }
    return {**reopened, Stage.ASSEMBLING: StageView(), Stage.METADATA: StageView()}
