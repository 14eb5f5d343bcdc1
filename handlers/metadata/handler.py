"""The metadata group: measures the finished files and publishes the video; clears or deletes a job's files."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.commands import Command
from eventflow.domain.state import Job, Phase
from eventflow.domain.values import AUDIO, AudioStream, TechnicalMetadata, VideoStream
from eventflow.runtime.context import Group, StepContext
from handlers.metadata.container_facts import Facts, facts_of
from handlers.metadata.platforms import met_by
from handlers.scene_cache import CacheSweeper
from handlers.step_errors import as_step_errors
from handlers.workspace import Workspace

#: Time after which every step of a cancelled job has stopped, in seconds: two heartbeats.
STOPPED_WITHIN_S = 2.0


@frozen
class Metadata:
    """Handlers of the metadata group. `keeper` sweeps the scene cache when a job's files are cleared."""

    workspace: Workspace
    keeper: CacheSweeper

    @property
    def group(self) -> Group:
        return Group(
            "metadata",
            {
                ev.DeletionRequested: self.delete,  # first, so its topic is served last
                ev.VideoUploaded: self.extract,
                ev.VideoPublished: self.clear_up,
                ev.JobCancelled: self.clear_up,
                ev.JobFailed: self.keep_files,
            },
        )

    async def extract(self, context: StepContext) -> Sequence[Command]:
        """Measure each uploaded file, and publish the video."""
        job = context.job
        with as_step_errors(), self.workspace.folder(context.job_id) as folder:
            found: list[TechnicalMetadata] = []
            for number, (made, stored) in enumerate(zip(job.videos, job.uploaded_videos, strict=True)):
                path = await self.workspace.fetch(made.file, folder, [stored.file])
                facts = await context.in_thread(facts_of, path)
                path.unlink()
                found.append(_technical(made.quality, facts))
                context.progress((number + 1) / len(job.videos))
            found += await self._audio(context, folder)
        return [cmd.PublishVideo(job.run, tuple(found))]

    async def _audio(self, context: StepContext, folder: Path) -> list[TechnicalMetadata]:
        made, stored = context.job.companions.audio, context.job.uploaded_companions.audio
        if made is None or stored is None:
            return []
        path = await self.workspace.fetch(made.file, folder, [stored.file])
        return [_technical(AUDIO, await context.in_thread(facts_of, path))]

    async def clear_up(self, context: StepContext) -> Sequence[Command]:
        """Remove an ended job's files from the workspace, unless it runs again by now or asked to keep them.

        Steps of a cancelled job learn of its end by their heartbeat; files that they write until then are removed, too.
        While a store is unreachable, the delivery is retried.
        """
        job = context.job
        wanted = job.phase is Phase.CANCELLED or (job.phase is Phase.COMPLETED and job.request.cleanup_local_files)
        if wanted and job.run == context.event.run:
            with as_step_errors():
                removed = await self.workspace.clear(context.job_id, _needed_again(job))
                if removed and job.phase is Phase.CANCELLED:
                    await asyncio.sleep(STOPPED_WITHIN_S)
                    removed += await self.workspace.clear(context.job_id)
            context.log.info("workspace cleared", files=removed)
        await self.keeper.look()
        return []

    async def delete(self, context: StepContext) -> Sequence[Command]:
        """Remove all files of the job from every store; twice if it ended early, so that late steps leave nothing.

        Interrupted anywhere, it can be repeated. While a store is unreachable, the delivery is retried.
        """
        job = context.job
        if job.phase is not Phase.DELETING:
            return []
        with as_step_errors():
            removed = await self.workspace.remove_all(context.job_id)
            await self.keeper.cache.forget(context.owner, [scene.source for scene in job.scenes])
            if removed and context.event.ended_as != Phase.COMPLETED:
                await asyncio.sleep(STOPPED_WITHIN_S)
                removed += await self.workspace.remove_all(context.job_id)
        context.log.info("job deleted", files=removed)
        return [cmd.ConfirmDeletion(removed)]

    async def keep_files(self, context: StepContext) -> Sequence[Command]:
        """Keep the files of a failed job: a reprocess starts from them."""
        return []


def _needed_again(job: Job) -> frozenset[str]:
    """Return the keys of the plan and of the scenes' specifications, which are small.

    A reprocess of one scene renders it as planned, and writes the captions of all scenes again.
    """
    if job.phase is Phase.CANCELLED:
        return frozenset()
    return frozenset(file.key for file in (job.plan, *(scene.spec for scene in job.scenes)) if file)


def _technical(quality: str, facts: Facts) -> TechnicalMetadata:
    info = facts.info
    v, a = info.video, info.audio
    return TechnicalMetadata(
        quality=quality,
        container=info.container,
        duration_s=info.duration_s,
        size_bytes=info.size_bytes,
        bit_rate=info.bit_rate,
        video=VideoStream(
            codec=v.codec,
            profile=v.profile,
            width=v.width,
            height=v.height,
            frame_rate=v.frame_rate,
            bit_rate=v.bit_rate,
            pixel_format=v.pixel_format,
        )
        if v
        else None,
        audio=AudioStream(codec=a.codec, sample_rate=a.sample_rate, channels=a.channels, bit_rate=a.bit_rate)
        if a
        else None,
        meets=met_by(facts),
    )
