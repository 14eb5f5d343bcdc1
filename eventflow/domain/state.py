"""What the state of a job is made of: its phase, its scenes, its failed attempts, what it has published."""

from __future__ import annotations

from enum import StrEnum

from attrs import field

from eventflow.domain import events as ev
from eventflow.domain._records import frozen_record
from eventflow.domain.values import (
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
    DELETING = "deleting"  #: nothing is served any more, and its files are being removed
    DELETED = "deleted"


FINISHED = frozenset({Phase.COMPLETED, Phase.FAILED, Phase.CANCELLED, Phase.DELETED})


class SceneStatus(StrEnum):
    PLANNED = "planned"
    RENDERED = "rendered"
    UPLOADED = "uploaded"
    FAILED = "failed"
    SKIPPED = "skipped"  #: it failed, and the video goes on without it


@frozen_record(kw_only=True)
class Scene:
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
    step: Step
    scene: int | None
    run: int
    failure: Failure
    final: bool


@frozen_record(kw_only=True)
class Publication:
    """What viewers get; an older one stays served while the job is being reprocessed."""

    version: int
    videos: tuple[VideoFile, ...]
    thumbnails: tuple[Thumbnail, ...]
    metadata: tuple[TechnicalMetadata, ...]
    captions: tuple[CaptionFile, ...] = ()
    companions: Companions = field(factory=Companions)


@frozen_record(kw_only=True)
class Job:
    """State of one job. `scenes[i]` is scene i; `run` numbers the tries of the whole job from 1.

    `reusable` are scenes of earlier tries, or of the job that this one was forked from; `lost` are those whose
    files were found gone (None: the plan or the video), once for each time. `streaming`: a playlist has begun.
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
    companions: Companions = field(factory=Companions)
    deliverables_uploaded: bool = False
    uploaded_videos: tuple[VideoFile, ...] = ()
    uploaded_thumbnails: tuple[Thumbnail, ...] = ()
    uploaded_captions: tuple[CaptionFile, ...] = ()
    uploaded_companions: Companions = field(factory=Companions)
    attempts: tuple[FailedAttempt, ...] = ()
    dead_letters: tuple[Work, ...] = ()  #: work whose delivery is dead-lettered; `dead_lettered_work`: still due
    degraded: tuple[str, ...] = ()  #: what the video lacks, or where its files had to go, for people
    fallback_notes: tuple[str, ...] = ()  #: those of `degraded` that go once no file is in the fallback store
    failure: ev.JobFailed | None = None
    published: Publication | None = None
    reusable: tuple[ReusableScene, ...] = ()
    lost: tuple[int | None, ...] = ()
    warnings: tuple[ev.WarningRaised, ...] = ()
    remote: tuple[ev.RemoteWorkStarted, ...] = ()
    costs: tuple[ev.CostRecorded, ...] = ()
    streaming: bool = False

    @property
    def finished(self) -> bool:
        return self.phase in FINISHED

    @property
    def active(self) -> bool:
        """Whether handlers may still work on it."""
        return self.phase not in FINISHED and self.phase not in (Phase.CANCELLING, Phase.DELETING)

    @property
    def gone(self) -> bool:
        """Whether it is deleted, or about to be: nobody is served its files."""
        return self.phase in (Phase.DELETING, Phase.DELETED)

    @property
    def last_run(self) -> int:
        """The highest run of the job and its scenes: no other may have a new one's number."""
        return max([self.run, *(scene.run for scene in self.scenes)])

    @property
    def quality_levels(self) -> tuple[str, ...]:
        """The qualities that the video is made in."""
        return self.qualities or self.request.quality_levels

    def scene(self, index: int, run: int) -> Scene | None:
        """Scene `index` if `run` is its present run, else None: that work is out of date."""
        if 0 <= index < len(self.scenes) and self.scenes[index].run == run:
            return self.scenes[index]
        return None

    @property
    def shown_scenes(self) -> tuple[int, ...]:
        """The numbers of the scenes that the video is made of: all but the skipped ones."""
        return tuple(i for i, scene in enumerate(self.scenes) if scene.status is not SceneStatus.SKIPPED)

    def remote_work(self, scene: int, run: int) -> ev.RemoteWorkStarted | None:
        """What a service was last given to do for the scene in this run of it."""
        return next((work for work in reversed(self.remote) if (work.scene, work.run) == (scene, run)), None)

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
