"""What is made beside a film: the right frames in the right places, and its sound without any loss."""

from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageSequence

from handlers.generation.audio.aac import extract_sound
from handlers.generation.encoding.fragmented_mp4 import boxes
from handlers.generation.errors import CorruptArtefact, EncodeError
from handlers.generation.extras.stills import JPEG, WEBP, frames_at, save, within
from handlers.generation.extras.storyboard import interval_of, make_preview, make_storyboard
from handlers.generation.time_grid import seconds_of
from tests.support.film import Film


@pytest.fixture
def duration_s(film: Film) -> float:
    return float(seconds_of(film.cells))


def difference(one: Image.Image, other: Image.Image) -> float:
    """Of the means of pixels, 0 to 255."""
    size = (64, 36)
    pair = [np.asarray(image.convert("RGB").resize(size), float) for image in (one, other)]
    return float(np.abs(pair[0] - pair[1]).mean())


def test_frames_are_those_on_the_screen_whether_sought_or_decoded_onwards(film: Film) -> None:
    path, times = film.files["360p"], [0.0, 0.5, 6.9, 7.0, 20.7]
    onwards = [np.asarray(image) for image in frames_at(path, times)]
    sought = [np.asarray(next(frames_at(path, [at]))) for at in times]
    assert all((one == other).all() for one, other in zip(onwards, sought, strict=True))
    assert (onwards[1] != onwards[3]).any(), "another scene"


def test_what_is_no_video_has_no_frames(film: Film, tmp_path: Path) -> None:
    extract_sound(film.files["360p"], tmp_path / "sound.m4a", float(seconds_of(film.cells)))
    with pytest.raises(CorruptArtefact, match="no pictures"):
        next(frames_at(tmp_path / "sound.m4a", [0.0]))


def test_the_storyboards_tiles_are_the_videos_frames(film: Film, tmp_path: Path, duration_s: float) -> None:
    path = film.files["360p"]
    board = make_storyboard(path, tmp_path, duration_s)
    assert (board.interval_s, board.count, board.tile_width, board.tile_height) == (2.0, 11, 160, 90)
    assert [(s.width, s.height, s.media_type) for s in board.sheets] == [
        (1600, 180, "image/jpeg"),
        (1600, 180, "image/webp"),
    ]
    shown = list(frames_at(path, [2 * number + 1 for number in range(10)]))
    assert difference(shown[0], shown[4]) > 20
    for still in board.sheets:
        with Image.open(still.path) as sheet:
            for number, frame in enumerate(shown):
                x, y = number % 10 * 160, number // 10 * 90
                assert difference(sheet.crop((x, y, x + 160, y + 90)), frame) < 6


def test_a_long_video_has_tiles_further_apart_and_never_more_than_four_sheets() -> None:
    assert interval_of(60) == interval_of(800) == 2.0
    assert interval_of(3600) == 9.0
    assert 3600 / interval_of(3600) <= 400
    assert interval_of(30_000) == 75.0


def test_the_preview_runs_through_the_video_and_is_small(film: Film, tmp_path: Path, duration_s: float) -> None:
    still = make_preview(film.files["360p"], tmp_path, duration_s)
    assert (still.width, still.height, still.media_type) == (320, 180, "image/webp")
    assert still.path.stat().st_size < 200_000
    with Image.open(still.path) as preview:
        assert getattr(preview, "is_animated", False)
        frames = [frame.copy() for frame in ImageSequence.Iterator(preview)]
    assert any(difference(one, other) > 20 for one, other in pairwise(frames))


def test_the_sound_alone_is_the_videos_packet_by_packet(film: Film, tmp_path: Path, duration_s: float) -> None:
    target = tmp_path / "audio.m4a"
    info = extract_sound(film.files["360p"], target, duration_s)
    assert info.video is None
    assert info.audio is not None
    assert (info.audio.codec, info.audio.sample_rate, info.audio.channels) == ("aac", 48_000, 2)
    assert info.duration_s == pytest.approx(duration_s, abs=0.03)
    assert packets(target) == packets(film.files["360p"])
    kinds = [box.kind for box in boxes(target.read_bytes())]
    assert kinds.index(b"moov") < kinds.index(b"mdat")
    assert target.read_bytes()[8:12] == b"M4A "
    with pytest.raises(CorruptArtefact, match="the video"):
        extract_sound(film.files["360p"], target, duration_s + 1)
    (tmp_path / "none.mp4").write_bytes(b"not media")
    with pytest.raises(EncodeError):
        extract_sound(tmp_path / "none.mp4", target, duration_s)


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(container.streams.audio[0]) if packet.dts is not None]


def test_pictures_are_made_smaller_never_larger_and_keep_their_shape(tmp_path: Path) -> None:
    upright = Image.new("RGB", (480, 854))
    assert within(upright, 1280, 1280).size == (480, 854)
    assert within(upright, 160, 160).size == (90, 160)
    assert within(Image.new("RGB", (4000, 10)), 160, 160).size == (160, 2)
    for form in (JPEG, WEBP):
        still = save(upright, tmp_path / "picture", form)
        assert (still.path.name, still.width) == ("picture" + form.suffix, 480)
