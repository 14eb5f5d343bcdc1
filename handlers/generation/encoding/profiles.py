"""The encoder contract: one profile per quality. A change of anything that a decoder sees needs a new `id`."""

from collections.abc import Iterable
from math import ceil
from typing import Final

from attrs import frozen

from eventflow.domain.values import LADDER
from handlers.generation.aspects import Aspect, aspect_of
from handlers.generation.errors import UnknownQuality
from handlers.generation.time_grid import FRAME_RATE

#: ITU-T Rec. H.264, table A-1: level, macroblocks per frame (MaxFS) and per second (MaxMBPS).
_LEVELS: Final = (
    ("2.1", 792, 19_800),
    ("2.2", 1_620, 20_250),
    ("3.0", 1_620, 40_500),
    ("3.1", 3_600, 108_000),
    ("3.2", 5_120, 216_000),
    ("4.0", 8_192, 245_760),
    ("5.0", 22_080, 589_824),
    ("5.1", 36_864, 983_040),
)
_MACROBLOCK: Final = 16
#: x264's constant rate factor. Small pictures are watched enlarged and cost few bytes: they get finer quantisers.
_CRF: Final = {"360p": 23, "480p": 22, "720p": 21, "1080p": 21, "1440p": 21, "2160p": 22}


@frozen(kw_only=True)
class Profile:
    """The encoding of one quality: H.264 High at 30 frames per second with AAC-LC stereo at 48 kHz.

    Video is yuv420p, bt709, limited range, with square pixels and without B-frames; the audio bit rate is constant.
    Sizes in pixels, `audio_bit_rate` in bits per second, `level` as in H.264 ("4.0"), `crf` for a constant frame rate.
    """

    id: str
    quality: str
    width: int
    height: int
    level: str
    crf: int
    preset: str = "veryfast"
    audio_bit_rate: int = 128_000


def profile_of(quality: str, aspect: str = "16:9") -> Profile:
    """Return the profile of a quality such as "720p" in an aspect ratio. Raises UnknownQuality, UnknownAspect."""
    if quality not in LADDER:
        raise UnknownQuality(quality, LADDER)
    width, height = aspect_of(aspect).size(LADDER[quality])
    name = f"h264-aac-{quality}-{aspect.replace(':', 'x')}-4"
    return Profile(
        id=name, quality=quality, width=width, height=height, level=level_of(width, height), crf=_CRF[quality]
    )


def level_of(width: int, height: int) -> str:
    """Find the lowest H.264 level for frames of this size (pixels) at 30 frames per second. Raises ValueError."""
    blocks = ceil(width / _MACROBLOCK) * ceil(height / _MACROBLOCK)
    for level, frame, second in _LEVELS:
        if blocks <= frame and blocks * FRAME_RATE <= second:
            return level
    raise ValueError(f"no level up to {_LEVELS[-1][0]} allows {width}x{height} pixels")


def detail_of(profiles: Iterable[Profile], aspect: Aspect) -> float:
    """Return the scale from the canvas of `aspect` to the largest of `profiles`: pages are drawn at it; at least 1."""
    return max(1.0, *(profile.width / aspect.width for profile in profiles))
