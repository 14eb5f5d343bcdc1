"""Which work an event calls for, and whether that work is still due.

Before it calls a handler, the consumer runtime asks `still_due` of the folded job: an entry that is delivered again
after its work was committed is settled without work.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eventflow.domain import events as ev
from eventflow.domain.state import Job, Phase, SceneStatus
from eventflow.domain.values import Step, Work

__all__ = ["Work", "dead_lettered_work", "still_due", "unattended", "work_of"]


_WORK: dict[type[ev.Event], Callable[[Any], Work]] = {
    ev.VideoRequested: lambda e: Work(step=Step.PLAN, scene=None, run=1),
    ev.ReprocessRequested: lambda e: Work(step=Step.PLAN, scene=None, run=e.run),
    ev.ScenePlanned: lambda e: Work(step=Step.RENDER_SCENE, scene=e.scene, run=e.run),
    ev.SceneRendered: lambda e: Work(step=Step.UPLOAD_SCENE, scene=e.scene, run=e.run),
    ev.SceneReused: lambda e: Work(step=Step.UPLOAD_SCENE, scene=e.scene, run=e.run),
    ev.ScenesCompleted: lambda e: Work(step=Step.ASSEMBLE, scene=None, run=e.run),
    ev.VideoGenerated: lambda e: Work(step=Step.UPLOAD_VIDEO, scene=None, run=e.run),
    ev.VideoUploaded: lambda e: Work(step=Step.EXTRACT_METADATA, scene=None, run=e.run),
}

_PLANNABLE = (Phase.REQUESTED, Phase.PLANNING, Phase.RENDERING)
#: The status of a scene for which the step is due.
_SCENE_STEPS = {Step.RENDER_SCENE: SceneStatus.PLANNED, Step.UPLOAD_SCENE: SceneStatus.RENDERED}


def work_of(event: ev.Event) -> Work | None:
    """Return the work that `event` calls for, or None."""
    describe = _WORK.get(type(event))
    return describe(event) if describe else None


def dead_lettered_work(job: Job) -> list[Work]:
    """Return the work that is due and whose delivery is dead-lettered: it waits for an operator."""
    return [work for work in job.dead_letters if still_due(job, work)]


def unattended(job: Job) -> bool:
    """Whether no consumer may hold a delivery of the job: it is dead-lettered, or delayed until its retry is due."""
    delayed = (Work(step=a.step, scene=a.scene, run=a.run) for a in job.attempts if not a.final)
    return bool(dead_lettered_work(job)) or any(still_due(job, work) for work in delayed)


def still_due(job: Job, work: Work) -> bool:
    """Whether `work` is neither done yet nor made needless by what happened since."""
    if not job.active:
        return False
    wanted = _SCENE_STEPS.get(work.step)
    if wanted is not None:
        scene = None if work.scene is None else job.scene(work.scene, work.run)
        return scene is not None and scene.status is wanted
    if work.scene is not None or job.run != work.run:
        return False
    if work.step is Step.PLAN:
        return job.phase in _PLANNABLE and not job.all_scenes_planned
    if work.step is Step.ASSEMBLE:
        return job.phase is Phase.ASSEMBLING
    if work.step is Step.UPLOAD_VIDEO:
        return job.phase is Phase.UPLOADING and not job.deliverables_uploaded
    return job.phase is Phase.EXTRACTING
