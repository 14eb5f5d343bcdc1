"""x264 as the encoder contract wants it, and what it gives for a picture that is held."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from typing import Final

import av
import numpy as np
from attrs import frozen
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from av.video.reformatter import ColorRange, Colorspace

from handlers.generation.encoding import h264
from handlers.generation.encoding.overlays import Yuv
from handlers.generation.encoding.profiles import Profile
from handlers.generation.encoding.timeline import Timeline
from handlers.generation.errors import EncodeError
from handlers.generation.time_grid import FRAME_RATE

#: Times that x264 is told are numbers of frames.
FRAME_BASE: Final = Fraction(1, FRAME_RATE)

#: No lookahead: frames that wait are memory, and with it macroblock trees spend bits on fades (see FADE_SHARE).
_X264: Final = "scenecut=0:keyint=infinite:bframes=0:rc-lookahead=0:sync-lookahead=0:mbtree=0:ref=1:force-cfr=0"

#: x264 takes finer quantisers for a frame the longer it is shown. With so much on top of a profile's crf a held page
#: looks as it would at a constant frame rate.
HELD_CRF: Final = 3

#: What the frames of a crossfade, each seen for 1/30 s, get of the bits that x264 would give them.
FADE_SHARE: Final = 0.3

_GREY: Final = 128


def configure(context: VideoCodecContext, profile: Profile, threads: int, timeline: Timeline | None = None) -> None:
    """Set up an encoder that isn't open yet."""
    context.width, context.height = profile.width, profile.height
    context.pix_fmt = "yuv420p"
    context.time_base, context.framerate = FRAME_BASE, Fraction(FRAME_RATE)
    context.sample_aspect_ratio = Fraction(1, 1)
    context.max_b_frames = 0
    context.thread_count = threads
    context.colorspace = Colorspace.ITU709
    context.color_primaries = context.color_trc = 1
    context.color_range = ColorRange.MPEG
    context.options = {
        "preset": profile.preset,
        "tune": "stillimage",
        "profile": "high",
        "level": profile.level,
        "crf": str(profile.crf + HELD_CRF),
        "forced-idr": "1",
        "x264-params": ":".join([_X264, *(_zones(timeline) if timeline else ())]),
    }


def frame_of(picture: Yuv, number: int, frames: int, *, keyframe: bool) -> av.VideoFrame:
    """A picture as the encoder takes it, from frame `number` on, held for `frames`."""
    frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
    frame.pts, frame.duration, frame.time_base = number, frames, FRAME_BASE
    frame.colorspace, frame.color_range = Colorspace.ITU709, ColorRange.MPEG
    frame.pict_type = PictureType.I if keyframe else PictureType.NONE
    return frame


@frozen
class Repeats:
    """Pictures that show what was seen before once more: in each of them every macroblock is skipped.

    What is in such a picture doesn't depend on what is shown, so that x264 codes one for a profile, and all others are
    copies that differ in their frame_num: `repeats[n]` has n. `plain` and `fixed` are the sequence and picture
    parameters as byte streams: x264's, and with the fixed rate that there is thanks to the copies.
    """

    plain: bytes
    fixed: bytes
    repeats: tuple[bytes, ...]

    @property
    def frame_num_bits(self) -> int:
        return len(self.repeats).bit_length() - 1


@cache
def repeats_of(profile: Profile) -> Repeats:
    """Made by coding two grey pictures. Blocking, some hundredths of a second the first time. Raises EncodeError."""
    context = av.CodecContext.create("libx264", "w")
    configure(context, profile, threads=1)
    context.flags |= Flags.global_header
    grey = np.full((profile.height * 3 // 2, profile.width), _GREY, np.uint8)
    packets = [bytes(p) for n in (0, 1) for p in context.encode(frame_of(grey, n, 1, keyframe=n == 0))]
    packets += [bytes(packet) for packet in context.encode(None)]
    plain = bytes(context.extradata or b"")
    sps, *others = h264.units(plain)
    [skipped] = h264.units(packets[1])
    sequence = h264.sequence_of(sps)
    if sequence.order_type != h264.ORDER_OF_DECODING:
        raise EncodeError("x264 gave pictures in another order than that of decoding: there must be no B-pictures")
    bits = sequence.frame_num_bits
    copies = tuple(h264.stream([h264.numbered(skipped, number, bits)]) for number in range(1 << bits))
    return Repeats(plain, h264.stream([h264.at_fixed_rate(sps), *others]), copies)


class SteadyRate:
    """Coded pictures with repeats behind them, so that there is one for each frame; frame_num counts them all."""

    def __init__(self, repeats: Repeats) -> None:
        self._repeats, self._number = repeats, 0

    def pictures(self, coded: bytes, frames: int) -> Iterator[bytes]:
        """What x264 gave for the next picture, and all that is needed to hold it for `frames`. Raises EncodeError."""
        units = h264.units(coded)
        kinds = [h264.kind_of(unit) for unit in units]
        if h264.IDR_SLICE in kinds:
            self._number = 0
        elif h264.SLICE not in kinds:
            raise EncodeError("x264 gave a packet without a picture")
        yield h264.stream(h264.counted(units, self._number, self._repeats.frame_num_bits))
        copies = self._repeats.repeats
        for number in range(self._number + 1, self._number + frames):
            yield copies[number % len(copies)]
        self._number += frames


def _zones(timeline: Timeline) -> Sequence[str]:
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
