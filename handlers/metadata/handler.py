"""The metadata group: probes the finished files and publishes the video; clears up after the job, or deletes it."""

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

#: By when every step of a cancelled job has stopped, in seconds: two heartbeats.
HEARD_WITHIN_S = 2.0


@frozen
class Metadata:
    """`keeper` is called when a job's files are cleared: it may have something of its own to clear."""

    workspace: Workspace
    keeper: CacheSweeper

    @property
    def group(self) -> Group:
        return Group(
            "metadata",
            {
                ev.DeletionRequested: self.delete,  # the first is the last in the order of service
                ev.VideoUploaded: self.extract,
                ev.VideoPublished: self.clear_up,
                ev.JobCancelled: self.clear_up,
                ev.JobFailed: self.leave,
            },
        )

    async def extract(self, reaction: StepContext) -> Sequence[Command]:
        """What each file is, by looking at it."""
        job = reaction.job
        with as_step_errors(), self.workspace.folder(reaction.job_id) as folder:
            found: list[TechnicalMetadata] = []
            for number, (made, stored) in enumerate(zip(job.videos, job.uploaded_videos, strict=True)):
                path = await self.workspace.fetch(made.file, folder, [stored.file])
                facts = await reaction.in_thread(facts_of, path)
                path.unlink()
                found.append(_technical(made.quality, facts))
                reaction.progress((number + 1) / len(job.videos))
            found += await self._audio(reaction, folder)
        return [cmd.PublishVideo(job.run, tuple(found))]

    async def _audio(self, reaction: StepContext, folder: Path) -> list[TechnicalMetadata]:
        made, stored = reaction.job.companions.audio, reaction.job.uploaded_companions.audio
        if made is None or stored is None:
            return []
        path = await self.workspace.fetch(made.file, folder, [stored.file])
        return [_technical(AUDIO, await reaction.in_thread(facts_of, path))]

    async def clear_up(self, reaction: StepContext) -> Sequence[Command]:
        """Remove the workspace's files of a job that has ended, unless it goes on by now or they were to be kept.

        Steps of a cancelled job hear of its end by their heartbeat: what they have kept until then goes, too. A store
        that can't be reached is asked again when the entry's lease is over.
        """
        job = reaction.job
        wanted = job.phase is Phase.CANCELLED or (job.phase is Phase.COMPLETED and job.request.cleanup_local_files)
        if wanted and job.run == reaction.event.run:
            with as_step_errors():
                removed = await self.workspace.clear(reaction.job_id, _needed_again(job))
                if removed and job.phase is Phase.CANCELLED:
                    await asyncio.sleep(HEARD_WITHIN_S)
                    removed += await self.workspace.clear(reaction.job_id)
            reaction.log.info("workspace cleared", files=removed)
        await self.keeper.look()
        return []

    async def delete(self, reaction: StepContext) -> Sequence[Command]:
        """Remove all files of the job, in every store; of one that ended early again, when its last steps have stopped.

        Ended anywhere, it is done over: what is gone is gone. A store that can't be reached is waited for.
        """
        job = reaction.job
        if job.phase is not Phase.DELETING:
            return []
        with as_step_errors():
            removed = await self.workspace.remove_all(reaction.job_id)
            await self.keeper.cache.forget(reaction.owner, [scene.source for scene in job.scenes])
            if removed and reaction.event.ended_as != Phase.COMPLETED:
                await asyncio.sleep(HEARD_WITHIN_S)
                removed += await self.workspace.remove_all(reaction.job_id)
        reaction.log.info("job deleted", files=removed)
        return [cmd.ConfirmDeletion(removed)]

    async def leave(self, reaction: StepContext) -> Sequence[Command]:
        """A failed job keeps its files: a reprocess goes on from them."""
        return []


def _needed_again(job: Job) -> frozenset[str]:
    """The keys of the plan and of what is said in each scene, which are small.

    When one scene is made anew, it has to look as planned, and the captions of all are written again.
    """
    if job.phase is Phase.CANCELLED:
        return frozenset()
    return frozenset(file.key for file in (job.plan, *(scene.spec for scene in job.scenes)) if file)


def _technical(quality: str, facts: Facts) -> TechnicalMetadata:
    info = facts.info
    v, a = info.video, info.audio
    return TechnicalMetadata(
        quality,
        info.container,
        info.duration_s,
        info.size_bytes,
        info.bit_rate,
        VideoStream(v.codec, v.profile, v.width, v.height, v.frame_rate, v.bit_rate, v.pixel_format) if v else None,
        AudioStream(a.codec, a.sample_rate, a.channels, a.bit_rate) if a else None,
        met_by(facts),
    )
