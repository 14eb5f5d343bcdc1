"""Scenes of one quality -> one MP4 with its index in front. Packets are copied, nothing is encoded again."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import av
from attrs import frozen

from handlers.generation.boxes import BoxError, decoder_config
from handlers.generation.errors import CorruptArtefact, EncodeError, ProfileMismatch
from handlers.generation.grid import FRAME_RATE, SAMPLES_PER_CELL, VIDEO_TIMESCALE, seconds_of
from handlers.media.probe import CorruptMedia, MediaInfo, probe


@frozen
class ScenePart:
    """A scene of the quality to be joined: its init file, its segments in order, its length on the grid."""

    init: Path
    segments: tuple[Path, ...]
    duration_cells: int


def assemble(parts: Sequence[ScenePart], target: Path) -> MediaInfo:
    """Join `parts`, whose segments carry the times they have in the whole video, into `target`. Blocking.

    Needs room for the video twice beside `target` while it works. Raises ProfileMismatch when scenes were
    encoded under different contracts, CorruptArtefact when the result is not what was planned, EncodeError.
    """
    if not parts:
        raise EncodeError("there is no scene to join")
    _check_contract(parts)
    joined, unfinished = target.with_suffix(".joined.mp4"), target.with_suffix(".part.mp4")
    try:
        with joined.open("wb") as file:
            for path in (parts[0].init, *(path for part in parts for path in part.segments)):
                with path.open("rb") as source:
                    shutil.copyfileobj(source, file, 1 << 20)
        samples = _remux(joined, unfinished)
        info = _verify(unfinished, sum(part.duration_cells for part in parts), samples)
        unfinished.replace(target)
        return info
    except av.FFmpegError as error:
        raise EncodeError(f"{target.name}: {error}") from error
    finally:
        joined.unlink(missing_ok=True)
        unfinished.unlink(missing_ok=True)


def _check_contract(parts: Sequence[ScenePart]) -> None:
    try:
        found = [decoder_config(part.init.read_bytes()) for part in parts]
    except BoxError as error:
        raise CorruptArtefact(f"an init segment can't be read: {error}") from error
    for number, digest in enumerate(found):
        if digest != found[0]:
            raise ProfileMismatch(f"scene {number} has another decoder configuration than scene 0")


def _remux(source: Path, target: Path) -> int:
    """Copy all packets; returns the number of audio samples. Times are kept as they are."""
    options = {
        "movflags": "faststart",
        "use_editlist": "0",
        "avoid_negative_ts": "disabled",
        "video_track_timescale": str(VIDEO_TIMESCALE),
        "fflags": "bitexact",
    }
    samples = 0
    with av.open(str(source)) as given, av.open(str(target), "w", format="mp4", options=options) as made:
        streams = {stream.index: made.add_stream_from_template(stream) for stream in given.streams}
        for packet in given.demux():
            if packet.dts is None:
                continue
            if packet.stream.type == "audio":
                samples += packet.duration or 0
            packet.stream = streams[packet.stream.index]
            made.mux(packet)
    return samples


def _verify(path: Path, cells: int, samples: int) -> MediaInfo:
    try:
        info = probe(path)
    except CorruptMedia as error:
        raise CorruptArtefact(str(error)) from error
    if info.video is None or info.audio is None:
        raise CorruptArtefact(f"{path.name} lacks pictures or sound")
    planned = seconds_of(cells)
    if abs(info.duration_s - planned) > 1 / FRAME_RATE:
        raise CorruptArtefact(f"{path.name} lasts {info.duration_s:.3f} s, planned were {planned:.3f} s")
    if samples != cells * SAMPLES_PER_CELL:
        raise CorruptArtefact(f"{path.name} has {samples} samples, planned were {cells * SAMPLES_PER_CELL}")
    return info
