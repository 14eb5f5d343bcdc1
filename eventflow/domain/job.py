"""The job: its state, the table of what may follow what, and `evolve`.

Rule 1: a job is nothing but the fold of its events. `evolve` reads no clock and does no I/O.
Rule 2: an event that `TRANSITIONS` doesn't list for a phase can't happen in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any

from attrs import evolve as attrs_evolve
from attrs import frozen

from eventflow.domain import events as ev
from eventflow.domain.errors import IllegalTransition
from eventflow.domain.values import (
    Failure,
    FileRef,
    SceneRendition,
    Step,
    TechnicalMetadata,
    Thumbnail,
    VideoFile,
    VideoRequest,
    Work,
)


class Phase(StrEnum):
    REQUESTED = "requested"
    PLANNING = "planning"
    RENDERING = "rendering"  #: at least one scene is planned; later ones may still be narrated
    ASSEMBLING = "assembling"
    UPLOADING = "uploading"  #: the whole video exists; scenes' segments have been uploading all along
    EXTRACTING = "extracting"
    CANCELLING = "cancelling"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINISHED = frozenset({Phase.COMPLETED, Phase.FAILED, Phase.CANCELLED})


class SceneStatus(StrEnum):
    PLANNED = "planned"
    RENDERED = "rendered"
    UPLOADED = "uploaded"
    FAILED = "failed"


@frozen
class Scene:
    run: int
    title: str
    start_cells: int
    duration_cells: int
    spec: FileRef
    narration: FileRef | None
    status: SceneStatus = SceneStatus.PLANNED
    rendered: tuple[SceneRendition, ...] = ()
    uploaded: tuple[SceneRendition, ...] = ()


@frozen
class FailedAttempt:
    step: Step
    scene: int | None
    run: int
    failure: Failure
    final: bool


@frozen
class Publication:
    """What viewers get; an older one stays served while the job is being reprocessed."""

    version: int
    videos: tuple[VideoFile, ...]
    thumbnails: tuple[Thumbnail, ...]
    metadata: tuple[TechnicalMetadata, ...]


@frozen(slots=False)
class Job:
    """State of one job. `scenes[i]` is scene i; `run` numbers the tries of the whole job from 1."""

    request: VideoRequest
    phase: Phase = Phase.REQUESTED
    run: int = 1
    title: str = ""
    plan: FileRef | None = None
    scene_count: int | None = None
    scenes: tuple[Scene, ...] = ()
    videos: tuple[VideoFile, ...] = ()
    thumbnails: tuple[Thumbnail, ...] = ()
    deliverables_uploaded: bool = False
    uploaded_videos: tuple[VideoFile, ...] = ()
    uploaded_thumbnails: tuple[Thumbnail, ...] = ()
    attempts: tuple[FailedAttempt, ...] = ()
    parked: tuple[Work, ...] = ()  #: what is no longer due of it doesn't count
    degraded: tuple[str, ...] = ()
    failure: ev.JobFailed | None = None
    published: Publication | None = None

    @property
    def finished(self) -> bool:
        return self.phase in FINISHED

    @property
    def active(self) -> bool:
        """Whether handlers may still work on it."""
        return self.phase not in FINISHED and self.phase is not Phase.CANCELLING

    def scene(self, index: int, run: int) -> Scene | None:
        """Scene `index` if `run` is its present run, else None: that work is out of date."""
        if 0 <= index < len(self.scenes) and self.scenes[index].run == run:
            return self.scenes[index]
        return None

    def failed_attempts(self, step: Step, scene: int | None, run: int) -> int:
        return sum(1 for a in self.attempts if a.step is step and a.scene == scene and a.run == run)

    @property
    def all_scenes_planned(self) -> bool:
        return self.scene_count is not None and len(self.scenes) == self.scene_count

    def scenes_are(self, *statuses: SceneStatus) -> bool:
        """Whether every scene is planned and has one of `statuses` (true for a job without scenes)."""
        if self.scene_count is None:
            return not self.scenes
        return self.all_scenes_planned and all(s.status in statuses for s in self.scenes)


P = Phase
#: What may be recorded in any phase in which work goes on, without changing the phase.
_NOTES: tuple[type[ev.Event], ...] = (ev.StepFailed, ev.StepParked, ev.UploadFellBack, ev.StepDegraded)


def _active(phase: Phase, moves: dict[type[ev.Event], Phase]) -> dict[type[ev.Event], Phase]:
    ends: dict[type[ev.Event], Phase] = {ev.JobFailed: P.FAILED, ev.CancellationRequested: P.CANCELLING}
    return {**dict.fromkeys(_NOTES, phase), **ends, **moves}


_FINISHED_MOVES: dict[type[ev.Event], Phase] = {ev.ReprocessRequested: P.REQUESTED}

#: phase -> event -> next phase. A pair that is absent raises IllegalTransition.
TRANSITIONS: dict[Phase, dict[type[ev.Event], Phase]] = {
    P.REQUESTED: _active(P.REQUESTED, {ev.PlanningStarted: P.PLANNING, ev.VideoGenerated: P.UPLOADING}),
    P.PLANNING: _active(
        P.PLANNING,
        {
            ev.PlanningStarted: P.PLANNING,
            ev.ScriptPlanned: P.PLANNING,
            ev.ScenePlanned: P.RENDERING,
            ev.VideoGenerated: P.UPLOADING,
        },
    ),
    P.RENDERING: _active(
        P.RENDERING,
        {
            ev.PlanningStarted: P.RENDERING,
            ev.ScenePlanned: P.RENDERING,
            ev.SceneRendered: P.RENDERING,
            ev.SceneUploaded: P.RENDERING,
            ev.ScenesCompleted: P.ASSEMBLING,
        },
    ),
    P.ASSEMBLING: _active(P.ASSEMBLING, {ev.SceneUploaded: P.ASSEMBLING, ev.VideoGenerated: P.UPLOADING}),
    P.UPLOADING: _active(
        P.UPLOADING,
        {
            ev.SceneUploaded: P.UPLOADING,
            ev.DeliverablesUploaded: P.UPLOADING,
            ev.VideoUploaded: P.EXTRACTING,
        },
    ),
    P.EXTRACTING: _active(P.EXTRACTING, {ev.VideoPublished: P.COMPLETED}),
    P.CANCELLING: {ev.JobCancelled: P.CANCELLED},
    P.COMPLETED: _FINISHED_MOVES,
    P.FAILED: _FINISHED_MOVES,
    P.CANCELLED: _FINISHED_MOVES,
}


#: What an event changes: fields of Job by name. `evolve` adds the phase and copies once.
Changes = dict[str, Any]


def _changed(job: Job, changes: Changes) -> Job:
    """A copy with `changes`. attrs' own `evolve` runs __init__ over every field; this is the fold's inner loop."""
    copy = object.__new__(Job)
    copy.__dict__.update(job.__dict__, **changes)
    return copy


def _script_planned(job: Job, e: ev.ScriptPlanned) -> Changes:
    return {"title": e.title, "scene_count": e.scene_count, "plan": e.plan}


def _scene_planned(job: Job, e: ev.ScenePlanned) -> Changes:
    if not 0 <= e.scene <= len(job.scenes):
        raise IllegalTransition(f"scene {e.scene} was planned before scene {len(job.scenes)}")
    scene = Scene(e.run, e.title, e.start_cells, e.duration_cells, e.spec, e.narration)
    return {"scenes": (*job.scenes[: e.scene], scene, *job.scenes[e.scene + 1 :])}


def _with_scene(job: Job, index: int, **changes: Any) -> Changes:
    if not 0 <= index < len(job.scenes):
        raise IllegalTransition(f"scene {index} was never planned")
    scene = attrs_evolve(job.scenes[index], **changes)
    return {"scenes": (*job.scenes[:index], scene, *job.scenes[index + 1 :])}


def _scene_rendered(job: Job, e: ev.SceneRendered) -> Changes:
    return _with_scene(job, e.scene, status=SceneStatus.RENDERED, rendered=e.renditions)


def _scene_uploaded(job: Job, e: ev.SceneUploaded) -> Changes:
    return _with_scene(job, e.scene, status=SceneStatus.UPLOADED, uploaded=e.renditions)


def _video_generated(job: Job, e: ev.VideoGenerated) -> Changes:
    return {"videos": e.videos, "thumbnails": e.thumbnails}


def _deliverables_uploaded(job: Job, e: ev.DeliverablesUploaded) -> Changes:
    return {"deliverables_uploaded": True, "uploaded_videos": e.videos, "uploaded_thumbnails": e.thumbnails}


def _video_published(job: Job, e: ev.VideoPublished) -> Changes:
    return {"published": Publication(e.metadata_version, job.uploaded_videos, job.uploaded_thumbnails, e.metadata)}


def _step_degraded(job: Job, e: ev.StepDegraded) -> Changes:
    return {"degraded": (*job.degraded, e.reason)}


def _upload_fell_back(job: Job, e: ev.UploadFellBack) -> Changes:
    note = f"{e.step.value} fell back to local storage: {e.reason}"
    return {} if note in job.degraded else {"degraded": (*job.degraded, note)}


def _step_failed(job: Job, e: ev.StepFailed) -> Changes:
    final = e.retry_at is None
    attempts = (*job.attempts, FailedAttempt(e.step, e.scene, e.run, e.failure, final))
    changes: Changes = {"attempts": attempts}
    if job.parked:  # it was redriven, or given up
        changes["parked"] = tuple(p for p in job.parked if p != Work(e.step, e.scene, e.run))
    if final and e.scene is not None and job.scene(e.scene, e.run):
        changes |= _with_scene(job, e.scene, status=SceneStatus.FAILED)
    return changes


def _step_parked(job: Job, e: ev.StepParked) -> Changes:
    return {"parked": (*job.parked, Work(e.step, e.scene, e.run))}


def _job_failed(job: Job, e: ev.JobFailed) -> Changes:
    return {"failure": e}


_EVOLVERS: dict[type[ev.Event], Callable[[Job, Any], Changes]] = {
    ev.ScriptPlanned: _script_planned,
    ev.ScenePlanned: _scene_planned,
    ev.SceneRendered: _scene_rendered,
    ev.SceneUploaded: _scene_uploaded,
    ev.VideoGenerated: _video_generated,
    ev.DeliverablesUploaded: _deliverables_uploaded,
    ev.VideoPublished: _video_published,
    ev.StepDegraded: _step_degraded,
    ev.UploadFellBack: _upload_fell_back,
    ev.StepFailed: _step_failed,
    ev.StepParked: _step_parked,
    ev.JobFailed: _job_failed,
}


def evolve(job: Job | None, event: ev.Event) -> Job:
    """The job after `event`. Raises IllegalTransition where the event can't follow."""
    if job is None:
        if isinstance(event, ev.VideoRequested):
            return Job(request=event.request)
        raise IllegalTransition(f"a job can't begin with {type(event).__name__}")
    phase = TRANSITIONS[job.phase].get(type(event))
    if phase is None:
        raise IllegalTransition(f"{type(event).__name__} can't follow while the job is {job.phase.value}")
    if isinstance(event, ev.ReprocessRequested):  # everything begins anew, only the publication stays served
        return Job(request=job.request, run=event.run, published=job.published)
    evolver = _EVOLVERS.get(type(event))
    changes = evolver(job, event) if evolver else {}
    return _changed(job, {"phase": phase, **changes})


def fold(events: Iterable[ev.Event], job: Job | None = None) -> Job | None:
    for event in events:
        job = evolve(job, event)
    return job
