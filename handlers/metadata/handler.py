"""The metadata group: probes the finished files and publishes the video."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.commands import Command
from eventflow.domain.job import Phase
from eventflow.domain.values import AudioStream, TechnicalMetadata, VideoStream
from eventflow.runtime.reaction import Group, Reaction
from handlers.failures import as_step_errors
from handlers.media.probe import MediaInfo, probe
from handlers.workspace import Workspace


@frozen
class Metadata:
    workspace: Workspace

    @property
    def group(self) -> Group:
        return Group("metadata", {ev.VideoUploaded: self.extract})

    async def extract(self, reaction: Reaction) -> Sequence[Command]:
        """What each file is, by looking at it; then the workspace is cleared, if that was asked for."""
        job = reaction.job
        with as_step_errors(), self.workspace.folder(reaction.job_id) as folder:
            found: list[TechnicalMetadata] = []
            for number, (made, stored) in enumerate(zip(job.videos, job.uploaded_videos, strict=True)):
                path = await self.workspace.fetch(made.file, folder, [stored.file])
                info = await reaction.in_thread(probe, path)
                path.unlink()
                found.append(_technical(made.quality, info))
                reaction.progress((number + 1) / len(job.videos))
            after = await reaction.commit(cmd.PublishVideo(job.run, tuple(found)))
            if after.phase is Phase.COMPLETED and job.request.cleanup_local_files:
                removed = await self.workspace.clear(reaction.job_id)
                reaction.log.info("workspace cleared", files=removed)
        return []


def _technical(quality: str, info: MediaInfo) -> TechnicalMetadata:
    v, a = info.video, info.audio
    return TechnicalMetadata(
        quality,
        info.container,
        info.duration_s,
        info.size_bytes,
        info.bit_rate,
        VideoStream(v.codec, v.profile, v.width, v.height, v.frame_rate, v.bit_rate, v.pixel_format) if v else None,
        AudioStream(a.codec, a.sample_rate, a.channels, a.bit_rate) if a else None,
    )
