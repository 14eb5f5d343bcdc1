"""Repeated work: reprocessing from a stage, a new run after a loss of files or narrator, and the reuse of scenes.

Part of `decide`. The first event says what happened (a reprocess, a loss); the events after it are those that called
for the work the first time, under a new run. Consumers thus need no handlers of their own for repeated work.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve as replace

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.commands import ReplaceNarrator, RequestReprocess
from eventflow.domain.errors import CannotReprocess
from eventflow.domain.evolve import evolve, fold
from eventflow.domain.state import Job, Phase, Scene, SceneStatus
from eventflow.domain.values import ReprocessFrom, ReusableScene, SceneRendition, Step
from eventflow.domain.work import work_of

Events = list[ev.Event]

_BEFORE_ASSEMBLY = (Phase.REQUESTED, Phase.PLANNING, Phase.RENDERING)


def scenes_completed(job: Job | None) -> Events:
    """Return ScenesCompleted, which calls for assembly, if every scene of `job` is rendered or skipped."""
    through = (SceneStatus.RENDERED, SceneStatus.UPLOADED, SceneStatus.SKIPPED)
    complete = job is not None and job.scenes_are(*through)
    return [ev.ScenesCompleted(job.run)] if job and job.shown_scenes and complete else []


def stream_started(job: Job | None) -> Events:
    """Return StreamStarted if the first shown scene has just become playable."""
    if job is None or job.streaming:
        return []
    first = next((scene for scene in job.scenes if scene.status is not SceneStatus.SKIPPED), None)
    begins = first is not None and first.status is SceneStatus.UPLOADED and first.uploaded
    return [ev.StreamStarted(job.run)] if begins else []


def reusable_scene(job: Job, source: str, start_cells: int) -> ReusableScene | None:
    """Find a rendered scene with the scene digest `source`, in every quality of the job.

    One from the same place in the video comes first: the segments of any other have to be shifted in time.
    """
    moved: ReusableScene | None = None
    for scene in job.reusable:
        rendered = _in_qualities(job, scene.rendered)
        if not rendered or scene.source != source:
            continue
        found = replace(scene, rendered=rendered, uploaded=_in_qualities(job, scene.uploaded))
        if scene.start_cells == start_cells:
            return found
        moved = moved or found
    return moved


def _in_qualities(job: Job, renditions: tuple[SceneRendition, ...]) -> tuple[SceneRendition, ...]:
    """Return the renditions of the job's qualities, in their order; none unless all of them exist."""
    by_quality = {rendition.quality: rendition for rendition in renditions}
    wanted = job.quality_levels
    return tuple(by_quality[quality] for quality in wanted) if by_quality.keys() >= set(wanted) else ()


def reprocess(job: Job, c: cmd.RequestReprocess) -> Events:
    """Decide a reprocess: the work that is asked for, and what it misses. Raises CannotReprocess."""
    _check(job, c)
    requested = ev.ReprocessRequested(job.last_run + 1, c.from_stage, c.scenes)
    after = evolve(job, requested)
    if c.from_stage is ReprocessFrom.PLANNING:
        return [requested]
    asked = (
        range(len(job.scenes)) if c.scenes is None and c.from_stage is not ReprocessFrom.METADATA else c.scenes or ()
    )
    rendering = c.from_stage is ReprocessFrom.RENDERING
    again: Events = []
    for index, scene in enumerate(after.scenes):
        if scene.status is SceneStatus.SKIPPED and not rendering:
            continue
        if (rendering and index in asked) or not scene.rendered or scene.status is SceneStatus.SKIPPED:
            again.append(_planned(scene, index, requested.run))
        elif index in asked or scene.status is not SceneStatus.UPLOADED:
            again.append(ev.SceneRendered(scene=index, run=requested.run, renditions=scene.rendered))
    if rendering:
        planned = fold(again, after)
        return [requested, *again, *stream_started(planned), *scenes_completed(planned)]
    if not job.deliverables_uploaded or (c.scenes is None and c.from_stage is ReprocessFrom.UPLOAD):
        again.append(
            ev.VideoGenerated(
                run=requested.run,
                videos=job.videos,
                thumbnails=job.thumbnails,
                captions=job.captions,
                companions=job.companions,
            )
        )
    return [requested, *(again or [ev.VideoUploaded(requested.run)])]


def _planned(scene: Scene, index: int, run: int) -> ev.ScenePlanned:
    return ev.ScenePlanned(
        scene=index,
        run=run,
        title=scene.title,
        start_cells=scene.start_cells,
        duration_cells=scene.duration_cells,
        spec=scene.spec,
        narration=scene.narration,
        source=scene.source,
    )


def _check(job: Job, c: cmd.RequestReprocess) -> None:
    stage, count = c.from_stage, len(job.scenes)
    if c.scenes is not None and stage is ReprocessFrom.METADATA:
        raise CannotReprocess("scenes", "metadata is of the whole video: leave the scenes out")
    for scene in c.scenes or ():
        if not 0 <= scene < count:
            available = f"available: 0 to {count - 1}" if count else "it has no scenes"
            raise CannotReprocess("scenes", f"the job has no scene {scene}; {available}")
    if stage is ReprocessFrom.RENDERING and not (job.scenes and job.all_scenes_planned):
        raise CannotReprocess("from", "not every scene of the job is planned: reprocess it from planning")
    shown = [job.scenes[index] for index in job.shown_scenes]
    if stage is ReprocessFrom.UPLOAD and not (job.videos and all(scene.rendered for scene in shown)):
        raise CannotReprocess("from", "the job has no video that could be uploaded: reprocess it from rendering")
    uploaded = job.scenes_are(SceneStatus.UPLOADED, SceneStatus.SKIPPED)
    if stage is ReprocessFrom.METADATA and not (job.deliverables_uploaded and uploaded):
        raise CannotReprocess("from", "not all of the job's files are uploaded: reprocess it from upload")


def lost(job: Job, c: cmd.ReportLostArtefact) -> Events:
    """Decide which work repeats after `c.step` missed files.

    Scenes whose files are lost are rendered again; a lost video is assembled again. If the input of a scene's rendering
    is lost, the job is planned again, and reuses the scenes that come out the same.
    """
    if c.step is Step.UPLOAD_SCENE and c.scene is not None:
        return _render_again(job, {c.scene: c.keys[0]}, c.step)
    if c.step is Step.ASSEMBLE and (found := _scenes_of(job, c.keys)):
        return _render_again(job, found, c.step)
    if c.step in (Step.UPLOAD_VIDEO, Step.EXTRACT_METADATA) and job.scenes:
        gone = ev.ArtefactLost(run=job.last_run + 1, step=c.step, scene=None, key=c.keys[0])
        return [gone, *scenes_completed(evolve(job, gone))]
    gone = ev.ArtefactLost(run=_run_after(job), step=c.step, scene=c.scene, key=c.keys[0])
    after = evolve(job, gone)
    return [gone, ev.ReprocessRequested(after.last_run + 1, ReprocessFrom.PLANNING, ())]


def narrator_replaced(job: Job, c: ReplaceNarrator) -> Events:
    """Decide that another narrator speaks: the whole video anew under the same plan, so that its voice is one.

    Where a service has taken an order for a clip of a planned scene, which costs, the scenes that are planned stay.
    """
    replaced = ev.NarratorReplaced(run=c.run, scene=c.scene, voice=c.voice, instead=c.instead)
    planned = {(index, scene.run) for index, scene in enumerate(job.scenes)}
    ordered = any((order.scene, order.run) in planned for order in job.remote)
    part = f"from scene {c.scene} on" if ordered else "the whole video"
    message = f"{c.voice} failed at scene {c.scene}, {c.instead} speaks {part} instead: {c.reason}"
    if not job.scenes or ordered:
        return [replaced, _fell_back(c.run, message)]
    run = job.last_run + 1
    return [
        replaced,
        ev.ReprocessRequested(run, ReprocessFrom.PLANNING, ()),
        ev.PlanningStarted(run),
        *_same_plan(job, run),
        _fell_back(run, message),
    ]


def _same_plan(job: Job, run: int) -> Events:
    """Return the plan of `job` and the warnings of it under another run: a model is asked and paid for once."""
    if job.plan is None or job.scene_count is None:
        return []
    planned = ev.ScriptPlanned(
        run=run, title=job.title, scene_count=job.scene_count, plan=job.plan, qualities=job.qualities
    )
    of_plan = (each for each in job.warnings if each.step is Step.PLAN and each.scene is None)
    return [planned, *(replace(each, run=run) for each in of_plan)]


def _fell_back(run: int, message: str) -> ev.WarningRaised:
    return ev.WarningRaised(run=run, step=Step.PLAN, scene=None, code="narrator_fell_back", message=message)


def _scenes_of(job: Job, keys: tuple[str, ...]) -> dict[int, str]:
    """Map each scene to the first of `keys` that names a file of its rendering."""
    found: dict[int, str] = {}
    for index, scene in enumerate(job.scenes):
        files = {file.key for rendition in scene.rendered for file in rendition.files}
        if mine := [key for key in keys if key in files]:
            found[index] = mine[0]
    return found


def _render_again(job: Job, scenes: dict[int, str], step: Step) -> Events:
    events: Events = []
    for index, key in scenes.items():
        gone = ev.ArtefactLost(run=_run_after(job), step=step, scene=index, key=key)
        planned = _planned(job.scenes[index], index, max(job.last_run, gone.run) + 1)
        events += [gone, planned]
        job = evolve(evolve(job, gone), planned)
    return events


def _run_after(job: Job) -> int:
    """Return the job's run after a loss: the present one as long as no step has relied on complete scenes."""
    return job.run if job.phase in _BEFORE_ASSEMBLY else job.last_run + 1


Row = tuple[str, str]

#: Steps that follow the scenes, in order.
_AFTER = (Step.ASSEMBLE, Step.UPLOAD_VIDEO, Step.EXTRACT_METADATA)


def steps_of(job: Job, command: RequestReprocess, events: Sequence[ev.Event], *, planned_again: bool) -> list[Row]:
    """List the steps that a reprocess would run, as (step, scene) in the order of the work.

    `events` are those that `command` decides. `planned_again`: the workspace lost the input of the scenes' rendering.
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
