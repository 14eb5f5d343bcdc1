"""Events of a job, in the past tense. A job is the fold of its events.

The facts of a job, in the past tense. A job is the fold of these.

A payload changes only by a new schema version, an upcaster and a new golden line
(`tests/unit/golden`). `run` numbers the tries of a scene or of the whole job: what an older run
still delivers is dropped by `decide`.

The base of all events, those that steps note on the way, which change nothing about what is to be done, and those
of what a finished job has left behind.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, TypeAlias, get_args

from attrs import field

from eventflow.domain._records import frozen_record
from eventflow.domain.values import (
    CaptionFile,
    Companions,
    Failure,
    FileRef,
    ForkOrigin,
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
    """A file is in local storage, because the delivery store refused it `retry_count` times over."""

    run: int
    step: Step
    scene: int | None
    key: str
    reason: str
    retry_count: int


@frozen_record
class StepDegraded(Event):
    """Optional work was given up; the video is complete without it."""

    run: int
    step: Step
    reason: str


@frozen_record(kw_only=True)
class WarningRaised(Event):
    """Something that the requester should know of, and that keeps nothing from being made: `code` is for programs."""

    run: int
    step: Step
    scene: int | None
    code: str
    message: str


@frozen_record(kw_only=True)
class RemoteWorkStarted(Event):
    """A service has taken on work for a scene under an id of its own, by which a later attempt takes it up again."""

    run: int
    scene: int
    service: str
    remote_id: str


@frozen_record(kw_only=True)
class CostRecorded(Event):
    """What a service has charged; `amount` is a decimal number as text, `currency` an ISO 4217 code, "credits" or
    "tokens". `reference` is the service's own id of what it was charged for; empty where there is none.
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
    """The first scene that is shown can be watched, in any quality: a playlist begins. Once for each try."""

    run: int


@frozen_record
class DeletionRequested(Event):
    """From here on nobody is served the job's files, and nothing is done on it any more.

    `ended_as` is what it was: completed, failed or cancelled.
    """

    reason: str
    ended_as: str


@frozen_record
class JobDeleted(Event):
    """The files are gone, `files` in number; the history stays, as the tombstone of the job."""

    files: int


@frozen_record
class VideoRelocated(Event):
    """The files under `keys` are in the delivery store, by the same keys; before they were in the fallback store."""

    keys: tuple[str, ...]


@frozen_record
class VideoRequested(Event):
    """A job begins.

    Since version 2 its request has a priority, and it may be the fork of another one. Since version 3 there may be
    scenes or a topic in place of the script, and the request says how the video looks and sounds. Since version 4 it
    says which defaults are meant; since version 5 whether it is streamed, and a fork's renditions name their codecs.
    """

    SCHEMA_VERSION: ClassVar[int] = 5
    request: VideoRequest
    fork_of: ForkOrigin | None = None


@frozen_record
class PlanningStarted(Event):
    run: int


@frozen_record(kw_only=True)
class ScriptPlanned(Event):
    """The number of scenes is known; `plan` names the plan in the workspace.

    `qualities` (since version 2) are those that the video is made in: the request's, or fewer where its pictures are
    too small for some. Empty: the request's.
    """

    SCHEMA_VERSION: ClassVar[int] = 2
    run: int
    title: str
    scene_count: int
    plan: FileRef
    qualities: tuple[str, ...] = ()


@frozen_record(kw_only=True)
class ScenePlanned(Event):
    """A scene's place in time is known, and it can be rendered on any worker.

    `start_cells` and `duration_cells` are in cells of 8/15 s. `source` (since version 2) tells apart what scenes are
    made from: equal ones give the same scene. Empty where that isn't known.
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
    """A scene is planned from the `source` and for the place of one that was rendered before, whose files are taken.

    One event in place of ScenePlanned and SceneRendered, so that nobody begins to render. With `uploaded` the files
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
    """The scene's segments are where viewers reach them; none where the request asks for no streaming.

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
    """The scene has failed for good, and the video goes on without it, as the request asks."""

    scene: int
    run: int
    failure: Failure


@frozen_record(kw_only=True)
class VideoGenerated(Event):
    """Since version 2 with captions, since version 3 with companions."""

    SCHEMA_VERSION: ClassVar[int] = 3
    run: int
    videos: tuple[VideoFile, ...]
    thumbnails: tuple[Thumbnail, ...]
    captions: tuple[CaptionFile, ...] = ()
    companions: Companions = field(factory=Companions)


@frozen_record(kw_only=True)
class DeliverablesUploaded(Event):
    """The whole-video files, thumbnails, (since version 2) captions and (since version 3) companions are where viewers
    reach them."""

    SCHEMA_VERSION: ClassVar[int] = 3
    run: int
    videos: tuple[VideoFile, ...]
    thumbnails: tuple[Thumbnail, ...]
    captions: tuple[CaptionFile, ...] = ()
    companions: Companions = field(factory=Companions)


@frozen_record
class VideoUploaded(Event):
    """Nothing is left to upload: segments, videos and thumbnails."""

    run: int


@frozen_record
class VideoPublished(Event):
    """The end that everybody hoped for. `metadata_version` counts up with each publication."""

    SCHEMA_VERSION: ClassVar[int] = 2

    run: int
    metadata_version: int
    metadata: tuple[TechnicalMetadata, ...]


@frozen_record(kw_only=True)
class StepFailed(Event):
    """An attempt failed. With `retry_at` there is another one; without, this was the last."""

    step: Step
    scene: int | None
    run: int
    failure: Failure
    attempt: int
    retry_at: datetime | None


@frozen_record(kw_only=True)
class StepParked(Event):
    """The step's delivery can't be handled; it waits, and the job with it, until an operator redrives or drops it."""

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
    """A file that an event names is gone; `step` has missed it. What it was made from is done again.

    `scene` is the one that has to be made again (None: the plan or the whole video). `run` is the job's from here
    on: a new one where the job goes back to a stage that was over.
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
    """The job is done again under a new `run`, from a stage on (since version 2; version 1 knew planning only).

    `scenes` None: all of them. Otherwise only these are done again; the others are reused as far as they go.
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
    | RemoteWorkStarted
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

#: Not `Event.__subclasses__()`: that also has the classes which attrs has replaced by slotted ones.
EVENT_TYPES: tuple[type[Event], ...] = get_args(JobEvent)
