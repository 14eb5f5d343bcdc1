"""Scenes encoded apart join into one film: exact lengths, no seam, decoders agree."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from attrs import evolve
from PIL import Image

from handlers.generation import time_grid
from handlers.generation.control import Control
from handlers.generation.encoding.assemble import assemble
from handlers.generation.encoding.fragmented_mp4 import boxes, decode_times, find_boxes, sequence_numbers
from handlers.generation.errors import CorruptArtefact, EncodeError, ProfileMismatch, Stopped
from handlers.generation.extras.thumbnails import make_thumbnails
from handlers.generation.model import Brief, NarrateTask
from handlers.generation.pipelines.simulation import SimulationPipeline
from handlers.generation.render_model import RenderTask
from handlers.media.errors import CorruptMedia
from handlers.media.probe import probe
from tests.support.film import QUALITIES, Film, parts_of


def test_segments_are_on_the_grid_with_absolute_times(film: Film) -> None:
    at = 0
    for scene in film.rendered:
        assert scene.start_cells == at
        for rendition in scene.renditions:
            cells = scene.start_cells
            for segment in rendition.segments:
                data = segment.path.read_bytes()
                assert segment.start_cells == cells
                assert segment.duration_cells <= time_grid.MAX_SEGMENT_CELLS
                assert segment.size_bytes == len(data)
                places = range(cells, cells + segment.duration_cells)
                assert [box.kind for box in boxes(data)] == [b"moof", b"mdat"] * len(places)
                times = [(at * time_grid.TICKS_PER_CELL, at * time_grid.SAMPLES_PER_CELL) for at in places]
                assert decode_times(data) == tuple(time for both in times for time in both)
                assert sequence_numbers(data) == tuple(at + 1 for at in places)
                cells += segment.duration_cells
            assert cells == scene.start_cells + scene.duration_cells
        at += scene.duration_cells


@pytest.mark.parametrize("quality", QUALITIES)
def test_the_init_segment_is_the_same_for_all_scenes(film: Film, quality: str) -> None:
    inits = {part.init.read_bytes() for part in parts_of(film.rendered, quality)}
    assert len(inits) == 1
    assert not list(find_boxes(inits.pop(), b"moov", b"trak", b"edts"))
    digests = {r.decoder_config for s in film.rendered for r in s.renditions if r.quality == quality}
    assert len(digests) == 1


def test_qualities_differ_in_their_decoder_configuration(film: Film) -> None:
    assert len({rendition.decoder_config for rendition in film.rendered[0].renditions}) == len(QUALITIES)


@pytest.mark.parametrize("quality", QUALITIES)
def test_there_are_thirty_pictures_a_second_and_no_b_frames(film: Film, quality: str) -> None:
    with av.open(str(film.files[quality])) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.dts is not None]
        assert stream.start_time == 0
        assert (stream.profile, stream.codec_context.pix_fmt) == ("High", "yuv420p")
        assert stream.codec_context.colorspace == 1
        assert stream.codec_context.has_b_frames == 0
        assert (stream.average_rate, stream.base_rate, stream.guessed_rate) == (30, 30, 30)
    assert all(packet.pts == packet.dts for packet in packets)
    ends = [packet.pts + packet.duration for packet in packets]  # type: ignore[operator]
    assert ends[:-1] == [packet.pts for packet in packets[1:]]
    assert ends[-1] == film.cells * time_grid.TICKS_PER_CELL
    assert {packet.duration for packet in packets} == {time_grid.TICKS_PER_FRAME}
    keys = [packet.pts for packet in packets if packet.is_keyframe]
    segments = [s for scene in film.rendered for s in scene.renditions[0].segments]
    assert keys == [segment.start_cells * time_grid.TICKS_PER_CELL for segment in segments]


def test_sound_is_sample_exact_and_continuous_over_the_joins(film: Film) -> None:
    with av.open(str(film.files["480p"])) as container:
        frames = list(container.decode(audio=0))
    assert [frame.pts for frame in frames] == [n * time_grid.AAC_FRAME_SAMPLES for n in range(len(frames))]
    heard = np.concatenate([frame.to_ndarray() for frame in frames], axis=1)
    assert heard.shape == (2, film.cells * time_grid.SAMPLES_PER_CELL)
    error = heard[0] - film.sound()
    assert float(np.sqrt(np.mean(error**2))) < 2e-3
    for scene in film.rendered[1:]:
        join = scene.start_cells * time_grid.SAMPLES_PER_CELL
        assert float(np.abs(heard[:, join - 1024 : join + 1024]).max()) < 2e-3


@pytest.mark.parametrize("quality", QUALITIES)
def test_colours_survive(film: Film, quality: str) -> None:
    """The left bars of the SMPTE pattern, in bt709: 40 % grey, then 75 % white."""
    with av.open(str(film.files[quality])) as container:
        picture = next(container.decode(video=0))
    assert abs(int(_rgb(picture)[picture.height // 4, picture.width // 16].mean()) - 104) < 6
    white = _rgb(picture)[picture.height // 4, picture.width * 3 // 16].astype(int)
    yellow = _rgb(picture)[picture.height // 4, picture.width * 5 // 16].astype(int)
    assert np.abs(white - 191).max() < 6
    assert np.abs(yellow - [191, 191, 0]).max() < 8


def _rgb(frame: av.VideoFrame) -> np.ndarray:
    return frame.reformat(format="rgb24", src_colorspace="itu709", dst_colorspace="itu709").to_ndarray()


@pytest.mark.parametrize("quality", QUALITIES)
def test_the_index_is_in_front(film: Film, quality: str) -> None:
    kinds = [box.kind for box in boxes(film.files[quality].read_bytes())]
    assert kinds.index(b"moov") < kinds.index(b"mdat")


def test_seeking_lands_in_every_scene(film: Film) -> None:
    with av.open(str(film.files["360p"])) as container:
        stream = container.streams.video[0]
        for scene in film.rendered:
            at_s = time_grid.seconds_of(scene.start_cells) + 1
            container.seek(int(at_s / stream.time_base), stream=stream)  # type: ignore[operator]
            frame = next(container.decode(stream))
            assert frame.time == pytest.approx(time_grid.seconds_of(scene.start_cells))


def test_facts_of_the_film(film: Film) -> None:
    info = film.infos["480p"]
    assert info == probe(film.files["480p"])
    assert info.container == "mp4"
    assert info.duration_s == pytest.approx(time_grid.seconds_of(film.cells), abs=1 / 30)
    assert info.size_bytes == film.files["480p"].stat().st_size
    assert info.video is not None
    assert (info.video.codec, info.video.profile, info.video.width, info.video.height) == ("h264", "High", 854, 480)
    assert info.audio is not None
    assert (info.audio.codec, info.audio.sample_rate, info.audio.channels) == ("aac", 48000, 2)


def test_scenes_of_other_contracts_are_refused(film: Film, tmp_path: Path) -> None:
    mixed = [parts_of(film.rendered, "480p")[0], parts_of(film.rendered, "360p")[1]]
    with pytest.raises(ProfileMismatch):
        assemble(mixed, tmp_path / "out.mp4")
    assert list(tmp_path.iterdir()) == []


def test_scenes_move_up_where_one_is_left_out(film: Film, tmp_path: Path) -> None:
    first, _, third = parts_of(film.rendered, "360p")
    info = assemble([first, third], tmp_path / "short.mp4")
    assert info.duration_s == pytest.approx(time_grid.seconds_of(26), abs=1e-3)
    with av.open(str(tmp_path / "short.mp4")) as short, av.open(str(film.files["360p"])) as whole:
        last = [frame.to_ndarray() for frame in short.decode(video=0)][-1]
        same = [frame.to_ndarray() for frame in whole.decode(video=0)][-1]
    assert (last == same).all()


def test_a_missing_or_cut_scene_is_noticed(film: Film, tmp_path: Path) -> None:
    first, second, third = parts_of(film.rendered, "360p")
    with pytest.raises(CorruptArtefact):
        assemble([first, evolve(third, start_cells=second.start_cells)], tmp_path / "gap.mp4")
    cut = tmp_path / "cut.m4s"
    cut.write_bytes(second.segments[0].read_bytes()[:-900])
    broken = evolve(second, segments=(cut, *second.segments[1:]))
    with pytest.raises((CorruptArtefact, EncodeError)):
        assemble([first, broken, third], tmp_path / "cut.mp4")
    assert not list(tmp_path.glob("*.mp4"))


def test_thumbnails(film: Film, tmp_path: Path) -> None:
    made = make_thumbnails(film.files["360p"], tmp_path, [s.duration_cells for s in film.rendered])
    sizes = {(t.index, t.still.width, t.still.height, t.still.media_type) for t in made.thumbnails}
    shapes = [(640, 360), (320, 180)]  # it isn't enlarged to 1280
    assert sizes == {(n, *shape, kind) for n in range(3) for shape in shapes for kind in ("image/jpeg", "image/webp")}
    assert len(made.thumbnails) == len(sizes)
    assert [(still.width, still.media_type) for still in made.poster] == [(640, "image/jpeg"), (640, "image/webp")]
    for still in (*(t.still for t in made.thumbnails), *made.poster):
        with Image.open(still.path) as picture:
            assert (picture.size, picture.get_format_mimetype()) == ((still.width, still.height), still.media_type)


@pytest.mark.parametrize("content", [b"", b"not media", b"\0\0\0\x18ftypisom" + b"\0" * 100])
def test_what_is_not_media_is_corrupt(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(content)
    with pytest.raises(CorruptMedia):
        probe(path)


def test_a_caller_can_stop_and_follow(stop_after: Callable[[int], Control], tmp_path: Path) -> None:
    pipeline = SimulationPipeline(scenes=1, cells=6)
    scene = pipeline.narrate(NarrateTask(draft=pipeline.plan(Brief(), Control()).scenes[0]), tmp_path, Control())
    task = RenderTask(scene=scene, start_cells=0, qualities=("360p",), threads=1)
    with pytest.raises(Stopped):
        pipeline.render(task, tmp_path, stop_after(2))
    told: list[float] = []
    pipeline.render(task, tmp_path, Control(on_progress=told.append))
    assert told == sorted(told)
    assert told[-1] == 1.0
