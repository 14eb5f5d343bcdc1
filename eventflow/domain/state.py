"""The state of a job: its phase, its scenes, its failed attempts, and its publication."""

from __future__ import annotations

from enum import StrEnum

from eventflow.domain import events as ev
from eventflow.domain._records import frozen_record
from eventflow.domain.remote_orders import RemoteOrder, last_order
from eventflow.domain.values import (
    NO_COMPANIONS,
    CaptionFile,
    Companions,
    Failure,
    FileRef,
    ReusableScene,
    SceneRendition,
    Step,
    TechnicalMetadata,
    Thumbnail,
    VideoFile,
    VideoRequest,
    Work,
)


class Phase(StrEnum):
    REQUESTED = "requested"
    PLANNING = "planning"
    RENDERING = "rendering"  #: at least one scene is planned; later ones may still be narrated
    ASSEMBLING = "assembling"
    UPLOADING = "uploading"  #: the whole video exists; scenes' segments have been uploading all along
    EXTRACTING = "extracting"
    CANCELLING = "cancelling"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DELETING = "deleting"  #: no file is served any more, and the files are being removed
    DELETED = "deleted"


FINISHED = frozenset({Phase.COMPLETED, Phase.FAILED, Phase.CANCELLED, Phase.DELETED})


class SceneStatus(StrEnum):
    PLANNED = "planned"
    RENDERED = "rendered"
    UPLOADED = "uploaded"
    FAILED = "failed"
    SKIPPED = "skipped"  #: it failed, and the video is made without it


@frozen_record(kw_only=True)
class Scene:
    """A planned scene and its renditions. `source` is the scene digest: equal ones come out the same (may be empty).

    `start_cells` and `duration_cells` are in cells of the time grid (`CELL_SECONDS`).
    """

    run: int
    title: str
    start_cells: int
    duration_cells: int
    spec: FileRef
    narration: FileRef | None
    status: SceneStatus = SceneStatus.PLANNED
    rendered: tuple[SceneRendition, ...] = ()
    uploaded: tuple[SceneRendition, ...] = ()
    source: str = ""

    @property
    def reusable(self) -> ReusableScene | None:
        """This scene for planning to reuse; None unless it is rendered and its digest is known."""
        if not (self.rendered and self.source):
            return None
        return ReusableScene(
            source=self.source,
            start_cells=self.start_cells,
            duration_cells=self.duration_cells,
            spec=self.spec,
            narration=self.narration,
            rendered=self.rendered,
            uploaded=self.uploaded,
        )


@frozen_record(kw_only=True)
class FailedAttempt:
    """A failed attempt of a step of `run`; `final`: no other one follows."""

    step: Step
    scene: int | None
    run: int
    failure: Failure
    final: bool


@frozen_record(kw_only=True)
class Publication:
    """The files that viewers get; an older publication stays available while the job is reprocessed."""

    version: int
    videos: tuple[VideoFile, ...]
    thumbnails: tuple[Thumbnail, ...]
    metadata: tuple[TechnicalMetadata, ...]
    captions: tuple[CaptionFile, ...] = ()
    companions: Companions = NO_COMPANIONS


@frozen_record(kw_only=True)
class Job:
    """State of one job. `scenes[i]` is scene i; `run` counts the runs of the whole job from 1.

    `reusable` holds scenes of earlier runs, or of the job that this one was forked from; `lost` the scenes whose files
    were lost (None: the plan or the video), once for each time. `streaming`: a playlist has begun. `substitute` is the
    voice that speaks since the narrator of another one failed; empty: none does.
    """

    request: VideoRequest
    phase: Phase = Phase.REQUESTED
    run: int = 1
    title: str = ""
    plan: FileRef | None = None
    qualities: tuple[str, ...] = ()  #: empty: those of the request
    scene_count: int | None = None
    scenes: tuple[Scene, ...] = ()
    videos: tuple[VideoFile, ...] = ()
    thumbnails: tuple[Thumbnail, ...] = ()
    captions: tuple[CaptionFile, ...] = ()
    companions: Companions = NO_COMPANIONS
    deliverables_uploaded: bool = False
    uploaded_videos: tuple[VideoFile, ...] = ()
    uploaded_thumbnails: tuple[Thumbnail, ...] = ()
    uploaded_captions: tuple[CaptionFile, ...] = ()
    uploaded_companions: Companions = NO_COMPANIONS
    attempts: tuple[FailedAttempt, ...] = ()
    dead_letters: tuple[Work, ...] = ()  #: work whose delivery is dead-lettered; `dead_lettered_work`: still due
    degraded: tuple[str, ...] = ()  #: what the video lacks, or where its files had to go, for people
    fallback_notes: tuple[str, ...] = ()  #: those of `degraded` that go once no file is in the fallback store
    failure: ev.JobFailed | None = None
    published: Publication | None = None
    reusable: tuple[ReusableScene, ...] = ()
    lost: tuple[int | None, ...] = ()
    warnings: tuple[ev.WarningRaised, ...] = ()
    remote: tuple[RemoteOrder, ...] = ()
    costs: tuple[ev.CostRecorded, ...] = ()
    streaming: bool = False
    substitute: str = ""

    @property
    def finished(self) -> bool:
        return self.phase in FINISHED

    @property
    def active(self) -> bool:
        """Whether handlers may work on it."""
        return self.phase not in FINISHED and self.phase not in (Phase.CANCELLING, Phase.DELETING)

    @property
    def gone(self) -> bool:
        """Whether it is deleted or being deleted: its files aren't served."""
        return self.phase in (Phase.DELETING, Phase.DELETED)

    @property
    def last_run(self) -> int:
        """The highest run of the job and its scenes: a new run gets the next number."""
        return max([self.run, *(scene.run for scene in self.scenes)])

    @property
    def quality_levels(self) -> tuple[str, ...]:
        """The qualities of the video: the plan's, or those of the request."""
        return self.qualities or self.request.quality_levels

    def scene(self, index: int, run: int) -> Scene | None:
        """Return scene `index` if `run` is its present run; otherwise None: work of that run is out of date."""
        if 0 <= index < len(self.scenes) and self.scenes[index].run == run:
            return self.scenes[index]
        return None

    @property
    def shown_scenes(self) -> tuple[int, ...]:
        """The indexes of the scenes of the video: all but the skipped ones."""
        return tuple(i for i, scene in enumerate(self.scenes) if scene.status is not SceneStatus.SKIPPED)

    def remote_order(self, scene: int, run: int) -> RemoteOrder | None:
        """Return the order that this run of the scene goes on with; None: it places one.

        That is its own last one; else one of an earlier run whose result was never used, or was used and then lost.
        """
        last = last_order(self.remote, scene)
        if last is None or last.run == run:
            return last
        waiting = last.remote_id is not None and last.outcome is None
        return last if waiting and (not last.used or scene in self.lost) else None

    def orders_taken(self, scene: int, run: int) -> int:
        """Return how many orders of this run of the scene were taken by services."""
        return sum((order.scene, order.run) == (scene, run) and order.remote_id is not None for order in self.remote)

    def failed_attempts(self, step: Step, scene: int | None, run: int) -> int:
        return sum(1 for a in self.attempts if a.step is step and a.scene == scene and a.run == run)

    @property
    def all_scenes_planned(self) -> bool:
        return self.scene_count is not None and len(self.scenes) == self.scene_count

    def scenes_are(self, *statuses: SceneStatus) -> bool:
        """Whether every scene is planned and has one of `statuses` (true for a job without scenes)."""
        if self.scene_count is None:
            return not self.scenes
        return self.all_scenes_planned and all(s.status in statuses for s in self.scenes)
