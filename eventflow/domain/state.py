"""What the state of a job is made of: its phase, its scenes, its failed attempts, what it has published."""

from __future__ import annotations

from enum import StrEnum

from eventflow.domain.carrier import carrier
from eventflow.domain.values import (
    CaptionFile,
    Failure,
    FileRef,
    ReusableScene,
    SceneRendition,
    Step,
    TechnicalMetadata,
    Thumbnail,
    VideoFile,
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


FINISHED = frozenset({Phase.COMPLETED, Phase.FAILED, Phase.CANCELLED})


class SceneStatus(StrEnum):
    PLANNED = "planned"
    RENDERED = "rendered"
    UPLOADED = "uploaded"
    FAILED = "failed"
    SKIPPED = "skipped"  #: it failed, and the video goes on without it


@carrier
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
        made_from = (self.source, self.start_cells, self.duration_cells, self.spec, self.narration)
        return ReusableScene(*made_from, self.rendered, self.uploaded)


@carrier
class FailedAttempt:
    step: Step
    scene: int | None
    run: int
    failure: Failure
    final: bool


@carrier
class Publication:
    """What viewers get; an older one stays served while the job is being reprocessed."""

    version: int
    videos: tuple[VideoFile, ...]
    thumbnails: tuple[Thumbnail, ...]
    metadata: tuple[TechnicalMetadata, ...]
    captions: tuple[CaptionFile, ...] = ()
