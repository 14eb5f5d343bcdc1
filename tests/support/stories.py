"""Histories of jobs to begin tests with, and how their parts are written down.

`upto(phase)` is a plausible history that ends in `phase`, of a job with two scenes.
"""

from __future__ import annotations

from typing import Any

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.state import Phase
from eventflow.domain.values import (
    AudioStream,
    CaptionFile,
    Failure,
    FailureCategory,
    FileRef,
    SceneRendition,
    Segment,
    Step,
    TechnicalMetadata,
    Thumbnail,
    VideoFile,
    VideoRequest,
    VideoStream,
)

History = list[ev.Event]

REQUEST = VideoRequest(script="# A script")
WORK_FILE = FileRef(
    store="workspace", key="jobs/j/aa.bin", sha256="aa" * 32, size_bytes=100, media_type="application/octet-stream"
)
PUBLIC_FILE = FileRef(store="delivery", key="videos/j/aa.mp4", sha256="aa" * 32, size_bytes=100, media_type="video/mp4")
RENDITIONS = (
    SceneRendition(
        quality="720p",
        width=1280,
        height=720,
        decoder_config="cafe",
        init=WORK_FILE,
        segments=(Segment(WORK_FILE, 11),),
    ),
)
UPLOADED = (
    SceneRendition(
        quality="720p",
        width=1280,
        height=720,
        decoder_config="cafe",
        init=PUBLIC_FILE,
        segments=(Segment(PUBLIC_FILE, 11),),
    ),
)
VIDEOS = (VideoFile(quality="720p", width=1280, height=720, duration_s=11.73, file=WORK_FILE),)
PUBLIC_VIDEOS = (VideoFile(quality="720p", width=1280, height=720, duration_s=11.73, file=PUBLIC_FILE),)
THUMBNAILS = (Thumbnail(index=0, width=320, height=180, file=WORK_FILE),)
PUBLIC_THUMBNAILS = (Thumbnail(index=0, width=320, height=180, file=PUBLIC_FILE),)
CAPTIONS = (CaptionFile("en-US", "vtt", WORK_FILE),)
PUBLIC_CAPTIONS = (CaptionFile("en-US", "vtt", PUBLIC_FILE),)
METADATA = (
    TechnicalMetadata(
        quality="720p",
        container="mp4",
        duration_s=11.73,
        size_bytes=100,
        bit_rate=None,
        video=VideoStream(
            codec="h264", profile="High", width=1280, height=720, frame_rate=None, bit_rate=None, pixel_format="yuv420p"
        ),
        audio=AudioStream(codec="aac", sample_rate=48_000, channels=1, bit_rate=96_000),
    ),
)


def failure(category: FailureCategory = FailureCategory.GENERATION, code: str = "broken") -> Failure:
    return Failure(category, code, "it broke")


def requested(**changes: Any) -> ev.VideoRequested:
    return ev.VideoRequested(VideoRequest(script="# A script", **changes))


def announced(scenes: int, run: int = 1) -> History:
    return [ev.PlanningStarted(run), ev.ScriptPlanned(run=run, title="Title", scene_count=scenes, plan=WORK_FILE)]


def scene_planned(scene: int, run: int = 1) -> ev.ScenePlanned:
    return ev.ScenePlanned(
        scene=scene,
        run=run,
        title=f"Scene {scene}",
        start_cells=scene * 11,
        duration_cells=11,
        spec=WORK_FILE,
        narration=WORK_FILE,
        source=f"source {scene}",
    )


def planned(scenes: int, run: int = 1) -> History:
    """Requested, and every scene planned."""
    return [requested(), *announced(scenes, run), *(scene_planned(i, run) for i in range(scenes))]


def rendered(scene: int, run: int = 1) -> ev.SceneRendered:
    return ev.SceneRendered(scene=scene, run=run, renditions=RENDITIONS)


def uploaded(scene: int, run: int = 1) -> ev.SceneUploaded:
    return ev.SceneUploaded(scene=scene, run=run, renditions=UPLOADED)


STARTED = ev.StreamStarted(1)


def all_rendered(scenes: int) -> History:
    return [*planned(scenes), *(rendered(i) for i in range(scenes)), ev.ScenesCompleted(1)]


def generated(scenes: int) -> History:
    return [*all_rendered(scenes), ev.VideoGenerated(run=1, videos=VIDEOS, thumbnails=THUMBNAILS, captions=CAPTIONS)]


def all_uploaded(scenes: int) -> History:
    scene_events = [uploaded(0), STARTED, *(uploaded(i) for i in range(1, scenes))]
    deliverables = ev.DeliverablesUploaded(
        run=1, videos=PUBLIC_VIDEOS, thumbnails=PUBLIC_THUMBNAILS, captions=PUBLIC_CAPTIONS
    )
    return [*generated(scenes), *scene_events, deliverables, ev.VideoUploaded(1)]


def published(scenes: int) -> History:
    return [*all_uploaded(scenes), ev.VideoPublished(1, 1, METADATA)]


def failed(scenes: int = 2) -> History:
    step_failed = ev.StepFailed(step=Step.ASSEMBLE, scene=None, run=1, failure=failure(), attempt=1, retry_at=None)
    return [
        *all_rendered(scenes),
        step_failed,
        ev.JobFailed(run=1, failure=failure(), step=Step.ASSEMBLE, scene=None, attempts=1),
    ]


def upto(phase: Phase) -> History:
    cancelling = [*planned(2), ev.CancellationRequested("changed my mind")]
    histories: dict[Phase, History] = {
        Phase.REQUESTED: [requested()],
        Phase.PLANNING: [requested(), *announced(2)],
        Phase.RENDERING: planned(2),
        Phase.ASSEMBLING: all_rendered(2),
        Phase.UPLOADING: generated(2),
        Phase.EXTRACTING: all_uploaded(2),
        Phase.CANCELLING: cancelling,
        Phase.COMPLETED: published(2),
        Phase.FAILED: failed(),
        Phase.CANCELLED: [*cancelling, ev.JobCancelled(1)],
        Phase.DELETING: [*published(2), ev.DeletionRequested("asked", "completed")],
        Phase.DELETED: [*published(2), ev.DeletionRequested("asked", "completed"), ev.JobDeleted(7)],
    }
    return histories[phase]


def plan_scene(scene: int, run: int = 1) -> cmd.PlanScene:
    return cmd.PlanScene(
        run=run,
        scene=scene,
        title=f"Scene {scene}",
        start_cells=scene * 11,
        duration_cells=11,
        spec=WORK_FILE,
        narration=WORK_FILE,
        source=f"source {scene}",
    )


def announce(scenes: int, run: int = 1) -> cmd.AnnounceScript:
    return cmd.AnnounceScript(run=run, title="Title", scene_count=scenes, plan=WORK_FILE)


def finish_scene(scene: int, run: int = 1) -> cmd.FinishScene:
    return cmd.FinishScene(scene=scene, run=run, renditions=RENDITIONS)


def finish_scene_upload(scene: int, run: int = 1) -> cmd.FinishSceneUpload:
    return cmd.FinishSceneUpload(scene=scene, run=run, renditions=UPLOADED)


def finish_video(run: int = 1) -> cmd.FinishVideo:
    return cmd.FinishVideo(run=run, videos=VIDEOS, thumbnails=THUMBNAILS, captions=CAPTIONS)


def finish_upload(run: int = 1) -> cmd.FinishUpload:
    return cmd.FinishUpload(run=run, videos=PUBLIC_VIDEOS, thumbnails=PUBLIC_THUMBNAILS, captions=PUBLIC_CAPTIONS)


def publish(run: int = 1) -> cmd.PublishVideo:
    return cmd.PublishVideo(run, METADATA)
