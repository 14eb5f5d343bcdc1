"""Encodes a scene into init and media segments of every quality, under the encoder contract (`profiles`, `time_grid`).

Each picture is drawn once and given to one encoder and muxer per rendition, so uncompressed scenes are never held in
memory. Segments are written as they complete.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from attrs import frozen
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from handlers.generation.audio import aac
from handlers.generation.audio.aac import AUDIO_BASE
from handlers.generation.control import Control
from handlers.generation.encoding import x264
from handlers.generation.encoding.fragmented_mp4 import SegmentWriter, decode_times, decoder_config, sequence_numbers
from handlers.generation.encoding.overlays import MovingBox, Overlay, Yuv
from handlers.generation.encoding.pictures import Draw, Layer, PictureStore
from handlers.generation.encoding.profiles import Profile
from handlers.generation.encoding.timeline import Shot, Timeline
from handlers.generation.errors import EncodeError, Stopped
from handlers.generation.render_model import Rendition, Segment
from handlers.generation.time_grid import (
    AAC_FRAME_SAMPLES,
    AAC_FRAMES_PER_CELL,
    CELL_SECONDS,
    FRAME_RATE,
    FRAMES_PER_CELL,
    SAMPLES_PER_CELL,
    TICKS_PER_CELL,
    TICKS_PER_FRAME,
    VIDEO_TIMESCALE,
    fragment_number,
)

VIDEO_BASE = Fraction(1, VIDEO_TIMESCALE)

#: A fragment is a cell and numbered by its place in the video (`_Output` sets the first number), so that numbers are
#: consecutive over scenes encoded apart (decision 188). Decode times are absolute (frag_discont), without edit lists.
_MUXER = {
    "movflags": "empty_moov+default_base_moof+frag_discont+skip_trailer",
    "frag_duration": str(int(CELL_SECONDS * 1_000_000)),
    "use_editlist": "0",
    "avoid_negative_ts": "disabled",
    "fflags": "bitexact",
    "video_track_timescale": str(VIDEO_TIMESCALE),
}


@frozen(kw_only=True)
class SceneSource:
    """The input of `encode_scene`: `draw` returns the pictures of `timeline`; `audio` is a 48 kHz s16 WAV, or None.

    `moving` boxes and `overlay` are composed into the pictures; the timeline must have a shot at each of their changes.
    `layer` returns the part of a picture that lies over moving boxes. `start_cells` is the scene's place in the video.
    """

    draw: Draw
    timeline: Timeline
    audio: Path | None
    start_cells: int
    moving: tuple[MovingBox, ...] = ()
    overlay: Overlay | None = None
    layer: Layer | None = None

    @property
    def duration_cells(self) -> int:
        """Length on the grid."""
        return sum(self.timeline.segments)


def encode_scene(
    source: SceneSource,
    profiles: Sequence[Profile],
    directory: Path,
    control: Control,
    *,
    threads: int = 0,
) -> tuple[Rendition, ...]:
    """Encode `source` into `directory`: an init file and .m4s segments per profile. `threads` per encoder. Blocking.

    Raises Stopped when `control` asks to stop, EncodeError when libav fails or its output breaks the plan.
    """
    if len({profile.audio_bit_rate for profile in profiles}) != 1:
        raise EncodeError("all profiles of a scene must have the same audio bit rate: its sound is encoded once")
    packets = aac.encode_sound(source.audio, source.duration_cells, profiles[0].audio_bit_rate)
    try:
        with ExitStack() as stack:
            outputs = [
                stack.enter_context(_Output(profile, source, packets, directory, threads)) for profile in profiles
            ]
            _feed(source, outputs, control)
            for output in outputs:
                output.finish()
        return tuple(output.rendition() for output in outputs)
    except (av.FFmpegError, OSError) as error:
        raise EncodeError(f"scene at cell {source.start_cells}: {error}") from error


def _feed(source: SceneSource, outputs: Sequence["_Output"], control: Control) -> None:
    sizes = tuple(output.size for output in outputs)
    store = PictureStore(source.draw, sizes, source.moving, source.overlay, source.layer)
    shots = source.timeline.shots
    for number, shot in enumerate(shots, start=1):
        for output in outputs:
            if control.should_stop():
                raise Stopped("stopped while encoding")
            output.show(store.shown(shot, output.size), shot)
        control.on_progress(number / len(shots))


class _Output:
    """One rendition in progress: encoder, muxer and segment files."""

    def __init__(
        self, profile: Profile, source: SceneSource, packets: list[bytes], directory: Path, threads: int
    ) -> None:
        self.size = (profile.width, profile.height)
        self._profile = profile
        self._source = source
        self._sound = packets
        self._shots_out = 0
        self._frames_out = 0
        repeats = x264.repeats_of(profile)
        self._rate = x264.SteadyRate(repeats)
        self._writer = SegmentWriter(directory, profile.quality, source.timeline.segments)
        options = {**_MUXER, "fragment_index": str(fragment_number(source.start_cells))}
        self._container = av.open(self._writer, "w", format="mp4", options=options)
        self._video = self._container.add_stream("libx264", rate=FRAME_RATE)
        self._audio = self._container.add_stream("aac", rate=AUDIO_BASE.denominator)
        aac.configure(self._audio.codec_context, profile.audio_bit_rate)
        self._open(threads, repeats)
        self._container.start_encoding()

    def _open(self, threads: int, repeats: x264.Repeats) -> None:
        context = self._video.codec_context
        x264.configure(context, self._profile, threads, self._source.timeline)
        self._video.time_base = VIDEO_BASE
        context.open()
        if context.extradata != repeats.plain:
            raise EncodeError("x264's parameter sets for the scene differ from those of its repeat pictures")
        context.extradata = repeats.fixed

    def __enter__(self) -> "_Output":
        return self

    def __exit__(self, failed: object, *_: object) -> None:
        try:
            self._container.close()
        except (av.FFmpegError, OSError):
            if failed is None:
                raise
        finally:
            self._writer.close()

    def show(self, picture: Yuv, shot: Shot) -> None:
        """Encode one shot that shows `picture`."""
        number, frames = shot.start // TICKS_PER_FRAME, shot.duration // TICKS_PER_FRAME
        for packet in self._video.codec_context.encode(x264.frame_of(picture, number, frames, keyframe=shot.keyframe)):
            self._mux(packet)

    def finish(self) -> None:
        """Flush the encoder and mux the sound of the last cell."""
        for packet in self._video.codec_context.encode(None):
            self._mux(packet)
        self._mux_sound(self._frames_out // FRAMES_PER_CELL - 1)

    def _mux(self, packet: "av.Packet[VideoStream]") -> None:
        """Mux the picture of a shot and the repeats that hold it."""
        # Without B-frames packets leave the encoder in the order of the shots.
        shot = self._source.timeline.shots[self._shots_out]
        if packet.pts != shot.start // TICKS_PER_FRAME or packet.is_keyframe != shot.keyframe:
            raise EncodeError(f"x264 returned a packet at frame {packet.pts}, planned: {shot}")
        self._shots_out += 1
        keyframe = shot.keyframe
        for picture in self._rate.pictures(bytes(packet), shot.duration // TICKS_PER_FRAME):
            cell, within = divmod(self._frames_out, FRAMES_PER_CELL)
            if cell and not within:
                # The next cell's first picture ends the fragment: the cell's sound must be in it before.
                self._mux_sound(cell - 1)
            start = self._source.start_cells * TICKS_PER_CELL + self._frames_out * TICKS_PER_FRAME
            self._container.mux(_packet(picture, self._video, start, TICKS_PER_FRAME, VIDEO_BASE, keyframe=keyframe))
            self._frames_out, keyframe = self._frames_out + 1, False

    def _mux_sound(self, cell: int) -> None:
        first = cell * AAC_FRAMES_PER_CELL
        start = self._source.start_cells * SAMPLES_PER_CELL + first * AAC_FRAME_SAMPLES
        for data in self._sound[first : first + AAC_FRAMES_PER_CELL]:
            self._container.mux(_packet(data, self._audio, start, AAC_FRAME_SAMPLES, AUDIO_BASE, keyframe=True))
            start += AAC_FRAME_SAMPLES

    def rendition(self) -> Rendition:
        """Return the written segments, checked against the plan. Raises EncodeError."""
        planned = self._source.timeline.segments
        if len(self._writer.segments) != len(planned):
            raise EncodeError(f"{len(self._writer.segments)} segments written, {len(planned)} planned")
        start = self._source.start_cells
        segments = []
        for path, cells in zip(self._writer.segments, planned, strict=True):
            _check_fragments(path, start, cells)
            segments.append(Segment(path=path, start_cells=start, duration_cells=cells, size_bytes=path.stat().st_size))
            start += cells
        return Rendition(
            quality=self._profile.quality,
            profile=self._profile.id,
            width=self._profile.width,
            height=self._profile.height,
            init=self._writer.init,
            segments=tuple(segments),
            decoder_config=decoder_config(self._writer.init.read_bytes()),
        )


def _packet(
    data: bytes, stream: VideoStream | AudioStream, start: int, duration: int, base: Fraction, *, keyframe: bool
) -> "av.Packet[Any]":
    packet: av.Packet[Any] = av.Packet(data)
    packet.stream, packet.time_base, packet.is_keyframe = stream, base, keyframe
    packet.pts = packet.dts = start
    packet.duration = duration
    return packet


def _check_fragments(path: Path, start_cells: int, cells: int) -> None:
    data, places = path.read_bytes(), range(start_cells, start_cells + cells)
    times = tuple(at * each for at in places for each in (TICKS_PER_CELL, SAMPLES_PER_CELL))
    if (found := decode_times(data)) != times:
        raise EncodeError(f"{path.name} has the decode times {found}, planned: {times}")
    if (numbers := sequence_numbers(data)) != tuple(map(fragment_number, places)):
        raise EncodeError(f"{path.name} has the fragments {numbers}, planned: those of cells {places}")
