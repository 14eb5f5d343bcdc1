"""Still pictures of a finished video: which frame is on the screen when, and files made of it. Blocking, all of it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import av
from attrs import frozen
from av.container import InputContainer
from PIL import Image

from handlers.generation.errors import CorruptArtefact
from handlers.generation.extras.distinct_frames import changes

#: Decoding onwards is cheaper than seeking, as long as no segment is left out.
_SEEK_S: Final = 12.0


@frozen
class Format:
    """How a picture is written: the media type, the file's suffix, and what Pillow is told."""

    media_type: str
    suffix: str
    options: dict[str, Any]


#: Widely read, and small; WebP's `method` trades time for bytes: above 2 it costs more than it brings for these.
JPEG: Final = Format("image/jpeg", ".jpg", {"format": "JPEG", "quality": 85, "optimize": True, "progressive": True})
WEBP: Final = Format("image/webp", ".webp", {"format": "WEBP", "quality": 80, "method": 2})
FORMATS: Final = (JPEG, WEBP)


@frozen
class Still:
    """A picture in a file; sizes in pixels."""

    path: Path
    width: int
    height: int
    media_type: str


def frames_at(video: Path, times_s: Iterable[float]) -> Iterator[Image.Image]:
    """What is on the screen at each of `times_s`, which don't go back. Raises CorruptArtefact."""
    with _opened(video) as container:
        frames = changes(container)
        shown: av.VideoFrame | None = None
        following = next(frames, None)
        for at_s in times_s:
            if following is not None and at_s - _time(following) > _SEEK_S:
                stream = container.streams.video[0]
                container.seek(int(at_s / float(stream.time_base or 1)), stream=stream)
                frames = changes(container)
                following = next(frames, None)
            while following is not None and (shown is None or _time(following) <= at_s):
                shown, following = following, next(frames, None)
            if shown is None:
                raise CorruptArtefact(f"{video.name} has no picture at {at_s:.2f} s")
            yield Image.fromarray(shown.to_ndarray(format="rgb24"))


def within(image: Image.Image, width: int, height: int) -> Image.Image:
    """`image` made smaller, so that it fits into `width` x `height` pixels; it is never enlarged. Sides are even."""
    part = min(1.0, width / image.width, height / image.height)
    size = tuple(max(2, round(side * part / 2) * 2) for side in image.size)
    return image if size == image.size else image.resize((size[0], size[1]), Image.Resampling.LANCZOS, reducing_gap=2.0)


def save(image: Image.Image, stem: Path, form: Format) -> Still:
    """Write `image` beside `stem`, with the suffix of the format."""
    path = stem.with_name(stem.name + form.suffix)
    image.save(path, **form.options)
    return Still(path, image.width, image.height, form.media_type)


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
