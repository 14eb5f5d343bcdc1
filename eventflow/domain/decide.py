"""`decide`: the events that follow from a command, given the job as it stands. Pure.

A handler's command may be out of date: its scene has a newer run, another worker has done the work, or the job has
ended. Such a command decides nothing (an empty list), which makes redelivered entries and workers with a lost lease
harmless. A requester's command that can't be met raises a DomainError, as does a handler's that could never be right (a
gap between scenes): that is a defect, which mustn't pass in silence. Notes of a step about itself (a fallback, a
degradation) have to precede the command that finishes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from eventflow.domain import commands as cmd
from eventflow.domain import deletion, relocation, reprocess
from eventflow.domain import events as ev
from eventflow.domain.errors import AlreadyFinished, IllegalTransition, JobExists, JobMissing, NotFinished
from eventflow.domain.evolve import apply_in_place, evolve
from eventflow.domain.remote_orders import last_order
from eventflow.domain.state import Job, Phase, SceneStatus
from eventflow.domain.values import Failure, FailureCategory, OnSceneFailure, Step, Work
from eventflow.domain.work import still_due, unattended

Events = list[ev.Event]

#: Times that a scene's files, the plan or the video may be lost in a run; after that something deletes them.
MAX_LOSSES = 3
#: Most warnings of a job: a script with a thousand missing glyphs needs no warning for each.
MAX_WARNINGS = 100


def decide(job: Job | None, command: cmd.Command) -> Events:
    """Return the events that follow from `command`. Raises DomainError if a requester's command can't be met."""
    if isinstance(command, cmd.RequestVideo):
        if job is not None:
            raise JobExists("a job with this id exists already")
        return [ev.VideoRequested(command.request, command.fork_of)]
    if job is None:
        raise JobMissing("no job has this id")
    return _DECIDERS[type(command)](job, command)


def decide_all(job: Job | None, commands: Iterable[cmd.Command]) -> tuple[Events, Job | None]:
    """Decide `commands` in order, each on the job after the one before; return the events and the job after all."""
    events: Events = []
    after = job
    for command in commands:
        for event in decide(after, command):
            if after is None or after is job:
                after = evolve(job, event)
            else:  # a copy that nobody else knows
                apply_in_place(after, event)
            events.append(event)
    return events, after


def _current(job: Job, run: int) -> bool:
    return job.active and job.run == run


def _start_planning(job: Job, c: cmd.StartPlanning) -> Events:
    can_plan = job.phase in (Phase.REQUESTED, Phase.PLANNING, Phase.RENDERING)
    if not _current(job, c.run) or not can_plan or job.all_scenes_planned:
        return []
    return [ev.PlanningStarted(c.run)]


def _announce_script(job: Job, c: cmd.AnnounceScript) -> Events:
    if not _current(job, c.run) or job.phase is not Phase.PLANNING or job.scene_count is not None:
        return []
    if c.scene_count < 1:
        raise IllegalTransition("a script has at least one scene")
    return [ev.ScriptPlanned(run=c.run, title=c.title, scene_count=c.scene_count, plan=c.plan, qualities=c.qualities)]


def _plan_scene(job: Job, c: cmd.PlanScene) -> Events:
    if not _is_next(job, c):
        return []
    return [
        ev.ScenePlanned(
            scene=c.scene,
            run=c.run,
            title=c.title,
            start_cells=c.start_cells,
            duration_cells=c.duration_cells,
            spec=c.spec,
            narration=c.narration,
            source=c.source,
        )
    ]


def _reuse_scene(job: Job, c: cmd.ReuseScene) -> Events:
    if not _is_next(job, c):
        return []
    scene = c.reusable
    reused = ev.SceneReused(
        scene=c.scene,
        run=c.run,
        title=c.title,
        start_cells=scene.start_cells,
        duration_cells=scene.duration_cells,
        spec=scene.spec,
        narration=scene.narration,
        source=scene.source,
        renditions=scene.rendered,
        uploaded=scene.uploaded,
    )
    after = evolve(job, reused)
    return [reused, *reprocess.stream_started(after), *reprocess.scenes_completed(after), *_failure_complete(after)]


def _is_next(job: Job, c: cmd.PlanScene | cmd.ReuseScene) -> bool:
    """Whether the scene is the next to be planned, and not planned yet. Raises IllegalTransition for a gap."""
    can_plan = job.phase in (Phase.PLANNING, Phase.RENDERING)
    if not _current(job, c.run) or not can_plan or c.scene < len(job.scenes):
        return False
    if c.scene > len(job.scenes) or c.scene >= (job.scene_count or 0):
        raise IllegalTransition(
            f"scene {c.scene} can't be planned: scene {len(job.scenes)} of {job.scene_count or 0} is next"
        )
    return True


def _finish_scene(job: Job, c: cmd.FinishScene) -> Events:
    scene = job.scene(c.scene, c.run)
    if not job.active or scene is None or scene.status is not SceneStatus.PLANNED:
        return []
    rendered = ev.SceneRendered(scene=c.scene, run=c.run, renditions=c.renditions)
    return [rendered, *reprocess.scenes_completed(evolve(job, rendered))]


def _finish_scene_upload(job: Job, c: cmd.FinishSceneUpload) -> Events:
    scene = job.scene(c.scene, c.run)
    if not job.active or scene is None or scene.status is not SceneStatus.RENDERED:
        return []
    uploaded = ev.SceneUploaded(scene=c.scene, run=c.run, renditions=c.renditions)
    after = evolve(job, uploaded)
    return [uploaded, *reprocess.stream_started(after), *(_all_uploaded(after) or _failure_complete(after))]


def _all_uploaded(job: Job) -> Events:
    """Return VideoUploaded if all uploads are done."""
    done = job.deliverables_uploaded and job.scenes_are(SceneStatus.UPLOADED, SceneStatus.SKIPPED)
    return [ev.VideoUploaded(job.run)] if done and job.phase is Phase.UPLOADING else []


def _finish_video(job: Job, c: cmd.FinishVideo) -> Events:
    in_one_piece = job.phase in (Phase.REQUESTED, Phase.PLANNING) and job.scene_count is None
    if not _current(job, c.run) or not (in_one_piece or job.phase is Phase.ASSEMBLING):
        return []
    return [
        ev.VideoGenerated(
            run=c.run, videos=c.videos, thumbnails=c.thumbnails, captions=c.captions, companions=c.companions
        )
    ]


def _finish_upload(job: Job, c: cmd.FinishUpload) -> Events:
    if not _current(job, c.run) or job.phase is not Phase.UPLOADING or job.deliverables_uploaded:
        return []
    uploaded = ev.DeliverablesUploaded(
        run=c.run, videos=c.videos, thumbnails=c.thumbnails, captions=c.captions, companions=c.companions
    )
    return [uploaded, *_all_uploaded(evolve(job, uploaded))]


def _publish_video(job: Job, c: cmd.PublishVideo) -> Events:
    if not _current(job, c.run) or job.phase is not Phase.EXTRACTING:
        return []
    version = job.published.version + 1 if job.published else 1
    return [ev.VideoPublished(c.run, version, c.metadata)]


def _record_fallback(job: Job, c: cmd.RecordFallback) -> Events:
    if not still_due(job, Work(step=c.step, scene=c.scene, run=c.run)):
        return []
    return [
        ev.UploadFellBack(run=c.run, step=c.step, scene=c.scene, key=c.key, reason=c.reason, retry_count=c.retry_count)
    ]


def _record_degradation(job: Job, c: cmd.RecordDegradation) -> Events:
    due = still_due(job, Work(step=c.step, scene=None, run=c.run))
    return [ev.StepDegraded(c.run, c.step, c.reason)] if due else []


def _record_warning(job: Job, c: cmd.RecordWarning) -> Events:
    """Record a warning once: each attempt of a step raises the same."""
    warning = ev.WarningRaised(run=c.run, step=c.step, scene=c.scene, code=c.code, message=c.message)
    known = any((w.scene, w.code, w.message) == (c.scene, c.code, c.message) for w in job.warnings)
    wanted = not known and len(job.warnings) < MAX_WARNINGS
    return [warning] if wanted and still_due(job, _work_of_note(c)) else []


def _work_of_note(c: cmd.RecordWarning) -> Work:
    """Return the work that raised the warning: planning warns of scenes, too."""
    return Work(step=c.step, scene=None if c.step is Step.PLAN else c.scene, run=c.run)


def _record_remote_order(job: Job, c: cmd.RecordRemoteOrder) -> Events:
    """Record an order once until it is answered: it may be sent again under the same key."""
    last = last_order(job.remote, c.scene)
    known = last is not None and last.open and (last.run, last.order) == (c.run, c.order)
    ordered = ev.RemoteWorkOrdered(
        run=c.run, scene=c.scene, service=c.service, order=c.order, request=c.request, ordered_at=c.ordered_at
    )
    return [ordered] if _renders(job, c.scene, c.run) and not known else []


def _record_remote_work(job: Job, c: cmd.RecordRemoteWork) -> Events:
    started = ev.RemoteWorkStarted(run=c.run, scene=c.scene, service=c.service, remote_id=c.remote_id)
    known = any(
        (order.run, order.scene, order.service, order.remote_id) == (c.run, c.scene, c.service, c.remote_id)
        for order in job.remote
    )
    return [started] if _renders(job, c.scene, c.run) and not known else []


def _record_remote_end(job: Job, c: cmd.RecordRemoteEnd) -> Events:
    last = last_order(job.remote, c.scene)
    ended = ev.RemoteWorkEnded(run=c.run, scene=c.scene, service=c.service, outcome=c.outcome, answer=c.answer)
    return [ended] if last is not None and last.outcome is None and _renders(job, c.scene, c.run) else []


def _replace_narrator(job: Job, c: cmd.ReplaceNarrator) -> Events:
    due = still_due(job, Work(step=Step.PLAN, scene=None, run=c.run))
    return reprocess.narrator_replaced(job, c) if due and not job.substitute else []


def _renders(job: Job, scene: int, run: int) -> bool:
    return still_due(job, Work(step=Step.RENDER_SCENE, scene=scene, run=run))


def _record_cost(job: Job, c: cmd.RecordCost) -> Events:
    """Record a charge once for each reference: each attempt of a step reports the same charge."""
    known = c.reference and any((each.service, each.reference) == (c.service, c.reference) for each in job.costs)
    return (
        []
        if known
        else [
            ev.CostRecorded(
                run=c.run, scene=c.scene, service=c.service, amount=c.amount, currency=c.currency, reference=c.reference
            )
        ]
    )


def _fail_step(job: Job, c: cmd.FailStep) -> Events:
    if not still_due(job, Work(step=c.step, scene=c.scene, run=c.run)):
        return []
    attempt = job.failed_attempts(c.step, c.scene, c.run) + 1
    may_retry = c.failure.category is not FailureCategory.INITIALIZATION
    retry_at = c.retry_at if may_retry and attempt <= job.request.retry_attempts else None
    failed = ev.StepFailed(step=c.step, scene=c.scene, run=c.run, failure=c.failure, attempt=attempt, retry_at=retry_at)
    if retry_at is not None:
        return [failed]
    if c.scene is None or c.failure.category is FailureCategory.INITIALIZATION:
        return [failed, ev.JobFailed(run=job.run, failure=c.failure, step=c.step, scene=c.scene, attempts=attempt)]
    if job.request.on_scene_failure is OnSceneFailure.SKIP:
        return [failed, *_skip(evolve(job, failed), c.scene, c.run, c.failure)]
    return [failed, *_failure_complete(evolve(job, failed))]


def _skip(job: Job, scene: int, run: int, failure: Failure) -> Events:
    """Skip the scene, and continue with the work that waited for it alone."""
    skipped = ev.SceneSkipped(scene=scene, run=run, failure=failure)
    after = evolve(job, skipped)
    if after.all_scenes_planned and not after.shown_scenes:
        return [skipped, *_failure_complete(after)]
    started = reprocess.stream_started(after)
    if after.phase is Phase.RENDERING:
        return [skipped, *started, *reprocess.scenes_completed(after)]
    return [skipped, *started, *_all_uploaded(after)]


def _dead_letter_step(job: Job, c: cmd.DeadLetterStep) -> Events:
    due = still_due(job, Work(step=c.step, scene=c.scene, run=c.run))
    return [ev.StepParked(step=c.step, scene=c.scene, run=c.run, reason=c.reason)] if due else []


def _failure_complete(job: Job) -> Events:
    """Return JobFailed if a scene has failed for good and no other is being worked on."""
    settled = job.scenes_are(SceneStatus.UPLOADED, SceneStatus.FAILED, SceneStatus.SKIPPED)
    if not settled or (job.shown_scenes and not any(s.status is SceneStatus.FAILED for s in job.scenes)):
        return []
    last = next((a for a in job.attempts if a.final and a.scene is not None), None)
    if last is None:
        return []
    attempts = job.failed_attempts(last.step, last.scene, last.run)
    return [ev.JobFailed(run=job.run, failure=last.failure, step=last.step, scene=last.scene, attempts=attempts)]


def _request_cancellation(job: Job, c: cmd.RequestCancellation) -> Events:
    deletion.refuse_gone(job)
    if job.finished:
        raise AlreadyFinished(f"the job is {job.phase.value} already")
    if job.phase is Phase.CANCELLING:
        return []
    requested = ev.CancellationRequested(c.reason)
    # If no step has begun, or only dead letters and delayed retries remain, there may be no worker to confirm. A worker
    # that still runs a step of the job is stopped by the end of the job as it would be by the request.
    nobody = job.phase is Phase.REQUESTED or unattended(job)
    return [requested, ev.JobCancelled(job.run)] if nobody else [requested]


def _confirm_cancellation(job: Job, c: cmd.ConfirmCancellation) -> Events:
    return [ev.JobCancelled(job.run)] if job.phase is Phase.CANCELLING else []


def _request_reprocess(job: Job, c: cmd.RequestReprocess) -> Events:
    deletion.refuse_gone(job)
    if not job.finished:
        raise NotFinished(f"the job is {job.phase.value}; cancel it or wait for its end")
    return reprocess.reprocess(job, c)


def _report_lost_artefact(job: Job, c: cmd.ReportLostArtefact) -> Events:
    if not still_due(job, Work(step=c.step, scene=c.scene, run=c.run)):
        return []
    again = reprocess.lost(job, c)
    lost = [event.scene for event in again if isinstance(event, ev.ArtefactLost)]
    if all(job.lost.count(scene) < MAX_LOSSES for scene in lost):
        return again
    message = f"{c.keys[0]} is gone from its store, as were {MAX_LOSSES} files before it: does something clear it?"
    failure = Failure(FailureCategory.RESOURCE, "artefact_lost", message)
    return _fail_step(job, cmd.FailStep(step=c.step, scene=c.scene, run=c.run, failure=failure, retry_at=None))


_DECIDERS: dict[type[Any], Callable[[Job, Any], Events]] = {
    cmd.StartPlanning: _start_planning,
    cmd.AnnounceScript: _announce_script,
    cmd.PlanScene: _plan_scene,
    cmd.ReuseScene: _reuse_scene,
    cmd.FinishScene: _finish_scene,
    cmd.FinishSceneUpload: _finish_scene_upload,
    cmd.FinishVideo: _finish_video,
    cmd.FinishUpload: _finish_upload,
    cmd.PublishVideo: _publish_video,
    cmd.RecordFallback: _record_fallback,
    cmd.RecordDegradation: _record_degradation,
    cmd.RecordWarning: _record_warning,
    cmd.RecordRemoteOrder: _record_remote_order,
    cmd.RecordRemoteWork: _record_remote_work,
    cmd.RecordRemoteEnd: _record_remote_end,
    cmd.ReplaceNarrator: _replace_narrator,
    cmd.RecordCost: _record_cost,
    cmd.FailStep: _fail_step,
    cmd.DeadLetterStep: _dead_letter_step,
    cmd.RequestCancellation: _request_cancellation,
    cmd.ConfirmCancellation: _confirm_cancellation,
    cmd.RequestReprocess: _request_reprocess,
    cmd.ReportLostArtefact: _report_lost_artefact,
    cmd.RequestDeletion: deletion.request_deletion,
    cmd.ConfirmDeletion: deletion.confirm_deletion,
    cmd.RelocateFiles: relocation.relocate_files,
}
