"""The facts of a job, in the past tense. A job is the fold of these.

A payload changes only by a new schema version, an upcaster and a new golden line
(`tests/unit/golden`). `run` numbers the tries of a scene or of the whole job: what an older run
still delivers is dropped by `decide`.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, TypeAlias, get_args

from attrs import field

from eventflow.domain.carrier import carrier
from eventflow.domain.companions import Companions
from eventflow.domain.notes import CostRecorded as CostRecorded
from eventflow.domain.notes import DeletionRequested as DeletionRequested
from eventflow.domain.notes import Event as Event
from eventflow.domain.notes import JobDeleted as JobDeleted
from eventflow.domain.notes import RemoteWorkStarted as RemoteWorkStarted
from eventflow.domain.notes import StepDegraded as StepDegraded
from eventflow.domain.notes import StreamStarted as StreamStarted
from eventflow.domain.notes import UploadFellBack as UploadFellBack
from eventflow.domain.notes import VideoRelocated as VideoRelocated
from eventflow.domain.notes import WarningRaised as WarningRaised
from eventflow.domain.values import (
    CaptionFile,
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


@carrier
class VideoRequested(Event):
    """A job begins.

    Since version 2 its request has a priority, and it may be the fork of another one. Since version 3 there may be
    scenes or a topic in place of the script, and the request says how the video looks and sounds. Since version 4 it
    says which defaults are meant; since version 5 whether it is streamed, and a fork's renditions name their codecs.
    """

    SCHEMA_VERSION: ClassVar[int] = 5
    request: VideoRequest
    fork_of: ForkOrigin | None = None


@carrier
class PlanningStarted(Event):
    run: int


@carrier
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


@carrier
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


@carrier
class SceneRendered(Event):
    """Since version 2 renditions name their codecs."""

    SCHEMA_VERSION: ClassVar[int] = 2
    scene: int
    run: int
    renditions: tuple[SceneRendition, ...]


@carrier
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


@carrier
class SceneUploaded(Event):
    """The scene's segments are where viewers reach them; none where the request asks for no streaming.

    Since version 2 renditions name their codecs.
    """

    SCHEMA_VERSION: ClassVar[int] = 2
    scene: int
    run: int
    renditions: tuple[SceneRendition, ...]


@carrier
class ScenesCompleted(Event):
    run: int


@carrier
class SceneSkipped(Event):
    """The scene has failed for good, and the video goes on without it, as the request asks."""

    scene: int
    run: int
    failure: Failure


@carrier
class VideoGenerated(Event):
    """Since version 2 with captions, since version 3 with companions."""

    SCHEMA_VERSION: ClassVar[int] = 3
    run: int
    videos: tuple[VideoFile, ...]
    thumbnails: tuple[Thumbnail, ...]
    captions: tuple[CaptionFile, ...] = ()
    companions: Companions = field(factory=Companions)


@carrier
class DeliverablesUploaded(Event):
    """The whole-video files, thumbnails, (since version 2) captions and (since version 3) companions are where viewers
    reach them."""

    SCHEMA_VERSION: ClassVar[int] = 3
    run: int
    videos: tuple[VideoFile, ...]
    thumbnails: tuple[Thumbnail, ...]
    captions: tuple[CaptionFile, ...] = ()
    companions: Companions = field(factory=Companions)


@carrier
class VideoUploaded(Event):
    """Nothing is left to upload: segments, videos and thumbnails."""

    run: int


@carrier
class VideoPublished(Event):
    """The end that everybody hoped for. `metadata_version` counts up with each publication."""

    SCHEMA_VERSION: ClassVar[int] = 2

    run: int
    metadata_version: int
    metadata: tuple[TechnicalMetadata, ...]


@carrier
class StepFailed(Event):
    """An attempt failed. With `retry_at` there is another one; without, this was the last."""

    step: Step
    scene: int | None
    run: int
    failure: Failure
    attempt: int
    retry_at: datetime | None


@carrier
class StepParked(Event):
    """The step's delivery can't be handled; it waits, and the job with it, until an operator redrives or drops it."""

    step: Step
    scene: int | None
    run: int
    reason: str


@carrier
class JobFailed(Event):
    run: int
    failure: Failure
    step: Step
    scene: int | None
    attempts: int


@carrier
class ArtefactLost(Event):
    """A file that an event names is gone; `step` has missed it. What it was made from is done again.

    `scene` is the one that has to be made again (None: the plan or the whole video). `run` is the job's from here
    on: a new one where the job goes back to a stage that was over.
    """

    run: int
    step: Step
    scene: int | None
    key: str


@carrier
class CancellationRequested(Event):
    reason: str


@carrier
class JobCancelled(Event):
    run: int


@carrier
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
