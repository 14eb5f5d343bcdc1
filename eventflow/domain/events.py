"""Events of a job, in the past tense. A job is the fold of its events.

A payload changes only with a new schema version, an upcaster and a new golden line (`tests/unit/golden`). `run` counts
the runs of a scene or of the whole job: `decide` drops results of an older run.

First come the notes that steps make on the way, which call for no work; then the relocation and deletion of a finished
job's files; then the events of the work itself.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, TypeAlias, get_args

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
    SceneRendition,
    Step,
    TechnicalMetadata,
    Thumbnail,
    VideoFile,
    VideoRequest,
)


@frozen_record
class Event:
    """Base of all events. `SCHEMA_VERSION` is the version of the payload that this code writes."""

    SCHEMA_VERSION: ClassVar[int] = 1


@frozen_record(kw_only=True)
class UploadFellBack(Event):
    """A file is in the fallback store, because the delivery store failed and so did `retry_count` retries."""

    run: int
    step: Step
    scene: int | None
    key: str
    reason: str
    retry_count: int


@frozen_record
class StepDegraded(Event):
    """An optional part is missing; the video is complete without it."""

    run: int
    step: Step
    reason: str


@frozen_record(kw_only=True)
class WarningRaised(Event):
    """A fault that the requester should know of and that stops nothing; `code` is for programs."""

    run: int
    step: Step
    scene: int | None
    code: str
    message: str


@frozen_record(kw_only=True)
class RemoteWorkOrdered(Event):
    """An order for a scene is about to be sent to a service. `order` is its idempotency key.

    `request` says what is ordered: orders with the same one ask for the same result. A `RemoteWorkStarted` or
    `RemoteWorkEnded` follows once the service has answered; without one, what became of the order is unknown.
    """

    run: int
    scene: int
    service: str
    order: str
    request: str
    ordered_at: datetime


@frozen_record(kw_only=True)
class RemoteWorkStarted(Event):
    """A service has accepted an order for a scene; `remote_id` is its id, by which a later attempt asks for it."""

    run: int
    scene: int
    service: str
    remote_id: str


@frozen_record(kw_only=True)
class RemoteWorkEnded(Event):
    """The last order for a scene ended without a result. `answer` is what the service answered, shortened."""

    run: int
    scene: int
    service: str
    outcome: OrderOutcome
    answer: str


@frozen_record(kw_only=True)
class NarratorReplaced(Event):
    """The narrator of the voice `voice` has failed for good at a scene: `instead` speaks from here on.

    Where a `ReprocessRequested` follows, the scenes before it are spoken by `instead`, too.
    """

    run: int
    scene: int
    voice: str
    instead: str


@frozen_record(kw_only=True)
class CostRecorded(Event):
    """A charge of a service. `amount` is a decimal number as text; `currency` an ISO 4217 code, "credits", "tokens" or
    "characters".

    `reference` is the service's id of the order; empty if it has none.
    """

    SCHEMA_VERSION: ClassVar[int] = 2

    run: int
    scene: int | None
    service: str
    amount: str
    currency: str
    reference: str = ""


@frozen_record
class StreamStarted(Event):
    """The first shown scene is playable in every quality: a playlist begins. Once in each run."""

    run: int


@frozen_record
class DeletionRequested(Event):
    """From here on the job's files aren't served, and no step works on it.

    `ended_as` is its phase before: completed, failed or cancelled.
    """

    reason: str
    ended_as: str


@frozen_record
class JobDeleted(Event):
    """The job's files are removed; `files` is how many there were. The history stays."""

    files: int


@frozen_record
class VideoRelocated(Event):
    """The files under `keys` are in the delivery store, by the same keys; they were in the fallback store before."""

    keys: tuple[str, ...]


@frozen_record
class VideoRequested(Event):
    """A job begins.

    Version 2 adds the priority and the origin of a fork; version 3 scenes and topics in place of a script, and how the
    video looks and sounds; version 4 the explicit defaults; version 5 whether it is streamed, and a fork's codecs;
    version 6 the assets of the script's pictures, what a script is read as, and the voices of its speakers; version 7
    the language of a voice that nobody names.
    """

    SCHEMA_VERSION: ClassVar[int] = 7
    request: VideoRequest
    fork_of: ForkOrigin | None = None


@frozen_record
class PlanningStarted(Event):
    run: int


@frozen_record(kw_only=True)
class ScriptPlanned(Event):
    """The number of scenes is known; `plan` is the plan's file in the workspace.

    `qualities` (since version 2) are those of the video: fewer than the request's if its pictures are too small for
    some. Empty: the request's.
    """

    SCHEMA_VERSION: ClassVar[int] = 2
    run: int
    title: str
    scene_count: int
    plan: FileRef
    qualities: tuple[str, ...] = ()


@frozen_record(kw_only=True)
class ScenePlanned(Event):
    """A scene's place in time is known, and any worker can render it.

    `start_cells` and `duration_cells` are in cells of 8/15 s. `source` (since version 2) is the scene digest: equal
    ones come out the same. Empty if it isn't known.
    """

    SCHEMA_VERSION: ClassVar[int] = 2
    scene: int
    run: int
    title: str
    start_cells: int
    duration_cells: int
    spec: FileRef
    narration: FileRef | None
    source: str = ""


@frozen_record(kw_only=True)
class SceneRendered(Event):
    """Since version 2 renditions name their codecs."""

    SCHEMA_VERSION: ClassVar[int] = 2
    scene: int
    run: int
    renditions: tuple[SceneRendition, ...]


@frozen_record(kw_only=True)
class SceneReused(Event):
    """A planned scene has the scene digest (`source`) and place of one that was rendered before, whose files it takes.

    One event in place of ScenePlanned and SceneRendered, so that no worker begins to render. With `uploaded`, the files
    are where viewers reach them, too. Since version 2 renditions name their codecs.
    """

    SCHEMA_VERSION: ClassVar[int] = 2
    scene: int
    run: int
    title: str
    start_cells: int
    duration_cells: int
    spec: FileRef
    narration: FileRef | None
    source: str
    renditions: tuple[SceneRendition, ...]
    uploaded: tuple[SceneRendition, ...] = ()


@frozen_record(kw_only=True)
class SceneUploaded(Event):
    """The scene's segments are where viewers reach them; there are none if the request asks for no streaming.

    Since version 2 renditions name their codecs.
    """

    SCHEMA_VERSION: ClassVar[int] = 2
    scene: int
    run: int
    renditions: tuple[SceneRendition, ...]


@frozen_record
class ScenesCompleted(Event):
    run: int


@frozen_record(kw_only=True)
class SceneSkipped(Event):
    """The scene has failed for good, and the video is made without it, as the request asks."""

    scene: int
    run: int
    failure: Failure


@frozen_record(kw_only=True)
class VideoGenerated(Event):
    """The whole video exists in the workspace. Version 2 adds captions, version 3 extras (`companions`)."""

    SCHEMA_VERSION: ClassVar[int] = 3
    run: int
    videos: tuple[VideoFile, ...]
    thumbnails: tuple[Thumbnail, ...]
    captions: tuple[CaptionFile, ...] = ()
    companions: Companions = NO_COMPANIONS


@frozen_record(kw_only=True)
class DeliverablesUploaded(Event):
    """The whole video's files are where viewers reach them. Version 2 adds captions, version 3 extras."""

    SCHEMA_VERSION: ClassVar[int] = 3
    run: int
    videos: tuple[VideoFile, ...]
    thumbnails: tuple[Thumbnail, ...]
    captions: tuple[CaptionFile, ...] = ()
    companions: Companions = NO_COMPANIONS


@frozen_record
class VideoUploaded(Event):
    """All uploads are done: segments, videos, thumbnails, captions and extras."""

    run: int


@frozen_record
class VideoPublished(Event):
    """The job is completed. `metadata_version` counts its publications from 1."""

    SCHEMA_VERSION: ClassVar[int] = 2

    run: int
    metadata_version: int
    metadata: tuple[TechnicalMetadata, ...]


@frozen_record(kw_only=True)
class StepFailed(Event):
    """An attempt failed. `retry_at` is when the next one starts; None: this was the last."""

    step: Step
    scene: int | None
    run: int
    failure: Failure
    attempt: int
    retry_at: datetime | None


@frozen_record(kw_only=True)
class StepParked(Event):
    """The step's delivery is dead-lettered; the job waits until an operator redrives or drops it."""

    step: Step
    scene: int | None
    run: int
    reason: str


@frozen_record(kw_only=True)
class JobFailed(Event):
    run: int
    failure: Failure
    step: Step
    scene: int | None
    attempts: int


@frozen_record(kw_only=True)
class ArtefactLost(Event):
    """A file that an event names is lost; `step` missed it. The work that made it is repeated.

    `scene` has to be made again (None: the plan or the whole video). `run` is the job's from here on: a new one if the
    job returns to a finished stage.
    """

    run: int
    step: Step
    scene: int | None
    key: str


@frozen_record
class CancellationRequested(Event):
    reason: str


@frozen_record
class JobCancelled(Event):
    run: int


@frozen_record
class ReprocessRequested(Event):
    """The job runs again under a new `run`, from a stage (since version 2; version 1 knew planning only).

    `scenes` None: all of them. Otherwise only these are made again; the others are reused as far as possible.
    """

    SCHEMA_VERSION: ClassVar[int] = 2
    run: int
    from_stage: ReprocessFrom = ReprocessFrom.PLANNING
    scenes: tuple[int, ...] | None = None


JobEvent: TypeAlias = (
    VideoRequested
    | PlanningStarted
    | ScriptPlanned
    | ScenePlanned
    | SceneRendered
    | SceneReused
    | SceneUploaded
    | StreamStarted
    | SceneSkipped
    | ScenesCompleted
    | VideoGenerated
    | DeliverablesUploaded
    | VideoUploaded
    | VideoPublished
    | UploadFellBack
    | StepDegraded
    | WarningRaised
    | RemoteWorkOrdered
    | RemoteWorkStarted
    | RemoteWorkEnded
    | NarratorReplaced
    | CostRecorded
    | StepFailed
    | StepParked
    | JobFailed
    | ArtefactLost
    | CancellationRequested
    | JobCancelled
    | ReprocessRequested
    | DeletionRequested
    | JobDeleted
    | VideoRelocated
)

#: Every event. Not `Event.__subclasses__()`: a test's events would be among them.
EVENT_TYPES: tuple[type[Event], ...] = get_args(JobEvent)
