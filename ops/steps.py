"""Which steps a reprocess would run, for people who want to know before."""

from __future__ import annotations

from collections.abc import Sequence

from eventflow.domain import events as ev
from eventflow.domain.commands import RequestReprocess
from eventflow.domain.job import Job
from eventflow.domain.values import ReprocessFrom, Step
from eventflow.domain.work import work_of

Row = tuple[str, str]

#: What follows once the scenes are rendered, or the video is assembled, ...
_AFTER = (Step.ASSEMBLE, Step.UPLOAD_VIDEO, Step.EXTRACT_METADATA)


def steps_of(job: Job, command: RequestReprocess, events: Sequence[ev.Event], *, planned_again: bool) -> list[Row]:
    """(step, scene) in the order of the work. `events` are what `command` decides.

    `planned_again`: the workspace no longer holds what the scenes are rendered from.
    """
    if command.from_stage is ReprocessFrom.PLANNING:
        asked = "all" if command.scenes is None else ", ".join(map(str, command.scenes)) or "none"
        scenes = asked if command.scenes is None else f"{asked}, and those that come out differently"
        rows = [(Step.PLAN, ""), (Step.RENDER_SCENE, scenes), (Step.UPLOAD_SCENE, scenes)]
        return [*((step.value, scene) for step, scene in rows), *((step.value, "") for step in _AFTER)]
    work = [found for event in events[1:] if (found := work_of(event))]
    steps = [(w.step, "" if w.scene is None else str(w.scene)) for w in work]
    rendered = [scene for step, scene in steps if step is Step.RENDER_SCENE]
    steps += [(Step.UPLOAD_SCENE, scene) for scene in rendered]
    done = {step for step, _ in steps}
    first = Step.ASSEMBLE if command.from_stage is ReprocessFrom.RENDERING else Step.EXTRACT_METADATA
    steps += [(step, "") for step in _AFTER[_AFTER.index(first) :] if step not in done]
    plan = [(Step.PLAN, "")] if planned_again else []
    return [(step.value, scene) for step, scene in [*plan, *steps]]
