"""What the lines of `v1.jsonl` to `v5.jsonl` mean, line by line; every attribute spelled out.

Spelled out, because a default that changes would change the meaning of what is stored: then the line and this
no longer agree. A line is never changed. A changed payload gets a new schema version, an upcaster, and new lines.
"""

from datetime import UTC, datetime

from attrs import evolve

from eventflow.domain import events as ev
from eventflow.domain.values import (
    AudioFile,
    AudioStream,
    CaptionFile,
    CaptionMode,
    Companions,
    Failure,
    FailureCategory,
    FileRef,
    ForkOrigin,
    Lane,
    MergeField,
    OnSceneFailure,
    Picture,
    ReprocessFrom,
    ReusableScene,
    SceneRendition,
    Segment,
    Step,
    Storyboard,
    TechnicalMetadata,
    Thumbnail,
    VideoFile,
    VideoRequest,
    VideoStream,
    Voice,
)

AT = datetime(2026, 2, 3, 4, 5, 6, 789_000, UTC)
SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def _file(store: str, name: str, size: int, media_type: str, retries: int = 0) -> FileRef:
    return FileRef(store, f"{store}/{SHA}{name}", SHA, size, media_type, retry_count=retries)  # type: ignore[arg-type]


_PLAN = _file("workspace", ".json", 512, "application/json")
_WAV = _file("workspace", ".wav", 563_244, "audio/wav")
_MP4 = _file("workspace", ".mp4", 1_048_576, "video/mp4")
_OUT = _file("delivery", ".mp4", 1_048_576, "video/mp4", 2)
_LOCAL = _file("fallback", ".jpg", 20_480, "image/jpeg", 3)


def _renditions(file: FileRef) -> tuple[SceneRendition, ...]:
    segments = (Segment(file, 11), Segment(file, 2))
    return (
        SceneRendition("1080p", 1920, 1080, "c0ffee", file, segments),
        SceneRendition("720p", 1280, 720, "decaf0", file, ()),
    )


def _named(file: FileRef) -> tuple[SceneRendition, ...]:
    codecs = ("avc1.640028,mp4a.40.2", "")
    return tuple(evolve(r, codecs=name) for r, name in zip(_renditions(file), codecs, strict=True))


_DEFAULTS = VideoRequest(
    script='Ünïcödé 🎬 "quotes"\n\tand\\backslashes',
    pipeline="explainer",
    pipeline_version="2.0",
    quality_levels=("1080p", "720p"),
    voice=Voice("en-us", 1.0),
    thumbnail_generation=True,
    s3_upload_enabled=True,
    cleanup_local_files=True,
    retry_attempts=3,
    priority=Lane.NORMAL,
    passthrough=None,
    scenes=None,
    topic=None,
    theme=None,
    aspect="16:9",
    captions=CaptionMode.TRACK,
    music=None,
    narrated=True,
    on_scene_failure=OnSceneFailure.FAIL,
    merge=(),
    enable_streaming=True,
)
_CHOSEN = VideoRequest(
    script="",
    pipeline="simulation",
    pipeline_version="3.1",
    quality_levels=("360p",),
    voice=Voice("de", 1.25),
    thumbnail_generation=False,
    s3_upload_enabled=False,
    cleanup_local_files=False,
    retry_attempts=0,
    priority=Lane.NORMAL,
    passthrough='{"order":7}',
    scenes=None,
    topic=None,
    theme=None,
    aspect="16:9",
    captions=CaptionMode.TRACK,
    music=None,
    narrated=True,
    on_scene_failure=OnSceneFailure.FAIL,
    merge=(),
    enable_streaming=True,
)
_LOOKS = evolve(
    _DEFAULTS,
    script="",
    scenes='{"version":1,"scenes":[{"layout":"title","heading":"{{name}}"}]}',
    theme="paper",
    aspect="9:16",
    captions=CaptionMode.BURNED,
    music="as_0123456789abcdef0123456789abcdef",
    narrated=False,
    on_scene_failure=OnSceneFailure.SKIP,
    merge=(MergeField("name", "Ada"), MergeField("x", "")),
)
_COMPANIONS = Companions(
    AudioFile(12.8, _MP4),
    (Picture(1920, 1080, _LOCAL), Picture(1920, 1080, _OUT)),
    Storyboard(2.0, 12.8, 7, 160, 90, 10, 10, (Picture(1600, 90, _LOCAL), Picture(1600, 90, _OUT))),
    Picture(320, 180, _OUT),
)
_FULL = TechnicalMetadata(
    "1080p",
    "mov,mp4,m4a,3gp,3g2,mj2",
    12.8,
    1_048_576,
    655_360,
    VideoStream("h264", "High", 1920, 1080, 29.97, 600_000, "yuv420p"),
    AudioStream("aac", 48_000, 2, 96_000),
)
_BARE = TechnicalMetadata("720p", "mp4", 12.0, 10, None, None, None)
_SILENT = TechnicalMetadata("360p", "mp4", 0.5, 1, 1, VideoStream("av1", None, 1, 2, None, None, "gray"), None)

EVENTS: list[ev.Event] = [
    ev.VideoRequested(_DEFAULTS, None),
    ev.VideoRequested(_CHOSEN, None),
    ev.PlanningStarted(1),
    ev.ScriptPlanned(1, "How streams work", 7, _PLAN),
    ev.ScenePlanned(0, 1, "Introduction", 0, 13, _PLAN, _WAV, ""),
    ev.ScenePlanned(6, 2, "", 78, 11, _PLAN, None, ""),
    ev.SceneRendered(0, 1, _renditions(_MP4)),
    ev.SceneUploaded(0, 1, _renditions(_OUT)),
    ev.ScenesCompleted(1),
    ev.VideoGenerated(1, (VideoFile("1080p", 1920, 1080, 12.8, _MP4),), (Thumbnail(0, 640, 360, _LOCAL),)),
    ev.VideoGenerated(3, (), ()),
    ev.DeliverablesUploaded(1, (VideoFile("1080p", 1920, 1080, 12.8, _OUT),), (Thumbnail(0, 640, 360, _LOCAL),)),
    ev.VideoUploaded(1),
    ev.VideoPublished(1, 2, (_FULL, _BARE, _SILENT)),
    ev.UploadFellBack(1, Step.UPLOAD_SCENE, 4, "delivery/k.mp4", "storage_unavailable: no answer", 3),
    ev.UploadFellBack(1, Step.UPLOAD_VIDEO, None, "delivery/k.mp4", "storage_refused: no such bucket", 3),
    ev.StepDegraded(1, Step.ASSEMBLE, "no thumbnails"),
    ev.StepFailed(Step.RENDER_SCENE, 3, 1, Failure(FailureCategory.GENERATION, "encode", "it broke"), 2, AT),
    ev.StepFailed(Step.PLAN, None, 1, Failure(FailureCategory.INITIALIZATION, "script_empty", "no text"), 1, None),
    ev.JobFailed(1, Failure(FailureCategory.RESOURCE, "delivery_limit", "died"), Step.RENDER_SCENE, 3, 3),
    ev.JobFailed(2, Failure(FailureCategory.STORAGE, "storage_refused", "full"), Step.EXTRACT_METADATA, None, 4),
    ev.JobFailed(2, Failure(FailureCategory.INTERNAL, "KeyError", "'x'"), Step.UPLOAD_VIDEO, None, 4),
    ev.CancellationRequested("changed my mind"),
    ev.JobCancelled(1),
    ev.ReprocessRequested(2, ReprocessFrom.PLANNING, None),
    ev.ArtefactLost(2, Step.ASSEMBLE, 4, "jobs/j/k.m4s"),
    ev.ArtefactLost(1, Step.PLAN, None, "jobs/j/k.json"),
    ev.SceneReused(0, 2, "Introduction", 0, 13, _PLAN, _WAV, "ab12", _renditions(_MP4), _renditions(_OUT)),
    ev.SceneReused(1, 2, "", 13, 11, _PLAN, None, "cd34", _renditions(_OUT), ()),
    ev.StepParked(Step.RENDER_SCENE, 3, 1, "IllegalTransition: scene 7 is none of the 7 announced"),
    ev.StepFailed(Step.ASSEMBLE, None, 1, Failure(FailureCategory.TIMEOUT, "step_timeout", "too long"), 1, AT),
    ev.StepParked(Step.PLAN, None, 2, "DecodeError: group generation has no handler for VideoRequested"),
    ev.SceneSkipped(1, 2, Failure(FailureCategory.GENERATION, "encode", "it broke")),
    ev.WarningRaised(1, Step.PLAN, 4, "missing_glyphs", "no font here has U+4E2D"),
    ev.WarningRaised(1, Step.ASSEMBLE, None, "captions_long", "a caption has 3 lines"),
    ev.RemoteWorkStarted(1, 3, "remote", "task-17"),
    ev.CostRecorded(1, 3, "remote", "0.125", "USD"),
    ev.CostRecorded(1, None, "planner", "12", "credits"),
    ev.DeletionRequested("requested through the API", "completed"),
    ev.JobDeleted(31),
    ev.VideoRelocated(("videos/j/1080p/aa.mp4", "videos/j/captions/bb.vtt")),
    ev.StreamStarted(1),
]

_ORIGIN = "00-00112233445566778899aabbccddeeff"

#: Of `v2.jsonl`: the lines of payloads whose second version is meant.
EVENTS_V2: list[ev.Event] = [
    ev.VideoRequested(_DEFAULTS, None),
    ev.VideoRequested(_CHOSEN, ForkOrigin(_ORIGIN, 12, ())),
    ev.VideoRequested(
        _DEFAULTS,
        ForkOrigin(
            _ORIGIN,
            31,
            (
                ReusableScene("ab12", 0, 13, _PLAN, _WAV, _renditions(_OUT), ()),
                ReusableScene("cd34", 13, 11, _PLAN, None, _renditions(_MP4), _renditions(_OUT)),
            ),
        ),
    ),
    ev.ReprocessRequested(2, ReprocessFrom.PLANNING, None),
    ev.ReprocessRequested(3, ReprocessFrom.RENDERING, (2, 5)),
    ev.ReprocessRequested(4, ReprocessFrom.UPLOAD, ()),
    ev.ReprocessRequested(5, ReprocessFrom.METADATA, None),
    ev.ScenePlanned(0, 1, "Introduction", 0, 13, _PLAN, _WAV, "ab12"),
    ev.ScenePlanned(6, 2, "", 78, 11, _PLAN, None, ""),
    ev.VideoRequested(evolve(_DEFAULTS, priority=Lane.HIGH), None),
    ev.VideoGenerated(1, (VideoFile("1080p", 1920, 1080, 12.8, _MP4),), (), (CaptionFile("en-US", "vtt", _MP4),)),
    ev.VideoGenerated(3, (), (Thumbnail(0, 640, 360, _LOCAL),), ()),
    ev.DeliverablesUploaded(1, (VideoFile("1080p", 1920, 1080, 12.8, _OUT),), (), (CaptionFile("de", "srt", _OUT),)),
    ev.DeliverablesUploaded(2, (), (Thumbnail(0, 640, 360, _LOCAL),), ()),
    ev.CostRecorded(1, 3, "remote", "0.125", "USD", "video_17"),
    ev.CostRecorded(1, None, "planner", "1234", "tokens", ""),
    ev.SceneRendered(0, 1, _named(_MP4)),
    ev.SceneUploaded(0, 1, _named(_OUT)),
    ev.SceneUploaded(1, 1, ()),
    ev.SceneReused(0, 2, "Introduction", 0, 13, _PLAN, _WAV, "ab12", _named(_MP4), _named(_OUT)),
    ev.ScriptPlanned(1, "How streams work", 7, _PLAN, ("720p", "360p")),
    ev.ScriptPlanned(2, "", 1, _PLAN, ()),
    ev.VideoPublished(1, 2, (evolve(_FULL, meets=("youtube", "x_premium")), _BARE)),
    ev.VideoPublished(2, 3, ()),
]

#: Of `v3.jsonl`: the lines of payloads whose third version is meant.
EVENTS_V3: list[ev.Event] = [
    ev.VideoRequested(_LOOKS, None),
    ev.VideoRequested(evolve(_DEFAULTS, script="", topic="Event streams for cooks", captions=CaptionMode.NONE), None),
    ev.VideoRequested(_CHOSEN, ForkOrigin(_ORIGIN, 12, ())),
    ev.VideoGenerated(1, (VideoFile("1080p", 1920, 1080, 12.8, _MP4),), (), (), _COMPANIONS),
    ev.VideoGenerated(2, (), (), (), Companions(None, (), None, None)),
    ev.DeliverablesUploaded(1, (), (Thumbnail(0, 640, 360, _LOCAL),), (), _COMPANIONS),
    ev.DeliverablesUploaded(2, (), (), (), Companions(AudioFile(12.8, _OUT), (), None, None)),
]

#: Of `v4.jsonl`: the lines of payloads whose fourth version is meant.
EVENTS_V4: list[ev.Event] = [
    ev.VideoRequested(_LOOKS, None),
    ev.VideoRequested(evolve(_DEFAULTS, insisted=("aspect", "voice.name")), None),
]

#: Of `v5.jsonl`: the lines of payloads whose fifth version is meant.
EVENTS_V5: list[ev.Event] = [
    ev.VideoRequested(_LOOKS, None),
    ev.VideoRequested(evolve(_DEFAULTS, enable_streaming=False), None),
    ev.VideoRequested(
        _DEFAULTS, ForkOrigin(_ORIGIN, 9, (ReusableScene("ab12", 0, 13, _PLAN, _WAV, _named(_MP4), _named(_OUT)),))
    ),
]
