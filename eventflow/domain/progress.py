"""Progress: how much of a job's present run is done, in percent, from its state and its running steps."""

from __future__ import annotations

from collections.abc import Mapping

from eventflow.domain.state import Job, Phase, SceneStatus
from eventflow.domain.values import Step

#: Percent of the whole by stage: an estimate of where the time of a narrated video goes. They add up to 100.
_PLANNING, _RENDERING, _ASSEMBLING, _UPLOADING, _METADATA = 10.0, 65.0, 5.0, 15.0, 5.0
#: Most that a job shows before its end: 100 means that it is completed.
_UNFINISHED = 99.9

_RENDERED = (SceneStatus.RENDERED, SceneStatus.UPLOADED, SceneStatus.SKIPPED)
_UPLOADED = (SceneStatus.UPLOADED, SceneStatus.SKIPPED)


def progress_field(step: Step, scene: int | None, run: int) -> str:
    """Return the name under which a running step's progress is kept beside the job's history."""
    return f"{step.value}:{'' if scene is None else scene}:{run}"


def progress(job: Job, live: Mapping[str, float]) -> float:
    """Return how much of the job's present run is done, 0 to 100.

    `live` holds the fractions (0 to 1) of running steps by `progress_field`. The result doesn't fall within a run if
    the caller drops a step's fraction as its event arrives.
    """
    if job.phase is Phase.COMPLETED or job.gone:
        return 100.0
    total = job.scene_count
    assembled = bool(job.videos)
    if not total:
        planned = rendered = scenes_uploaded = 1.0 if assembled else 0.0
    else:
        planned = len(job.scenes) / total
        rendered = _scenes_through(job, live, Step.RENDER_SCENE) / total
        scenes_uploaded = _scenes_through(job, live, Step.UPLOAD_SCENE) / total
    assembling = 1.0 if assembled else live.get(progress_field(Step.ASSEMBLE, None, job.run), 0.0)
    uploading = 1.0 if job.deliverables_uploaded else live.get(progress_field(Step.UPLOAD_VIDEO, None, job.run), 0.0)
    extracting = live.get(progress_field(Step.EXTRACT_METADATA, None, job.run), 0.0)
    return min(
        _UNFINISHED,
        _PLANNING * planned
        + _RENDERING * rendered
        + _ASSEMBLING * assembling
        + _UPLOADING * (scenes_uploaded + uploading) / 2
        + _METADATA * extracting,
    )


def _scenes_through(job: Job, live: Mapping[str, float], step: Step) -> float:
    """Count the scenes that are through `step`, running ones by their fraction.

    A failed scene keeps the rendering that it had: it counts as rendered if its upload failed.
    """
    through = _RENDERED if step is Step.RENDER_SCENE else _UPLOADED
    rendered = set[int | None]()
    if step is Step.RENDER_SCENE:
        rendered = {a.scene for a in job.attempts if a.final and a.step is Step.UPLOAD_SCENE}
    statuses = [scene.status for scene in job.scenes]
    done = float(sum(map(statuses.count, through)))
    if live or rendered:
        for index, scene in enumerate(job.scenes):
            if scene.status not in through:
                done += 1.0 if index in rendered else live.get(progress_field(step, index, scene.run), 0.0)
    return done
