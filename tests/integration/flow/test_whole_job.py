"""One job from its request to its publication, with all groups in one process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import pytest
import webvtt
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from eventflow.domain.state import Phase
from eventflow.domain.values import FileRef, VideoRequest
from eventflow.storage import StorageUnavailable
from tests.support.runtime import TRACEPARENT, gapless
from tests.support.studio import QUALITIES, SIMULATION_SECONDS, Studio, StudioOf, simulation
from tests.support.waiting import wait_until

SCRIPT = """# Streams

An event is a fact.

- It has happened
- It does not change

## Groups

Each group reads on its own.

## The end

That was all.
"""


async def _done(studio: Studio, request: VideoRequest) -> str:
    job_id = await studio.space.submit(request)
    await wait_until(lambda: studio.space.ended(job_id), 90, what="the job has ended")
    job = await studio.space.job(job_id)
    assert job.phase is Phase.COMPLETED, job.failure
    return job_id


async def _content(studio: Studio, ref: FileRef, folder: Path) -> Path:
    path = folder / Path(ref.key).name
    await studio.parts.stores[ref.store].fetch(ref.key, path, sha256=ref.sha256)
    return path


def _decoded_seconds(path: Path) -> tuple[float, float]:
    """(end of the last picture, end of the last sound), by decoding all of it."""
    with av.open(str(path)) as container:
        video, audio, time = container.streams.video[0], container.streams.audio[0], 0.0
        samples = 0
        for frame in container.decode(video, audio):
            if isinstance(frame, av.VideoFrame):
                assert frame.time is not None
                time = max(time, frame.time + float((frame.duration or 0) * (frame.time_base or 0)))
            else:
                samples += frame.samples
        return time, samples / audio.codec_context.sample_rate


async def test_simulation_is_published_with_everything_that_belongs_to_it(studio: StudioOf, tmp_path: Path) -> None:
    async with studio() as s:
        job_id = await _done(s, simulation())
        job = await s.space.job(job_id)
        history = await s.space.history(job_id)
        await wait_until(lambda: s.cleared, what="the workspace is cleared")
        assert job.published is not None
        for video in job.published.videos:
            path = await _content(s, video.file, tmp_path)
            picture_s, sound_s = _decoded_seconds(path)
            assert picture_s == pytest.approx(SIMULATION_SECONDS, abs=0.05)
            assert sound_s == pytest.approx(SIMULATION_SECONDS, abs=0.05)
            assert video.duration_s == pytest.approx(SIMULATION_SECONDS, abs=0.05)
        for thumbnail in job.published.thumbnails:
            with av.open(str(await _content(s, thumbnail.file, tmp_path))) as picture:
                stream = picture.streams.video[0]
                assert (stream.codec_context.width, stream.codec_context.height) == (thumbnail.width, thumbnail.height)
    types = [envelope.type for envelope in history]
    assert gapless(history)
    assert types[:3] == ["VideoRequested", "PlanningStarted", "ScriptPlanned"]
    assert types[-2:] == ["VideoUploaded", "VideoPublished"]
    for kind in ("ScenePlanned", "SceneRendered", "SceneUploaded"):
        assert types.count(kind) == 3
    for earlier, later in [
        ("ScenePlanned", "SceneRendered"),
        ("SceneRendered", "SceneUploaded"),
        ("ScenesCompleted", "VideoGenerated"),
        ("VideoGenerated", "DeliverablesUploaded"),
    ]:
        assert types.index(earlier) < types.index(later)
    assert set(types) == {
        *("VideoRequested", "PlanningStarted", "ScriptPlanned", "ScenePlanned", "SceneRendered", "SceneUploaded"),
        *(
            "StreamStarted",
            "ScenesCompleted",
            "VideoGenerated",
            "DeliverablesUploaded",
            "VideoUploaded",
            "VideoPublished",
        ),
    }
    assert [video.quality for video in job.published.videos] == list(QUALITIES)
    assert job.published.thumbnails
    assert {t.file.store for t in job.published.thumbnails} == {"delivery"}
    [best, _, sound] = job.published.metadata
    assert (sound.quality, sound.video, sound.duration_s) == (
        "audio",
        None,
        pytest.approx(SIMULATION_SECONDS, abs=0.05),
    )
    assert (best.quality, best.container) == ("720p", "mp4")
    assert best.video is not None
    assert (best.video.codec, best.video.width, best.video.height) == ("h264", 1280, 720)
    assert best.audio is not None
    assert (best.audio.codec, best.audio.sample_rate) == ("aac", 48_000)
    assert (best.video.frame_rate, best.audio.bit_rate) == (30.0, pytest.approx(128_000, rel=1e-4))
    assert {"youtube", "tiktok", "instagram_reels", "x", "vimeo"} <= set(best.meets)
    assert sound.meets == ()
    assert best.duration_s == pytest.approx(SIMULATION_SECONDS, abs=0.05)
    assert job.degraded == ()
    assert s.scratch == []
    assert all(envelope.traceparent.split("-")[1] == TRACEPARENT.split("-")[1] for envelope in history)


async def test_explainer_narrates_a_script(studio: StudioOf, tmp_path: Path) -> None:
    async with studio() as s:
        job_id = await _done(s, VideoRequest(script=SCRIPT, quality_levels=("360p",), cleanup_local_files=False))
        job = await s.space.job(job_id)
        assert job.published is not None
        path = await _content(s, job.published.videos[0].file, tmp_path)
        assert not s.cleared  # it wasn't to be
        tracks = {track.format: await _content(s, track.file, tmp_path) for track in job.published.captions}
    seconds = sum(scene.duration_cells for scene in job.scenes) * 8 / 15
    picture_s, sound_s = _decoded_seconds(path)
    assert len(job.scenes) >= 3
    assert picture_s == pytest.approx(seconds, abs=0.05)
    assert sound_s == pytest.approx(seconds, abs=0.05)
    starts = [scene.start_cells for scene in job.scenes]
    assert starts == [sum(s.duration_cells for s in job.scenes[:i]) for i in range(len(starts))]
    assert {track.language for track in job.published.captions} == {"en-US"}
    cues = webvtt.read(tracks["vtt"])  # type: ignore[arg-type]
    assert "It has happened" in "".join(cue.text for cue in cues)  # type: ignore[attr-defined]
    assert [cue.text for cue in webvtt.from_srt(tracks["srt"])] == [cue.text for cue in cues]  # type: ignore[arg-type,attr-defined]
    [last] = [cue for cue in cues if "That was all" in cue.text]  # type: ignore[attr-defined]
    assert starts[-1] * 8 / 15 < last.start_in_seconds < seconds
    assert job.degraded == ()


async def test_local_files_only_when_the_request_says_no_s3(studio: StudioOf) -> None:
    async with studio() as s:
        job_id = await _done(s, simulation(s3_upload_enabled=False, quality_levels=("360p",)))
        job = await s.space.job(job_id)
        assert s.files("delivery") == []
        assert s.files("fallback")
        types = await s.space.types(job_id)
    assert job.published is not None
    assert {v.file.store for v in job.published.videos} == {"fallback"}
    assert {v.file.retry_count for v in job.published.videos} == {0}
    assert "UploadFellBack" not in types
    assert job.degraded == ()


async def test_no_thumbnails_when_the_request_says_so(studio: StudioOf) -> None:
    async with studio() as s:
        job = await s.space.job(await _done(s, simulation(thumbnail_generation=False, quality_levels=("360p",))))
    assert job.published is not None
    assert job.published.thumbnails == ()
    assert job.degraded == ()


async def test_thumbnails_that_no_store_takes_only_degrade_the_job(studio: StudioOf) -> None:
    class NoThumbnails:
        """A store that refuses thumbnails."""

        def __init__(self, inner: object) -> None:
            self._inner = inner

        def __getattr__(self, name: str) -> object:
            return getattr(self._inner, name)

        async def put_file(self, key: str, *args: object, **options: Any) -> object:
            if "/thumbnails/" in key:
                raise StorageUnavailable("no thumbnails today")
            return await self._inner.put_file(key, *args, **options)  # type: ignore[attr-defined]

        async def copy_from(self, *_: object) -> None:
            return None

    def without(stores: dict) -> dict:  # type: ignore[type-arg]
        return {**stores, "delivery": NoThumbnails(stores["delivery"]), "fallback": NoThumbnails(stores["fallback"])}

    async with studio(stores=without) as s:
        job = await s.space.job(await _done(s, simulation(quality_levels=("360p",))))
    assert job.published is not None
    assert job.published.thumbnails == ()
    assert [v.file.store for v in job.published.videos] == ["delivery"]
    assert any("thumbnail" in note and "no thumbnails today" in note for note in job.degraded)


async def test_unknown_pipeline_fails_at_once_with_what_there_is(studio: StudioOf) -> None:
    async with studio() as s:
        job_id = await s.space.submit(simulation(pipeline="no-such-pipeline"))
        await wait_until(lambda: s.space.ended(job_id))
        job = await s.space.job(job_id)
        types = await s.space.types(job_id)
    assert job.failure is not None
    assert job.failure.failure.category == "initialization"
    assert "simulation" in job.failure.failure.message
    assert types == ["VideoRequested", "StepFailed", "JobFailed"]


async def test_whole_job_is_one_trace_with_an_unbroken_chain_of_parents(studio: StudioOf) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    async with studio(provider=provider) as s:
        job_id = await _done(s, simulation(quality_levels=("360p",)))
        history = await s.space.history(job_id)
    provider.shutdown()
    spans = exporter.get_finished_spans()
    _, trace, root, _ = TRACEPARENT.split("-")
    ids = {f"{span.context.span_id:016x}" for span in spans}
    assert {f"{span.context.trace_id:032x}" for span in spans} == {trace}
    assert all(span.parent is not None and f"{span.parent.span_id:016x}" in {root, *ids} for span in spans)
    names = [span.name for span in spans]
    for name in ("generation VideoRequested", "generation ScenesCompleted", "upload VideoGenerated"):
        assert names.count(name) == 1
    assert names.count("generation ScenePlanned") == names.count("upload SceneRendered") == 3
    assert names.count("metadata VideoUploaded") == 1
    # Each event names the span that it came from; each span continues that of the event it reacts to.
    by_id = {envelope.id: envelope for envelope in history}
    for envelope in history[1:]:
        _, same, span_id, _ = envelope.traceparent.split("-")
        assert same == trace
        [span] = [span for span in spans if f"{span.context.span_id:016x}" == span_id]
        cause = by_id[envelope.causation_id]
        assert span.parent is not None
        assert f"{span.parent.span_id:016x}" == cause.traceparent.split("-")[2]
