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

REQUEST = VideoRequest("# A script")
WORK_FILE = FileRef("workspace", "jobs/j/aa.bin", "aa" * 32, 100, "application/octet-stream")
PUBLIC_FILE = FileRef("delivery", "videos/j/aa.mp4", "aa" * 32, 100, "video/mp4")
RENDITIONS = (SceneRendition("720p", 1280, 720, "cafe", WORK_FILE, (Segment(WORK_FILE, 11),)),)
UPLOADED = (SceneRendition("720p", 1280, 720, "cafe", PUBLIC_FILE, (Segment(PUBLIC_FILE, 11),)),)
VIDEOS = (VideoFile("720p", 1280, 720, 11.73, WORK_FILE),)
PUBLIC_VIDEOS = (VideoFile("720p", 1280, 720, 11.73, PUBLIC_FILE),)
THUMBNAILS = (Thumbnail(0, 320, 180, WORK_FILE),)
PUBLIC_THUMBNAILS = (Thumbnail(0, 320, 180, PUBLIC_FILE),)
CAPTIONS = (CaptionFile("en-US", "vtt", WORK_FILE),)
PUBLIC_CAPTIONS = (CaptionFile("en-US", "vtt", PUBLIC_FILE),)
METADATA = (
    TechnicalMetadata(
        "720p",
        "mp4",
        11.73,
        100,
        None,
        VideoStream("h264", "High", 1280, 720, None, None, "yuv420p"),
        AudioStream("aac", 48_000, 1, 96_000),
    ),
)


def failure(category: FailureCategory = FailureCategory.GENERATION, code: str = "broken") -> Failure:
    return Failure(category, code, "it broke")


def requested(**changes: Any) -> ev.VideoRequested:
    return ev.VideoRequested(VideoRequest("# A script", **changes))


def announced(scenes: int, run: int = 1) -> History:
    return [ev.PlanningStarted(run), ev.ScriptPlanned(run, "Title", scenes, WORK_FILE)]


def scene_planned(scene: int, run: int = 1) -> ev.ScenePlanned:
    return ev.ScenePlanned(scene, run, f"Scene {scene}", scene * 11, 11, WORK_FILE, WORK_FILE, f"source {scene}")


def planned(scenes: int, run: int = 1) -> History:
    """Requested, and every scene planned."""
    return [requested(), *announced(scenes, run), *(scene_planned(i, run) for i in range(scenes))]


def rendered(scene: int, run: int = 1) -> ev.SceneRendered:
    return ev.SceneRendered(scene, run, RENDITIONS)


def uploaded(scene: int, run: int = 1) -> ev.SceneUploaded:
    return ev.SceneUploaded(scene, run, UPLOADED)


STARTED = ev.StreamStarted(1)


def all_rendered(scenes: int) -> History:
    return [*planned(scenes), *(rendered(i) for i in range(scenes)), ev.ScenesCompleted(1)]


def generated(scenes: int) -> History:
    return [*all_rendered(scenes), ev.VideoGenerated(1, VIDEOS, THUMBNAILS, CAPTIONS)]


def all_uploaded(scenes: int) -> History:
    scene_events = [uploaded(0), STARTED, *(uploaded(i) for i in range(1, scenes))]
    deliverables = ev.DeliverablesUploaded(1, PUBLIC_VIDEOS, PUBLIC_THUMBNAILS, PUBLIC_CAPTIONS)
    return [*generated(scenes), *scene_events, deliverables, ev.VideoUploaded(1)]


def published(scenes: int) -> History:
    return [*all_uploaded(scenes), ev.VideoPublished(1, 1, METADATA)]


def failed(scenes: int = 2) -> History:
    step_failed = ev.StepFailed(Step.ASSEMBLE, None, 1, failure(), 1, None)
    return [*all_rendered(scenes), step_failed, ev.JobFailed(1, failure(), Step.ASSEMBLE, None, 1)]


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
    return cmd.PlanScene(run, scene, f"Scene {scene}", scene * 11, 11, WORK_FILE, WORK_FILE, f"source {scene}")


def announce(scenes: int, run: int = 1) -> cmd.AnnounceScript:
    return cmd.AnnounceScript(run, "Title", scenes, WORK_FILE)


def finish_scene(scene: int, run: int = 1) -> cmd.FinishScene:
    return cmd.FinishScene(scene, run, RENDITIONS)


def finish_scene_upload(scene: int, run: int = 1) -> cmd.FinishSceneUpload:
    return cmd.FinishSceneUpload(scene, run, UPLOADED)


def finish_video(run: int = 1) -> cmd.FinishVideo:
    return cmd.FinishVideo(run, VIDEOS, THUMBNAILS, CAPTIONS)


def finish_upload(run: int = 1) -> cmd.FinishUpload:
    return cmd.FinishUpload(run, PUBLIC_VIDEOS, PUBLIC_THUMBNAILS, PUBLIC_CAPTIONS)


def publish(run: int = 1) -> cmd.PublishVideo:
    return cmd.PublishVideo(run, METADATA)
