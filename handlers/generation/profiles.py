"""The encoder contract: one profile per quality. Changing anything that a decoder sees needs a new `id`."""

from typing import Final

from attrs import evolve, frozen

from handlers.generation.aspects import aspect_of
from handlers.generation.errors import UnknownQuality


@frozen
class Profile:
    """How a quality is encoded: H.264 High, yuv420p, bt709, no B-frames, and AAC-LC stereo at 48 kHz.

    Sizes in pixels, bit rates in bits per second, `level` as H.264 writes it; `crf` as for a constant frame rate.
    """

    id: str
    quality: str
    width: int
    height: int
    level: str
    crf: int
    preset: str = "veryfast"
    audio_bit_rate: int = 112_000


PROFILES: Final = {
    profile.quality: profile
    for profile in (
        Profile(id="h264-aac-1080p-2", quality="1080p", width=1920, height=1080, level="4.0", crf=21),
        Profile(id="h264-aac-720p-2", quality="720p", width=1280, height=720, level="3.1", crf=21),
        Profile(id="h264-aac-480p-2", quality="480p", width=854, height=480, level="3.0", crf=22),
        Profile(id="h264-aac-360p-2", quality="360p", width=640, height=360, level="3.0", crf=23),
    )
}


def profile_of(quality: str, aspect: str = "16:9") -> Profile:
    """The profile of a quality such as "720p" in an aspect ratio. Raises UnknownQuality, UnknownAspect.

    The levels of the wide pictures hold for the others: none has more macroblocks.
    """
    try:
        wide = PROFILES[quality]
    except KeyError:
        raise UnknownQuality(quality, PROFILES) from None
    if aspect == "16:9":
        return wide
    width, height = aspect_of(aspect).size(wide.height)
    return evolve(wide, id=f"h264-aac-{quality}-{aspect.replace(':', 'x')}-2", width=width, height=height)
