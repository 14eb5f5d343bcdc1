"""Foreign files become assets, or a clear refusal; never a hang, and never another file's bytes."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from eventflow.assets.errors import BrokenMedia, MediaBusy, MediaRefused, MediaTooLarge, UnsupportedMedia
from eventflow.assets.store import Prepared
from eventflow.domain.values import Kind
from handlers.assets import sniff
from handlers.assets.ingest import MediaInspector
from handlers.media.decode import FrameReader, open_clip, read_sound
from handlers.media.errors import CorruptMedia
from handlers.media.probe import probe
from tests.support.mediafiles import clip, picture, png_of, sound, tone

LIMITS: dict[Kind, int] = {"image": 20_000_000, "clip": 200_000_000, "audio": 50_000_000}
AT = datetime(2026, 1, 2, tzinfo=UTC)


async def prepared(data: bytes, folder: Path, limits: dict[Kind, int] | None = None) -> Prepared:
    upload = folder / "upload"
    upload.write_bytes(data)
    return await MediaInspector(clock=lambda: AT).prepare(upload, folder, limits or LIMITS)


def opened(made: Prepared) -> Image.Image:
    return Image.open(io.BytesIO(made.path.read_bytes()))


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [
        ("PNG", "image/png"),
        ("GIF", "image/png"),
        ("JPEG", "image/jpeg"),
        ("WEBP", "image/jpeg"),
        ("BMP", "image/png"),
        ("TIFF", "image/png"),
    ],
)
async def test_pictures_of_every_format(kind: str, media_type: str, tmp_path: Path) -> None:
    made = await prepared(picture(kind), tmp_path)
    asset = made.asset
    assert (asset.kind, asset.media_type, asset.duration_s) == ("image", media_type, None)
    assert (asset.width, asset.height) == (32, 18)
    assert asset.created_at == AT
    assert asset.id == f"as_{asset.sha256[:32]}"
    assert asset.size_bytes == made.path.stat().st_size
    red, green, blue = opened(made).convert("RGB").getpixel((16, 9))  # type: ignore[misc]
    assert red > 180
    assert max(green, blue) < 60


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
async def test_of_several_frames_or_pages_the_first_is_shown_and_the_asset_says_so(kind: str, tmp_path: Path) -> None:
    more = [Image.new("RGB", (32, 18), colour) for colour in ((30, 200, 30), (30, 30, 200))]
    made = await prepared(picture(kind, save_all=True, append_images=more), tmp_path)
    assert made.asset.of_several
    red, green, blue = opened(made).convert("RGB").getpixel((16, 9))  # type: ignore[misc]
    assert red > 180 > 60 > max(green, blue)
    assert not (await prepared(picture(kind), tmp_path)).asset.of_several


async def test_a_picture_is_upright_and_tells_nothing_of_where_it_was_taken(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    exif[0x010F] = "a camera"
    made = await prepared(picture("JPEG", (40, 20), exif=exif, comment=b"at home"), tmp_path)
    assert (made.asset.width, made.asset.height) == (20, 40)
    assert not opened(made).getexif()
    assert b"camera" not in made.path.read_bytes()
    assert b"at home" not in made.path.read_bytes()


async def test_what_hides_behind_a_picture_is_left_behind(tmp_path: Path) -> None:
    made = await prepared(picture("PNG") + b"<script>alert(1)</script>PK\x03\x04", tmp_path)
    assert b"script" not in made.path.read_bytes()


@pytest.mark.parametrize("mode", ["RGBA", "LA", "L", "P", "1", "I;16", "CMYK"])
async def test_pictures_of_every_mode(mode: str, tmp_path: Path) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    made = await prepared(picture(kind, mode=mode, colour=None if mode == "P" else 0), tmp_path)
    assert opened(made).mode in ("L", "RGB", "RGBA")


async def test_sixteen_bits_of_grey_are_scaled(tmp_path: Path) -> None:
    made = await prepared(picture("PNG", mode="I;16", colour=257 * 100), tmp_path)
    assert opened(made).convert("L").getpixel((0, 0)) == 100


async def test_transparency_stays(tmp_path: Path) -> None:
    made = await prepared(picture("WEBP", mode="RGBA", colour=(9, 9, 9, 0)), tmp_path)
    assert (made.asset.media_type, opened(made).mode) == ("image/png", "RGBA")


async def test_large_pictures_are_scaled_down(tmp_path: Path) -> None:
    made = await prepared(picture("PNG", (4800, 40)), tmp_path)
    assert (made.asset.width, made.asset.height) == (3840, 32)


@pytest.mark.parametrize("data", [png_of(60_000, 60_000), png_of(2**31 - 1, 2**31 - 1), png_of(8_000, 7_000)])
async def test_a_picture_with_too_many_pixels_is_not_decoded(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(MediaTooLarge, match="50 million pixels"):
        await prepared(data, tmp_path)


CUT = [picture(kind, (64, 64), None if kind == "GIF" else (1, 2, 3)) for kind in ("PNG", "JPEG", "WEBP")]


@pytest.mark.parametrize("data", [*(data[: len(data) // 2] for data in CUT), png_of(10, 10), b"\x89PNG\r\n\x1a\n" * 9])
async def test_broken_pictures(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(BrokenMedia, match="picture"):
        await prepared(data, tmp_path)


async def test_too_many_bytes(tmp_path: Path) -> None:
    with pytest.raises(MediaTooLarge, match="at most 1e-05 MB"):
        await prepared(picture("PNG"), tmp_path, {**LIMITS, "image": 10})


def shown(path: Path, at_s: float) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """The picture that a clip shows, as RGB."""
    with open_clip(path) as container:
        return np.asarray(FrameReader(container).frame_at(at_s).to_ndarray(format="rgb24"), np.uint8)


@pytest.mark.parametrize("name", ["a.mp4", "a.mov"])
async def test_clips(name: str, tmp_path: Path) -> None:
    made = await prepared(clip(tmp_path / name, seconds=1.5, size=(66, 36)).read_bytes(), tmp_path)
    info, asset = probe(made.path), made.asset
    assert (asset.kind, asset.media_type, asset.width, asset.height) == ("clip", "video/mp4", 66, 36)
    assert asset.duration_s == pytest.approx(1.5, abs=0.04)
    assert info.video is not None
    assert info.audio is not None
    assert (info.video.codec, info.video.pixel_format, info.video.frame_rate) == ("h264", "yuv420p", 30)
    assert (info.audio.codec, info.audio.sample_rate, info.audio.channels) == ("aac", 48_000, 2)
    assert info.video.frames == 45
    assert shown(made.path, 0.0).shape == (36, 66, 3)
    assert shown(made.path, 0.0).mean() < 10
    assert shown(made.path, 99.0).mean() > 245


@pytest.mark.parametrize(
    ("name", "codec", "with_sound"),
    [
        ("a.mkv", "libx264", "aac"),
        ("a.mkv", "libx265", "libopus"),
        ("a.avi", "mpeg4", "mp2"),
        ("a.avi", "mpeg4", None),
        ("a.ts", "libx264", "ac3"),
    ],
)
async def test_clips_of_recorders_and_cameras(name: str, codec: str, with_sound: str | None, tmp_path: Path) -> None:
    upload = clip(tmp_path / name, codec, rate=25, with_sound=with_sound)
    made = await prepared(upload.read_bytes(), tmp_path)
    assert (made.asset.kind, made.asset.media_type) == ("clip", "video/mp4")
    assert made.asset.duration_s == pytest.approx(1.0, abs=0.1)
    assert (probe(made.path).audio is None) == (with_sound is None)


async def test_webm_without_sound(tmp_path: Path) -> None:
    made = await prepared(clip(tmp_path / "a.webm", "libvpx", with_sound=None).read_bytes(), tmp_path)
    assert probe(made.path).audio is None
    assert not read_sound(made.path, 0, 100).any()


async def test_a_clip_shows_the_frame_of_each_time_and_its_last_one_stays(tmp_path: Path) -> None:
    made = await prepared(clip(tmp_path / "a.mp4", seconds=2, with_sound=None).read_bytes(), tmp_path)
    with open_clip(made.path) as container:
        times = [round(float(frame.time or 0), 3) for frame in container.decode(video=0)]
    with open_clip(made.path) as container:
        frames = FrameReader(container)
        seen = [round(float(frames.frame_at(at_s).time or 0), 3) for at_s in (0.0, 0.04, 0.05, 1.5001, 99.0, 100.0)]
    assert seen == [times[0], times[1], times[1], times[45], times[-1], times[-1]]


def test_a_clip_that_is_no_video_is_refused_when_a_frame_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as made:
        made.add_stream("aac", rate=48_000)
        made.start_encoding()
    with open_clip(path) as container, pytest.raises(CorruptMedia, match="no pictures"):
        FrameReader(container).frame_at(0.0)


async def test_large_clips_are_scaled_down(tmp_path: Path) -> None:
    made = await prepared(clip(tmp_path / "a.mp4", size=(1200, 2400), seconds=0.1, rate=10).read_bytes(), tmp_path)
    assert (made.asset.width, made.asset.height) == (960, 1920)


async def test_sound_reads_by_range(tmp_path: Path) -> None:
    made = await prepared(tone(3.0), tmp_path)
    assert (made.asset.kind, made.asset.media_type) == ("audio", "audio/flac")
    assert made.asset.duration_s == pytest.approx(3.0, abs=0.001)
    whole = read_sound(made.path, 0, 3 * 48_000)
    assert (whole.shape, whole.dtype) == ((144_000, 2), np.float32)
    wanted = np.sin(np.arange(144_000) * 2 * np.pi * 440 / 48_000) * 0.5 / np.sqrt(2)  # one channel's power on two
    assert np.abs(whole[1000:-1000, 0] - wanted[1000:-1000]).max() < 0.01
    for start, count in ((100_001, 5_000), (-10, 100), (143_990, 50), (200_000, 10)):
        part = read_sound(made.path, start, count)
        for index in (0, count // 2, count - 1):
            inside = 0 <= start + index < 144_000
            assert np.allclose(part[index], whole[start + index] if inside else 0, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp3", "libmp3lame"),
        ("a.m4a", "aac"),
        ("a.aac", "aac"),
        ("a.ogg", "libopus"),
        ("a.flac", "flac"),
        ("a.aiff", "pcm_s16be"),
        ("a.wma", "wmav2"),
        ("a.mka", "libopus"),
    ],
)
async def test_sound_of_every_format(name: str, codec: str, tmp_path: Path) -> None:
    options: dict[str, Any] = {"format": "ipod"} if name == "a.m4a" else {}
    made = await prepared(sound(tmp_path / name, codec, **options).read_bytes(), tmp_path)
    assert made.asset.kind == "audio"
    assert made.asset.duration_s == pytest.approx(1.0, abs=0.1)


async def test_an_mp4_without_pictures_is_sound(tmp_path: Path) -> None:
    data = sound(tmp_path / "a.mp4", "aac").read_bytes()
    assert (await prepared(data, tmp_path)).asset.kind == "audio"
    with pytest.raises(MediaTooLarge, match="a sound file may have"):
        await prepared(data, tmp_path, {**LIMITS, "audio": 10})


async def test_other_codecs_are_not_even_opened(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedMedia, match="unknown video codec mpeg2video"):
        await prepared(clip(tmp_path / "a.mov", "mpeg2video", rate=25, with_sound=None).read_bytes(), tmp_path)


async def test_long_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.assets.audio_video.MAX_CLIP_S", 1)
    monkeypatch.setattr("handlers.assets.audio_video.MAX_AUDIO_S", 1)
    with pytest.raises(MediaTooLarge, match="lasts 3 s: at most 1 s"):
        await prepared(tone(3.0), tmp_path)
    with pytest.raises(MediaTooLarge, match="lasts 2 s: at most 1 s"):
        await prepared(clip(tmp_path / "a.mp4", seconds=2).read_bytes(), tmp_path)


async def cut(folder: Path) -> AsyncIterator[bytes]:
    whole = clip(folder / "fast.mp4", seconds=3, movflags="+faststart", size=(160, 90)).read_bytes()
    for data in (whole, tone(2.0), sound(folder / "a.flac", "flac", 3).read_bytes()):
        yield data[: len(data) * 2 // 3]
    yield clip(folder / "end.mp4").read_bytes()[:-300]


async def test_truncated_files(tmp_path: Path) -> None:
    async for data in cut(tmp_path):
        with pytest.raises(BrokenMedia):
            await prepared(data, tmp_path)


LIES = [
    b"",
    b"\0\0\0\x18ftypisom" + b"\0" * 400,
    b"\0\0\0\x18ftypisom" + picture("PNG"),
    b"\x1aE\xdf\xa3\x9fB\x82\x84webm" + b"\xff" * 200,
    b"RIFF\xff\xff\xff\xffWAVEfmt " + b"\0" * 100,
    b"OggS" + b"\0" * 300,
    b"ID3\x04" + b"#EXTM3U\nfile:///etc/passwd\n" * 20,
    b"\xff\xfb" + b"a" * 500,
    b"\xff\xf1" + b"b" * 500,
    b"fLaC" + b"c" * 500,
]


@pytest.mark.parametrize("data", LIES, ids=range(len(LIES)))
async def test_files_that_begin_like_something_else(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(MediaRefused):
        await prepared(data, tmp_path)


async def test_a_playlist_inside_a_container_opens_no_file(tmp_path: Path) -> None:
    """A QuickTime data reference may name another file; nothing of that file comes in."""
    secret = tmp_path / "secret.raw"
    secret.write_bytes(b"\xff" * 100_000)
    data = clip(tmp_path / "a.mov", seconds=1, with_sound=None).read_bytes()
    alias = b"file://" + str(secret).encode()
    found = data.index(b"url \0\0\0\x01")
    evil = data[:found] + b"alis\0\0\0\0" + data[found + 8 :] + alias
    try:
        made = await prepared(evil, tmp_path)
    except MediaRefused:
        return
    assert shown(made.path, 0.0).mean() < 10  # the clip's own black


async def test_too_many_at_a_time(tmp_path: Path) -> None:
    inspector = MediaInspector(clock=lambda: AT, at_a_time=1, waiting=1)
    for name in "abc":
        (tmp_path / name).mkdir()
        (tmp_path / name / "upload").write_bytes(picture("PNG"))
    tasks = [inspector.prepare(tmp_path / n / "upload", tmp_path / n, LIMITS) for n in "abc"]
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [Prepared, Prepared, MediaBusy]
    (tmp_path / "d").mkdir()
    assert await inspector.prepare(tmp_path / "a" / "upload", tmp_path / "d", LIMITS)


HEADS = [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"\0\0\0\x18ftypisom", b"OggS", b"RIFF\0\0\0\0WAVE", b"ID3"]


@settings(max_examples=5, suppress_health_check=list(HealthCheck), database=None)
@given(head=st.sampled_from(HEADS), rest=st.binary(max_size=2_000))
def test_random_bytes_are_refused_or_taken_but_nothing_else(
    head: bytes, rest: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async def look() -> None:
        with suppress(MediaRefused):
            await prepared(head + rest, tmp_path_factory.mktemp("fuzz"))

    asyncio.run(look())


def test_the_head_is_as_long_as_the_web_reads_at_least() -> None:
    from web.requests import uploads

    assert uploads._HEAD_BYTES >= sniff.KIND_BYTES
