"""Motion in a box of a page: a picture that is zoomed into or panned over, or a clip; and when it starts.

What moves in a box of a page: a picture that is zoomed into or panned over, and a clip.

From what a page says of its boxes to what moves in them, and when.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Literal, Protocol, Self

import av
import numpy as np
from attrs import frozen
from av.video.reformatter import VideoReformatter
from PIL import Image, ImageOps

from handlers.generation.encoding.colours import FAST_SCALING, of_frame, planes, to_yuv
from handlers.generation.encoding.overlays import Box, Moving, Yuv
from handlers.generation.encoding.timeline import FADE_OUT_FRAMES
from handlers.generation.errors import EncodeError, UnknownAsset
from handlers.generation.model import AssetFiles, Narration
from handlers.generation.time_grid import FRAME_RATE

#: How much closer a zoom comes, and how much of the picture a pan leaves out at a time.
CLOSER: Final = 1.12
#: Pictures with more pixels than that were never let in as assets.
_MAX_PIXELS: Final = 100_000_000

Window = tuple[float, float, float, float]


@frozen
class Place:
    """Where and when: in pixels of the drawn page; from which reveal on; in seconds from the start of the scene."""

    box: Box
    step: int
    span_s: tuple[float, float]

    def part(self, at_s: float) -> float:
        """How much of its time is over, 0 to 1."""
        start, end = self.span_s
        return min(1.0, max(0.0, (at_s - start) / max(end - start, 1e-6)))


class MovingImage:
    """A still picture, slowly zoomed into or panned over; it fills its box.

    It is brought to the size of the box once, and to the encoder's planes: a frame is a window of these, scaled. Sides
    of the window are fractions of a pixel, so that nothing jerks.
    """

    def __init__(self, image: Path, place: Place, motion: Literal["zoom", "pan"]) -> None:
        """Reads the picture. Blocking. Raises EncodeError."""
        self._place, self._motion = place, motion
        try:
            with Image.open(image) as opened:
                if opened.width * opened.height > _MAX_PIXELS:
                    raise EncodeError(f"the picture has {opened.width}x{opened.height} pixels: make it smaller")
                picture = ImageOps.exif_transpose(opened).convert("RGB")
        except (OSError, Image.DecompressionBombError, SyntaxError, ValueError) as error:
            raise EncodeError(f"a picture can't be read: {error}") from error
        self._size = self._brought_to(picture.size)
        self._wide = picture.width * place.box.height > place.box.width * picture.height
        rgb = np.asarray(picture.resize(self._size, Image.Resampling.LANCZOS, reducing_gap=2.0))
        self._planes = [Image.fromarray(p) for p in planes(to_yuv(rgb, self._size, VideoReformatter()), self._size)]

    @property
    def box(self) -> Box:
        return self._place.box

    @property
    def step(self) -> int:
        return self._place.step

    @property
    def span_s(self) -> tuple[float, float]:
        return self._place.span_s

    def frame(self, at_s: float, size: tuple[int, int]) -> Yuv:
        """The window of that time."""
        left, top, right, bottom = self._window(self._place.part(at_s))
        parts = []
        for number, plane in enumerate(self._planes):
            by = 1 if number == 0 else 2
            window = (left / by, top / by, right / by, bottom / by)
            wanted = (size[0] // by, size[1] // by)
            parts.append(np.asarray(plane.resize(wanted, Image.Resampling.BILINEAR, box=window)).reshape(-1))
        return np.concatenate(parts).reshape(size[1] * 3 // 2, size[0])

    def _brought_to(self, given: tuple[int, int]) -> tuple[int, int]:
        """The size at which the picture covers its box, as close as it will come."""
        box = self._place.box
        scale = max(box.width / given[0], box.height / given[1]) * CLOSER
        width, height = (max(4, round(side * scale / 2) * 2) for side in given)
        return width, height

    def _window(self, part: float) -> Window:
        width, height = self._size
        box = self._place.box
        cover = min(width / box.width, height / box.height)
        zoom = 1 + (CLOSER - 1) * part if self._motion == "zoom" else CLOSER
        across, down = box.width * cover / zoom, box.height * cover / zoom
        along = part if self._motion == "pan" else 0.5
        x = (width - across) * (along if self._wide or height - down <= width - across else 0.5)
        y = (height - down) * (along if not self._wide and height - down > width - across else 0.5)
        return x, y, x + across, y + down


class MovingClip:
    """A clip from its beginning, which fills its box (what is too wide or too high is cut); its last frame stands."""

    def __init__(self, clip: Path, place: Place) -> None:
        """Opens the clip. Blocking. Raises EncodeError."""
        self._place, self._name = place, clip.name
        self._reformatter = VideoReformatter()
        try:
            self._container = av.open(str(clip), options={"protocol_whitelist": "file"})
            if not self._container.streams.video:
                raise EncodeError(f"{clip.name} has no pictures")
            self._frames: Iterator[av.VideoFrame] = self._container.decode(video=0)
            self._shown = self._next = next(self._frames)
        except (av.FFmpegError, StopIteration, ValueError) as error:
            raise EncodeError(f"clip {clip.name} can't be read: {error}") from error
        self._began_s = float(self._shown.time or 0)

    @property
    def box(self) -> Box:
        return self._place.box

    @property
    def step(self) -> int:
        return self._place.step

    @property
    def span_s(self) -> tuple[float, float]:
        return self._place.span_s

    def frame(self, at_s: float, size: tuple[int, int]) -> Yuv:
        """The frame that the clip shows then."""
        start, end = self._place.span_s
        clip_s = min(at_s, end) - start + self._began_s + 1e-4
        try:
            while float(self._next.time or 0) <= clip_s:
                self._shown = self._next
                following = next(self._frames, None)
                if following is None:
                    break
                self._next = following
        except (av.FFmpegError, ValueError) as error:
            raise EncodeError(f"clip {self._name} can't be played: {error}") from error
        shown = self._shown
        scale = max(size[0] / shown.width, size[1] / shown.height)
        covering = tuple(
            max(wanted, round(side * scale / 2) * 2) for wanted, side in zip(size, _sides(shown), strict=True)
        )
        scaled = of_frame(shown, (covering[0], covering[1]), self._reformatter, FAST_SCALING)
        return _middle(scaled, (covering[0], covering[1]), size)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()


def _sides(frame: av.VideoFrame) -> tuple[int, int]:
    return frame.width, frame.height


def _middle(picture: Yuv, given: tuple[int, int], size: tuple[int, int]) -> Yuv:
    """The middle of a picture of `given` size."""
    if given == size:
        return picture
    x, y = ((has - wanted) // 4 * 2 for has, wanted in zip(given, size, strict=True))
    parts = []
    for number, plane in enumerate(planes(picture, given)):
        by = 1 if number == 0 else 2
        parts.append(plane[y // by : (y + size[1]) // by, x // by : (x + size[0]) // by].reshape(-1))
    return np.concatenate(parts).reshape(size[1] * 3 // 2, size[0])


class PageBox(Protocol):
    """Where something moves on a page, in pixels; `motion` is "zoom" or "pan", or "none" for a clip."""

    @property
    def asset(self) -> str: ...

    @property
    def x(self) -> int: ...

    @property
    def y(self) -> int: ...

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    @property
    def step(self) -> int: ...

    @property
    def motion(self) -> str: ...


def staged(boxes: Iterable[PageBox], assets: AssetFiles, narration: Narration, stack: ExitStack) -> tuple[Moving, ...]:
    """What moves in `boxes`: from its reveal until the scene fades out, a clip as long as it lasts. Blocking.

    Clips are closed with `stack`. Raises UnknownAsset, EncodeError.
    """
    moving = list[Moving]()
    for box in boxes:
        file = assets.get(box.asset)
        if file is None or (file.kind == "clip") != (box.motion == "none"):
            raise UnknownAsset(f"asset {box.asset} is not at hand, or of another kind than the scene needs")
        start = _revealed_s(narration, box.step)
        end = max(start, narration.duration_s - FADE_OUT_FRAMES / FRAME_RATE)
        area = Box(box.x, box.y, box.width, box.height)
        if file.kind == "clip":
            until = end if file.duration_s is None else min(end, start + file.duration_s)
            moving.append(stack.enter_context(MovingClip(file.path, Place(area, box.step, (start, until)))))
        else:
            place = Place(area, box.step, (start, end))
            moving.append(MovingImage(file.path, place, "pan" if box.motion == "pan" else "zoom"))
    return tuple(moving)


def _revealed_s(narration: Narration, step: int) -> float:
    """When the page of `step` begins to appear."""
    if step == 0:
        return 0.0
    return next((cue.start_s for cue in narration.cues if cue.step >= step), 0.0)
