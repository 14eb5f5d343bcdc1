"""Joins the scenes of one quality into an MP4 with its index in front. Packets are copied, not re-encoded.

Scenes whose decode times belong to another place in the video (a scene before them was skipped) are shifted.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import av
from attrs import frozen

from handlers.generation.encoding.fragmented_mp4 import BoxError, decode_times, decoder_config, retimed, timescales
from handlers.generation.encoding.verify_output import ByteStream, ExpectedMedia, check_media
from handlers.generation.errors import CorruptArtefact, EncodeError, ProfileMismatch
from handlers.generation.time_grid import FRAME_RATE, SAMPLES_PER_CELL, TICKS_PER_CELL, VIDEO_TIMESCALE, seconds_of
from handlers.media.errors import CorruptMedia
from handlers.media.probe import MediaInfo, probe


@frozen(kw_only=True)
class ScenePart:
    """One scene to be joined: its init file and its segments in order.

    `start_cells` is the decode time of the first segment, `segment_cells` are the lengths of all, both in cells.
    """

    init: Path
    segments: tuple[Path, ...]
    start_cells: int
    segment_cells: tuple[int, ...]

    @property
    def duration_cells(self) -> int:
        return sum(self.segment_cells)


def assemble(parts: Sequence[ScenePart], target: Path) -> MediaInfo:
    """Join `parts` without gaps into `target`. Blocking. Needs disk space for twice the video in the same folder.

    Raises ProfileMismatch when scenes were encoded under different contracts, CorruptArtefact when an input or the
    result differs from the plan, EncodeError when libav fails.
    """
    if not parts:
        raise EncodeError("no scene to join")
    _check_contract(parts)
    unfinished = target.with_suffix(".part.mp4")
    try:
        _remux(ByteStream(_pieces(parts)), unfinished)
        info = _verify(unfinished, parts)
        unfinished.replace(target)
        return info
    except av.FFmpegError as error:
        raise EncodeError(f"{target.name}: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _check_contract(parts: Sequence[ScenePart]) -> None:
    try:
        found = [decoder_config(part.init.read_bytes()) for part in parts]
    except BoxError as error:
        raise CorruptArtefact(f"an init segment can't be read: {error}") from error
    for number, digest in enumerate(found):
        if digest != found[0]:
            raise ProfileMismatch(f"the decoder configuration of scene {number} differs from that of scene 0")


def _pieces(parts: Sequence[ScenePart]) -> Iterator[bytes]:
    """Yield one init segment and all media segments, each scene shifted to its place. Raises CorruptArtefact."""
    yield parts[0].init.read_bytes()
    scales, at = timescales(parts[0].init.read_bytes()), 0
    for part in parts:
        shift, start = at - part.start_cells, part.start_cells
        for path, cells in zip(part.segments, part.segment_cells, strict=True):
            data = path.read_bytes()
            try:
                if decode_times(data)[:2] != (start * TICKS_PER_CELL, start * SAMPLES_PER_CELL):
                    raise CorruptArtefact(f"{path.name} does not begin at cell {start}")
                yield retimed(data, scales, shift) if shift else data
            except BoxError as error:
                raise CorruptArtefact(f"{path.name}: {error}") from error
            start += cells
        at += part.duration_cells


def _remux(source: ByteStream, target: Path) -> None:
    """Copy all packets with their times, in the order of the fragments: a cell's pictures, then its sound.

    libav by default interleaves packet by packet, which makes the index (one chunk per change of stream) much larger;
    `max_interleave_delta` of 1 microsecond keeps the given order.
    """
    options = {
        "movflags": "faststart",
        "max_interleave_delta": "1",
        "use_editlist": "0",
        "avoid_negative_ts": "disabled",
        "video_track_timescale": str(VIDEO_TIMESCALE),
        "fflags": "bitexact",
    }
    with av.open(source, "r", format="mp4") as given, av.open(str(target), "w", format="mp4", options=options) as made:
        streams = {stream.index: made.add_stream_from_template(stream) for stream in given.streams}
        for packet in given.demux():
            if packet.dts is None:
                continue
            packet.stream = streams[packet.stream.index]
            made.mux(packet)


def _verify(path: Path, parts: Sequence[ScenePart]) -> MediaInfo:
    try:
        info = probe(path)
    except CorruptMedia as error:
        raise CorruptArtefact(str(error)) from error
    if info.video is None or info.audio is None:
        raise CorruptArtefact(f"{path.name} lacks video or audio")
    segments = tuple(cells for part in parts for cells in part.segment_cells)
    planned = seconds_of(sum(segments))
    if abs(info.duration_s - planned) > 1 / FRAME_RATE:
        raise CorruptArtefact(f"{path.name} lasts {info.duration_s:.3f} s, planned: {planned:.3f} s")
    check_media(
        path,
        ExpectedMedia(
            start_cells=0, segments=segments, width=info.video.width, height=info.video.height, picture_s=None
        ),
        path.name,
    )
    return info
