"""What a player gets of a real job: it knows one URL, and decodes every segment of every rendition."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from urllib.parse import urljoin

import av
import m3u8
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from attrs import frozen

from eventflow.domain.state import Phase
from eventflow.domain.values import VideoRequest
from ops.compose import web_app
from tests.support.s3_servers import environment_for, moto_server
from tests.support.studio import SIMULATION_SECONDS, SPOKEN, Studio, StudioOf, simulation
from tests.support.waiting import wait_until
from web.http.tokens import make_token

#: One tick of the video's timescale, and a little of a float.
CLOSE_S = 1e-3
Client = TestClient[web.Request, web.Application]


@frozen
class Stretch:
    """What a decoder makes of one segment: begin and end in seconds, of pictures and of sound."""

    picture: tuple[float, float]
    sound: tuple[float, float]


def decoded(data: bytes) -> Stretch:
    """Every frame is decoded; sound has no gap inside."""
    with av.open(io.BytesIO(data)) as container:
        pictures, sounds = list[tuple[float, float]](), list[tuple[float, float]]()
        for packet in container.demux():
            for frame in packet.decode():
                assert frame.time is not None
                if isinstance(frame, av.VideoFrame):
                    length = float((packet.duration or 0) * packet.time_base)
                    pictures.append((frame.time, frame.time + length))
                elif isinstance(frame, av.AudioFrame):
                    sounds.append((frame.time, frame.time + frame.samples / frame.sample_rate))
    for before, after in (*pairwise(sorted(pictures)), *pairwise(sounds)):
        assert after[0] == pytest.approx(before[1], abs=CLOSE_S)
    return Stretch((min(pictures)[0], max(end for _, end in pictures)), (sounds[0][0], sounds[-1][1]))


async def get(client: Client, url: str) -> bytes:
    async with client.session.get(url) as answer:
        assert answer.status == 200, (url, await answer.text())
        return await answer.read()


def stream_url(studio: Studio, client: Client, job_id: str) -> str:
    """All that a player knows: whose the job is, a token in the query vouches for."""
    token = make_token(studio.parts.signing, job_id, datetime.now(UTC) + timedelta(minutes=5))
    return str(client.make_url(f"/api/v1/videos/jobs/{job_id}/stream?token={token}"))


async def watch(client: Client, place: str, quality: str) -> list[Stretch]:
    """The segments of a rendition, from the playlist alone; all of them after one another decode as well."""
    master = m3u8.loads((await get(client, place)).decode())
    (variant,) = [p for p in master.playlists if f"quality={quality}" in p.uri]
    assert variant.stream_info.resolution[1] == int(quality.removesuffix("p"))
    assert variant.stream_info.codecs.startswith("avc1.6400")
    assert variant.stream_info.codecs.endswith(",mp4a.40.2")
    place = urljoin(place, variant.uri)
    playlist = m3u8.loads((await get(client, place)).decode())
    assert playlist.is_endlist
    assert not any(segment.discontinuity for segment in playlist.segments)
    (initial,) = playlist.segment_map
    init = await get(client, urljoin(place, initial.uri))
    parts = [await get(client, urljoin(place, segment.uri)) for segment in playlist.segments]
    sizes = [len(part) * 8 / segment.duration for part, segment in zip(parts, playlist.segments, strict=True)]
    assert variant.stream_info.bandwidth == pytest.approx(max(sizes), rel=1e-4)
    stretches = [decoded(init + part) for part in parts]
    at = 0.0
    for stretch, segment in zip(stretches, playlist.segments, strict=True):
        for begin, end in (stretch.picture, stretch.sound):
            assert begin == pytest.approx(at, abs=CLOSE_S)
            assert end == pytest.approx(at + segment.duration, abs=CLOSE_S)
        at += segment.duration
    whole = decoded(init + b"".join(parts))
    assert whole.picture == pytest.approx((0, at), abs=CLOSE_S)
    assert whole.sound == pytest.approx((0, at), abs=CLOSE_S)
    return stretches


async def finished(studio: Studio, request: VideoRequest) -> str:
    """A job whose workspace is cleared."""
    job_id = await studio.space.submit(request)
    await wait_until(lambda: studio.space.ended(job_id), 90, what="the job has ended")
    job = await studio.space.job(job_id)
    assert job.phase is Phase.COMPLETED, job.failure
    await wait_until(lambda: studio.cleared, what="the workspace is cleared")
    return job_id


async def test_every_segment_decodes_from_the_playlist_alone(studio: StudioOf, monkeypatch: pytest.MonkeyPatch) -> None:
    with moto_server() as server:
        for name, value in environment_for(server).items():
            monkeypatch.setenv(name, value)
        async with studio(EVENTFLOW_DELIVERY_URL=f"s3://{server.bucket}/films") as s:
            job_id = await finished(s, simulation(quality_levels=("480p", "360p")))
            async with TestClient(TestServer(web_app(s.parts))) as client:
                for quality in ("480p", "360p"):
                    stretches = await watch(client, stream_url(s, client, job_id), quality)
                    assert len(stretches) == 3
                    assert stretches[-1].picture[1] == pytest.approx(SIMULATION_SECONDS, abs=CLOSE_S)


async def test_scenes_of_several_segments_join_without_a_gap(studio: StudioOf) -> None:
    async with studio() as s:
        job_id = await finished(s, VideoRequest(script=SPOKEN, quality_levels=("360p",)))
        job = await s.space.job(job_id)
        async with TestClient(TestServer(web_app(s.parts))) as client:
            place = stream_url(s, client, job_id)
            stretches = await watch(client, place, "360p")
            master = m3u8.loads((await get(client, place)).decode())
            captions = m3u8.loads((await get(client, urljoin(place, master.media[0].uri))).decode())
            assert (await get(client, urljoin(place, captions.files[0]))).startswith(b"WEBVTT")
    assert len(stretches) > len(job.scenes)
    assert stretches[-1].picture[1] == pytest.approx(sum(x.duration_cells for x in job.scenes) * 8 / 15, abs=CLOSE_S)


async def test_without_streaming_no_segment_is_delivered(studio: StudioOf) -> None:
    async with studio() as s:
        job_id = await finished(s, simulation(enable_streaming=False, quality_levels=("360p",)))
        types = [envelope.type for envelope in await s.space.history(job_id)]
        assert {path.suffix for path in s.files("delivery")} <= {".mp4", ".m4a", ".jpg", ".webp", ".vtt", ".srt"}
        assert len([path for path in s.files("delivery") if path.suffix == ".mp4"]) == 1
        assert (types.count("SceneUploaded"), types.count("StreamStarted")) == (3, 0)
