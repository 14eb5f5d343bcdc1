"""Pictures that are held are repeated without being coded again; each of the 30 a second is what was to be seen."""

import subprocess
from collections.abc import Sequence
from io import BytesIO
from itertools import pairwise

import av
import imageio_ffmpeg
import numpy as np
import pytest
from av.codec.context import Flags

from handlers.generation import time_grid
from handlers.generation.encoding import h264, x264
from handlers.generation.encoding.overlays import Yuv
from handlers.generation.encoding.pictures import blend
from handlers.generation.encoding.profiles import Profile, profile_of
from handlers.generation.extras.stills import distinct_frames
from tests.support.film import QUALITIES, Film

#: (picture, how many frames it is held, whether it is a key picture): longer than frame_num counts, short ones, fades.
Shots = list[tuple[Yuv, int, bool]]
#: 480p is 854 pixels wide: the last macroblocks are cut.
SIZES = (("1080p", "16:9", 1), ("720p", "9:16", 1), ("360p", "1:1", 1), ("480p", "16:9", 1), ("720p", "16:9", 3))


def shots_of(profile: Profile) -> Shots:
    random = np.random.default_rng(1)
    rows = profile.height * 3 // 2
    coarse = random.integers(16, 236, (3, -(-rows // 40), -(-profile.width // 40)), np.uint8)
    pages = [np.ascontiguousarray(np.kron(c, np.ones((40, 40), np.uint8))[:rows, : profile.width]) for c in coarse]
    shots: Shots = [(pages[0], 17, True), (pages[0], 40, True)]
    for before, page in pairwise(pages):
        shots += [(blend(before, page, 32 * n), 1, False) for n in range(1, 8)]
        shots += [(page, 33, False), (page, 20, True)]
    return shots


def coded(profile: Profile, shots: Shots, threads: int) -> list[bytes]:
    context = av.CodecContext.create("libx264", "w")
    x264.configure(context, profile, threads)
    context.flags |= Flags.global_header
    packets, at = list[bytes](), 0
    for picture, frames, keyframe in shots:
        packets += [bytes(p) for p in context.encode(x264.frame_of(picture, at, frames, keyframe=keyframe))]
        at += frames
    packets += [bytes(packet) for packet in context.encode(None)]
    assert context.extradata == x264.repeats_of(profile).plain
    return packets


def decoded(stream: bytes) -> list[np.ndarray]:
    with av.open(BytesIO(stream), format="h264") as container:
        return [frame.to_ndarray() for frame in container.decode(video=0)]


def strictly(*source: str, data: bytes | None = None) -> str:
    """What ffmpeg's decoder complains of when it lets nothing pass."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "warning", "-xerror", "-err_detect", "explode+crccheck+bitstream"]
    done = subprocess.run([*command, *source, "-f", "null", "-"], input=data, capture_output=True, check=False)
    return done.stderr.decode() + (f"exit code {done.returncode}" if done.returncode else "")


@pytest.mark.parametrize(("quality", "aspect", "threads"), SIZES)
def test_each_repeat_shows_exactly_what_was_coded_last(quality: str, aspect: str, threads: int) -> None:
    profile = profile_of(quality, aspect)
    shots, repeats = shots_of(profile), x264.repeats_of(profile)
    packets = coded(profile, shots, threads)
    assert (max(len(_slices(packet)) for packet in packets) > 1) == (threads > 1)
    rate = x264.SteadyRate(repeats)
    steady = [picture for packet, (_, n, _) in zip(packets, shots, strict=True) for picture in rate.pictures(packet, n)]
    stream = repeats.fixed + b"".join(steady)
    assert strictly("-f", "h264", "-i", "-", data=stream) == ""
    meant = [
        picture
        for picture, (_, n, _) in zip(decoded(repeats.plain + b"".join(packets)), shots, strict=True)
        for _ in range(n)
    ]
    seen = decoded(stream)
    assert len(seen) == len(meant) == sum(frames for _, frames, _ in shots)
    assert all((one is other) or (one == other).all() for one, other in zip(seen, meant, strict=True))
    sizes = [len(picture) for picture in repeats.repeats]
    assert max(sizes) < 150 * (1 + profile.width * profile.height // (1280 * 720)), "a repeat costs next to nothing"


def _slices(packet: bytes) -> Sequence[bytes]:
    return [unit for unit in h264.units(packet) if h264.kind_of(unit) in (h264.SLICE, h264.IDR_SLICE)]


def headers(stream: bytes) -> list[tuple[str, str]]:
    """What ffmpeg reads in the headers of a stream: (name, value), in order."""
    trace = ["-f", "h264", "-i", "-", "-c", "copy", "-bsf:v", "trace_headers", "-f", "null", "-"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "verbose", *trace]
    told = subprocess.run(command, input=stream, capture_output=True, check=True).stderr.decode()
    lines = [line.split() for line in told.splitlines() if " = " in line]
    return [(words[-4], words[-1]) for words in lines if len(words) > 4]


def test_pictures_are_counted_from_each_key_picture_on() -> None:
    """Decoders that miss a picture show the last one for it, so that what is seen doesn't tell."""
    profile = profile_of("360p")
    shots, repeats = shots_of(profile), x264.repeats_of(profile)
    rate = x264.SteadyRate(repeats)
    pairs = zip(coded(profile, shots, 1), shots, strict=True)
    stream = repeats.fixed + b"".join(picture for packet, (_, n, _) in pairs for picture in rate.pictures(packet, n))
    numbers, wanted = [int(value) for name, value in headers(stream) if name == "frame_num"], list[int]()
    at = 0
    for _, frames, keyframe in shots:
        at = 0 if keyframe else at
        wanted += [(at + n) % 16 for n in range(frames)]
        at += frames
    assert numbers == wanted


def test_pictures_are_told_to_come_thirty_times_a_second_and_to_be_square() -> None:
    fixed = x264.repeats_of(profile_of("720p")).fixed
    stream = fixed + b"".join(coded(profile_of("720p"), shots_of(profile_of("720p"))[:1], 1))
    found = dict(headers(stream))
    wanted = {"num_units_in_tick": "1", "time_scale": "60", "fixed_frame_rate_flag": "1", "aspect_ratio_idc": "1"}
    assert {name: found.get(name) for name in wanted} == wanted


@pytest.mark.parametrize("quality", QUALITIES)
def test_a_whole_video_decodes_strictly_and_changes_where_it_was_to(film: Film, quality: str) -> None:
    assert strictly("-i", str(film.files[quality])) == ""
    with av.open(str(film.files[quality])) as container:
        pictures = [frame.to_ndarray() for frame in container.decode(video=0)]
    assert len(pictures) == film.cells * time_grid.FRAMES_PER_CELL
    changed = [n for n in range(1, len(pictures)) if not (pictures[n] == pictures[n - 1]).all()]
    # Three pictures of a pattern a scene, and what a key picture shows anew.
    starts = {
        s.start_cells * time_grid.FRAMES_PER_CELL for scene in film.rendered for s in scene.renditions[0].segments
    }
    cues = {
        scene.start_cells * time_grid.FRAMES_PER_CELL + round(cue.start_s * time_grid.FRAME_RATE)
        for scene, narrated in zip(film.rendered, film.narrated, strict=True)
        for cue in narrated.narration.cues
    }
    assert set(changed) <= starts | cues
    assert {n for n in cues if n} <= set(changed)


@pytest.mark.parametrize("quality", QUALITIES)
def test_what_is_seen_when_is_found_without_decoding_the_repeats(film: Film, quality: str) -> None:
    with av.open(str(film.files[quality])) as container:
        whole = [frame.to_ndarray() for frame in container.decode(video=0)]
    with av.open(str(film.files[quality])) as container:
        found = {
            round(float(frame.time) * time_grid.FRAME_RATE): frame.to_ndarray() for frame in distinct_frames(container)
        }
        at_s = time_grid.seconds_of(film.rendered[1].start_cells) + 1
        stream = container.streams.video[0]
        container.seek(int(at_s / stream.time_base), stream=stream)  # type: ignore[operator]
        after = next(distinct_frames(container))
        assert (after.to_ndarray() == whole[round(float(after.time) * time_grid.FRAME_RATE)]).all()
    assert len(found) < len(whole) / 20
    shown = found[0]
    for number, picture in enumerate(whole):
        shown = found.get(number, shown)
        assert (picture is shown) or (picture == shown).all()
