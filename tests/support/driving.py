"""Drives jobs to any state without workers, by the commands that handlers would return."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Literal

from attrs import frozen

from eventflow.domain import commands as cmd
from eventflow.domain.values import (
    AudioStream,
    CaptionFile,
    Companions,
    Failure,
    FailureCategory,
    FileRef,
    SceneRendition,
    Segment,
    Step,
    StoreRole,
    TechnicalMetadata,
    Thumbnail,
    VideoFile,
    VideoRequest,
    VideoStream,
)
from eventflow.log.event_store import Cause, JobEventStore, JobRecord
from eventflow.storage import ObjectStore

TRACEPARENT = f"00-{'a' * 32}-{'b' * 16}-01"
QUALITIES = {"1080p": (1920, 1080), "720p": (1280, 720), "480p": (854, 480)}


def cause_of(owner: str) -> Cause:
    return Cause(owner=owner, correlation_id="test", causation_id="", traceparent=TRACEPARENT)


def file_ref(data: bytes, name: str, media_type: str, store: StoreRole = "delivery") -> FileRef:
    sha256 = hashlib.sha256(data).hexdigest()
    return FileRef(
        store=store, key=f"jobs/test/{sha256}-{name}", sha256=sha256, size_bytes=len(data), media_type=media_type
    )


TEXT_TYPES = {"vtt": "text/vtt", "srt": "application/x-subrip"}
SPEC = file_ref(b"spec", "scene.json", "application/json", "workspace")
RENDITION = SceneRendition(
    quality="720p", width=1280, height=720, decoder_config="config", init=SPEC, segments=(Segment(SPEC, 11),)
)


@frozen
class Driver:
    """Appends to the log as workers would. `stores` takes the files that are published."""

    log: JobEventStore
    stores: dict[StoreRole, ObjectStore]

    async def create(self, job_id: str, owner: str = "local", request: VideoRequest | None = None) -> JobRecord:
        return await self.log.create(job_id, request or VideoRequest(script="# Hello"), cause_of(owner))

    async def run(self, job_id: str, *commands: cmd.Command) -> JobRecord:
        record = await self.log.execute(job_id, commands, cause_of("worker"))
        assert record is not None
        return record

    async def plan(self, job_id: str, scenes: int = 2, run: int = 1, title: str = "A talk") -> JobRecord:
        planned = [
            cmd.PlanScene(
                run=run, scene=i, title=f"Scene {i}", start_cells=i * 10, duration_cells=10, spec=SPEC, narration=None
            )
            for i in range(scenes)
        ]
        return await self.run(
            job_id,
            cmd.StartPlanning(run),
            cmd.AnnounceScript(run=run, title=title, scene_count=scenes, plan=SPEC),
            *planned,
        )

    async def render(self, job_id: str, *scenes: int, run: int = 1) -> JobRecord:
        return await self.run(
            job_id, *(cmd.FinishScene(scene=scene, run=run, renditions=(RENDITION,)) for scene in scenes)
        )

    async def upload(self, job_id: str, *scenes: int, run: int = 1) -> JobRecord:
        return await self.run(
            job_id, *(cmd.FinishSceneUpload(scene=scene, run=run, renditions=(RENDITION,)) for scene in scenes)
        )

    async def publish(
        self,
        job_id: str,
        videos: dict[str, bytes],
        thumbnails: Sequence[bytes] = (),
        *,
        run: int = 1,
        store: StoreRole = "delivery",
        captions: dict[tuple[str, Literal["vtt", "srt"]], bytes] | None = None,
        companions: Companions | None = None,
    ) -> JobRecord:
        """Finish a job whose scenes are uploaded, or that has none. Puts the bytes in the store.

        `captions` by (language, format). The files of `companions` are the caller's to put.
        """
        files = [await self._video(quality, data, store) for quality, data in videos.items()]
        pictures = [await self._picture(i, data, store) for i, data in enumerate(thumbnails)]
        tracks = [await self._track(*kind, data, store) for kind, data in (captions or {}).items()]
        made: dict[str, Any] = {
            "videos": tuple(files),
            "thumbnails": tuple(pictures),
            "captions": tuple(tracks),
            "companions": companions or Companions(),
        }
        return await self.run(
            job_id,
            cmd.FinishVideo(run=run, **made),
            cmd.FinishUpload(run=run, **made),
            cmd.PublishVideo(run, tuple(technical(file) for file in files)),
        )

    async def fail(self, job_id: str, message: str = "typst is missing") -> JobRecord:
        failure = Failure(FailureCategory.INITIALIZATION, "missing_dependency", message)
        return await self.run(job_id, cmd.FailStep(step=Step.PLAN, scene=None, run=1, failure=failure, retry_at=None))

    async def _video(self, quality: str, data: bytes, store: StoreRole) -> VideoFile:
        file = file_ref(data, f"{quality}.mp4", "video/mp4", store)
        await self.stores[store].put_bytes(file.key, data, media_type=file.media_type)
        width, height = QUALITIES[quality]
        return VideoFile(quality=quality, width=width, height=height, duration_s=12.8, file=file)

    async def _track(self, language: str, kind: Literal["vtt", "srt"], data: bytes, store: StoreRole) -> CaptionFile:
        file = file_ref(data, f"{language}.{kind}", TEXT_TYPES[kind], store)
        await self.stores[store].put_bytes(file.key, data, media_type=file.media_type)
        return CaptionFile(language, kind, file)

    async def _picture(self, index: int, data: bytes, store: StoreRole) -> Thumbnail:
        file = file_ref(data, f"{index}.jpg", "image/jpeg", store)
        await self.stores[store].put_bytes(file.key, data, media_type=file.media_type)
        return Thumbnail(index=index, width=640, height=360, file=file)


def technical(video: VideoFile) -> TechnicalMetadata:
    picture = VideoStream(
        codec="h264",
        profile="High",
        width=video.width,
        height=video.height,
        frame_rate=29.97,
        bit_rate=400_000,
        pixel_format="yuv420p",
    )
    sound = AudioStream(codec="aac", sample_rate=48_000, channels=2, bit_rate=128_000)
    size = video.file.size_bytes
    return TechnicalMetadata(
        quality=video.quality,
        container="mp4",
        duration_s=video.duration_s,
        size_bytes=size,
        bit_rate=528_000,
        video=picture,
        audio=sound,
        meets=("youtube", "x"),
    )
