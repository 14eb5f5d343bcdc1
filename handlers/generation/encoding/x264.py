"""x264 under the encoder contract, and the repeat pictures that hold a shot (decisions 102, 187)."""

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

#: Time base of the encoder: timestamps are frame numbers.
FRAME_BASE: Final = Fraction(1, FRAME_RATE)

#: No lookahead: queued frames cost memory, and macroblock trees would spend bits on fades (decision 102).
_X264: Final = "scenecut=0:keyint=infinite:bframes=0:rc-lookahead=0:sync-lookahead=0:mbtree=0:ref=1:force-cfr=0"

#: Added to a profile's crf. x264 uses finer quantisers for frames of longer duration; with 3 more, a held page looks as
#: it would at a constant frame rate: 222 KB at SSIM .99937 for two scenes in 1080p, plain encoding 229 KB at .99966
#: (decision 102).
HELD_CRF: Final = 3

#: Share of x264's usual bits for the frames of a crossfade, each of which is seen for 1/30 s only. Chosen together with
#: HELD_CRF: before both, the scenes above took 369 KB (decision 102).
FADE_SHARE: Final = 0.3

_GREY: Final = 128


def configure(context: VideoCodecContext, profile: Profile, threads: int, timeline: Timeline | None = None) -> None:
    """Set up an encoder that is not open yet; crossfades of `timeline` get fewer bits."""
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
    """Wrap a picture for the encoder: shown from frame `number` on, for `frames` frames."""
    frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
    frame.pts, frame.duration, frame.time_base = number, frames, FRAME_BASE
    frame.colorspace, frame.color_range = Colorspace.ITU709, ColorRange.MPEG
    frame.pict_type = PictureType.I if keyframe else PictureType.NONE
    return frame


@frozen
class Repeats:
    """Repeat pictures of a profile: every macroblock is skipped, so each shows the picture before it once more.

    Their bytes don't depend on the content: x264 codes one per profile, and the others are copies with another
    frame_num; `repeats[n]` has frame_num n. `plain` and `fixed` are the sequence and picture parameter sets as byte
    streams: x264's own, and the same with the fixed frame rate that the repeats make true (decision 191).
    """

    plain: bytes
    fixed: bytes
    repeats: tuple[bytes, ...]

    @property
    def frame_num_bits(self) -> int:
        """Length of frame_num in bits."""
        return len(self.repeats).bit_length() - 1


@cache
def repeats_of(profile: Profile) -> Repeats:
    """Make the repeats of a profile by encoding two grey pictures; cached.

    Blocking, some hundredths of a second the first time. Raises EncodeError.
    """
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
        raise EncodeError("x264's pictures are not in decoding order: B-pictures must be off")
    bits = sequence.frame_num_bits
    copies = tuple(h264.stream([h264.numbered(skipped, number, bits)]) for number in range(1 << bits))
    return Repeats(plain, h264.stream([h264.at_fixed_rate(sps), *others]), copies)


class SteadyRate:
    """Follows each coded picture by repeats, one picture per frame; frame_num counts all of them."""

    def __init__(self, repeats: Repeats) -> None:
        self._repeats, self._number = repeats, 0

    def pictures(self, coded: bytes, frames: int) -> Iterator[bytes]:
        """Yield the coded picture, numbered, then the repeats that hold it for `frames`. Raises EncodeError."""
        units = h264.units(coded)
        kinds = [h264.kind_of(unit) for unit in units]
        if h264.IDR_SLICE in kinds:
            self._number = 0
        elif h264.SLICE not in kinds:
            raise EncodeError("x264 returned a packet without a picture")
        yield h264.stream(h264.counted(units, self._number, self._repeats.frame_num_bits))
        copies = self._repeats.repeats
        for number in range(self._number + 1, self._number + frames):
            yield copies[number % len(copies)]
        self._number += frames


def _zones(timeline: Timeline) -> Sequence[str]:
    """Return x264's `zones` option for the crossfades of a timeline; empty for a scene without any."""
    runs = list[list[int]]()
    for number, shot in enumerate(timeline.shots):
        if shot.towards is None or shot.keyframe:
            continue
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ["zones=" + "/".join(f"{first},{last},b={FADE_SHARE}" for first, last in runs)] if runs else []
