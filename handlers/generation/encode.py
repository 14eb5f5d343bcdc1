"""One scene -> init and media segments in every quality, under the encoder contract (`profiles`, `grid`).

Each picture is drawn once; each rendition has its own encoder and muxer that run side by side, so a
scene is never held raw. Segments are written as they are complete.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import av
from attrs import frozen
from av.video.frame import PictureType
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from handlers.generation.boxes import decode_times, decoder_config
from handlers.generation.errors import EncodeError, Stopped
from handlers.generation.fragments import SegmentWriter
from handlers.generation.grid import (
    AAC_FRAME_SAMPLES,
    FRAME_RATE,
    SAMPLES_PER_CELL,
    TICKS_PER_CELL,
    VIDEO_TIMESCALE,
)
from handlers.generation.model import Control, Rendition, Segment
from handlers.generation.moving import Moving, Overlay
from handlers.generation.pictures import Draw, Layer, PictureStore, Yuv
from handlers.generation.profiles import Profile
from handlers.generation.sound import AUDIO_BASE, configure, encode_sound
from handlers.generation.timeline import Shot, Timeline

VIDEO_BASE = Fraction(1, VIDEO_TIMESCALE)

#: Fragments are cut at IDR frames alone; decode times are absolute (frag_discont), there are no edit lists.
_MUXER = {
    "movflags": "frag_keyframe+empty_moov+default_base_moof+frag_discont+skip_trailer",
    "use_editlist": "0",
    "avoid_negative_ts": "disabled",
    "fflags": "bitexact",
    "video_track_timescale": str(VIDEO_TIMESCALE),
}

#: No lookahead: frames that wait are memory, and with it macroblock trees spend bits on fades (see FADE_SHARE).
_X264 = "scenecut=0:keyint=infinite:bframes=0:rc-lookahead=0:sync-lookahead=0:mbtree=0:ref=1:force-cfr=0"

#: x264 takes finer quantisers for a frame the longer it is shown. With so much on top of a profile's crf a held page
#: looks as it would at a constant frame rate.
HELD_CRF = 3

#: What the frames of a crossfade, each seen for 1/30 s, get of the bits that x264 would give them.
FADE_SHARE = 0.3


@frozen
class SceneSource:
    """What is encoded: `draw` gives the pictures of `timeline`, `audio` is 48 kHz s16 WAV or None (silence).

    `moving` and `overlay` are put into the pictures; the timeline has to know when they change. `layer` is what of a
    picture lies over what moves.
    """

    draw: Draw
    timeline: Timeline
    audio: Path | None
    start_cells: int
    moving: tuple[Moving, ...] = ()
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
    """Encode into `directory` (init and .m4s files per profile). Blocking.

    Raises Stopped when the caller asks to stop, EncodeError when libav fails or breaks the plan.
    """
    if len({profile.audio_bit_rate for profile in profiles}) != 1:
        raise EncodeError("renditions of one scene share their sound: profiles must agree on its bit rate")
    packets = encode_sound(source.audio, source.duration_cells, profiles[0].audio_bit_rate)
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
    """One rendition under way: encoder, muxer and segment files."""

    def __init__(
        self, profile: Profile, source: SceneSource, packets: list[bytes], directory: Path, threads: int
    ) -> None:
        self.size = (profile.width, profile.height)
        self._profile = profile
        self._source = source
        self._sound = packets
        self._sound_at = 0
        self._shots_out = 0
        self._writer = SegmentWriter(directory, profile.quality)
        self._container = av.open(self._writer, "w", format="mp4", options=dict(_MUXER))
        self._video = self._container.add_stream("libx264", rate=FRAME_RATE)
        self._audio = self._container.add_stream("aac", rate=AUDIO_BASE.denominator)
        configure(self._audio.codec_context, profile.audio_bit_rate)
        self._configure(threads)
        self._container.start_encoding()

    def _configure(self, threads: int) -> None:
        context = self._video.codec_context
        context.width, context.height = self.size
        context.pix_fmt = "yuv420p"
        context.time_base = self._video.time_base = VIDEO_BASE
        context.max_b_frames = 0
        context.thread_count = threads
        context.colorspace = Colorspace.ITU709
        context.color_primaries = context.color_trc = 1
        context.color_range = ColorRange.MPEG
        context.options = {
            "preset": self._profile.preset,
            "tune": "stillimage",
            "profile": "high",
            "level": self._profile.level,
            "crf": str(self._profile.crf + HELD_CRF),
            "forced-idr": "1",
            "x264-params": ":".join([_X264, *_zones(self._source.timeline)]),
        }

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
        """Encode one frame."""
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts, frame.duration, frame.time_base = shot.start, shot.duration, VIDEO_BASE
        frame.colorspace, frame.color_range = Colorspace.ITU709, ColorRange.MPEG
        frame.pict_type = PictureType.I if shot.keyframe else PictureType.NONE
        for packet in self._video.codec_context.encode(frame):
            self._mux(packet)

    def finish(self) -> None:
        """Flush the encoder and the sound that follows the last frame."""
        for packet in self._video.codec_context.encode(None):
            self._mux(packet)
        self._mux_sound(len(self._sound))

    def _mux(self, packet: "av.Packet[VideoStream]") -> None:
        # Without B-frames packets leave in the order of the shots.
        shot = self._source.timeline.shots[self._shots_out]
        if packet.pts != shot.start or packet.is_keyframe != shot.keyframe:
            raise EncodeError(f"x264 gave a packet at {packet.pts}, planned was {shot}")
        self._shots_out += 1
        # Sound goes first up to the picture's time: the fragment an IDR frame opens must not get any of it.
        self._mux_sound(-(-shot.start * AUDIO_BASE.denominator // (VIDEO_TIMESCALE * AAC_FRAME_SAMPLES)))
        packet.pts = packet.dts = shot.start + self._source.start_cells * TICKS_PER_CELL
        packet.duration, packet.time_base = shot.duration, VIDEO_BASE
        packet.stream = self._video
        self._container.mux(packet)

    def _mux_sound(self, until: int) -> None:
        """Packets before number `until`."""
        for number in range(self._sound_at, until):
            packet = av.Packet(self._sound[number])
            packet.stream = self._audio
            start = number * AAC_FRAME_SAMPLES + self._source.start_cells * SAMPLES_PER_CELL
            packet.pts = packet.dts = start
            packet.duration, packet.time_base, packet.is_keyframe = AAC_FRAME_SAMPLES, AUDIO_BASE, True
            self._container.mux(packet)
        self._sound_at = max(self._sound_at, until)

    def rendition(self) -> Rendition:
        """What was written, checked against the plan. Raises EncodeError."""
        planned = self._source.timeline.segments
        if len(self._writer.segments) != len(planned):
            raise EncodeError(f"{len(self._writer.segments)} segments written, {len(planned)} planned")
        start = self._source.start_cells
        segments = []
        for path, cells in zip(self._writer.segments, planned, strict=True):
            _check_times(path, start)
            segments.append(Segment(path, start, cells, path.stat().st_size))
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


def _zones(timeline: Timeline) -> list[str]:
    """x264's zones: runs of frames that are mixes of two pictures. A scene without any has no zones."""
    runs = list[list[int]]()
    for number, shot in enumerate(timeline.shots):
        if shot.towards is None or shot.keyframe:
            continue
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ["zones=" + "/".join(f"{first},{last},b={FADE_SHARE}" for first, last in runs)] if runs else []


def _check_times(path: Path, start_cells: int) -> None:
    wanted = (start_cells * TICKS_PER_CELL, start_cells * SAMPLES_PER_CELL)
    if (found := decode_times(path.read_bytes())) != wanted:
        raise EncodeError(f"{path.name} has the decode times {found}, planned were {wanted}")
