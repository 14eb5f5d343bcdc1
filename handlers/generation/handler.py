"""The generation group: plans and narrates a job, renders each scene, assembles the video.

requested -> plan; narrate scene by scene, with a ScenePlanned as soon as a scene's place in time is known
planned   -> render that scene in every quality
completed -> join the scenes without re-encoding; make extras and caption files
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from attrs import evolve, frozen

from eventflow.assets.store import Asset, Assets
from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain import values
from eventflow.domain.commands import Command
from eventflow.domain.state import Job, Scene
from eventflow.domain.values import FileRef, ReusableScene, Step
from eventflow.runtime.context import Group, StepContext
from eventflow.runtime.retry_policy import ArtefactMissing, StepError
from handlers.generation import model, model_json, render_model
from handlers.generation.encoding.assemble import ScenePart, assemble
from handlers.generation.encoding.quality_cap import cap_of, cap_warning, capped_qualities
from handlers.generation.encoding.verify_output import check_scene
from handlers.generation.errors import NarratorLost, UnknownAsset
from handlers.generation.extras.make_extras import ExtrasMaker, JoinedVideo
from handlers.generation.job_adapter import control_of, fetch_assets
from handlers.generation.narration.caption_files import caption_files
from handlers.generation.narration.timing import hold_scene
from handlers.generation.pipelines.base import Pipeline
from handlers.generation.pipelines.registry import get_pipeline
from handlers.generation.reuse import Reuse, held_scene_digest, made_as_requested, scene_digest
from handlers.generation.script.script import brief_of
from handlers.generation.time_grid import MIN_VIDEO_CELLS
from handlers.media.codecs import codecs_of
from handlers.media.probe import MediaInfo
from handlers.scene_cache import SceneCache
from handlers.step_errors import as_step_errors
from handlers.workspace import Workspace

#: Seconds that a second of a scene may take to render, if that is more than the step's time limit.
RENDER_ALLOWANCE = 60.0
_WAV, _MP4, _SEGMENT = "audio/wav", "video/mp4", "video/iso.segment"


@frozen(kw_only=True)
class Generation:
    """The handlers of the generation group. `threads` is per encoder: scenes rendered in parallel share processors."""

    workspace: Workspace
    assets: Assets
    cache: SceneCache
    threads: int = 0
    pipelines: Callable[[str], Pipeline] = get_pipeline

    @property
    def group(self) -> Group:
        """The consumer group with the handler of each event."""
        return Group(
            "generation",
            {
                ev.VideoRequested: self.plan,
                ev.ReprocessRequested: self.plan,
                ev.ScenePlanned: self.render,
                ev.ScenesCompleted: self.assemble,
            },
        )

    async def plan(self, context: StepContext) -> Sequence[Command]:
        """Plan the script, then narrate scene by scene; each is committed before the next is spoken."""
        with as_step_errors(), self.workspace.folder(context.job_id) as folder:
            pipeline = self.pipelines(context.job.request.pipeline)
            await context.in_thread(pipeline.check)
            await context.commit(cmd.StartPlanning(context.job.run))
            plan = await self._plan(context, pipeline)
            for draft in plan.scenes[len(context.job.scenes) :]:
                try:
                    await self._plan_scene(context, pipeline, plan, draft, folder)
                except NarratorLost as lost:
                    if not await self._replace_narrator(context, draft.index, lost):
                        break
                    await self._plan_scene(context, pipeline, plan, draft, folder)
        return []

    async def _replace_narrator(self, context: StepContext, scene: int, lost: NarratorLost) -> bool:
        """Have another narrator speak; tell whether this step goes on: a new run begins again (decision 266)."""
        run = context.job.run
        replace = cmd.ReplaceNarrator(run=run, scene=scene, voice=lost.voice, instead=lost.instead, reason=lost.reason)
        job = await context.commit(replace)
        return job.run == run and job.substitute == lost.instead

    async def _plan(self, context: StepContext, pipeline: Pipeline) -> model.Plan:
        """Return the plan that an earlier attempt has announced, or make one."""
        job = context.job
        if job.plan is not None:
            return model_json.load(await self.workspace.get(job.plan), model.Plan)
        plan = await context.in_thread(pipeline.plan, brief_of(job.request), control_of(context, None))
        cap = cap_of(plan, await self._assets_of(context.owner, plan))
        ref = await self.workspace.put_json(context.job_id, model_json.dump(plan))
        asked = job.request.quality_levels
        made = capped_qualities(asked, cap)
        announced = [
            cmd.AnnounceScript(
                run=job.run,
                title=plan.title,
                scene_count=len(plan.scenes),
                plan=ref,
                qualities=() if made == asked else made,
            )
        ]
        warnings = [
            cmd.RecordWarning(
                run=job.run, step=Step.PLAN, scene=None, code="quality_capped", message=cap_warning(asked, made, cap)
            )
        ]
        await context.commit(*announced, *(warnings if made != asked else ()))
        return plan

    async def _assets_of(self, owner: str, plan: model.Plan) -> dict[str, Asset]:
        """Find all assets of a video before anything is narrated. Raises UnknownAsset for one that its owner lacks."""
        music = (plan.style.music,) if plan.style.music else ()
        found: dict[str, Asset] = {}
        for asset in dict.fromkeys([*music, *(asset for draft in plan.scenes for asset in draft.assets)]):
            kept = await self.assets.find(owner, asset)
            if kept is None:
                raise UnknownAsset(f"unknown asset {asset}: upload it first, by POST /api/v1/assets")
            found[asset] = kept
        return found

    async def _plan_scene(
        self, context: StepContext, pipeline: Pipeline, plan: model.Plan, draft: model.SceneDraft, folder: Path
    ) -> None:
        """Narrate a scene, or reuse one with the same digest (decision 34).

        The last scene is held until the video has the least length, under a digest of its own (decision 192).
        """
        job, job_id = context.job, context.job_id
        alone = bool(job.substitute)
        if alone:
            plan = evolve(plan, voice=evolve(plan.voice, name=job.substitute))
        digest = await context.in_thread(partial(scene_digest, pipeline, plan, draft, alone=alone))
        start = sum(s.duration_cells for s in job.scenes)
        least = max(0, MIN_VIDEO_CELLS - start) if draft.index == len(plan.scenes) - 1 else 0
        reuse, held_digest = Reuse(self.workspace, self.cache), held_scene_digest(digest, least)
        for wanted in (digest, held_digest) if least else (digest,):
            place = {"start_cells": start, "least_cells": least}
            if reusable := await reuse.scene(context, plan, wanted, **place, folder=folder):
                await context.commit(
                    cmd.ReuseScene(run=job.run, scene=draft.index, title=draft.title, reusable=reusable)
                )
                return
        assets = await fetch_assets(self.assets, context.owner, draft.assets, folder)
        failed = job.failed_attempts(Step.PLAN, None, job.run)
        last_try = failed >= job.request.retry_attempts
        task = model.NarrateTask(
            draft=draft, voice=plan.voice, style=plan.style, assets=assets, last_try=last_try, alone=alone
        )
        scene = await context.in_thread(pipeline.narrate, task, folder, control_of(context, draft.index))
        if scene.duration_cells < least:
            scene, digest = await context.in_thread(hold_scene, scene, least), held_digest
        narration: FileRef | None = None
        if scene.audio is not None:
            narration = await self.workspace.put(job_id, scene.audio, _WAV)
            scene.audio.unlink()
        spec = await self.workspace.put_json(job_id, model_json.dump_narrated(scene))
        await context.commit(
            cmd.PlanScene(
                run=job.run,
                scene=draft.index,
                title=draft.title,
                start_cells=start,
                duration_cells=scene.duration_cells,
                spec=spec,
                narration=narration,
                source=digest,
            )
        )

    async def render(self, context: StepContext) -> Sequence[Command]:
        """Render one scene in every quality; its files go to the workspace before the event that names them."""
        event: ev.ScenePlanned = context.event
        context.allow(event.duration_cells * values.CELL_SECONDS * RENDER_ALLOWANCE)
        with as_step_errors(), self.workspace.folder(context.job_id) as folder:
            pipeline = self.pipelines(context.job.request.pipeline)
            audio = await self.workspace.fetch(event.narration, folder) if event.narration else None
            scene = model_json.load_narrated(await self.workspace.get(event.spec), audio)
            task = await self._render_task(context, scene, folder)
            rendered = await context.in_thread(pipeline.render, task, folder, control_of(context, event.scene))
            check = (event.start_cells, event.duration_cells, context.job.quality_levels)
            await context.in_thread(check_scene, rendered, *check)
            renditions = tuple([await self._keep_rendition(context.job_id, r) for r in rendered.renditions])
            if made_as_requested(context.job, event.scene):
                reusable = ReusableScene(
                    source=event.source,
                    start_cells=event.start_cells,
                    duration_cells=event.duration_cells,
                    spec=event.spec,
                    narration=event.narration,
                    rendered=renditions,
                )
                await self.cache.keep(context.owner, reusable)
        return [cmd.FinishScene(scene=event.scene, run=event.run, renditions=renditions)]

    async def _render_task(
        self, context: StepContext, scene: model.NarratedScene, folder: Path
    ) -> render_model.RenderTask:
        event: ev.ScenePlanned = context.event
        job = context.job
        style = await self._style(job)
        wanted = (*scene.assets, *((style.music,) if style.music else ()))
        earlier = job.remote_order(event.scene, event.run)
        return render_model.RenderTask(
            scene=scene,
            start_cells=event.start_cells,
            qualities=job.quality_levels,
            threads=self.threads,
            style=style,
            assets=await fetch_assets(self.assets, context.owner, wanted, folder),
            remote_id=earlier.remote_id if earlier and earlier.outcome is None else None,
            scene_count=job.scene_count or 1,
            remote_orders=job.orders_taken(event.scene, event.run),
            earlier=earlier,
            run=event.run,
            work_id=f"{context.job_id}-{event.scene}-{event.run}",
        )

    async def _style(self, job: Job) -> model.Style:
        """Return the look and sound of the video: the plan's, which includes the script's front matter."""
        if job.plan is None:
            return brief_of(job.request).style
        return model_json.load(await self.workspace.get(job.plan), model.Plan).style

    async def _keep_rendition(self, job_id: str, rendition: render_model.Rendition) -> values.SceneRendition:
        init = await self.workspace.put(job_id, rendition.init, _MP4)
        segments = [
            values.Segment(await self.workspace.put(job_id, segment.path, _SEGMENT), segment.duration_cells)
            for segment in rendition.segments
        ]
        return values.SceneRendition(
            quality=rendition.quality,
            width=rendition.width,
            height=rendition.height,
            decoder_config=rendition.decoder_config,
            init=init,
            segments=tuple(segments),
            codecs=await asyncio.to_thread(codecs_of, rendition.init),
        )

    async def assemble(self, context: StepContext) -> Sequence[Command]:
        """Join the scenes of each quality; make the extras and the caption files."""
        job, commands = context.job, list[Command]()
        with as_step_errors(), self.workspace.folder(context.job_id) as folder:
            parts = await self._parts(job, folder)
            videos = list[JoinedVideo]()
            for number, quality in enumerate(job.quality_levels):
                videos.append(await self._assemble_quality(context, quality, parts[quality], folder))
                context.progress((number + 1) / (len(job.quality_levels) + 1))
            cells = [scene.duration_cells for scene in _shown(job)]
            made = await ExtrasMaker(workspace=self.workspace, context=context, folder=folder, scene_cells=cells).make(
                videos
            )
        commands += [cmd.RecordDegradation(job.run, Step.ASSEMBLE, problem) for problem in made.problems]
        captions: tuple[values.CaptionFile, ...] = ()
        try:
            with as_step_errors():
                if (await self._style(job)).captions:
                    captions = await caption_files(self.workspace, context.job_id, job)
        except StepError as error:
            commands.append(cmd.RecordDegradation(job.run, Step.ASSEMBLE, f"no captions: {error}"))
        files = tuple(joined.video for joined in videos)
        finish = cmd.FinishVideo(
            run=job.run, videos=files, thumbnails=made.thumbnails, captions=captions, companions=made.companions
        )
        return [*commands, finish]

    async def _parts(self, job: Job, folder: Path) -> dict[str, list[ScenePart]]:
        """Fetch the scenes of each quality. Raises ArtefactMissing with all missing files at once."""
        parts: dict[str, list[ScenePart]] = {}
        lost = _of_other_contracts(job)
        for quality in job.quality_levels:
            parts[quality] = []
            await asyncio.to_thread((folder / quality).mkdir)
            for scene in _shown(job):
                try:
                    parts[quality].append(await self._fetch_part(scene, quality, folder / quality))
                except ArtefactMissing as error:
                    lost += error.keys
        if lost:
            raise ArtefactMissing(*lost)
        return parts

    async def _fetch_part(self, scene: Scene, quality: str, folder: Path) -> ScenePart:
        """Fetch a scene from the workspace, or from the delivery store: a published job's workspace is cleared."""
        rendition = next(r for r in scene.rendered if r.quality == quality)
        delivered = [file for r in scene.uploaded for file in r.files]
        init, *segments = [await self.workspace.fetch(file, folder, delivered) for file in rendition.files]
        cells = tuple(segment.duration_cells for segment in rendition.segments)
        return ScenePart(init=init, segments=tuple(segments), start_cells=scene.start_cells, segment_cells=cells)

    async def _assemble_quality(
        self, context: StepContext, quality: str, parts: Sequence[ScenePart], folder: Path
    ) -> JoinedVideo:
        target = folder / f"{quality}.mp4"
        info: MediaInfo = await context.in_thread(assemble, parts, target)
        ref = await self.workspace.put(context.job_id, target, _MP4)
        width = info.video.width if info.video else 0
        height = info.video.height if info.video else 0
        return JoinedVideo(
            values.VideoFile(quality=quality, width=width, height=height, duration_s=info.duration_s, file=ref), target
        )


def _of_other_contracts(job: Job) -> list[str]:
    """Return a file key of each scene if the scenes can't be joined: the encoder contract changed during the job.

    Then all scenes are made again (decision 105).
    """
    found: dict[str, set[str]] = {}
    for rendition in (each for scene in _shown(job) for each in scene.rendered):
        found.setdefault(rendition.quality, set()).add(rendition.decoder_config)
    if all(len(configs) == 1 for configs in found.values()):
        return []
    return [scene.rendered[0].init.key for scene in _shown(job)]


def _shown(job: Job) -> list[Scene]:
    """Return the scenes of the video; skipped ones are left out, and later ones move up."""
    return [job.scenes[index] for index in job.shown_scenes]
