"""The upload group: each scene's segments as it is rendered, then the whole videos and thumbnails."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import structlog
from attrs import evolve, frozen

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.commands import Command
from eventflow.domain.values import (
    AudioFile,
    CaptionFile,
    Companions,
    FileRef,
    Picture,
    SceneRendition,
    Segment,
    Step,
    Thumbnail,
    VideoFile,
)
from eventflow.runtime.context import Group, StepContext
from eventflow.runtime.retry_policy import ArtefactMissing
from eventflow.storage import StorageError
from handlers.step_errors import as_step_errors
from handlers.upload.uploader import DeliveryStores, StepUploads
from handlers.workspace import Workspace

#: Files of one step that are uploaded at the same time.
PARALLEL = 4

T = TypeVar("T")
#: An optional part of a video.
Extra = TypeVar("Extra", Thumbnail, CaptionFile, Picture, AudioFile)


@frozen
class Upload:
    workspace: Workspace
    delivery: DeliveryStores

    @property
    def group(self) -> Group:
        return Group(
            "upload", {ev.SceneRendered: self.scene, ev.SceneReused: self.scene, ev.VideoGenerated: self.video}
        )

    async def scene(self, context: StepContext) -> Sequence[Command]:
        """Upload the segments of one scene in all qualities; none if the video isn't streamed."""
        event: ev.SceneRendered | ev.SceneReused = context.event
        if not context.job.request.enable_streaming:
            return [cmd.FinishSceneUpload(scene=event.scene, run=event.run, renditions=())]
        with as_step_errors(), self.workspace.folder(context.job_id) as folder:
            before = context.job.scenes[event.scene].uploaded
            delivered = [file for rendition in before for file in rendition.files]
            step = _Step(self, context, folder, _scene_bytes(event.renditions), delivered)
            renditions = [await step.rendition(r) for r in event.renditions]
        return [
            *step.fallbacks(event.scene, event.run),
            cmd.FinishSceneUpload(scene=event.scene, run=event.run, renditions=tuple(renditions)),
        ]

    async def video(self, context: StepContext) -> Sequence[Command]:
        """Upload the MP4s, and the optional parts: thumbnails, captions, extras."""
        event: ev.VideoGenerated = context.event
        files = [each.file for each in event.videos]
        files += [t.file for t in event.thumbnails] + [c.file for c in event.captions] + [*event.companions.files]
        total = sum(file.size_bytes for file in files)
        with as_step_errors(), self.workspace.folder(context.job_id) as folder:
            delivered = [v.file for v in context.job.uploaded_videos]
            delivered += [t.file for t in context.job.uploaded_thumbnails]
            delivered += [c.file for c in context.job.uploaded_captions]
            delivered += context.job.uploaded_companions.files
            step = _Step(self, context, folder, total, delivered)
            videos = [
                VideoFile(
                    quality=v.quality,
                    width=v.width,
                    height=v.height,
                    duration_s=v.duration_s,
                    file=await step.file(v.file, v.quality),
                )
                for v in event.videos
            ]
            thumbnails = await step.optional(event.thumbnails, "thumbnails")
            captions = await step.optional(event.captions, "captions")
            extras = await step.extras(event.companions)
        return [
            *step.fallbacks(None, event.run),
            *(cmd.RecordDegradation(event.run, Step.UPLOAD_VIDEO, reason) for reason in step.degradations),
            cmd.FinishUpload(
                run=event.run, videos=tuple(videos), thumbnails=thumbnails, captions=captions, companions=extras
            ),
        ]


class _Step:
    """The uploads of one step, with their progress over all files.

    `delivered` holds the files of an earlier upload: a reprocessed job may have no other copy of them.
    """

    def __init__(
        self, upload: Upload, context: StepContext, folder: Path, total_bytes: int, delivered: Iterable[FileRef]
    ) -> None:
        local_only = not context.job.request.s3_upload_enabled
        self._workspace, self._context, self._folder = upload.workspace, context, folder
        self._uploads = StepUploads(delivery=upload.delivery, local_only=local_only)
        self._total, self._sent, self._delivered = max(1, total_bytes), dict[str, int](), tuple(delivered)
        self._slots = asyncio.Semaphore(PARALLEL)
        self.degradations: list[str] = []

    async def file(self, ref: FileRef, kind: str) -> FileRef:
        """Let the store copy the file, or fetch and upload it.

        The key contains the content's digest: it can't be guessed, and no other content overwrites it.
        """
        key = f"videos/{self._context.job_id}/{kind}/{ref.sha256}{Path(ref.key).suffix}"
        async with self._slots:
            if ref.store == "workspace":
                copied = await self._uploads.copy(ref, key, self._workspace.store)
                if copied is not None:
                    self._progress(key, ref.size_bytes)
                    return copied
            path = await self._workspace.fetch(ref, self._folder, self._delivered)
            try:
                return await self._uploads.upload(path, ref, key, lambda sent: self._progress(key, sent))
            finally:
                path.unlink(missing_ok=True)

    async def rendition(self, rendition: SceneRendition) -> SceneRendition:
        wanted = list(dict.fromkeys(rendition.files))
        uploaded = await _together([self.file(file, rendition.quality) for file in wanted])
        stored = {ref.sha256: file for ref, file in zip(wanted, uploaded, strict=True)}
        segments = tuple(Segment(stored[s.file.sha256], s.duration_cells) for s in rendition.segments)
        return evolve(rendition, init=stored[rendition.init.sha256], segments=segments)

    async def optional(self, items: Sequence[Extra], kind: str) -> tuple[Extra, ...]:
        """Upload optional files; return the stored ones. Failures add one reason per kind to `degradations`."""
        lost = list[str]()

        async def attempt(ref: FileRef) -> FileRef | None:
            try:
                return await self.file(ref, kind)
            except (StorageError, ArtefactMissing) as error:
                lost.append(f"{kind}: {Path(ref.key).name} could not be stored: {error}")
                structlog.get_logger().warning("optional file not stored", kind=kind, key=ref.key, error=str(error))
                return None

        # Equal pictures are one file, whose scratch copy two uploads can't share.
        wanted = list(dict.fromkeys(item.file for item in items))
        uploaded = await _together([attempt(file) for file in wanted])
        stored = {ref: file for ref, file in zip(wanted, uploaded, strict=True) if file}
        self.degradations += lost[-1:]
        return tuple(evolve(item, file=stored[item.file]) for item in items if item.file in stored)

    async def extras(self, made: Companions) -> Companions:
        """Upload the extras; a storyboard without all its sheets is dropped."""
        audio = await self.optional((made.audio,) if made.audio else (), "audio")
        poster = await self.optional(made.poster, "poster")
        board = made.storyboard
        sheets = await self.optional(board.sheets if board else (), "storyboard")
        whole = board and len(sheets) == len(board.sheets)
        preview = await self.optional((made.preview,) if made.preview else (), "preview")
        return Companions(
            audio=next(iter(audio), None),
            poster=poster,
            storyboard=evolve(board, sheets=sheets) if board and whole else None,
            preview=next(iter(preview), None),
        )

    def fallbacks(self, scene: int | None, run: int) -> list[Command]:
        stored = self._uploads.fell_back
        if stored is None:
            return []
        step = Step.UPLOAD_VIDEO if scene is None else Step.UPLOAD_SCENE
        return [
            cmd.RecordFallback(
                run=run,
                step=step,
                scene=scene,
                key=stored.key,
                reason=self._uploads.reason,
                retry_count=stored.retry_count,
            )
        ]

    def _progress(self, key: str, sent: int) -> None:
        self._sent[key] = max(sent, self._sent.get(key, 0))  # a second try starts over, progress doesn't
        self._context.progress(sum(self._sent.values()) / self._total)


async def _together(work: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Run all; return their results in order. The first failure cancels the others and is raised: it's one outage."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in work]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]


def _scene_bytes(renditions: Sequence[SceneRendition]) -> int:
    return sum(file.size_bytes for rendition in renditions for file in rendition.files)
