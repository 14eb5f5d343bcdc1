"""Previews of forks: which scenes would be reused."""

from __future__ import annotations

import tempfile
from pathlib import Path

from attrs import frozen

from eventflow.domain.reprocess import reusable_scene
from eventflow.domain.state import Job
from eventflow.requests.forks import Fork
from eventflow.settings import Settings
from handlers.generation import control, model
from handlers.generation.errors import NarratorLost
from handlers.generation.pipelines.registry import get_pipeline
from handlers.generation.reuse import scene_digest
from handlers.generation.script.script import brief_of


@frozen
class ScenePreview:
    """A scene of a fork; `index` counts from 0."""

    index: int
    title: str
    reused: bool


def preview_fork(fork: Fork, settings: Settings | None = None) -> list[ScenePreview]:
    """Plan the fork and tell which scenes would be reused. Blocks; raises MediaError.

    Scenes that wouldn't are narrated, as their length decides where the next one starts. Where their narrator fails for
    good, none is reused: another one speaks the whole video.
    """
    request, found, start = fork.request, list[ScenePreview](), 0
    job = Job(request=request, reusable=fork.origin.scenes)
    pipeline = get_pipeline(request.pipeline, settings)
    plan = pipeline.plan(brief_of(request), control.Control())
    with tempfile.TemporaryDirectory(prefix="eventflow-fork-") as folder:
        for draft in plan.scenes:
            scene = reusable_scene(job, scene_digest(pipeline, plan, draft), start)
            found.append(ScenePreview(draft.index, draft.title, scene is not None))
            task = model.NarrateTask(draft=draft, voice=plan.voice, style=plan.style)
            try:
                start += (scene or pipeline.narrate(task, Path(folder), control.Control())).duration_cells
            except NarratorLost:
                return [ScenePreview(each.index, each.title, reused=False) for each in plan.scenes]
    return found
