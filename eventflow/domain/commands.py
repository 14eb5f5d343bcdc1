"""What a requester or a handler wants to happen, in the imperative. `decide` says what does."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

from attrs import frozen

from eventflow.domain.values import (
    Failure,
    FileRef,
    ForkOrigin,
    ReprocessFrom,
    ReusableScene,
    SceneRendition,
    Step,
    TechnicalMetadata,
    Thumbnail,
    VideoFile,
    VideoRequest,
)


@frozen
class RequestVideo:
    request: VideoRequest
    fork_of: ForkOrigin | None = None


@frozen
class StartPlanning:
    run: int


@frozen
class AnnounceScript:
    run: int
    title: str
    scene_count: int
    plan: FileRef


@frozen
class PlanScene:
    run: int
    scene: int
    title: str
    start_cells: int
    duration_cells: int
    spec: FileRef
    narration: FileRef | None
    source: str = ""


@frozen
class ReuseScene:
    """Instead of narrating and rendering the next scene, take one that is rendered (`redo.reusable_scene`)."""

    run: int
    scene: int
    title: str
    reusable: ReusableScene


@frozen
class FinishScene:
    scene: int
    run: int
    renditions: tuple[SceneRendition, ...]


@frozen
class FinishSceneUpload:
    scene: int
    run: int
    renditions: tuple[SceneRendition, ...]


@frozen
class FinishVideo:
    """The whole video exists: assembled from its scenes, or made in one piece by a pipeline without scenes."""

    run: int
    videos: tuple[VideoFile, ...]
    thumbnails: tuple[Thumbnail, ...]


@frozen
class FinishUpload:
    run: int
    videos: tuple[VideoFile, ...]
    thumbnails: tuple[Thumbnail, ...]


@frozen
class PublishVideo:
    run: int
    metadata: tuple[TechnicalMetadata, ...]


@frozen
class RecordFallback:
    run: int
    step: Step
    scene: int | None
    key: str
    reason: str
    retry_count: int


@frozen
class RecordDegradation:
    run: int
    step: Step
    reason: str


@frozen
class FailStep:
    """An attempt failed; `retry_at` is when another one would start, if the policy allows one."""

    step: Step
    scene: int | None
    run: int
    failure: Failure
    retry_at: datetime | None


@frozen
class ReportLostArtefact:
    """A step has found files gone that events name, by `keys`; at least one."""

    step: Step
    scene: int | None
    run: int
    keys: tuple[str, ...]


@frozen
class RequestCancellation:
    reason: str


@frozen
class ConfirmCancellation:
    """A worker that held the job has stopped and cleaned up."""


@frozen
class RequestReprocess:
    """Do a finished job again, from a stage on; `scenes` None: all of them."""

    from_stage: ReprocessFrom = ReprocessFrom.PLANNING
    scenes: tuple[int, ...] | None = None


Command: TypeAlias = (
    RequestVideo
    | StartPlanning
    | AnnounceScript
    | PlanScene
    | ReuseScene
    | FinishScene
    | FinishSceneUpload
    | FinishVideo
    | FinishUpload
    | PublishVideo
    | RecordFallback
    | RecordDegradation
    | FailStep
    | ReportLostArtefact
    | RequestCancellation
    | ConfirmCancellation
    | RequestReprocess
)
