"""JobView: what the status of a job shows, as a fold of its events with their times.

The same fold serves the web app's cache, the command line and a rebuild; it is `evolve` plus the clock times of
the stages.
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
from eventflow.domain.state import Job, Phase, SceneStatus
from eventflow.domain.values import STAGE_OF_STEP, ReprocessFrom, Stage, Step
from eventflow.domain.work import parked_work


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
    PARKED = "parked"  #: it can't go on before an operator has looked at it
    FAILED = "failed"
    STOPPED = "stopped"  #: the job ended before the stage did: cancelled, or failed elsewhere


@frozen_record
class StageView:
    """`attempt` counts from 1 once the stage has begun; the times are those of events."""

    state: StageState = StageState.PENDING
    started_at: datetime | None = None
    finished_at: datetime | None = None
    attempt: int = 0


_NO_STAGES: Mapping[Stage, StageView] = {stage: StageView() for stage in Stage}


@frozen_record
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
        """What is being done now, or was when the job ended; None while it is queued."""
        now = _STAGE.get(self.job.phase)
        if now is not None:
            return now
        if self.job.failure is not None:
            return STAGE_OF_STEP[self.job.failure.step]
        begun = [stage for stage in Stage if self.stages[stage].started_at]
        return begun[-1] if begun else None

    @property
    def playable(self) -> bool:
        """Whether there is something to watch: a published video, of this run or an earlier one, or its first scene."""
        return (self.job.published is not None or self.job.streaming) and not self.job.gone


#: Events at which a stage begins and ends. A stage that is begun again keeps its first beginning.
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
    """The view after one more event. Raises IllegalTransition as `evolve` does."""
    event, at = envelope.event, envelope.occurred_at
    if view is None:
        job = evolve(None, event)
        return JobView(envelope.job_id, envelope.owner, envelope.seq, at, at, job)
    job = evolve(view.job, event)
    stages = _stages(view.stages, job, event, at)
    return replace(view, {"version": envelope.seq, "updated_at": at, "job": job, "stages": stages})


def view_of(envelopes: Iterable[Envelope], view: JobView | None = None) -> JobView | None:
    """What `apply` makes of one envelope after the other, by way of a single draft. Raises as it does."""
    coming = iter(envelopes)
    for envelope in coming:
        view = apply(view, envelope)  # this view and its job are nobody else's
        for later in coming:
            _advance(view, later)
    return view


def _advance(draft: JobView, envelope: Envelope) -> None:
    event, at, job = envelope.event, envelope.occurred_at, draft.job
    apply_in_place(job, event)
    stages = _stages(draft.stages, job, event, at)
    update_draft(draft, {"version": envelope.seq, "updated_at": at, "stages": stages})


def _stages(stages: Mapping[Stage, StageView], job: Job, event: ev.Event, at: datetime) -> Mapping[Stage, StageView]:
    kind = type(event)
    if isinstance(event, ev.ReprocessRequested):
        return {**stages, **dict.fromkeys(_AGAIN_FROM[event.from_stage], StageView())}
    if isinstance(event, ev.ArtefactLost):
        return {**stages, **_reopened(stages)}
    touched: dict[Stage, StageView] = {}

    def begin(stage: Stage) -> None:
        old = stages[stage]
        if old.started_at is None:
            touched[stage] = StageView(StageState.ACTIVE, at, None, 1)

    def end(stage: Stage, state: StageState = StageState.COMPLETED) -> None:
        old = touched.get(stage, stages[stage])
        if old.finished_at is None:
            started = old.started_at or at
            touched[stage] = StageView(state, started, at, max(1, old.attempt))

    if kind in _ENDS:
        end(_ENDS[kind])
    if kind in _BEGINS:
        begin(_BEGINS[kind])
    if kind is ev.VideoGenerated:
        end(Stage.PLANNING)  # a pipeline without scenes plans and renders in one piece
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
        touched[stage] = StageView(StageState.ACTIVE, old.started_at or at, None, attempt)
    if isinstance(event, ev.JobFailed):
        end(STAGE_OF_STEP[event.step], StageState.FAILED)
    if job.finished:
        for stage, seen in stages.items():
            if seen.started_at is not None:
                end(stage, StageState.STOPPED)
    after = {**stages, **touched} if touched else stages
    return _with_parked(after, job, at) if job.parked or kind is ev.StepFailed else after


def _with_parked(stages: Mapping[Stage, StageView], job: Job, at: datetime) -> Mapping[Stage, StageView]:
    """A stage is parked for as long as any of its work is."""
    parked = {STAGE_OF_STEP[work.step] for work in parked_work(job)}
    shown = dict(stages)
    for stage, seen in stages.items():
        if stage in parked:
            shown[stage] = StageView(StageState.PARKED, seen.started_at or at, None, max(1, seen.attempt))
        elif seen.state is StageState.PARKED:
            shown[stage] = replace(seen, {"state": StageState.ACTIVE})
    return shown


#: The stages that a reprocess begins anew.
_AGAIN_FROM: dict[ReprocessFrom, tuple[Stage, ...]] = {
    ReprocessFrom.PLANNING: tuple(Stage),
    ReprocessFrom.RENDERING: (Stage.RENDERING, Stage.ASSEMBLING, Stage.UPLOADING, Stage.METADATA),
    ReprocessFrom.UPLOAD: (Stage.UPLOADING, Stage.METADATA),
    ReprocessFrom.METADATA: (Stage.METADATA,),
}


def _reopened(stages: Mapping[Stage, StageView]) -> dict[Stage, StageView]:
    """For want of a file the job goes back to rendering, unless it was there or before it."""
    if stages[Stage.RENDERING].finished_at is None:
        return {}
    again = {
        stage: StageView(StageState.ACTIVE, stages[stage].started_at, None, stages[stage].attempt + 1)
        for stage in (Stage.RENDERING, Stage.UPLOADING)
        if stages[stage].finished_at is not None
    }
    return {**again, Stage.ASSEMBLING: StageView(), Stage.METADATA: StageView()}


#: Share of each stage in the whole, in percent; made from where the time of a narrated video goes.
_WEIGHTS = {Step.PLAN: 10.0, Step.RENDER_SCENE: 65.0, Step.ASSEMBLE: 5.0}
_UPLOAD_WEIGHT = 15.0
_METADATA_WEIGHT = 5.0


def progress_field(step: Step, scene: int | None, run: int) -> str:
    """The name under which a running step's progress is kept beside the history."""
    return f"{step.value}:{'' if scene is None else scene}:{run}"


def progress(job: Job, live: Mapping[str, float]) -> float:
    """How much of the job's present run is done, 0 to 100.

    `live` holds the fractions (0 to 1) of steps that are running, by `progress_field`. It doesn't fall within
    a run: events only add to it, and a step's own fraction is dropped as its event arrives.
    """
    if job.phase is Phase.COMPLETED or job.gone:  # nothing is left to be done
        return 100.0
    total = job.scene_count
    assembled = bool(job.videos)
    if not total:
        scenes_planned = scenes_rendered = scenes_uploaded = 1.0 if assembled else 0.0
    else:
        scenes_planned = len(job.scenes) / total
        scenes_rendered = _scene_fraction(job, live, Step.RENDER_SCENE) / total
        scenes_uploaded = _scene_fraction(job, live, Step.UPLOAD_SCENE) / total
    assembling = 1.0 if assembled else live.get(progress_field(Step.ASSEMBLE, None, job.run), 0.0)
    uploading = 1.0 if job.deliverables_uploaded else live.get(progress_field(Step.UPLOAD_VIDEO, None, job.run), 0.0)
    extracting = live.get(progress_field(Step.EXTRACT_METADATA, None, job.run), 0.0)
    return min(
        99.9,
        _WEIGHTS[Step.PLAN] * scenes_planned
        + _WEIGHTS[Step.RENDER_SCENE] * scenes_rendered
        + _WEIGHTS[Step.ASSEMBLE] * assembling
        + _UPLOAD_WEIGHT * (scenes_uploaded + uploading) / 2
        + _METADATA_WEIGHT * extracting,
    )


_DONE = {
    Step.RENDER_SCENE: (SceneStatus.RENDERED, SceneStatus.UPLOADED, SceneStatus.SKIPPED),
    Step.UPLOAD_SCENE: (SceneStatus.UPLOADED, SceneStatus.SKIPPED),
}


def _scene_fraction(job: Job, live: Mapping[str, float], step: Step) -> float:
    """How many scenes are through `step`. A failed one keeps what it had: it was rendered if its upload failed."""
    through, rendered = _DONE[step], set[int | None]()
    if step is Step.RENDER_SCENE:
        rendered = {a.scene for a in job.attempts if a.final and a.step is Step.UPLOAD_SCENE}
    statuses = [scene.status for scene in job.scenes]
    done = float(sum(map(statuses.count, through)))
    if live or rendered:
        for index, scene in enumerate(job.scenes):
            if scene.status not in through:
                done += 1.0 if index in rendered else live.get(progress_field(step, index, scene.run), 0.0)
    return done
