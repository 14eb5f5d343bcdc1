"""A fetched clip as pictures: 30 a second, scaled, cut or framed to the shape of the video, decoded in order."""

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
from handlers.generation.text_to_video.errors import BadClip
from handlers.generation.time_grid import FRAME_RATE, FRAMES_PER_CELL, TICKS_PER_FRAME, segment_cells

MAX_PIXELS: Final = 4096 * 2304
MAX_SECONDS: Final = 180.0
MAX_FRAMES: Final = 120 * 180
#: A clip that ends so much before its header says is not whole.
_MISSING_S: Final = 0.5
_UNSPECIFIED: Final = 2
#: From so many lines on, untagged pictures are bt709.
_HD_LINES: Final = 720

#: Only the file itself, and only in formats that services send.
_OPTIONS: Final = {"protocol_whitelist": "file", "format_whitelist": "mov,mp4,matroska,webm"}


@frozen
class ClipInfo:
    """`duration_s` is that of the pictures, in seconds; sizes in pixels."""

    duration_s: float
    width: int
    height: int
    sound: bool


def open_clip(path: Path) -> InputContainer:
    """Raises av.FFmpegError, ValueError."""
    return av.open(str(path), options=dict(_OPTIONS))


def inspect_clip(path: Path) -> ClipInfo:
    """Decodes all pictures: what can't be shown as a whole is found out before it is paid attention. Raises BadClip."""
    try:
        with open_clip(path) as container:
            if not container.streams.video:
                raise BadClip("the clip has no pictures")
            stream = container.streams.video[0]
            context = stream.codec_context
            if not 0 < context.width * context.height <= MAX_PIXELS:
                raise BadClip(f"the clip's pictures have {context.width}x{context.height} pixels")
            told_s = float(container.duration / av.time_base) if container.duration else 0.0
            end_s = _decoded_s(container)
            if told_s - end_s > _MISSING_S and not _outlasted(container, end_s):
                raise BadClip(f"the clip ends after {end_s:.1f} of {told_s:.1f} s")
            return ClipInfo(end_s, context.width, context.height, bool(container.streams.audio))
    except (av.FFmpegError, ValueError) as error:
        raise BadClip(f"the clip can't be read: {error}") from error


def _decoded_s(container: InputContainer) -> float:
    """The end of the last picture, in seconds from the first one. Raises BadClip."""
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


def _outlasted(container: InputContainer, end_s: float) -> bool:
    """Whether the pictures are all there, and it is the sound that is longer."""
    stream = container.streams.video[0]
    return bool(stream.duration and stream.time_base) and end_s + _MISSING_S >= float(
        stream.duration * stream.time_base  # type: ignore[operator]
    )


def clip_timeline(duration_s: float, cells: int) -> Timeline:
    """Picture n is that of n/30 s. Where the clip is over, its last picture stays."""
    segments = segment_cells(cells)
    total = cells * FRAMES_PER_CELL
    bounds = {each * FRAMES_PER_CELL for each in accumulate(segments, initial=0)}
    moving = min(total, max(1, math.floor(duration_s * FRAME_RATE + 0.5)))
    shots, start = [], 0
    while start < total:
        end = start + 1
        if end >= moving:
            end = min(bound for bound in bounds if bound > start)
        picture = min(start, moving - 1)
        ticks = (start * TICKS_PER_FRAME, (end - start) * TICKS_PER_FRAME)
        shots.append(Shot(*ticks, picture=picture, keyframe=start in bounds))
        start = end
    return Timeline(tuple(shots), segments)


class ClipPictures:
    """Draws picture n, that of n/30 s, as width x height pixels. To be asked in rising order."""

    def __init__(self, container: InputContainer, width: int, height: int, *, crop: bool) -> None:
        self._frames = _timed(container)
        self._size, self._crop = (width, height), crop
        self._reformatter = VideoReformatter()
        self._shown: av.VideoFrame | None = None
        self._next = next(self._frames, None)

    def draw(self, picture: int) -> Rgb:
        """Raises BadClip."""
        until = max(picture, 0) / FRAME_RATE + 1e-3
        try:
            while self._next is not None and (self._shown is None or self._next[0] <= until):
                self._shown, self._next = self._next[1], next(self._frames, None)
        except av.FFmpegError as error:
            raise BadClip(f"the clip can't be decoded: {error}") from error
        if self._shown is None:
            raise BadClip("the clip has no pictures")
        return self._fitted(self._shown)

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
    """The pictures of a clip, while the block lasts. Raises BadClip."""
    return _pictures(path, width, height, crop)


@contextmanager
def _pictures(path: Path, width: int, height: int, crop: bool) -> Iterator[ClipPictures]:
    try:
        container = open_clip(path)
    except (av.FFmpegError, ValueError) as error:
        raise BadClip(f"the clip can't be read: {error}") from error
    with container:
        yield ClipPictures(container, width, height, crop=crop)


def _timed(container: InputContainer) -> Iterator[tuple[float, av.VideoFrame]]:
    """Frames with their times in seconds, the first at 0."""
    first: float | None = None
    for frame in container.decode(video=0):
        if frame.time is not None:
            first = frame.time if first is None else first
            yield frame.time - first, frame


def _near(scaled: float, wanted: int) -> int:
    """Whole pixels; a shape that is as good as the wanted one is the wanted one."""
    pixels = max(1, round(scaled))
    return wanted if abs(pixels - wanted) <= 2 else pixels
