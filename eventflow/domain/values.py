"""Values that events, commands and the job share. All frozen; all made of plain JSON types."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from attrs import field

from eventflow.domain.carrier import carrier

#: One cell of the time grid: 16 video frames at 30 frames per second, 25 AAC frames at 48 kHz.
CELL_SECONDS = 8 / 15

#: The longest script, in characters: some 30,000 words, over three hours of narration. The parser refuses a longer one,
#: and the setting EVENTFLOW_MAX_SCRIPT_CHARS can only lower the limit.
MAX_SCRIPT_CHARS = 200_000

#: The form of an owner's name, for messages.
OWNER_FORM = "1 to 64 letters, digits or any of _ . @ -"
_OWNER_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.@-")

StoreRole = Literal["workspace", "delivery", "fallback"]

#: The qualities that a video can be made in, by name, and the lines of each: pixels on the picture's shorter side.
LADDER: Mapping[str, int] = {"360p": 360, "480p": 480, "720p": 720, "1080p": 1080, "1440p": 1440, "2160p": 2160}


def is_owner(text: str) -> bool:
    """Return whether `text` may be the name of an owner (`OWNER_FORM`)."""
    return 1 <= len(text) <= 64 and set(text) <= _OWNER_CHARS


class Lane(StrEnum):
    """The order of service: high first, normal never starved. Every event of a job goes by the lane of its request."""

    HIGH = "high"
    NORMAL = "normal"


class Step(StrEnum):
    """The units of work that handlers do; what a failure, an attempt and a deadline belong to."""

    PLAN = "plan"
    RENDER_SCENE = "render_scene"
    UPLOAD_SCENE = "upload_scene"
    ASSEMBLE = "assemble"
    UPLOAD_VIDEO = "upload_video"
    EXTRACT_METADATA = "extract_metadata"


@carrier
class Work:
    """What an event asks for: the step, and the scene and run it belongs to."""

    step: Step
    scene: int | None
    run: int


class Stage(StrEnum):
    """What a viewer of the job's status sees it doing."""

    PLANNING = "planning"
    RENDERING = "rendering"
    ASSEMBLING = "assembling"
    UPLOADING = "uploading"
    METADATA = "metadata"


STAGE_OF_STEP: dict[Step, Stage] = {
    Step.PLAN: Stage.PLANNING,
    Step.RENDER_SCENE: Stage.RENDERING,
    Step.UPLOAD_SCENE: Stage.UPLOADING,
    Step.ASSEMBLE: Stage.ASSEMBLING,
    Step.UPLOAD_VIDEO: Stage.UPLOADING,
    Step.EXTRACT_METADATA: Stage.METADATA,
}


class ReprocessFrom(StrEnum):
    """The stages that a finished job can be done again from; what lies before is reused."""

    PLANNING = "planning"
    RENDERING = "rendering"
    UPLOAD = "upload"
    METADATA = "metadata"


class FailureCategory(StrEnum):
    """What kind of trouble a failure was; the category decides whether a retry can help."""

    INITIALIZATION = "initialization"  #: wrong input, missing dependency or credential: never retried
    GENERATION = "generation"  #: planning, narration, rendering or assembly went wrong: retried
    STORAGE = "storage"  #: a store could not be reached or refused: retried
    RESOURCE = "resource"  #: memory, disk or files ran out: retried, elsewhere; not where workers died of it
    TIMEOUT = "timeout"  #: the step took longer than its limit: retried, because it may have hung
    INTERNAL = "internal"  #: a defect of ours: retried, because it may have been a race


@carrier
class Failure:
    """Why a step or a job failed: a stable `code` for programs, a `message` for people."""

    category: FailureCategory
    code: str
    message: str


@carrier
class Voice:
    """Who narrates; `rate` is a factor of the normal speech rate (0.5 to 2.0)."""

    name: str = "en-us"
    rate: float = 1.0


class CaptionMode(StrEnum):
    """Whether a video has captions: files beside it, and drawn into its pictures as well."""

    NONE = "none"
    TRACK = "track"
    BURNED = "burned"


class OnSceneFailure(StrEnum):
    """What becomes of a job one of whose scenes has failed for good."""

    FAIL = "fail"  #: it fails once the other scenes are done, so that reprocessing renders that one alone
    SKIP = "skip"  #: the video is published without the scene, marked as degraded


@carrier
class MergeField:
    """Every `{{find}}` in the texts of a script or of scenes stands for `replace`."""

    find: str
    replace: str


@carrier
class VideoRequest:
    """What the requester asked for, after validation, with every default filled in.

    What the video is made from is one of `script`, `scenes` and `topic`; `script` is empty where it is another.
    """

    script: str
    pipeline: str = "explainer"
    pipeline_version: str = "2.0"
    quality_levels: tuple[str, ...] = ("1080p", "720p")
    voice: Voice = field(factory=Voice)
    thumbnail_generation: bool = True
    s3_upload_enabled: bool = True
    cleanup_local_files: bool = True
    retry_attempts: int = 3
    priority: Lane = Lane.NORMAL  #: since version 2 of VideoRequested
    passthrough: str | None = None  #: the requester's own JSON, kept as text and given back unread
    #: From here on since version 3 of VideoRequested.
    scenes: str | None = None  #: a scene document (`handlers/generation/document.py`), as JSON text
    topic: str | None = None  #: what a model is to plan a video about
    theme: str | None = None  #: None: the pipeline's own choice
    aspect: str = "16:9"
    captions: CaptionMode = CaptionMode.TRACK
    music: str | None = None  #: the id of an audio asset
    narrated: bool = True
    on_scene_failure: OnSceneFailure = OnSceneFailure.FAIL
    merge: tuple[MergeField, ...] = ()
    #: Since version 4 of VideoRequested: fields that were given what is their default anyway, so that a script's front
    #: matter doesn't say otherwise. Of voice, aspect, captions, music and theme; "voice.name" and "voice.rate".
    insisted: tuple[str, ...] = ()
    #: Since version 5 of VideoRequested: whether scenes' segments are delivered, so that it can be watched as HLS.
    enable_streaming: bool = True


@carrier
class FileRef:
    """A file that is safely in a store. Events name keys, never URLs: URLs expire.

    `retry_count` is how many retries the upload took (0..3); `size_bytes` its size.
    """

    store: StoreRole
    key: str
    sha256: str
    size_bytes: int
    media_type: str
    retry_count: int = 0


@carrier
class Segment:
    """One fMP4 media segment; it starts with an IDR frame and lasts at most 11 grid cells (9 today)."""

    file: FileRef
    duration_cells: int


@carrier
class SceneRendition:
    """One scene at one quality: the init segment, and the media segments in order.

    `decoder_config` is a digest of the codecs' configuration records; scenes join without
    re-encoding only where it is equal. `codecs` names them after RFC 6381, empty where that isn't known.
    """

    quality: str
    width: int
    height: int
    decoder_config: str
    init: FileRef
    segments: tuple[Segment, ...]
    codecs: str = ""

    @property
    def files(self) -> tuple[FileRef, ...]:
        return (self.init, *(segment.file for segment in self.segments))


@carrier
class ReusableScene:
    """A scene that is rendered: with the same `source` in a plan, it is neither narrated nor rendered again.

    Segments carry absolute times: for another start they are moved, which makes other files of them. `uploaded` is
    empty where the files are another job's.
    """

    source: str
    start_cells: int
    duration_cells: int
    spec: FileRef
    narration: FileRef | None
    rendered: tuple[SceneRendition, ...]
    uploaded: tuple[SceneRendition, ...] = ()


@carrier
class ForkOrigin:
    """The job that another one was forked from, as of `version`, and its scenes that may be reused."""

    job_id: str
    version: int
    scenes: tuple[ReusableScene, ...] = ()


@carrier
class VideoFile:
    """A whole video at one quality."""

    quality: str
    width: int
    height: int
    duration_s: float
    file: FileRef


@carrier
class Thumbnail:
    """Picture `index` in one size and format: there may be several of an index."""

    index: int
    width: int
    height: int
    file: FileRef


@carrier
class CaptionFile:
    """The captions of the whole video; `language` is a BCP 47 tag."""

    language: str
    format: Literal["vtt", "srt"]
    file: FileRef


@carrier
class VideoStream:
    codec: str
    profile: str | None
    width: int
    height: int
    frame_rate: float | None  #: average frames per second
    bit_rate: int | None  #: bits per second
    pixel_format: str


@carrier
class AudioStream:
    codec: str
    sample_rate: int  #: Hz
    channels: int
    bit_rate: int | None  #: bits per second


@carrier
class TechnicalMetadata:
    """What probing one video file told. Sizes in bytes, durations in seconds, rates in bits per second.

    None where the file doesn't tell. `meets` are the services where videos are published whose limits it is within.
    """

    quality: str
    container: str
    duration_s: float
    size_bytes: int
    bit_rate: int | None
    video: VideoStream | None
    audio: AudioStream | None
    meets: tuple[str, ...] = ()
