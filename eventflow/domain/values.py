"""Values that events, commands and the job share. All are frozen and made of plain JSON types."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, Literal

from attrs import field

from eventflow.domain._records import frozen_record

#: One cell of the time grid: 16 video frames at 30 frames per second, 25 AAC frames at 48 kHz.
CELL_SECONDS = 8 / 15

#: The longest script, in characters: some 30,000 words, over three hours of narration. The parser refuses a longer one,
#: and the setting EVENTFLOW_MAX_SCRIPT_CHARS can only lower the limit.
MAX_SCRIPT_CHARS = 200_000

#: The form of an owner's name, for messages.
OWNER_FORM = "1 to 64 letters, digits or any of _ . @ -"
_OWNER_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.@-")

StoreRole = Literal["workspace", "delivery", "fallback"]

#: The qualities of videos: name -> lines, the pixels on the picture's shorter side.
LADDER: Mapping[str, int] = {"360p": 360, "480p": 480, "720p": 720, "1080p": 1080, "1440p": 1440, "2160p": 2160}


def is_owner(text: str) -> bool:
    """Return whether `text` may be the name of an owner (`OWNER_FORM`)."""
    return 1 <= len(text) <= 64 and set(text) <= _OWNER_CHARS


class Lane(StrEnum):
    """The priority of a job, and of all its deliveries: high before normal, which never starves."""

    HIGH = "high"
    NORMAL = "normal"


class Step(StrEnum):
    """The units of work of handlers: failures, attempts and time limits are of a step."""

    PLAN = "plan"
    RENDER_SCENE = "render_scene"
    UPLOAD_SCENE = "upload_scene"
    ASSEMBLE = "assemble"
    UPLOAD_VIDEO = "upload_video"
    EXTRACT_METADATA = "extract_metadata"


@frozen_record(kw_only=True)
class Work:
    """A step, with its scene (None: of the whole job) and its run."""

    step: Step
    scene: int | None
    run: int


class Stage(StrEnum):
    """The stages that a job's status shows."""

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
    """The stages from which a finished job can run again; results of the stages before are reused."""

    PLANNING = "planning"
    RENDERING = "rendering"
    UPLOAD = "upload"
    METADATA = "metadata"


class OrderOutcome(StrEnum):
    """How an order at a service ended, other than with a result."""

    REFUSED = "refused"  #: the service took no order: it may be sent again
    UNKNOWN = "unknown"  #: the service may have taken the order, which may cost
    FAILED = "failed"  #: the service took the order and did not fill it


class FailureCategory(StrEnum):
    """Categories of failures, which decide whether a retry can help."""

    INITIALIZATION = "initialization"  #: wrong input, missing dependency or credential: never retried
    GENERATION = "generation"  #: planning, narration, rendering or assembly failed: retried
    STORAGE = "storage"  #: a store could not be reached or refused: retried
    RESOURCE = "resource"  #: memory, disk or files ran out: retried on another worker, unless workers died of it
    TIMEOUT = "timeout"  #: the step took longer than its limit: retried, because it may have hung
    INTERNAL = "internal"  #: a defect of this program: retried, because it may have been a race


@frozen_record
class Failure:
    """Why a step or a job failed: a stable `code` for programs, a `message` for people."""

    category: FailureCategory
    code: str
    message: str


@frozen_record
class Voice:
    """The narrator's voice; `rate` is a factor of its normal speech rate (0.5 to 2.0).

    `language` (since version 7 of VideoRequested) is that of a voice that nobody names, a BCP 47 tag; empty: that of
    the text.
    """

    name: str = "en-us"
    rate: float = 1.0
    language: str = ""


class CaptionMode(StrEnum):
    """Whether a video has captions: none, files beside it, or files and drawn into its pictures."""

    NONE = "none"
    TRACK = "track"
    BURNED = "burned"


class OnSceneFailure(StrEnum):
    """The result of a job with a scene that failed for good."""

    FAIL = "fail"  #: it fails once the other scenes are done, so that reprocessing renders that one alone
    SKIP = "skip"  #: the video is published without the scene, marked as degraded


@frozen_record
class MergeField:
    """Replace every `{{find}}` in the texts of a script or of scenes by `replace`."""

    find: str
    replace: str


@frozen_record
class PictureAsset:
    """The asset that a script's picture at `address` is. `kind` None: a clip where the script says so."""

    address: str
    asset: str
    kind: Literal["image", "clip"] | None = None


@frozen_record
class SpeakerVoice:
    """The voice of a speaker in a script, by name."""

    speaker: str
    voice: str


@frozen_record(kw_only=True)
class VideoRequest:
    """A validated request, with every default filled in.

    The video is made from one of `script`, `scenes` and `topic`; `script` is empty if it is another.
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
    passthrough: str | None = None  #: the requester's own JSON as text, returned unread
    #: From here on since version 3 of VideoRequested.
    scenes: str | None = None  #: a scene document (`handlers/generation/script/document.py`), as JSON text
    topic: str | None = None  #: the subject of a video that a model plans
    theme: str | None = None  #: None: the pipeline's own choice
    aspect: str = "16:9"
    captions: CaptionMode = CaptionMode.TRACK
    music: str | None = None  #: the id of an audio asset
    narrated: bool = True
    on_scene_failure: OnSceneFailure = OnSceneFailure.FAIL
    merge: tuple[MergeField, ...] = ()
    #: Since version 4 of VideoRequested: explicit defaults, the names of fields that were given their default value on
    #: purpose, so that a script's front matter doesn't override them: "voice" (that it is narrated), "voice.name",
    #: "voice.rate", "aspect", "captions", "music", "theme".
    insisted: tuple[str, ...] = ()
    #: Since version 5 of VideoRequested: whether the scenes' segments are delivered, for HLS.
    enable_streaming: bool = True
    #: From here on since version 6 of VideoRequested: the assets of a script's pictures, those fetched from URLs among
    #: them, what a script is read as, the voices of its speakers, and what of it isn't to be left out. Scripts of
    #: earlier versions are read as documents.
    pictures: tuple[PictureAsset, ...] = ()
    format: str = "auto"
    voices: tuple[SpeakerVoice, ...] = ()
    keep: tuple[str, ...] = ()

    @property
    def explicit_defaults(self) -> tuple[str, ...]:
        """`insisted`, which is the name on the wire."""
        return self.insisted


@frozen_record(kw_only=True)
class FileRef:
    """A file that is safely in a store. Events name keys, never URLs: URLs expire.

    `retry_count` is how many retries the upload took (0 to 3).
    """

    store: StoreRole
    key: str
    sha256: str
    size_bytes: int
    media_type: str
    retry_count: int = 0


@frozen_record
class Segment:
    """One fMP4 media segment: starts with an IDR frame, and lasts at most 11 cells of the time grid."""

    file: FileRef
    duration_cells: int


@frozen_record(kw_only=True)
class SceneRendition:
    """One scene at one quality: the init segment, and the media segments in order.

    `decoder_config` is a digest of the codecs' configuration records: scenes join without re-encoding only if it is
    equal. `codecs` names them after RFC 6381; empty if they aren't known.
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


@frozen_record(kw_only=True)
class ReusableScene:
    """A rendered scene: one with the same scene digest (`source`) is neither narrated nor rendered again.

    Segments carry absolute times: for another start they are shifted, which makes other files of them. `uploaded` is
    empty if the files are another job's.
    """

    source: str
    start_cells: int
    duration_cells: int
    spec: FileRef
    narration: FileRef | None
    rendered: tuple[SceneRendition, ...]
    uploaded: tuple[SceneRendition, ...] = ()


@frozen_record
class ForkOrigin:
    """The job that another one was forked from, as of `version`, with its scenes that may be reused."""

    job_id: str
    version: int
    scenes: tuple[ReusableScene, ...] = ()


@frozen_record(kw_only=True)
class VideoFile:
    """A whole video at one quality."""

    quality: str
    width: int
    height: int
    duration_s: float
    file: FileRef


@frozen_record(kw_only=True)
class Thumbnail:
    """Picture `index` in one size and format; the same picture may exist in several. Sizes in pixels."""

    index: int
    width: int
    height: int
    file: FileRef


@frozen_record
class CaptionFile:
    """The captions of the whole video; `language` is a BCP 47 tag."""

    language: str
    format: Literal["vtt", "srt"]
    file: FileRef


@frozen_record(kw_only=True)
class VideoStream:
    codec: str
    profile: str | None
    width: int
    height: int
    frame_rate: float | None  #: average frames per second
    bit_rate: int | None  #: bits per second
    pixel_format: str


@frozen_record(kw_only=True)
class AudioStream:
    codec: str
    sample_rate: int  #: Hz
    channels: int
    bit_rate: int | None  #: bits per second


@frozen_record(kw_only=True)
class TechnicalMetadata:
    """The technical facts of one video file. Sizes in bytes, durations in seconds, rates in bits per second.

    None if the file doesn't say. `meets` names the publishing services whose limits it keeps.
    """

    quality: str
    container: str
    duration_s: float
    size_bytes: int
    bit_rate: int | None
    video: VideoStream | None
    audio: AudioStream | None
    meets: tuple[str, ...] = ()


#: Stands for a video's sound alone where a quality is named.
AUDIO: Final = "audio"


@frozen_record
class Picture:
    """A still or animated picture, WebP or JPEG by its media type. Sizes in pixels."""

    width: int
    height: int
    file: FileRef


@frozen_record
class AudioFile:
    """The sound of the whole video."""

    duration_s: float
    file: FileRef


@frozen_record(kw_only=True)
class Storyboard:
    """Small pictures of the whole video, for the preview of a player's seek bar.

    `count` tiles of `tile_width` x `tile_height` pixels; tile n shows the time from n * `interval_s`. They lie row by
    row in sheets of `columns` x `rows`, the last of which may have fewer rows. `sheets` holds each sheet once for each
    format, in order.
    """

    interval_s: float
    duration_s: float
    count: int
    tile_width: int
    tile_height: int
    columns: int
    rows: int
    sheets: tuple[Picture, ...]


@frozen_record(kw_only=True)
class Companions:
    """The extras of a video: each may be missing, and old videos have none."""

    audio: AudioFile | None = None
    poster: tuple[Picture, ...] = ()  #: one for each format
    storyboard: Storyboard | None = None
    preview: Picture | None = None  #: a few seconds of moving pictures

    @property
    def files(self) -> tuple[FileRef, ...]:
        sheets = self.storyboard.sheets if self.storyboard else ()
        alone = [each.file for each in (self.audio, self.preview) if each]
        return (*alone, *(picture.file for picture in (*self.poster, *sheets)))


#: The extras of a video that has none: one value, shared as the default of all records with this field.
NO_COMPANIONS = Companions()

Kind = Literal["image", "clip", "audio"]

_ASSET_ID = re.compile(r"as_[0-9a-f]{32}")
#: Types of fields that hold no files.
PLAIN_TYPES = (str, int, float, bytes, bool, type(None))


def asset_id(sha256: str) -> str:
    """Return the id of the asset whose content has this SHA-256, in hex."""
    return f"as_{sha256[:32]}"


def is_asset_id(text: str) -> bool:
    return _ASSET_ID.fullmatch(text) is not None


def files_of(value: Any) -> list[FileRef]:
    """Return every file that a job, an event or a part of one names, as often as it does."""
    if isinstance(value, FileRef):
        return [value]
    if isinstance(value, tuple):
        return [file for each in value for file in files_of(each)]
    if isinstance(value, PLAIN_TYPES) or not hasattr(value, "__attrs_attrs__"):
        return []
    return [file for a in value.__attrs_attrs__ for file in files_of(getattr(value, a.name))]
