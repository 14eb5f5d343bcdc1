"""Commands of requesters and handlers, in the imperative. `decide` turns them into events."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

from eventflow.domain._records import frozen_record
from eventflow.domain.values import (
    NO_COMPANIONS,
    CaptionFile,
    Companions,
    Failure,
    FileRef,
    ForkOrigin,
    OrderOutcome,
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
    """Take a rendered scene (`reprocess.reusable_scene`) instead of narrating and rendering the next one."""

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
    companions: Companions = NO_COMPANIONS


@frozen_record(kw_only=True)
class FinishUpload:
    run: int
    videos: tuple[VideoFile, ...]
    thumbnails: tuple[Thumbnail, ...]
    captions: tuple[CaptionFile, ...] = ()
    companions: Companions = NO_COMPANIONS


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
class RecordRemoteOrder:
    """An order for the scene is about to be sent to a service; recorded before the step sends it."""

    run: int
    scene: int
    service: str
    order: str
    request: str
    ordered_at: datetime


@frozen_record(kw_only=True)
class RecordRemoteWork:
    """A service has accepted an order for the scene; recorded before the step waits for the result."""

    run: int
    scene: int
    service: str
    remote_id: str


@frozen_record(kw_only=True)
class RecordRemoteEnd:
    """The last order for the scene ended without a result."""

    run: int
    scene: int
    service: str
    outcome: OrderOutcome
    answer: str


@frozen_record(kw_only=True)
class ReplaceNarrator:
    """The narrator of the voice `voice` has failed for good at a scene: `instead` is to speak the whole video."""

    run: int
    scene: int
    voice: str
    instead: str
    reason: str


@frozen_record(kw_only=True)
class RecordCost:
    """A charge of a service, recorded in any phase of the job, once for each `reference`."""

    run: int
    scene: int | None
    service: str
    amount: str
    currency: str
    reference: str = ""


@frozen_record(kw_only=True)
class FailStep:
    """An attempt failed; `retry_at` is when the next one starts, None if the policy allows none."""

    step: Step
    scene: int | None
    run: int
    failure: Failure
    retry_at: datetime | None


@frozen_record(kw_only=True)
class ReportLostArtefact:
    """A step misses files that events name: `keys`, at least one."""

    step: Step
    scene: int | None
    run: int
    keys: tuple[str, ...]


@frozen_record(kw_only=True)
class DeadLetterStep:
    """The step's delivery was moved to the dead letters, because no worker can handle it."""

    step: Step
    scene: int | None
    run: int
    reason: str


@frozen_record
class RequestCancellation:
    reason: str


@frozen_record
class ConfirmCancellation:
    """The worker that had a delivery of the job has stopped and cleaned up."""


@frozen_record
class RequestReprocess:
    """Run a finished job again from a stage; `scenes` None: all of them."""

    from_stage: ReprocessFrom = ReprocessFrom.PLANNING
    scenes: tuple[int, ...] | None = None


@frozen_record
class RequestDeletion:
    """Remove the files of a finished job for good."""

    reason: str


@frozen_record
class ConfirmDeletion:
    """The job's files are removed; `files` is how many there were."""

    files: int


@frozen_record
class RelocateFiles:
    """The files under `keys` in the fallback store are safely in the delivery store, too."""

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
    | RecordRemoteOrder
    | RecordRemoteWork
    | RecordRemoteEnd
    | ReplaceNarrator
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
