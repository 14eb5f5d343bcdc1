"""The moving picture of the README: `python -m ops.gallery.demo_picture VIDEO OUT` makes it from a finished video.

An animated WebP that shows the video in short: a picture for every second of it, pictures that look the same as one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import av
import numpy as np
from attrs import frozen
from PIL import Image

#: One picture for so many seconds of the video.
STEP_S = 1.0
#: A picture is shown for so long, and a page that stays on the screen for several steps at most for the longest.
SHOWN_MS, LONGEST_MS = 450, 1_350
WIDTH = 800
#: Of the videos that are made here; a picture is compared with the frame before.
FRAMES_PER_SECOND = 30
#: Mean difference, of 255, of two frames of a page that stands still, and how long a fade is waited for.
STILL, LONGEST_FADE_S = 0.05, 0.5
#: A page loads the picture before anything else, so it has to stay small.
MOST_BYTES = 400_000
#: Mean difference, of 255, up to which pictures of two steps count as the same page.
SAME = 0.4
#: WebP qualities that are tried, best first.
QUALITIES = (80, 70, 60, 50, 40)


@frozen
class Shown:
    """A picture of the animation and how long it is shown."""

    image: Image.Image
    milliseconds: int


def demo_picture(video: Path) -> bytes:
    """Return the animation as a WebP file. Raises ValueError if it can't be made small enough, av.FFmpegError."""
    shown = list(_distinct(_pictures(video)))
    for quality in QUALITIES:
        data = _encoded(shown, quality)
        if len(data) <= MOST_BYTES:
            return data
    raise ValueError(
        f"the animation has {len(data)} bytes at quality {QUALITIES[-1]}; at most {MOST_BYTES} are allowed"
    )


def _pictures(video: Path) -> Iterator[Image.Image]:
    """One picture for every step of the video, in order: the first one that stands still, as fades are no pages."""
    with av.open(str(video)) as container:
        due, before = STEP_S, None
        for frame in container.decode(container.streams.video[0]):
            if frame.time is None or frame.time < due - 1 / FRAMES_PER_SECOND:
                continue
            image = _image(frame)
            stands = before is not None and _difference(before, image) <= STILL
            if stands or frame.time >= due + LONGEST_FADE_S:
                yield image
                due, before = due + STEP_S, None
            else:
                before = image


def _image(frame: av.VideoFrame) -> Image.Image:
    """The frame in the animation's size."""
    image = Image.fromarray(frame.to_ndarray(format="rgb24"))
    return image.resize((WIDTH, round(WIDTH * image.height / image.width)), Image.Resampling.LANCZOS)


def _distinct(pictures: Iterator[Image.Image]) -> Iterator[Shown]:
    """Pictures that follow each other and look the same become one that is shown longer."""
    present: Image.Image | None = None
    milliseconds = 0
    for picture in pictures:
        if present is not None and _difference(present, picture) <= SAME:
            milliseconds = min(milliseconds + SHOWN_MS, LONGEST_MS)
            continue
        if present is not None:
            yield Shown(present, milliseconds)
        present, milliseconds = picture, SHOWN_MS
    if present is not None:
        yield Shown(present, milliseconds)


def _difference(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one, np.int16) - np.asarray(other, np.int16)).mean())


def _encoded(shown: list[Shown], quality: int) -> bytes:
    target = BytesIO()
    first, *others = (each.image for each in shown)
    durations = [each.milliseconds for each in shown]
    first.save(
        target,
        "WEBP",
        save_all=True,
        append_images=others,
        duration=durations,
        loop=0,
        quality=quality,
        method=6,
        minimize_size=True,
    )
    return target.getvalue()


def main(arguments: list[str]) -> None:
    """Write the animation of a video."""
    if len(arguments) != 2:
        sys.exit("usage: python -m ops.gallery.demo_picture VIDEO OUT")
    video, target = map(Path, arguments)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(demo_picture(video))


if __name__ == "__main__":
    main(sys.argv[1:])
