"""How a job's state goes back: a stage is done again, or a file was lost. Part of `evolve`.

Each function returns the fields of Job that the event changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eventflow.domain import events as ev
from eventflow.domain.state import Phase
from eventflow.domain.values import ReprocessFrom, ReusableScene

if TYPE_CHECKING:
    from eventflow.domain.job import Job

_NO_VIDEO: dict[str, Any] = {
    **dict.fromkeys(("videos", "thumbnails", "uploaded_videos", "uploaded_thumbnails"), ()),
    "deliverables_uploaded": False,
}


def artefact_lost(job: Job, e: ev.ArtefactLost) -> dict[str, Any]:
    """A new run of the job means that its video has to be made again. The events that follow say what is."""
    changes: dict[str, Any] = {"run": e.run, "lost": (*job.lost, e.scene)}
    if e.scene is not None:
        start = job.scenes[e.scene].start_cells
        changes["reusable"] = tuple(scene for scene in job.reusable if scene.start_cells != start)
    return changes if e.run == job.run else {**changes, **_NO_VIDEO}


def reprocess_requested(job: Job, e: ev.ReprocessRequested) -> dict[str, Any]:
    """What is reused stays as it is; events that follow say what is done again. The publication stays served."""
    everything = e.scenes is None and e.from_stage is not ReprocessFrom.METADATA
    changes: dict[str, Any] = {
        "run": e.run,
        "attempts": (),
        "failure": None,
        "degraded": () if everything else job.degraded,
    }
    changes["lost"] = () if job.finished else job.lost
    if e.from_stage is ReprocessFrom.RENDERING:
        return {**changes, **_NO_VIDEO, "phase": Phase.RENDERING}
    if e.from_stage is not ReprocessFrom.PLANNING:
        return {**changes, "phase": Phase.UPLOADING}
    kept = _reusable(job, e.scenes) if e.scenes is not None else ()
    plan: dict[str, Any] = {"title": "", "plan": None, "scene_count": None, "scenes": (), "reusable": kept}
    return {**changes, **_NO_VIDEO, **plan}


def _reusable(job: Job, anew: tuple[int, ...]) -> tuple[ReusableScene, ...]:
    """What planning may reuse. One that was broken off hasn't come to all that was reusable before it."""
    found = [s.reusable for index, s in enumerate(job.scenes) if s.rendered and index not in anew]
    end = sum(s.duration_cells for s in job.scenes)
    return (*found, *(scene for scene in job.reusable if not job.finished and scene.start_cells >= end))
