"""The encoder contract: one profile per quality. Changing anything that a decoder sees needs a new `id`."""

from collections.abc import Iterable
from math import ceil
from typing import Final

from attrs import frozen

from eventflow.domain.values import LADDER
from handlers.generation.aspects import Aspect, aspect_of
from handlers.generation.errors import UnknownQuality
from handlers.generation.time_grid import FRAME_RATE

#: H.264 (ITU-T Rec. H.264), table A-1: level, macroblocks of a frame (MaxFS) and of a second (MaxMBPS).
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
#: x264's constant rate factor: small pictures are watched enlarged, and are fewer bytes anyway.
_CRF: Final = {"360p": 23, "480p": 22, "720p": 21, "1080p": 21, "1440p": 21, "2160p": 22}


@frozen
class Profile:
    """How a quality is encoded: H.264 High at 30 frames per second, yuv420p, bt709, square pixels, no B-frames, and
    AAC-LC stereo at 48 kHz and a constant bit rate.

    Sizes in pixels, bit rates in bits per second, `level` as H.264 writes it; `crf` as for a constant frame rate.
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
    """The profile of a quality such as "720p" in an aspect ratio. Raises UnknownQuality, UnknownAspect."""
    if quality not in LADDER:
        raise UnknownQuality(quality, LADDER)
    width, height = aspect_of(aspect).size(LADDER[quality])
    name = f"h264-aac-{quality}-{aspect.replace(':', 'x')}-4"
    return Profile(name, quality, width, height, level_of(width, height), _CRF[quality])


def level_of(width: int, height: int) -> str:
    """The lowest H.264 level that allows pictures of this size at the grid's frame rate. Raises ValueError."""
    blocks = ceil(width / _MACROBLOCK) * ceil(height / _MACROBLOCK)
    for level, frame, second in _LEVELS:
        if blocks <= frame and blocks * FRAME_RATE <= second:
            return level
    raise ValueError(f"no level up to {_LEVELS[-1][0]} allows {width}x{height} pixels")


def detail_of(profiles: Iterable[Profile], aspect: Aspect) -> float:
    """How much larger than the canvas of `aspect` pages have to be drawn for the largest of `profiles`; 1 or more."""
    return max(1.0, *(profile.width / aspect.width for profile in profiles))
