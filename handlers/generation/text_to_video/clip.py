"""Turns a fetched clip into the pictures of a scene: 30 per second, scaled, cropped or framed to the video's shape."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import accumulate
from pathlib import Path
from typing import Final

import av
import numpy as np
from attrs import frozen
from av.container import InputContainer
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from handlers.generation.encoding.overlays import Rgb
from handlers.generation.encoding.timeline import Shot, Timeline
from handlers.generation.time_grid import FRAME_RATE, FRAMES_PER_CELL, TICKS_PER_FRAME, segment_cells
from handlers.media.decode import FrameReader, open_clip
from handlers.media.errors import BadClip, CorruptMedia

#: Limits of a clip: 4K, three minutes, at 120 frames per second.
MAX_PIXELS: Final = 4096 * 2304
MAX_SECONDS: Final = 180.0
MAX_FRAMES: Final = 120 * 180
#: A clip that ends this much before the end in its header is truncated.
_MISSING_S: Final = 0.5
#: Times of frames are rounded to the container's time base.
_TOLERANCE_S: Final = 1e-3
#: AVCOL_SPC_UNSPECIFIED.
_UNSPECIFIED: Final = 2
#: Untagged pictures of at least this many lines are bt709, others bt601, as players assume.
_HD_LINES: Final = 720


@frozen(kw_only=True)
class ClipInfo:
    """Facts of a clip: `duration_s` of its pictures in seconds, sizes in pixels, whether it has audio."""

    duration_s: float
    width: int
    height: int
    sound: bool


def inspect_clip(path: Path) -> ClipInfo:
    """Decode all pictures of a clip, so that a damaged one is noticed before the scene is encoded. Raises BadClip."""
    try:
        with open_clip(path) as container:
            if not container.streams.video:
                raise BadClip("the clip has no pictures")
            stream = container.streams.video[0]
            context = stream.codec_context
            if not 0 < context.width * context.height <= MAX_PIXELS:
                raise BadClip(f"the clip has {context.width}x{context.height} pixels: at most 4096x2304 are possible")
            promised_s = float(container.duration / av.time_base) if container.duration else 0.0
            end_s = _decoded_s(container)
            if promised_s - end_s > _MISSING_S and not _pictures_complete(container, end_s):
                raise BadClip(f"the clip ends after {end_s:.1f} of {promised_s:.1f} s")
            return ClipInfo(
                duration_s=end_s, width=context.width, height=context.height, sound=bool(container.streams.audio)
            )
    except (av.FFmpegError, ValueError) as error:
        raise BadClip(f"the clip can't be read; MP4, QuickTime, Matroska and WebM can: {error}") from error


def _decoded_s(container: InputContainer) -> float:
    """Decode to the end; return the end of the last picture in seconds from the first one. Raises BadClip."""
    count, first, last = 0, 0.0, 0.0
    step = 1 / float(container.streams.video[0].average_rate or FRAME_RATE)
    for frame in container.decode(video=0):
        if frame.time is None:
            continue
        if not count:
            first = frame.time
        count, last = count + 1, max(last, frame.time - first)
        if last > MAX_SECONDS or count > MAX_FRAMES:
            raise BadClip(f"the clip is longer than {MAX_SECONDS:g} s")
    if not count:
        raise BadClip("the clip has no pictures")
    return last + min(step, 1.0)


def _pictures_complete(container: InputContainer, end_s: float) -> bool:
    """Tell whether the video stream itself ends at `end_s`: then only the audio is longer."""
    stream = container.streams.video[0]
    return bool(stream.duration and stream.time_base) and end_s + _MISSING_S >= float(
        stream.duration * stream.time_base  # type: ignore[operator]
    )


def clip_timeline(duration_s: float, cells: int) -> Timeline:
    """Plan a shot for each 1/30 s of the clip, picture n at n/30 s; its last picture stays to the end of the scene."""
    segments = segment_cells(cells)
    total = cells * FRAMES_PER_CELL
    bounds = {each * FRAMES_PER_CELL for each in accumulate(segments, initial=0)}
    moving = min(total, max(1, math.floor(duration_s * FRAME_RATE + 0.5)))
    shots, start = [], 0
    while start < total:
        end = start + 1
        if end >= moving:
            end = min(bound for bound in bounds if bound > start)

        shots.append(
            Shot(
                start=start * TICKS_PER_FRAME,
                duration=(end - start) * TICKS_PER_FRAME,
                picture=min(start, moving - 1),
                keyframe=start in bounds,
            )
        )
        start = end
    return Timeline(tuple(shots), segments)


class ClipPictures:
    """The pictures of a clip as width x height pixels, to be drawn in rising order. `crop`: else framed in black."""

    def __init__(self, container: InputContainer, width: int, height: int, *, crop: bool) -> None:
        self._frames = FrameReader(container)
        self._size, self._crop = (width, height), crop
        self._reformatter = VideoReformatter()

    def draw(self, picture: int) -> Rgb:
        """Return picture n, the one of n/30 s. Raises BadClip."""
        try:
            return self._fitted(self._frames.frame_at(max(picture, 0) / FRAME_RATE + _TOLERANCE_S))
        except CorruptMedia as error:
            raise BadClip(str(error)) from error

    def _fitted(self, frame: av.VideoFrame) -> Rgb:
        width, height = self._size
        scales = (width / frame.width, height / frame.height)
        scale = max(scales) if self._crop else min(scales)
        across, down = _near(frame.width * scale, width), _near(frame.height * scale, height)
        scaled = self._rgb(frame, across, down)
        if (across, down) == self._size:
            return scaled
        if self._crop:
            left, top = (across - width) // 2, (down - height) // 2
            return np.ascontiguousarray(scaled[top : top + height, left : left + width])
        framed = np.zeros((height, width, 3), np.uint8)
        left, top = (width - across) // 2, (height - down) // 2
        framed[top : top + down, left : left + across] = scaled
        return framed

    def _rgb(self, frame: av.VideoFrame, width: int, height: int) -> Rgb:
        space = Colorspace.ITU709 if frame.height >= _HD_LINES else Colorspace.ITU601
        tagged = int(frame.colorspace) not in (0, _UNSPECIFIED)
        rgb = self._reformatter.reformat(
            frame,
            width=width,
            height=height,
            format="rgb24",
            src_colorspace=None if tagged else space,
            dst_color_range=ColorRange.JPEG,
            interpolation=Interpolation.BICUBIC,
            threads=1,
        )
        return np.asarray(rgb.to_ndarray(), dtype=np.uint8)


def clip_pictures(path: Path, width: int, height: int, *, crop: bool) -> AbstractContextManager[ClipPictures]:
    """Open a clip as pictures of width x height pixels, for a `with` block. Raises BadClip."""
    return _pictures(path, width, height, crop)


@contextmanager
def _pictures(path: Path, width: int, height: int, crop: bool) -> Iterator[ClipPictures]:
    try:
        container = open_clip(path)
    except (av.FFmpegError, ValueError) as error:
        raise BadClip(f"the clip can't be read: {error}") from error
    with container:
        yield ClipPictures(container, width, height, crop=crop)


def _near(scaled: float, wanted: int) -> int:
    """Round to pixels; within two pixels of `wanted`, return `wanted`: no borders of a pixel or two."""
    pixels = max(1, round(scaled))
    return wanted if abs(pixels - wanted) <= 2 else pixels
