"""A finished video's pictures without those that only repeat what is seen: a tenth of the decoding.

A repeat is known by its bytes (`coder.repeats_of`). Those that are left are counted as if there had been none.

Still pictures of a finished video: which frame is on the screen when, and files made of it. Blocking, all of it.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

import av
from attrs import frozen
from av.container import InputContainer
from PIL import Image

from eventflow.domain.values import LADDER
from handlers.generation.aspects import ASPECTS
from handlers.generation.encoding import h264
from handlers.generation.encoding.profiles import profile_of
from handlers.generation.encoding.x264 import repeats_of
from handlers.generation.errors import CorruptArtefact


def distinct_frames(container: InputContainer) -> Iterator[av.VideoFrame]:
    """Decode the pictures from the container's position on, without repeats: each stays until the time of the next.

    A repeat is recognised by its bytes (`x264.repeats_of`); the remaining pictures are renumbered (decision 193), which
    takes a tenth of the decoding. Videos of other sizes or earlier versions are decoded whole. Raises av.FFmpegError,
    EncodeError.
    """
    stream = container.streams.video[0]
    context = stream.codec_context
    repeats, bits = _repeats(context.width, context.height)
    number = 0
    for packet in container.demux(stream):
        data = bytes(packet)
        if data in repeats:
            continue
        if repeats and data:
            units = h264.sized_units(data)
            number = 0 if packet.is_keyframe else number + 1
            counted = av.Packet(h264.sized(h264.counted(units, number, bits)))
            counted.pts, counted.dts, counted.time_base = packet.pts, packet.dts, packet.time_base
            yield from context.decode(counted)
        else:
            yield from context.decode(packet)


@cache
def _repeats(width: int, height: int) -> tuple[frozenset[bytes], int]:
    """Return the repeats of pictures of this size as samples of an MP4, and the bits of their frame_num."""
    for quality in LADDER:
        for aspect in ASPECTS:
            profile = profile_of(quality, aspect)
            if (profile.width, profile.height) == (width, height):
                made = repeats_of(profile)
                return frozenset(h264.sized(h264.units(each)) for each in made.repeats), made.frame_num_bits
    return frozenset(), 0


#: Seconds: for shorter distances decoding is cheaper than seeking to the next segment.
_SEEK_S: Final = 12.0


@frozen
class Format:
    """A format of pictures: the media type, the file's suffix, and Pillow's options."""

    media_type: str
    suffix: str
    options: dict[str, Any]


#: JPEG for every reader, WebP for size. WebP's `method` trades time for bytes; above 2 it gains little here.
JPEG: Final = Format("image/jpeg", ".jpg", {"format": "JPEG", "quality": 85, "optimize": True, "progressive": True})
WEBP: Final = Format("image/webp", ".webp", {"format": "WEBP", "quality": 80, "method": 2})
FORMATS: Final = (JPEG, WEBP)


@frozen(kw_only=True)
class Still:
    """A picture file; sizes in pixels."""

    path: Path
    width: int
    height: int
    media_type: str


def frames_at(video: Path, times_s: Iterable[float]) -> Iterator[Image.Image]:
    """Yield the picture on the screen at each of `times_s`, which must not go back. Raises CorruptArtefact."""
    with _opened(video) as container:
        frames = distinct_frames(container)
        shown: av.VideoFrame | None = None
        following = next(frames, None)
        for at_s in times_s:
            if following is not None and at_s - _time(following) > _SEEK_S:
                stream = container.streams.video[0]
                container.seek(int(at_s / float(stream.time_base or 1)), stream=stream)
                frames = distinct_frames(container)
                following = next(frames, None)
            while following is not None and (shown is None or _time(following) <= at_s):
                shown, following = following, next(frames, None)
            if shown is None:
                raise CorruptArtefact(f"{video.name} has no picture at {at_s:.2f} s")
            yield Image.fromarray(shown.to_ndarray(format="rgb24"))


def within(image: Image.Image, width: int, height: int) -> Image.Image:
    """Scale `image` down to fit into `width` x `height` pixels, with even sides; never enlarges it."""
    part = min(1.0, width / image.width, height / image.height)
    size = tuple(max(2, round(side * part / 2) * 2) for side in image.size)
    return image if size == image.size else image.resize((size[0], size[1]), Image.Resampling.LANCZOS, reducing_gap=2.0)


def save(image: Image.Image, stem: Path, form: Format) -> Still:
    """Write `image` to the path `stem` with the suffix of the format."""
    path = stem.with_name(stem.name + form.suffix)
    image.save(path, **form.options)
    return Still(path=path, width=image.width, height=image.height, media_type=form.media_type)


@contextmanager
def _opened(video: Path) -> Iterator[InputContainer]:
    try:
        with av.open(str(video), options={"protocol_whitelist": "file"}) as container:
            if not container.streams.video:
                raise CorruptArtefact(f"{video.name} has no pictures")
            yield container
    except av.FFmpegError as error:
        raise CorruptArtefact(f"{video.name}: {error}") from error


def _time(frame: av.VideoFrame) -> float:
    return float(frame.time or 0.0)
