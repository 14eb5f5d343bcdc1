"""What the lines of `v1.jsonl` to `v6.jsonl` mean, line by line; every attribute spelled out.

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
    OrderOutcome,
    Picture,
    PictureAsset,
    ReprocessFrom,
    ReusableScene,
    SceneRendition,
    Segment,
    SpeakerVoice,
    Step,
    StoreRole,
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


def _file(store: StoreRole, name: str, size: int, media_type: str, retries: int = 0) -> FileRef:
    return FileRef(
        store=store, key=f"{store}/{SHA}{name}", sha256=SHA, size_bytes=size, media_type=media_type, retry_count=retries
    )


_PLAN = _file("workspace", ".json", 512, "application/json")
_WAV = _file("workspace", ".wav", 563_244, "audio/wav")
_MP4 = _file("workspace", ".mp4", 1_048_576, "video/mp4")
_OUT = _file("delivery", ".mp4", 1_048_576, "video/mp4", 2)
_LOCAL = _file("fallback", ".jpg", 20_480, "image/jpeg", 3)


def _renditions(file: FileRef) -> tuple[SceneRendition, ...]:
    segments = (Segment(file, 11), Segment(file, 2))
    return (
        SceneRendition(quality="1080p", width=1920, height=1080, decoder_config="c0ffee", init=file, segments=segments),
        SceneRendition(quality="720p", width=1280, height=720, decoder_config="decaf0", init=file, segments=()),
    )


def _named(file: FileRef) -> tuple[SceneRendition, ...]:
    codecs = ("avc1.640028,mp4a.40.2", "")
    return tuple(evolve(r, codecs=name) for r, name in zip(_renditions(file), codecs, strict=True))


_DEFAULTS = VideoRequest(
    script='Ünïcödé 🎬 "quotes"\n\tand\\backslashes',
    pipeline="explainer",
    pipeline_version="2.0",
    quality_levels=("1080p", "720p"),
    voice=Voice("en-us", 1.0, "en"),  # of requests before version 7
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
    pictures=(),
    format="document",  # of scripts before version 6
    voices=(),
    keep=(),
)
_CHOSEN = evolve(
    _DEFAULTS,
    script="",
    pipeline="simulation",
    pipeline_version="3.1",
    quality_levels=("360p",),
    voice=Voice("de", 1.25),
    thumbnail_generation=False,
    s3_upload_enabled=False,
    cleanup_local_files=False,
    retry_attempts=0,
    passthrough='{"order":7}',
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
    audio=AudioFile(12.8, _MP4),
    poster=(Picture(1920, 1080, _LOCAL), Picture(1920, 1080, _OUT)),
    storyboard=Storyboard(
        interval_s=2.0,
        duration_s=12.8,
        count=7,
        tile_width=160,
        tile_height=90,
        columns=10,
        rows=10,
        sheets=(Picture(1600, 90, _LOCAL), Picture(1600, 90, _OUT)),
    ),
    preview=Picture(320, 180, _OUT),
)
_FULL = TechnicalMetadata(
    quality="1080p",
    container="mov,mp4,m4a,3gp,3g2,mj2",
    duration_s=12.8,
    size_bytes=1_048_576,
    bit_rate=655_360,
    video=VideoStream(
        codec="h264",
        profile="High",
        width=1920,
        height=1080,
        frame_rate=29.97,
        bit_rate=600_000,
        pixel_format="yuv420p",
    ),
    audio=AudioStream(codec="aac", sample_rate=48_000, channels=2, bit_rate=96_000),
)
_BARE = TechnicalMetadata(
    quality="720p", container="mp4", duration_s=12.0, size_bytes=10, bit_rate=None, video=None, audio=None
)
_SILENT = TechnicalMetadata(
    quality="360p",
    container="mp4",
    duration_s=0.5,
    size_bytes=1,
    bit_rate=1,
    video=VideoStream(
        codec="av1", profile=None, width=1, height=2, frame_rate=None, bit_rate=None, pixel_format="gray"
    ),
    audio=None,
)

EVENTS: list[ev.Event] = [
    ev.VideoRequested(_DEFAULTS, None),
    ev.VideoRequested(_CHOSEN, None),
    ev.PlanningStarted(1),
    ev.ScriptPlanned(run=1, title="How streams work", scene_count=7, plan=_PLAN),
    ev.ScenePlanned(
        scene=0, run=1, title="Introduction", start_cells=0, duration_cells=13, spec=_PLAN, narration=_WAV, source=""
    ),
    ev.ScenePlanned(scene=6, run=2, title="", start_cells=78, duration_cells=11, spec=_PLAN, narration=None, source=""),
    ev.SceneRendered(scene=0, run=1, renditions=_renditions(_MP4)),
    ev.SceneUploaded(scene=0, run=1, renditions=_renditions(_OUT)),
    ev.ScenesCompleted(1),
    ev.VideoGenerated(
        run=1,
        videos=(VideoFile(quality="1080p", width=1920, height=1080, duration_s=12.8, file=_MP4),),
        thumbnails=(Thumbnail(index=0, width=640, height=360, file=_LOCAL),),
    ),
    ev.VideoGenerated(run=3, videos=(), thumbnails=()),
    ev.DeliverablesUploaded(
        run=1,
        videos=(VideoFile(quality="1080p", width=1920, height=1080, duration_s=12.8, file=_OUT),),
        thumbnails=(Thumbnail(index=0, width=640, height=360, file=_LOCAL),),
    ),
    ev.VideoUploaded(1),
    ev.VideoPublished(1, 2, (_FULL, _BARE, _SILENT)),
    ev.UploadFellBack(
        run=1,
        step=Step.UPLOAD_SCENE,
        scene=4,
        key="delivery/k.mp4",
        reason="storage_unavailable: no answer",
        retry_count=3,
    ),
    ev.UploadFellBack(
        run=1,
        step=Step.UPLOAD_VIDEO,
        scene=None,
        key="delivery/k.mp4",
        reason="storage_refused: no such bucket",
        retry_count=3,
    ),
    ev.StepDegraded(1, Step.ASSEMBLE, "no thumbnails"),
    ev.StepFailed(
        step=Step.RENDER_SCENE,
        scene=3,
        run=1,
        failure=Failure(FailureCategory.GENERATION, "encode", "it broke"),
        attempt=2,
        retry_at=AT,
    ),
    ev.StepFailed(
        step=Step.PLAN,
        scene=None,
        run=1,
        failure=Failure(FailureCategory.INITIALIZATION, "script_empty", "no text"),
        attempt=1,
        retry_at=None,
    ),
    ev.JobFailed(
        run=1,
        failure=Failure(FailureCategory.RESOURCE, "delivery_limit", "died"),
        step=Step.RENDER_SCENE,
        scene=3,
        attempts=3,
    ),
    ev.JobFailed(
        run=2,
        failure=Failure(FailureCategory.STORAGE, "storage_refused", "full"),
        step=Step.EXTRACT_METADATA,
        scene=None,
        attempts=4,
    ),
    ev.JobFailed(
        run=2,
        failure=Failure(FailureCategory.INTERNAL, "KeyError", "'x'"),
        step=Step.UPLOAD_VIDEO,
        scene=None,
        attempts=4,
    ),
    ev.CancellationRequested("changed my mind"),
    ev.JobCancelled(1),
    ev.ReprocessRequested(2, ReprocessFrom.PLANNING, None),
    ev.ArtefactLost(run=2, step=Step.ASSEMBLE, scene=4, key="jobs/j/k.m4s"),
    ev.ArtefactLost(run=1, step=Step.PLAN, scene=None, key="jobs/j/k.json"),
    ev.SceneReused(
        scene=0,
        run=2,
        title="Introduction",
        start_cells=0,
        duration_cells=13,
        spec=_PLAN,
        narration=_WAV,
        source="ab12",
        renditions=_renditions(_MP4),
        uploaded=_renditions(_OUT),
    ),
    ev.SceneReused(
        scene=1,
        run=2,
        title="",
        start_cells=13,
        duration_cells=11,
        spec=_PLAN,
        narration=None,
        source="cd34",
        renditions=_renditions(_OUT),
        uploaded=(),
    ),
    ev.StepParked(
        step=Step.RENDER_SCENE, scene=3, run=1, reason="IllegalTransition: scene 7 is none of the 7 announced"
    ),
    ev.StepFailed(
        step=Step.ASSEMBLE,
        scene=None,
        run=1,
        failure=Failure(FailureCategory.TIMEOUT, "step_timeout", "too long"),
        attempt=1,
        retry_at=AT,
    ),
    ev.StepParked(
        step=Step.PLAN, scene=None, run=2, reason="DecodeError: group generation has no handler for VideoRequested"
    ),
    ev.SceneSkipped(scene=1, run=2, failure=Failure(FailureCategory.GENERATION, "encode", "it broke")),
    ev.WarningRaised(run=1, step=Step.PLAN, scene=4, code="missing_glyphs", message="no font here has U+4E2D"),
    ev.WarningRaised(run=1, step=Step.ASSEMBLE, scene=None, code="captions_long", message="a caption has 3 lines"),
    ev.RemoteWorkStarted(run=1, scene=3, service="remote", remote_id="task-17"),
    ev.CostRecorded(run=1, scene=3, service="remote", amount="0.125", currency="USD"),
    ev.CostRecorded(run=1, scene=None, service="planner", amount="12", currency="credits"),
    ev.DeletionRequested("requested through the API", "completed"),
    ev.JobDeleted(31),
    ev.VideoRelocated(("videos/j/1080p/aa.mp4", "videos/j/captions/bb.vtt")),
    ev.StreamStarted(1),
    ev.RemoteWorkOrdered(
        run=1,
        scene=3,
        service="remote",
        order="07-0123456789abcdef0123456789abcdef-3-1-0",
        request="tide-1, 8 s, 1280x720, prompt 9f86d081884c7d65",
        ordered_at=AT,
    ),
    ev.RemoteWorkEnded(run=1, scene=3, service="remote", outcome=OrderOutcome.UNKNOWN, answer='{"status": "queued"}'),
    ev.NarratorReplaced(run=1, scene=2, voice="openai:alloy", instead="en-us"),
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
                ReusableScene(
                    source="ab12",
                    start_cells=0,
                    duration_cells=13,
                    spec=_PLAN,
                    narration=_WAV,
                    rendered=_renditions(_OUT),
                    uploaded=(),
                ),
                ReusableScene(
                    source="cd34",
                    start_cells=13,
                    duration_cells=11,
                    spec=_PLAN,
                    narration=None,
                    rendered=_renditions(_MP4),
                    uploaded=_renditions(_OUT),
                ),
            ),
        ),
    ),
    ev.ReprocessRequested(2, ReprocessFrom.PLANNING, None),
    ev.ReprocessRequested(3, ReprocessFrom.RENDERING, (2, 5)),
    ev.ReprocessRequested(4, ReprocessFrom.UPLOAD, ()),
    ev.ReprocessRequested(5, ReprocessFrom.METADATA, None),
    ev.ScenePlanned(
        scene=0,
        run=1,
        title="Introduction",
        start_cells=0,
        duration_cells=13,
        spec=_PLAN,
        narration=_WAV,
        source="ab12",
    ),
    ev.ScenePlanned(scene=6, run=2, title="", start_cells=78, duration_cells=11, spec=_PLAN, narration=None, source=""),
    ev.VideoRequested(evolve(_DEFAULTS, priority=Lane.HIGH), None),
    ev.VideoGenerated(
        run=1,
        videos=(VideoFile(quality="1080p", width=1920, height=1080, duration_s=12.8, file=_MP4),),
        thumbnails=(),
        captions=(CaptionFile("en-US", "vtt", _MP4),),
    ),
    ev.VideoGenerated(
        run=3, videos=(), thumbnails=(Thumbnail(index=0, width=640, height=360, file=_LOCAL),), captions=()
    ),
    ev.DeliverablesUploaded(
        run=1,
        videos=(VideoFile(quality="1080p", width=1920, height=1080, duration_s=12.8, file=_OUT),),
        thumbnails=(),
        captions=(CaptionFile("de", "srt", _OUT),),
    ),
    ev.DeliverablesUploaded(
        run=2, videos=(), thumbnails=(Thumbnail(index=0, width=640, height=360, file=_LOCAL),), captions=()
    ),
    ev.CostRecorded(run=1, scene=3, service="remote", amount="0.125", currency="USD", reference="video_17"),
    ev.CostRecorded(run=1, scene=None, service="planner", amount="1234", currency="tokens", reference=""),
    ev.SceneRendered(scene=0, run=1, renditions=_named(_MP4)),
    ev.SceneUploaded(scene=0, run=1, renditions=_named(_OUT)),
    ev.SceneUploaded(scene=1, run=1, renditions=()),
    ev.SceneReused(
        scene=0,
        run=2,
        title="Introduction",
        start_cells=0,
        duration_cells=13,
        spec=_PLAN,
        narration=_WAV,
        source="ab12",
        renditions=_named(_MP4),
        uploaded=_named(_OUT),
    ),
    ev.ScriptPlanned(run=1, title="How streams work", scene_count=7, plan=_PLAN, qualities=("720p", "360p")),
    ev.ScriptPlanned(run=2, title="", scene_count=1, plan=_PLAN, qualities=()),
    ev.VideoPublished(1, 2, (evolve(_FULL, meets=("youtube", "x_premium")), _BARE)),
    ev.VideoPublished(2, 3, ()),
]

#: Of `v3.jsonl`: the lines of payloads whose third version is meant.
EVENTS_V3: list[ev.Event] = [
    ev.VideoRequested(_LOOKS, None),
    ev.VideoRequested(evolve(_DEFAULTS, script="", topic="Event streams for cooks", captions=CaptionMode.NONE), None),
    ev.VideoRequested(_CHOSEN, ForkOrigin(_ORIGIN, 12, ())),
    ev.VideoGenerated(
        run=1,
        videos=(VideoFile(quality="1080p", width=1920, height=1080, duration_s=12.8, file=_MP4),),
        thumbnails=(),
        captions=(),
        companions=_COMPANIONS,
    ),
    ev.VideoGenerated(
        run=2,
        videos=(),
        thumbnails=(),
        captions=(),
        companions=Companions(audio=None, poster=(), storyboard=None, preview=None),
    ),
    ev.DeliverablesUploaded(
        run=1,
        videos=(),
        thumbnails=(Thumbnail(index=0, width=640, height=360, file=_LOCAL),),
        captions=(),
        companions=_COMPANIONS,
    ),
    ev.DeliverablesUploaded(
        run=2,
        videos=(),
        thumbnails=(),
        captions=(),
        companions=Companions(audio=AudioFile(12.8, _OUT), poster=(), storyboard=None, preview=None),
    ),
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
        _DEFAULTS,
        ForkOrigin(
            _ORIGIN,
            9,
            (
                ReusableScene(
                    source="ab12",
                    start_cells=0,
                    duration_cells=13,
                    spec=_PLAN,
                    narration=_WAV,
                    rendered=_named(_MP4),
                    uploaded=_named(_OUT),
                ),
            ),
        ),
    ),
]

#: Of `v6.jsonl`: the lines of payloads whose sixth version is meant.
EVENTS_V6: list[ev.Event] = [
    ev.VideoRequested(evolve(_LOOKS, format="auto"), None),
    ev.VideoRequested(
        evolve(
            _DEFAULTS,
            pictures=(
                PictureAsset("img/a.png", "as_0123456789abcdef0123456789abcdef", None),
                PictureAsset("https://example.org/b", "as_00112233445566778899aabbccddeeff", "clip"),
            ),
            format="dialogue",
            voices=(SpeakerVoice("Alex", "en-gb"),),
            keep=("hashtags", "signature", "cues"),
        ),
        None,
    ),
]

#: Of `v7.jsonl`: the lines of payloads whose seventh version is meant.
EVENTS_V7: list[ev.Event] = [
    ev.VideoRequested(evolve(_DEFAULTS, voice=Voice(), format="auto", insisted=("voice.name",)), None),
    ev.VideoRequested(evolve(_DEFAULTS, voice=Voice(rate=1.5, language="pt-BR"), format="auto"), None),
]
