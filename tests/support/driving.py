"""Drives jobs to any state without workers, by the commands that handlers would return."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal

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
    return FileRef(store, f"jobs/test/{sha256}-{name}", sha256, len(data), media_type)


TEXT_TYPES = {"vtt": "text/vtt", "srt": "application/x-subrip"}
SPEC = file_ref(b"spec", "scene.json", "application/json", "workspace")
RENDITION = SceneRendition("720p", 1280, 720, "config", SPEC, (Segment(SPEC, 11),))


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
        planned = [cmd.PlanScene(run, i, f"Scene {i}", i * 10, 10, SPEC, None) for i in range(scenes)]
        return await self.run(job_id, cmd.StartPlanning(run), cmd.AnnounceScript(run, title, scenes, SPEC), *planned)

    async def render(self, job_id: str, *scenes: int, run: int = 1) -> JobRecord:
        return await self.run(job_id, *(cmd.FinishScene(scene, run, (RENDITION,)) for scene in scenes))

    async def upload(self, job_id: str, *scenes: int, run: int = 1) -> JobRecord:
        return await self.run(job_id, *(cmd.FinishSceneUpload(scene, run, (RENDITION,)) for scene in scenes))

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
        made = (tuple(files), tuple(pictures), tuple(tracks), companions or Companions())
        return await self.run(
            job_id,
            cmd.FinishVideo(run, *made),
            cmd.FinishUpload(run, *made),
            cmd.PublishVideo(run, tuple(technical(file) for file in files)),
        )

    async def fail(self, job_id: str, message: str = "typst is missing") -> JobRecord:
        failure = Failure(FailureCategory.INITIALIZATION, "missing_dependency", message)
        return await self.run(job_id, cmd.FailStep(Step.PLAN, None, 1, failure, None))

    async def _video(self, quality: str, data: bytes, store: StoreRole) -> VideoFile:
        file = file_ref(data, f"{quality}.mp4", "video/mp4", store)
        await self.stores[store].put_bytes(file.key, data, media_type=file.media_type)
        return VideoFile(quality, *QUALITIES[quality], 12.8, file)

    async def _track(self, language: str, kind: Literal["vtt", "srt"], data: bytes, store: StoreRole) -> CaptionFile:
        file = file_ref(data, f"{language}.{kind}", TEXT_TYPES[kind], store)
        await self.stores[store].put_bytes(file.key, data, media_type=file.media_type)
        return CaptionFile(language, kind, file)

    async def _picture(self, index: int, data: bytes, store: StoreRole) -> Thumbnail:
        file = file_ref(data, f"{index}.jpg", "image/jpeg", store)
        await self.stores[store].put_bytes(file.key, data, media_type=file.media_type)
        return Thumbnail(index, 640, 360, file)


def technical(video: VideoFile) -> TechnicalMetadata:
    picture = VideoStream("h264", "High", video.width, video.height, 29.97, 400_000, "yuv420p")
    sound = AudioStream("aac", 48_000, 2, 128_000)
    size = video.file.size_bytes
    return TechnicalMetadata(video.quality, "mp4", video.duration_s, size, 528_000, picture, sound, ("youtube", "x"))
