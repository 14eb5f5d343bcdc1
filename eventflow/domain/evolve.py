"""`evolve`: the state of a job after one more event. `fold` applies a whole history.

Rule 1: a job is nothing but the fold of its events. `evolve` reads no clock and does no I/O.
Rule 2: an event that `TRANSITIONS` doesn't list for a phase can't happen in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from eventflow.domain import events as ev
from eventflow.domain._records import copy, replace, update_draft
from eventflow.domain.deletion import forget_files
from eventflow.domain.errors import IllegalTransition
from eventflow.domain.relocation import move_files
from eventflow.domain.remote_orders import RemoteOrder, last_order, with_last, without_used
from eventflow.domain.state import FailedAttempt, Job, Phase, Publication, Scene, SceneStatus
from eventflow.domain.transitions import TRANSITIONS
from eventflow.domain.values import NO_COMPANIONS, ReprocessFrom, ReusableScene, Work


def evolve(job: Job | None, event: ev.Event) -> Job:
    """Return the job after `event`. Raises IllegalTransition if the event can't follow."""
    if job is None:
        return _first(event)
    after = copy(job)
    apply_in_place(after, event)
    return after


def fold(events: Iterable[ev.Event], job: Job | None = None) -> Job | None:
    """Apply `events` in order to `job` (None: no event yet), by way of a single draft. Raises as `evolve` does."""
    remaining = iter(events)
    for event in remaining:
        job = evolve(job, event)  # a new job, which nobody else knows yet: the draft
        for later in remaining:
            apply_in_place(job, later)
    return job


def apply_in_place(draft: Job, event: ev.Event) -> None:
    """Turn `draft`, which nobody else may know yet, into the job after `event`. Raises as `evolve` does."""
    kind = type(event)
    phase = TRANSITIONS[draft.phase].get(kind)
    if phase is None:
        raise IllegalTransition(f"{kind.__name__} can't follow while the job is {draft.phase.value}")
    change = _CHANGES.get(kind)
    if change is not None:
        phase = change(draft, event) or phase
    if phase is not draft.phase:
        update_draft(draft, phase=phase)


def _first(event: ev.Event) -> Job:
    if isinstance(event, ev.VideoRequested):
        origin = event.fork_of
        return Job(request=event.request, reusable=origin.scenes if origin else ())
    raise IllegalTransition(f"a job can't begin with {type(event).__name__}")


def _script_planned(draft: Job, e: ev.ScriptPlanned) -> None:
    update_draft(draft, title=e.title, scene_count=e.scene_count, plan=e.plan, qualities=e.qualities)


def _scene_planned(draft: Job, e: ev.ScenePlanned) -> None:
    _put(draft, e.scene, _planned(e))


def _scene_reused(draft: Job, e: ev.SceneReused) -> None:
    status = SceneStatus.UPLOADED if e.uploaded else SceneStatus.RENDERED
    _put(draft, e.scene, update_draft(_planned(e), status=status, rendered=e.renditions, uploaded=e.uploaded))


def _planned(e: ev.ScenePlanned | ev.SceneReused) -> Scene:
    return Scene(
        run=e.run,
        title=e.title,
        start_cells=e.start_cells,
        duration_cells=e.duration_cells,
        spec=e.spec,
        narration=e.narration,
        source=e.source,
    )


def _put(draft: Job, index: int, scene: Scene) -> None:
    """Make `scene` the job's scene `index`: in place of the present one, or as the next."""
    scenes = draft.scenes
    if not 0 <= index <= len(scenes):
        raise IllegalTransition(f"scene {index} was planned before scene {len(scenes)}")
    update_draft(draft, scenes=(*scenes[:index], scene, *scenes[index + 1 :]))


def _scene(job: Job, index: int) -> Scene:
    if not 0 <= index < len(job.scenes):
        raise IllegalTransition(f"scene {index} was never planned")
    return job.scenes[index]


def _scene_rendered(draft: Job, e: ev.SceneRendered) -> None:
    scene = replace(_scene(draft, e.scene), run=e.run, status=SceneStatus.RENDERED, rendered=e.renditions)
    _put(draft, e.scene, scene)
    if draft.remote and (order := last_order(draft.remote, e.scene)):
        update_draft(draft, remote=with_last(draft.remote, replace(order, used=True)))


def _scene_uploaded(draft: Job, e: ev.SceneUploaded) -> None:
    _put(draft, e.scene, replace(_scene(draft, e.scene), status=SceneStatus.UPLOADED, uploaded=e.renditions))


def _scene_skipped(draft: Job, e: ev.SceneSkipped) -> None:
    _put(draft, e.scene, replace(_scene(draft, e.scene), status=SceneStatus.SKIPPED))
    update_draft(draft, degraded=(*draft.degraded, f"scene {e.scene} was left out: {e.failure.message}"))


def _video_generated(draft: Job, e: ev.VideoGenerated) -> None:
    update_draft(
        draft,
        videos=e.videos,
        thumbnails=e.thumbnails,
        captions=e.captions,
        companions=e.companions,
        deliverables_uploaded=False,
    )


def _deliverables_uploaded(draft: Job, e: ev.DeliverablesUploaded) -> None:
    update_draft(
        draft,
        deliverables_uploaded=True,
        uploaded_videos=e.videos,
        uploaded_thumbnails=e.thumbnails,
        uploaded_captions=e.captions,
        uploaded_companions=e.companions,
    )


def _video_published(draft: Job, e: ev.VideoPublished) -> None:
    published = Publication(
        version=e.metadata_version,
        videos=draft.uploaded_videos,
        thumbnails=draft.uploaded_thumbnails,
        metadata=e.metadata,
        captions=draft.uploaded_captions,
        companions=draft.uploaded_companions,
    )
    update_draft(draft, published=published)


def _stream_started(draft: Job, e: ev.StreamStarted) -> None:
    update_draft(draft, streaming=True)


def _step_degraded(draft: Job, e: ev.StepDegraded) -> None:
    update_draft(draft, degraded=(*draft.degraded, e.reason))


def _upload_fell_back(draft: Job, e: ev.UploadFellBack) -> None:
    """Note a fallback once: every scene of an outage reports the same."""
    note = f"{e.step.value} fell back to local storage: {e.reason}"
    if note not in draft.degraded:
        update_draft(draft, degraded=(*draft.degraded, note), fallback_notes=(*draft.fallback_notes, note))


def _warning_raised(draft: Job, e: ev.WarningRaised) -> None:
    update_draft(draft, warnings=(*draft.warnings, e))


def _remote_work_ordered(draft: Job, e: ev.RemoteWorkOrdered) -> None:
    order = RemoteOrder(
        run=e.run, scene=e.scene, service=e.service, order=e.order, request=e.request, ordered_at=e.ordered_at
    )
    update_draft(draft, remote=(*draft.remote, order))


def _remote_work_started(draft: Job, e: ev.RemoteWorkStarted) -> None:
    """Note the id of the order that waits for one. Version 0.1 and plug-ins record nothing before they order."""
    last = last_order(draft.remote, e.scene)
    if last is not None and last.open and last.run == e.run:
        update_draft(draft, remote=with_last(draft.remote, replace(last, remote_id=e.remote_id)))
        return
    started = RemoteOrder(run=e.run, scene=e.scene, service=e.service, remote_id=e.remote_id)
    update_draft(draft, remote=(*draft.remote, started))


def _remote_work_ended(draft: Job, e: ev.RemoteWorkEnded) -> None:
    if last := last_order(draft.remote, e.scene):
        ended = replace(last, outcome=e.outcome, answer=e.answer)
        update_draft(draft, remote=with_last(draft.remote, ended))


def _narrator_replaced(draft: Job, e: ev.NarratorReplaced) -> None:
    update_draft(draft, substitute=e.instead)


def _cost_recorded(draft: Job, e: ev.CostRecorded) -> None:
    update_draft(draft, costs=(*draft.costs, e))


def _step_failed(draft: Job, e: ev.StepFailed) -> None:
    final = e.retry_at is None
    attempt = FailedAttempt(step=e.step, scene=e.scene, run=e.run, failure=e.failure, final=final)
    update_draft(draft, attempts=(*draft.attempts, attempt))
    if draft.dead_letters:  # this one was redriven, or dropped by an operator
        work = Work(step=e.step, scene=e.scene, run=e.run)
        update_draft(draft, dead_letters=tuple(each for each in draft.dead_letters if each != work))
    if final and e.scene is not None and (scene := draft.scene(e.scene, e.run)):
        _put(draft, e.scene, replace(scene, status=SceneStatus.FAILED))


def _step_parked(draft: Job, e: ev.StepParked) -> None:
    work = Work(step=e.step, scene=e.scene, run=e.run)
    if work not in draft.dead_letters:
        update_draft(draft, dead_letters=(*draft.dead_letters, work))


def _job_failed(draft: Job, e: ev.JobFailed) -> None:
    update_draft(draft, failure=e)


def _artefact_lost(draft: Job, e: ev.ArtefactLost) -> None:
    """Begin a run of the whole video if the event names one; the events that follow say which scenes are rendered."""
    if e.scene is not None:
        start = _scene(draft, e.scene).start_cells
        update_draft(draft, reusable=tuple(scene for scene in draft.reusable if scene.start_cells != start))
    update_draft(draft, lost=(*draft.lost, e.scene))
    if e.run != draft.run:
        update_draft(draft, run=e.run)
        _drop_video(draft)


def _reprocess_requested(draft: Job, e: ev.ReprocessRequested) -> Phase:
    """Begin a run from a stage; results of earlier stages are reused, and the published video stays available.

    Returns the phase of that stage. The events that follow say which work is done.
    """
    if e.scenes is None and e.from_stage is not ReprocessFrom.METADATA:
        update_draft(draft, degraded=(), fallback_notes=())
    if draft.finished:
        update_draft(draft, lost=())
    update_draft(draft, run=e.run, attempts=(), failure=None)
    if e.from_stage in (ReprocessFrom.UPLOAD, ReprocessFrom.METADATA):
        return Phase.UPLOADING
    update_draft(draft, streaming=False, remote=without_used(draft.remote, e.scenes))
    _drop_video(draft)
    if e.from_stage is ReprocessFrom.RENDERING:
        return Phase.RENDERING
    if draft.finished:
        update_draft(draft, substitute="")
    reusable = _reusable(draft, e.scenes) if e.scenes is not None else ()
    update_draft(draft, title="", plan=None, qualities=(), scene_count=None, scenes=(), reusable=reusable, warnings=())
    return Phase.REQUESTED


def _drop_video(draft: Job) -> None:
    """Forget the assembled video and its uploads; the publication keeps the files of its own."""
    update_draft(
        draft,
        videos=(),
        thumbnails=(),
        captions=(),
        companions=NO_COMPANIONS,
        deliverables_uploaded=False,
        uploaded_videos=(),
        uploaded_thumbnails=(),
        uploaded_captions=(),
        uploaded_companions=NO_COMPANIONS,
    )


def _reusable(job: Job, excluded: tuple[int, ...]) -> tuple[ReusableScene, ...]:
    """Return the scenes that planning may reuse: all rendered ones but `excluded`.

    A job that was interrupted while it planned hasn't reached all that was reusable before: those count, too.
    """
    found = [scene for i, s in enumerate(job.scenes) if i not in excluded and (scene := s.reusable)]
    end = sum(s.duration_cells for s in job.scenes)
    return (*found, *(scene for scene in job.reusable if not job.finished and scene.start_cells >= end))


#: What each event changes besides the phase, given the job in its phase before. One that returns a phase overrides
#: that of `TRANSITIONS`. An event that isn't listed changes the phase at most.
_CHANGES: dict[type[ev.Event], Callable[[Job, Any], Phase | None]] = {
    ev.ScriptPlanned: _script_planned,
    ev.ScenePlanned: _scene_planned,
    ev.SceneRendered: _scene_rendered,
    ev.SceneReused: _scene_reused,
    ev.SceneUploaded: _scene_uploaded,
    ev.SceneSkipped: _scene_skipped,
    ev.VideoGenerated: _video_generated,
    ev.DeliverablesUploaded: _deliverables_uploaded,
    ev.VideoPublished: _video_published,
    ev.StreamStarted: _stream_started,
    ev.StepDegraded: _step_degraded,
    ev.UploadFellBack: _upload_fell_back,
    ev.WarningRaised: _warning_raised,
    ev.RemoteWorkOrdered: _remote_work_ordered,
    ev.RemoteWorkStarted: _remote_work_started,
    ev.RemoteWorkEnded: _remote_work_ended,
    ev.NarratorReplaced: _narrator_replaced,
    ev.CostRecorded: _cost_recorded,
    ev.StepFailed: _step_failed,
    ev.StepParked: _step_parked,
    ev.JobFailed: _job_failed,
    ev.ArtefactLost: _artefact_lost,
    ev.ReprocessRequested: _reprocess_requested,
    ev.JobDeleted: forget_files,
    ev.VideoRelocated: move_files,
}
