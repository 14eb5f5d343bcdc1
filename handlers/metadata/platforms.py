"""The limits of video publishing services, and which services a finished file meets.

Only published limits of measurable properties count. Recommendations (mostly bit rates of 5 Mbit/s and more) are no
limits. Where sources differ, the narrower limit holds. Read in 2026; services change them.

- YouTube: support.google.com/youtube/answer/1722171 (recommended upload encoding settings).
- TikTok: developers.tiktok.com/doc/content-posting-api-media-transfer-guide; ayrshare.com/docs/media-guidelines/tiktok.
- Instagram: developers.facebook.com/docs/instagram-platform (Reels); ayrshare.com/docs/media-guidelines/instagram.
- Facebook: developers.facebook.com/docs/video-api/guides/reels-publishing; ayrshare.com/docs/media-guidelines.
- LinkedIn: linkedin.com/help/linkedin/answer/a548372 (posts; advertisements have other limits).
- X: docs.x.com/x-api/media/quickstart/best-practices (posts of accounts without Premium, and with it).
- Vimeo: help.vimeo.com (video and audio compression guidelines).
"""

from math import inf
from typing import Final

from attrs import frozen

from handlers.metadata.container_facts import BT709, Facts

MB, GB = 10**6, 10**9
#: Aspect ratios within this fraction are equal: widths and heights are whole pixels.
_SHAPE_TOLERANCE: Final = 0.01
#: Bit rates within this fraction are equal: they are measured over whole packets.
_RATE_TOLERANCE: Final = 0.005


@frozen
class Range:
    """From `least` to `most`, both included."""

    least: float = 0
    most: float = inf

    def holds(self, value: float | None, tolerance: float = 0) -> bool:
        return value is not None and self.least * (1 - tolerance) <= value <= self.most * (1 + tolerance)


ANY: Final = Range()


@frozen(kw_only=True)
class Limits:
    """The limits of a service, in bytes, seconds, pixels and bits per second; `aspects` are width divided by height.

    Every service also demands what all of them take: MP4 with H.264 High in closed groups of progressive 4:2:0 pictures
    at a constant rate, and AAC-LC in mono or stereo.
    """

    name: str
    rate: Range = Range(1, 60)
    key_s: Range = ANY
    width: Range = ANY
    shorter: Range = ANY
    longer: Range = ANY
    aspects: tuple[Range, ...] = (ANY,)
    seconds: Range = ANY
    size: Range = ANY
    bit_rate: Range = ANY
    picture_bit_rate: Range = ANY
    sound_bit_rate: Range = ANY


def _exactly(across: int, down: int) -> Range:
    return Range(across / down, across / down)


PLATFORMS: Final = (
    Limits(name="youtube", rate=Range(24, 60), size=Range(0, 256 * GB)),
    Limits(
        name="tiktok",
        rate=Range(23, 60),
        shorter=Range(360, 4096),
        longer=Range(360, 4096),
        aspects=(_exactly(9, 16), _exactly(16, 9)),
        seconds=Range(3, 600),
        size=Range(0, GB),
    ),
    Limits(
        name="instagram_reels",
        rate=Range(23, 60),
        width=Range(0, 1920),
        seconds=Range(3, 15 * 60),
        size=Range(0, 300 * MB),
        picture_bit_rate=Range(0, 25 * MB),
        sound_bit_rate=Range(0, 128_000),
    ),
    Limits(
        name="facebook_reels",
        rate=Range(24, 60),
        key_s=Range(0, 5),
        shorter=Range(540),
        longer=Range(960),
        aspects=(_exactly(9, 16),),
        seconds=Range(3, 90),
        size=Range(0, GB),
        sound_bit_rate=Range(128_000),
    ),
    Limits(
        name="linkedin",
        rate=Range(10, 60),
        shorter=Range(144, 2304),
        longer=Range(256, 4096),
        aspects=(Range(1 / 2.4, 2.4),),
        seconds=Range(3, 15 * 60),
        size=Range(75_000, 5 * GB),
        bit_rate=Range(192_000, 30 * MB),
    ),
    # 1080p needs Premium.
    Limits(
        name="x",
        shorter=Range(32, 1024),
        longer=Range(32, 1280),
        aspects=(Range(1 / 3, 3),),
        seconds=Range(0.5, 20 * 60),
        size=Range(0, 8 * GB),
    ),
    Limits(
        name="x_premium",
        shorter=Range(32, 1080),
        longer=Range(32, 1920),
        aspects=(Range(1 / 3, 3),),
        seconds=Range(0.5, 125 * 60),
        size=Range(0, 16 * GB),
    ),
    Limits(name="vimeo"),
)


def met_by(facts: Facts) -> tuple[str, ...]:
    """Return the names of the services whose limits a file meets."""
    return tuple(limits.name for limits in PLATFORMS if not missed(facts, limits))


def missed(facts: Facts, limits: Limits) -> tuple[str, ...]:
    """Return the names of the limits that a file exceeds; empty if it meets all."""
    info, pictures = facts.info, facts.pictures
    if info.video is None or pictures is None or info.audio is None:
        return ("pictures" if info.audio else "sound",)
    video, sound = info.video, info.audio
    shape = video.width / video.height
    checks: dict[str, bool] = {
        "container": info.container == "mp4" and facts.index_in_front and not facts.edit_lists,
        "codec": (video.codec, video.profile, video.pixel_format) == ("h264", "High", "yuv420p"),
        "scan": pictures.progressive and pictures.square,
        "colours": pictures.colours == BT709,
        "rate": limits.rate.holds(None if pictures.rate is None else float(pictures.rate)),
        "key pictures": pictures.closed and limits.key_s.holds(pictures.key_s),
        "size": limits.width.holds(video.width)
        and limits.shorter.holds(min(video.width, video.height))
        and limits.longer.holds(max(video.width, video.height)),
        "aspect": any(aspect.holds(shape, _SHAPE_TOLERANCE) for aspect in limits.aspects),
        "length": limits.seconds.holds(info.duration_s),
        "file size": limits.size.holds(info.size_bytes),
        "bit rate": limits.bit_rate.holds(info.bit_rate) and limits.picture_bit_rate.holds(video.bit_rate),
        "sound": (sound.codec, sound.profile) == ("aac", "LC")
        and sound.sample_rate == 48_000
        and sound.channels in (1, 2)
        and limits.sound_bit_rate.holds(sound.bit_rate, _RATE_TOLERANCE),
    }
    return tuple(name for name, met in checks.items() if not met)
