"""What a requester or a handler wants to happen, in the imperative. `decide` says what does."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

from attrs import field

from eventflow.domain.carrier import carrier
from eventflow.domain.companions import Companions
from eventflow.domain.values import (
    CaptionFile,
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


@carrier
class RequestVideo:
    request: VideoRequest
    fork_of: ForkOrigin | None = None


@carrier
class StartPlanning:
    run: int


@carrier
class AnnounceScript:
    run: int
    title: str
    scene_count: int
    plan: FileRef
    qualities: tuple[str, ...] = ()


@carrier
class PlanScene:
    run: int
    scene: int
    title: str
    start_cells: int
    duration_cells: int
    spec: FileRef
    narration: FileRef | None
    source: str = ""


@carrier
class ReuseScene:
    """Instead of narrating and rendering the next scene, take one that is rendered (`redo.reusable_scene`)."""

    run: int
    scene: int
    title: str
    reusable: ReusableScene


@carrier
class FinishScene:
    scene: int
    run: int
    renditions: tuple[SceneRendition, ...]


@carrier
class FinishSceneUpload:
    scene: int
    run: int
    renditions: tuple[SceneRendition, ...]


@carrier
class FinishVideo:
    """The whole video exists: assembled from its scenes, or made in one piece by a pipeline without scenes."""

    run: int
    videos: tuple[VideoFile, ...]
    thumbnails: tuple[Thumbnail, ...]
    captions: tuple[CaptionFile, ...] = ()
    companions: Companions = field(factory=Companions)


@carrier
class FinishUpload:
    run: int
    videos: tuple[VideoFile, ...]
    thumbnails: tuple[Thumbnail, ...]
    captions: tuple[CaptionFile, ...] = ()
    companions: Companions = field(factory=Companions)


@carrier
class PublishVideo:
    run: int
    metadata: tuple[TechnicalMetadata, ...]


@carrier
class RecordFallback:
    run: int
    step: Step
    scene: int | None
    key: str
    reason: str
    retry_count: int


@carrier
class RecordDegradation:
    run: int
    step: Step
    reason: str


@carrier
class RecordWarning:
    run: int
    step: Step
    scene: int | None
    code: str
    message: str


@carrier
class RecordRemoteWork:
    """A service has taken on the scene's work; recorded before anybody waits for its end."""

    run: int
    scene: int
    service: str
    remote_id: str


@carrier
class RecordCost:
    """Recorded whatever has become of the job: it was charged. What has the same `reference` is charged once."""

    run: int
    scene: int | None
    service: str
    amount: str
    currency: str
    reference: str = ""


@carrier
class FailStep:
    """An attempt failed; `retry_at` is when another one would start, if the policy allows one."""

    step: Step
    scene: int | None
    run: int
    failure: Failure
    retry_at: datetime | None


@carrier
class ReportLostArtefact:
    """A step has found files gone that events name, by `keys`; at least one."""

    step: Step
    scene: int | None
    run: int
    keys: tuple[str, ...]


@carrier
class ParkStep:
    """The step's delivery was set aside, because nobody here can handle it."""

    step: Step
    scene: int | None
    run: int
    reason: str


@carrier
class RequestCancellation:
    reason: str


@carrier
class ConfirmCancellation:
    """A worker that held the job has stopped and cleaned up."""


@carrier
class RequestReprocess:
    """Do a finished job again, from a stage on; `scenes` None: all of them."""

    from_stage: ReprocessFrom = ReprocessFrom.PLANNING
    scenes: tuple[int, ...] | None = None


@carrier
class RequestDeletion:
    """Remove what a finished job has left behind, for good."""

    reason: str


@carrier
class ConfirmDeletion:
    """The files of the job are gone; `files` is how many there were."""

    files: int


@carrier
class RelocateFiles:
    """What lies in the fallback store under `keys` is safely in the delivery store, too."""

    keys: tuple[str, ...]


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
    | RecordWarning
    | RecordRemoteWork
    | RecordCost
    | FailStep
    | ReportLostArtefact
    | ParkStep
    | RequestCancellation
    | ConfirmCancellation
    | RequestReprocess
    | RequestDeletion
    | ConfirmDeletion
    | RelocateFiles
)
