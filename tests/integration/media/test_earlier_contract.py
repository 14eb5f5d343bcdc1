"""Scenes from before there were 30 pictures a second: jobs that were at work while the encoder changed still end."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from handlers.generation import time_grid
from handlers.generation.audio import aac
from handlers.generation.encoding import x264
from handlers.generation.encoding.assemble import ScenePart, assemble
from handlers.generation.encoding.profiles import Profile, profile_of
from handlers.generation.errors import ProfileMismatch
from handlers.metadata.container_facts import facts_of
from handlers.metadata.platforms import met_by
from tests.support.film import Film, parts_of

QUALITY = "360p"
BASE = Fraction(1, time_grid.VIDEO_TIMESCALE)


def scene_of_before(folder: Path, start_cells: int, cells: int) -> ScenePart:
    """A picture at the start and one after each second, held; one fragment, whose number is 1."""
    profile, path = profile_of(QUALITY), folder / f"{start_cells}.mp4"
    options = {
        "movflags": "frag_keyframe+empty_moov+default_base_moof+frag_discont+skip_trailer",
        "use_editlist": "0",
        "avoid_negative_ts": "disabled",
        "video_track_timescale": str(time_grid.VIDEO_TIMESCALE),
    }
    with av.open(str(path), "w", format="mp4", options=options) as container:
        video = container.add_stream("libx264", rate=time_grid.FRAME_RATE)
        audio = container.add_stream("aac", rate=time_grid.SAMPLE_RATE)
        x264.configure(video.codec_context, profile, 1)
        aac.configure(audio.codec_context, profile.audio_bit_rate)
        video.time_base = BASE
        _write(container, profile, start_cells, cells)
    data = path.read_bytes()
    cut = data.index(b"moof") - 4
    init, segment = folder / f"{start_cells}-init.mp4", folder / f"{start_cells}.m4s"
    init.write_bytes(data[:cut])
    segment.write_bytes(data[cut:])
    return ScenePart(init=init, segments=(segment,), start_cells=start_cells, segment_cells=(cells,))


def _write(container: av.container.OutputContainer, profile: Profile, start_cells: int, cells: int) -> None:
    video, audio = container.streams.video[0], container.streams.audio[0]
    picture = np.full((profile.height * 3 // 2, profile.width), 60 + start_cells, np.uint8)
    total = cells * time_grid.FRAMES_PER_CELL
    starts = list(range(0, total, time_grid.FRAME_RATE))
    packets = []
    for at in starts:
        frames = min(total - at, time_grid.FRAME_RATE)
        packets += video.codec_context.encode(x264.frame_of(picture + at % 7, at, frames, keyframe=at == 0))
    packets += video.codec_context.encode(None)
    for packet, at in zip(packets, starts, strict=True):
        packet.pts = packet.dts = (at + start_cells * time_grid.FRAMES_PER_CELL) * time_grid.TICKS_PER_FRAME
        packet.duration, packet.time_base = min(total - at, time_grid.FRAME_RATE) * time_grid.TICKS_PER_FRAME, BASE
        packet.stream = video
        container.mux(packet)
    for number, data in enumerate(aac.encode_sound(None, cells, profile.audio_bit_rate)):
        heard = av.Packet(data)
        heard.stream, heard.time_base = audio, aac.AUDIO_BASE
        heard.pts = heard.dts = start_cells * time_grid.SAMPLES_PER_CELL + number * time_grid.AAC_FRAME_SAMPLES
        heard.duration, heard.is_keyframe = time_grid.AAC_FRAME_SAMPLES, True
        container.mux(heard)


def test_they_are_joined_with_their_own_and_nothing_is_claimed_of_the_video(tmp_path: Path) -> None:
    parts = [scene_of_before(tmp_path, 0, 5), scene_of_before(tmp_path, 5, 4)]
    info = assemble(parts, tmp_path / "whole.mp4")
    assert info.duration_s == pytest.approx(time_grid.seconds_of(9), abs=1e-3)
    facts = facts_of(tmp_path / "whole.mp4")
    assert facts.pictures is not None
    assert facts.pictures.rate is None
    assert met_by(facts) == ()


def test_those_behind_one_that_is_left_out_move_up(tmp_path: Path) -> None:
    parts = [scene_of_before(tmp_path, 0, 5), scene_of_before(tmp_path, 8, 4)]
    assert assemble(parts, tmp_path / "whole.mp4").duration_s == pytest.approx(time_grid.seconds_of(9), abs=1e-3)


def test_they_are_not_joined_with_those_of_now(film: Film, tmp_path: Path) -> None:
    mixed = [scene_of_before(tmp_path, 0, 13), parts_of(film.rendered, QUALITY)[1]]
    with pytest.raises(ProfileMismatch):
        assemble(mixed, tmp_path / "whole.mp4")
