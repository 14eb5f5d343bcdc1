"""What a requester or a handler wants to happen, in the imperative. `decide` says what does."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

from attrs import field

from eventflow.domain._records import frozen_record
from eventflow.domain.values import (
    CaptionFile,
    Companions,
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


@frozen_record
class RequestVideo:
    request: VideoRequest
    fork_of: ForkOrigin | None = None


@frozen_record
class StartPlanning:
    run: int


@frozen_record(kw_only=True)
class AnnounceScript:
    run: int
    title: str
    scene_count: int
    plan: FileRef
    qualities: tuple[str, ...] = ()


@frozen_record(kw_only=True)
class PlanScene:
    run: int
    scene: int
    title: str
    start_cells: int
    duration_cells: int
    spec: FileRef
    narration: FileRef | None
    source: str = ""


@frozen_record(kw_only=True)
class ReuseScene:
    """Instead of narrating and rendering the next scene, take one that is rendered (`redo.reusable_scene`)."""

    run: int
    scene: int
    title: str
    reusable: ReusableScene


@frozen_record(kw_only=True)
class FinishScene:
    scene: int
    run: int
    renditions: tuple[SceneRendition, ...]


@frozen_record(kw_only=True)
class FinishSceneUpload:
    scene: int
    run: int
    renditions: tuple[SceneRendition, ...]


@frozen_record(kw_only=True)
class FinishVideo:
    """The whole video exists: assembled from its scenes, or made in one piece by a pipeline without scenes."""

    run: int
    videos: tuple[VideoFile, ...]
    thumbnails: tuple[Thumbnail, ...]
    captions: tuple[CaptionFile, ...] = ()
    companions: Companions = field(factory=Companions)


@frozen_record(kw_only=True)
class FinishUpload:
    run: int
    videos: tuple[VideoFile, ...]
    thumbnails: tuple[Thumbnail, ...]
    captions: tuple[CaptionFile, ...] = ()
    companions: Companions = field(factory=Companions)


@frozen_record
class PublishVideo:
    run: int
    metadata: tuple[TechnicalMetadata, ...]


@frozen_record(kw_only=True)
class RecordFallback:
    run: int
    step: Step
    scene: int | None
    key: str
    reason: str
    retry_count: int


@frozen_record
class RecordDegradation:
    run: int
    step: Step
    reason: str


@frozen_record(kw_only=True)
class RecordWarning:
    run: int
    step: Step
    scene: int | None
    code: str
    message: str


@frozen_record(kw_only=True)
class RecordRemoteWork:
    """A service has taken on the scene's work; recorded before anybody waits for its end."""

    run: int
    scene: int
    service: str
    remote_id: str


@frozen_record(kw_only=True)
class RecordCost:
    """Recorded whatever has become of the job: it was charged. What has the same `reference` is charged once."""

    run: int
    scene: int | None
    service: str
    amount: str
    currency: str
    reference: str = ""


@frozen_record(kw_only=True)
class FailStep:
    """An attempt failed; `retry_at` is when another one would start, if the policy allows one."""

    step: Step
    scene: int | None
    run: int
    failure: Failure
    retry_at: datetime | None


@frozen_record(kw_only=True)
class ReportLostArtefact:
    """A step has found files gone that events name, by `keys`; at least one."""

    step: Step
    scene: int | None
    run: int
    keys: tuple[str, ...]


@frozen_record(kw_only=True)
class DeadLetterStep:
    """The step's delivery was set aside, because nobody here can handle it."""

    step: Step
    scene: int | None
    run: int
    reason: str


@frozen_record
class RequestCancellation:
    reason: str


@frozen_record
class ConfirmCancellation:
    """A worker that held the job has stopped and cleaned up."""


@frozen_record
class RequestReprocess:
    """Do a finished job again, from a stage on; `scenes` None: all of them."""

    from_stage: ReprocessFrom = ReprocessFrom.PLANNING
    scenes: tuple[int, ...] | None = None


@frozen_record
class RequestDeletion:
    """Remove what a finished job has left behind, for good."""

    reason: str


@frozen_record
class ConfirmDeletion:
    """The files of the job are gone; `files` is how many there were."""

    files: int


@frozen_record
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
    | DeadLetterStep
    | RequestCancellation
    | ConfirmCancellation
    | RequestReprocess
    | RequestDeletion
    | ConfirmDeletion
    | RelocateFiles
)
