"""The facts of a job, in the past tense. A job is the fold of these.

A payload changes only by a new schema version, an upcaster and a new golden line
(`tests/unit/golden`). `run` numbers the tries of a scene or of the whole job: what an older run
still delivers is dropped by `decide`.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, TypeAlias, get_args

from attrs import frozen

from eventflow.domain.values import (
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


@frozen
class Event:
    """Base of all events. `SCHEMA_VERSION` is the version of the payload that this code writes."""

    SCHEMA_VERSION: ClassVar[int] = 1


@frozen
class VideoRequested(Event):
    """A job begins. Since version 2 its request has a priority, and it may be the fork of another one."""

    SCHEMA_VERSION: ClassVar[int] = 2
    request: VideoRequest
    fork_of: ForkOrigin | None = None


@frozen
class PlanningStarted(Event):
    run: int


@frozen
class ScriptPlanned(Event):
    """The number of scenes is known; `plan` names the plan in the workspace."""

    run: int
    title: str
    scene_count: int
    plan: FileRef


@frozen
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


@frozen
class SceneRendered(Event):
    scene: int
    run: int
    renditions: tuple[SceneRendition, ...]


@frozen
class SceneReused(Event):
    """A scene is planned from the `source` and for the place of one that was rendered before, whose files are taken.

    One event in place of ScenePlanned and SceneRendered, so that nobody begins to render. With `uploaded` the files
    are where viewers reach them, too.
    """

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


@frozen
class SceneUploaded(Event):
    """The scene's segments are where viewers reach them."""

    scene: int
    run: int
    renditions: tuple[SceneRendition, ...]


@frozen
class ScenesCompleted(Event):
    run: int


@frozen
class VideoGenerated(Event):
    run: int
    videos: tuple[VideoFile, ...]
    thumbnails: tuple[Thumbnail, ...]


@frozen
class DeliverablesUploaded(Event):
    """The whole-video files and thumbnails are where viewers reach them."""

    run: int
    videos: tuple[VideoFile, ...]
    thumbnails: tuple[Thumbnail, ...]


@frozen
class VideoUploaded(Event):
    """Nothing is left to upload: segments, videos and thumbnails."""

    run: int


@frozen
class VideoPublished(Event):
    """The end that everybody hoped for. `metadata_version` counts up with each publication."""

    run: int
    metadata_version: int
    metadata: tuple[TechnicalMetadata, ...]


@frozen
class UploadFellBack(Event):
    """A file is in local storage, because the delivery store refused it `retry_count` times over."""

    run: int
    step: Step
    scene: int | None
    key: str
    reason: str
    retry_count: int


@frozen
class StepDegraded(Event):
    """Optional work was given up; the video is complete without it."""

    run: int
    step: Step
    reason: str


@frozen
class StepFailed(Event):
    """An attempt failed. With `retry_at` there is another one; without, this was the last."""

    step: Step
    scene: int | None
    run: int
    failure: Failure
    attempt: int
    retry_at: datetime | None


@frozen
class JobFailed(Event):
    run: int
    failure: Failure
    step: Step
    scene: int | None
    attempts: int


@frozen
class ArtefactLost(Event):
    """A file that an event names is gone; `step` has missed it. What it was made from is done again.

    `scene` is the one that has to be made again (None: the plan or the whole video). `run` is the job's from here
    on: a new one where the job goes back to a stage that was over.
    """

    run: int
    step: Step
    scene: int | None
    key: str


@frozen
class CancellationRequested(Event):
    reason: str


@frozen
class JobCancelled(Event):
    run: int


@frozen
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
    | ScenesCompleted
    | VideoGenerated
    | DeliverablesUploaded
    | VideoUploaded
    | VideoPublished
    | UploadFellBack
    | StepDegraded
    | StepFailed
    | JobFailed
    | ArtefactLost
    | CancellationRequested
    | JobCancelled
    | ReprocessRequested
)

#: Not `Event.__subclasses__()`: that also has the classes which attrs has replaced by slotted ones.
EVENT_TYPES: tuple[type[Event], ...] = get_args(JobEvent)
