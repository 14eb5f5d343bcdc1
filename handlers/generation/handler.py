"""The generation group: plan and narrate, render each scene, assemble.

requested -> plan, narrate in order, a ScenePlanned for each scene as soon as its place in time is known
planned   -> render that scene in every quality
completed -> join the scenes without encoding again; thumbnails and other companions, caption files
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from attrs import frozen

from eventflow.assets.store import Asset, Assets
from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain import values
from eventflow.domain.commands import Command
from eventflow.domain.state import Job, Scene
from eventflow.domain.values import FileRef, ReusableScene, Step
from eventflow.runtime.context import Group, StepContext
from eventflow.runtime.retry_policy import ArtefactMissing, StepError
from handlers.generation import model
from handlers.generation.encoding.assemble import ScenePart, assemble
from handlers.generation.encoding.quality_cap import cap_of, cap_warning, capped
from handlers.generation.encoding.verify_output import check_scene
from handlers.generation.errors import UnknownAsset
from handlers.generation.extras.make_extras import Joined, Making
from handlers.generation.job_adapter import brief_of, control_of, fetch_assets
from handlers.generation.narration.caption_files import caption_files
from handlers.generation.narration.hold import held
from handlers.generation.pipelines.base import Pipeline
from handlers.generation.pipelines.registry import get_pipeline
from handlers.generation.reuse import Reuse, as_wanted
from handlers.generation.scene_digest import scene_digest, scene_digest_when_held
from handlers.generation.time_grid import MIN_VIDEO_CELLS
from handlers.media.codecs import codecs_of
from handlers.media.probe import MediaInfo
from handlers.scene_cache import SceneCache
from handlers.step_errors import as_step_errors
from handlers.workspace import Workspace

#: Seconds that a second of a scene may take to render, where that is more than the step's limit.
RENDER_ALLOWANCE = 60.0
_WAV, _MP4, _SEGMENT = "audio/wav", "video/mp4", "video/iso.segment"


@frozen
class Generation:
    """`threads` is for each encoder, so that the scenes that render side by side share the processors."""

    workspace: Workspace
    assets: Assets
    cache: SceneCache
    threads: int = 0
    pipelines: Callable[[str], Pipeline] = get_pipeline

    @property
    def group(self) -> Group:
        return Group(
            "generation",
            {
                ev.VideoRequested: self.plan,
                ev.ReprocessRequested: self.plan,
                ev.ScenePlanned: self.render,
                ev.ScenesCompleted: self.assemble,
            },
        )

    async def plan(self, reaction: StepContext) -> Sequence[Command]:
        """Plan the script, then narrate scene by scene; each is handed on before the next is spoken."""
        with as_step_errors(), self.workspace.folder(reaction.job_id) as folder:
            pipeline = self.pipelines(reaction.job.request.pipeline)
            await reaction.in_thread(pipeline.check)
            await reaction.commit(cmd.StartPlanning(reaction.job.run))
            plan = await self._plan(reaction, pipeline)
            for draft in plan.scenes[len(reaction.job.scenes) :]:
                await self._plan_scene(reaction, pipeline, plan, draft, folder)
        return []

    async def _plan(self, reaction: StepContext, pipeline: Pipeline) -> model.Plan:
        """The plan: the one that an earlier attempt has announced, or a new one."""
        job = reaction.job
        if job.plan is not None:
            return model.load(await self.workspace.get(job.plan), model.Plan)
        plan = await reaction.in_thread(pipeline.plan, brief_of(job.request), control_of(reaction, None))
        cap = cap_of(plan, await self._assets_of(reaction.owner, plan))
        ref = await self.workspace.put_json(reaction.job_id, model.dump(plan))
        asked = job.request.quality_levels
        made = capped(asked, cap)
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
        await reaction.commit(*announced, *(warnings if made != asked else ()))
        return plan

    async def _assets_of(self, owner: str, plan: model.Plan) -> dict[str, Asset]:
        """What the video shows and plays: nothing is narrated or rendered of one that names what its owner hasn't."""
        music = (plan.style.music,) if plan.style.music else ()
        found: dict[str, Asset] = {}
        for asset in dict.fromkeys([*music, *(asset for draft in plan.scenes for asset in draft.assets)]):
            kept = await self.assets.find(owner, asset)
            if kept is None:
                raise UnknownAsset(f"there is no asset {asset}: upload it first, by POST /api/v1/assets")
            found[asset] = kept
        return found

    async def _plan_scene(
        self, reaction: StepContext, pipeline: Pipeline, plan: model.Plan, draft: model.SceneDraft, folder: Path
    ) -> None:
        """Narrate a scene, or reuse one that was made from the same for the same place.

        The last one is held until the video is as long as one has to be.
        """
        job, job_id = reaction.job, reaction.job_id
        source, start = scene_digest(pipeline, plan, draft), sum(s.duration_cells for s in job.scenes)
        least = max(0, MIN_VIDEO_CELLS - start) if draft.index == len(plan.scenes) - 1 else 0
        reuse, when_held = Reuse(self.workspace, self.cache), scene_digest_when_held(source, least)
        for made_from in (source, when_held) if least else (source,):
            if reusable := await reuse.scene(reaction, plan, made_from, start, folder, least):
                await reaction.commit(
                    cmd.ReuseScene(run=job.run, scene=draft.index, title=draft.title, reusable=reusable)
                )
                return
        assets = await fetch_assets(self.assets, reaction.owner, draft.assets, folder)
        failed = job.failed_attempts(Step.PLAN, None, job.run)
        last_try = failed >= job.request.retry_attempts
        task = model.NarrateTask(draft, plan.voice, plan.style, assets, last_try)
        scene = await reaction.in_thread(pipeline.narrate, task, folder, control_of(reaction, draft.index))
        if scene.duration_cells < least:
            scene, source = await reaction.in_thread(held, scene, least), when_held
        narration: FileRef | None = None
        if scene.audio is not None:
            narration = await self.workspace.put(job_id, scene.audio, _WAV)
            scene.audio.unlink()
        spec = await self.workspace.put_json(job_id, model.dump_narrated(scene))
        await reaction.commit(
            cmd.PlanScene(
                run=job.run,
                scene=draft.index,
                title=draft.title,
                start_cells=start,
                duration_cells=scene.duration_cells,
                spec=spec,
                narration=narration,
                source=source,
            )
        )

    async def render(self, reaction: StepContext) -> Sequence[Command]:
        """Render one scene in every quality; the segments go to the workspace before the event names them."""
        event: ev.ScenePlanned = reaction.event
        reaction.allow(event.duration_cells * values.CELL_SECONDS * RENDER_ALLOWANCE)
        with as_step_errors(), self.workspace.folder(reaction.job_id) as folder:
            pipeline = self.pipelines(reaction.job.request.pipeline)
            audio = await self.workspace.fetch(event.narration, folder) if event.narration else None
            scene = model.load_narrated(await self.workspace.get(event.spec), audio)
            task = await self._render_task(reaction, scene, folder)
            rendered = await reaction.in_thread(pipeline.render, task, folder, control_of(reaction, event.scene))
            check = (event.start_cells, event.duration_cells, reaction.job.quality_levels)
            await reaction.in_thread(check_scene, rendered, *check)
            renditions = tuple([await self._keep_rendition(reaction.job_id, r) for r in rendered.renditions])
            if as_wanted(reaction.job, event.scene):
                reusable = ReusableScene(
                    source=event.source,
                    start_cells=event.start_cells,
                    duration_cells=event.duration_cells,
                    spec=event.spec,
                    narration=event.narration,
                    rendered=renditions,
                )
                await self.cache.keep(reaction.owner, reusable)
        return [cmd.FinishScene(scene=event.scene, run=event.run, renditions=renditions)]

    async def _render_task(self, reaction: StepContext, scene: model.NarratedScene, folder: Path) -> model.RenderTask:
        event: ev.ScenePlanned = reaction.event
        job = reaction.job
        style = await self._style(job)
        wanted = (*scene.assets, *((style.music,) if style.music else ()))
        remote = job.remote_work(event.scene, event.run)
        return model.RenderTask(
            scene,
            event.start_cells,
            job.quality_levels,
            self.threads,
            style,
            await fetch_assets(self.assets, reaction.owner, wanted, folder),
            remote.remote_id if remote else None,
            job.scene_count or 1,
            sum((work.scene, work.run) == (event.scene, event.run) for work in job.remote),
            f"{reaction.job_id}-{event.scene}-{event.run}",
        )

    async def _style(self, job: Job) -> model.Style:
        """How the video looks and sounds: the plan's word counts, since a script may have one of its own."""
        if job.plan is None:
            return brief_of(job.request).style
        return model.load(await self.workspace.get(job.plan), model.Plan).style

    async def _keep_rendition(self, job_id: str, rendition: model.Rendition) -> values.SceneRendition:
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

    async def assemble(self, reaction: StepContext) -> Sequence[Command]:
        """Join the scenes of each quality; make what goes with them, write the captions of all."""
        job, commands = reaction.job, list[Command]()
        with as_step_errors(), self.workspace.folder(reaction.job_id) as folder:
            parts = await self._parts(job, folder)
            videos = list[Joined]()
            for number, quality in enumerate(job.quality_levels):
                videos.append(await self._assemble_quality(reaction, quality, parts[quality], folder))
                reaction.progress((number + 1) / (len(job.quality_levels) + 1))
            cells = [scene.duration_cells for scene in _shown(job)]
            made = await Making(self.workspace, reaction, folder, cells).all(videos)
        commands += [cmd.RecordDegradation(job.run, Step.ASSEMBLE, problem) for problem in made.problems]
        captions: tuple[values.CaptionFile, ...] = ()
        try:
            with as_step_errors():
                if (await self._style(job)).captions:
                    captions = await caption_files(self.workspace, reaction.job_id, job)
        except StepError as error:
            commands.append(cmd.RecordDegradation(job.run, Step.ASSEMBLE, f"no captions: {error}"))
        files = tuple(joined.video for joined in videos)
        finish = cmd.FinishVideo(
            run=job.run, videos=files, thumbnails=made.thumbnails, captions=captions, companions=made.companions
        )
        return [*commands, finish]

    async def _parts(self, job: Job, folder: Path) -> dict[str, list[ScenePart]]:
        """The scenes of each quality. Raises ArtefactMissing with all that is gone: a machine holds many files."""
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
        """From the workspace, or from where the scene was delivered: a published job's workspace is cleared."""
        rendition = next(r for r in scene.rendered if r.quality == quality)
        delivered = [file for r in scene.uploaded for file in r.files]
        init, *segments = [await self.workspace.fetch(file, folder, delivered) for file in rendition.files]
        cells = tuple(segment.duration_cells for segment in rendition.segments)
        return ScenePart(init, tuple(segments), scene.start_cells, cells)

    async def _assemble_quality(
        self, reaction: StepContext, quality: str, parts: Sequence[ScenePart], folder: Path
    ) -> Joined:
        target = folder / f"{quality}.mp4"
        info: MediaInfo = await reaction.in_thread(assemble, parts, target)
        ref = await self.workspace.put(reaction.job_id, target, _MP4)
        width = info.video.width if info.video else 0
        height = info.video.height if info.video else 0
        return Joined(
            values.VideoFile(quality=quality, width=width, height=height, duration_s=info.duration_s, file=ref), target
        )


def _of_other_contracts(job: Job) -> list[str]:
    """A file of each scene, if they can't be joined: the encoder was changed while the job was at work.

    Which of them the encoder of now would make can't be told, so that all are made again.
    """
    found: dict[str, set[str]] = {}
    for rendition in (each for scene in _shown(job) for each in scene.rendered):
        found.setdefault(rendition.quality, set()).add(rendition.decoder_config)
    if all(len(configs) == 1 for configs in found.values()):
        return []
    return [scene.rendered[0].init.key for scene in _shown(job)]


def _shown(job: Job) -> list[Scene]:
    """The scenes that the video is made of: those that failed for good may be left out, and the rest moves up."""
    return [job.scenes[index] for index in job.shown_scenes]
