"""`evolve`: how each event changes the state of a job. `fold` applies a whole history.

The job: its state, and `evolve`, by which events change it.

Rule 1: a job is nothing but the fold of its events. `evolve` reads no clock and does no I/O.
Rule 2: an event that `TRANSITIONS` doesn't list for a phase can't happen in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from eventflow.domain import deletion, relocation
from eventflow.domain import events as ev
from eventflow.domain._records import copy, replace, update_draft
from eventflow.domain.errors import IllegalTransition
from eventflow.domain.state import FINISHED, FailedAttempt, Job, Phase, Publication, Scene, SceneStatus
from eventflow.domain.transitions import TRANSITIONS
from eventflow.domain.values import Companions, ReprocessFrom, ReusableScene, Work

__all__ = [
    "FINISHED",
    "TRANSITIONS",
    "FailedAttempt",
    "Job",
    "Phase",
    "Publication",
    "Scene",
    "SceneStatus",
    "apply_in_place",
    "evolve",
    "fold",
]


#: What an event changes: fields of Job by name. `advance` adds the phase.
Changes = dict[str, Any]


def _script_planned(job: Job, e: ev.ScriptPlanned) -> Changes:
    return {"title": e.title, "scene_count": e.scene_count, "plan": e.plan, "qualities": e.qualities}


def _scene_planned(job: Job, e: ev.ScenePlanned | ev.SceneReused) -> Changes:
    if not 0 <= e.scene <= len(job.scenes):
        raise IllegalTransition(f"scene {e.scene} was planned before scene {len(job.scenes)}")
    scene = Scene(e.run, e.title, e.start_cells, e.duration_cells, e.spec, e.narration, source=e.source)
    if isinstance(e, ev.SceneReused):
        status = SceneStatus.UPLOADED if e.uploaded else SceneStatus.RENDERED
        scene = replace(scene, {"status": status, "rendered": e.renditions, "uploaded": e.uploaded})
    return {"scenes": (*job.scenes[: e.scene], scene, *job.scenes[e.scene + 1 :])}


def _with_scene(job: Job, index: int, **changes: Any) -> Changes:
    if not 0 <= index < len(job.scenes):
        raise IllegalTransition(f"scene {index} was never planned")
    scene = replace(job.scenes[index], changes)
    return {"scenes": (*job.scenes[:index], scene, *job.scenes[index + 1 :])}


def _scene_rendered(job: Job, e: ev.SceneRendered) -> Changes:
    return _with_scene(job, e.scene, run=e.run, status=SceneStatus.RENDERED, rendered=e.renditions)


def _scene_uploaded(job: Job, e: ev.SceneUploaded) -> Changes:
    return _with_scene(job, e.scene, status=SceneStatus.UPLOADED, uploaded=e.renditions)


def _scene_skipped(job: Job, e: ev.SceneSkipped) -> Changes:
    note = f"scene {e.scene} was left out: {e.failure.message}"
    return {**_with_scene(job, e.scene, status=SceneStatus.SKIPPED), "degraded": (*job.degraded, note)}


def _video_generated(job: Job, e: ev.VideoGenerated) -> Changes:
    made = {"videos": e.videos, "thumbnails": e.thumbnails, "captions": e.captions, "companions": e.companions}
    return {**made, "deliverables_uploaded": False}


def _deliverables_uploaded(job: Job, e: ev.DeliverablesUploaded) -> Changes:
    return {
        "deliverables_uploaded": True,
        "uploaded_videos": e.videos,
        "uploaded_thumbnails": e.thumbnails,
        "uploaded_captions": e.captions,
        "uploaded_companions": e.companions,
    }


def _video_published(job: Job, e: ev.VideoPublished) -> Changes:
    files = (job.uploaded_videos, job.uploaded_thumbnails)
    return {
        "published": Publication(e.metadata_version, *files, e.metadata, job.uploaded_captions, job.uploaded_companions)
    }


def _step_degraded(job: Job, e: ev.StepDegraded) -> Changes:
    return {"degraded": (*job.degraded, e.reason)}


def _upload_fell_back(job: Job, e: ev.UploadFellBack) -> Changes:
    note = f"{e.step.value} {relocation.FELL_BACK}: {e.reason}"
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
    work = Work(e.step, e.scene, e.run)
    return {} if work in job.parked else {"parked": (*job.parked, work)}


def _job_failed(job: Job, e: ev.JobFailed) -> Changes:
    return {"failure": e}


_NO_VIDEO: Changes = {
    **dict.fromkeys(("videos", "thumbnails", "captions"), ()),
    **dict.fromkeys(("uploaded_videos", "uploaded_thumbnails", "uploaded_captions"), ()),
    **dict.fromkeys(("companions", "uploaded_companions"), Companions()),
    "deliverables_uploaded": False,
}


def _artefact_lost(job: Job, e: ev.ArtefactLost) -> Changes:
    """A new run of the job means that its video has to be made again. The events that follow say what is."""
    changes: Changes = {"run": e.run, "lost": (*job.lost, e.scene)}
    if e.scene is not None:
        if not 0 <= e.scene < len(job.scenes):
            raise IllegalTransition(f"scene {e.scene} was never planned")
        start = job.scenes[e.scene].start_cells
        changes["reusable"] = tuple(scene for scene in job.reusable if scene.start_cells != start)
    return changes if e.run == job.run else {**changes, **_NO_VIDEO}


def _reprocess_requested(job: Job, e: ev.ReprocessRequested) -> Changes:
    """What is reused stays as it is; events that follow say what is done again. The publication stays served."""
    everything = e.scenes is None and e.from_stage is not ReprocessFrom.METADATA
    changes: Changes = {
        "run": e.run,
        "attempts": (),
        "failure": None,
        "degraded": () if everything else job.degraded,
        "warnings": () if e.from_stage is ReprocessFrom.PLANNING else job.warnings,
    }
    changes["lost"] = () if job.finished else job.lost
    if e.from_stage in (ReprocessFrom.UPLOAD, ReprocessFrom.METADATA):
        return {**changes, "phase": Phase.UPLOADING}
    changes["streaming"] = False
    if e.from_stage is ReprocessFrom.RENDERING:
        return {**changes, **_NO_VIDEO, "phase": Phase.RENDERING}
    kept = _reusable(job, e.scenes) if e.scenes is not None else ()
    plan: Changes = {"title": "", "plan": None, "qualities": (), "scene_count": None, "scenes": (), "reusable": kept}
    return {**changes, **_NO_VIDEO, **plan}


def _reusable(job: Job, anew: tuple[int, ...]) -> tuple[ReusableScene, ...]:
    """What planning may reuse. One that was broken off hasn't come to all that was reusable before it."""
    found = [scene for i, s in enumerate(job.scenes) if i not in anew and (scene := s.reusable)]
    end = sum(s.duration_cells for s in job.scenes)
    return (*found, *(scene for scene in job.reusable if not job.finished and scene.start_cells >= end))


_EVOLVERS: dict[type[ev.Event], Callable[[Job, Any], Changes]] = {
    ev.ScriptPlanned: _script_planned,
    ev.ScenePlanned: _scene_planned,
    ev.SceneRendered: _scene_rendered,
    ev.SceneReused: _scene_planned,
    ev.SceneUploaded: _scene_uploaded,
    ev.SceneSkipped: _scene_skipped,
    ev.VideoGenerated: _video_generated,
    ev.DeliverablesUploaded: _deliverables_uploaded,
    ev.VideoPublished: _video_published,
    ev.StreamStarted: lambda job, e: {"streaming": True},
    ev.StepDegraded: _step_degraded,
    ev.UploadFellBack: _upload_fell_back,
    ev.WarningRaised: lambda job, e: {"warnings": (*job.warnings, e)},
    ev.RemoteWorkStarted: lambda job, e: {"remote": (*job.remote, e)},
    ev.CostRecorded: lambda job, e: {"costs": (*job.costs, e)},
    ev.StepFailed: _step_failed,
    ev.StepParked: _step_parked,
    ev.JobFailed: _job_failed,
    ev.ArtefactLost: _artefact_lost,
    ev.ReprocessRequested: _reprocess_requested,
    ev.JobDeleted: deletion.deleted,
    ev.VideoRelocated: relocation.relocated,
}


def _first(event: ev.Event) -> Job:
    if isinstance(event, ev.VideoRequested):
        origin = event.fork_of
        return Job(request=event.request, reusable=origin.scenes if origin else ())
    raise IllegalTransition(f"a job can't begin with {type(event).__name__}")


def apply_in_place(draft: Job, event: ev.Event) -> None:
    """Make of `draft`, which nobody else may know yet, the job after `event`. Raises as `evolve` does."""
    phase = TRANSITIONS[draft.phase].get(type(event))
    if phase is None:
        raise IllegalTransition(f"{type(event).__name__} can't follow while the job is {draft.phase.value}")
    evolver = _EVOLVERS.get(type(event))
    changes = evolver(draft, event) if evolver else {}  # of the phase before
    update_draft(draft, {"phase": phase, **changes} if changes else {"phase": phase})


def evolve(job: Job | None, event: ev.Event) -> Job:
    """The job after `event`. Raises IllegalTransition where the event can't follow."""
    if job is None:
        return _first(event)
    after = copy(job)
    apply_in_place(after, event)
    return after


def fold(events: Iterable[ev.Event], job: Job | None = None) -> Job | None:
    """What `evolve` makes of one event after the other, by way of a single draft. Raises as it does."""
    coming = iter(events)
    for event in coming:
        job = evolve(job, event)  # the first copy, or the first job, is nobody else's
        for later in coming:
            apply_in_place(job, later)
    return job
