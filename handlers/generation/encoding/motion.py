"""Moving boxes of a page: pictures that are zoomed into or panned over, and clips, with their times."""

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Literal, Protocol, Self

import av
import numpy as np
from attrs import frozen
from av.video.reformatter import VideoReformatter
from PIL import Image, ImageOps

from handlers.generation.encoding.overlays import MovingBox, Rect, Yuv
from handlers.generation.encoding.pictures import FAST_SCALING, frame_to_yuv, planes, region, to_yuv
from handlers.generation.encoding.timeline import FADE_OUT_FRAMES
from handlers.generation.errors import EncodeError, UnknownAsset
from handlers.generation.model import AssetFiles, Narration
from handlers.generation.time_grid import FRAME_RATE
from handlers.media.decode import FrameReader, open_clip
from handlers.media.errors import CorruptMedia

#: The scale at the end of a zoom; a pan shows 1/1.12 of the picture at a time.
ZOOM: Final = 1.12
#: Far above ingest's limits (`asset_pictures`: at most 3840x8192 pixels).
_MAX_PIXELS: Final = 100_000_000
#: Times of frames are rounded to the container's time base.
_TOLERANCE_S: Final = 1e-4

#: Left, top, right, bottom; fractions of pixels.
Window = tuple[float, float, float, float]


@frozen
class Placement:
    """The place of a motion: pixels of the drawn page, first reveal step, and seconds from the start of the scene."""

    box: Rect
    step: int
    span_s: tuple[float, float]

    def part(self, at_s: float) -> float:
        """Return the elapsed part of the span, 0 to 1."""
        start, end = self.span_s
        return min(1.0, max(0.0, (at_s - start) / max(end - start, 1e-6)))


class MovingImage:
    """A still picture that fills its box, slowly zoomed into or panned over.

    It is scaled to the size of the box and converted to yuv420p once; a frame is a scaled window of its planes. Windows
    have sides in fractions of a pixel, so that motion is smooth.
    """

    def __init__(self, image: Path, place: Placement, motion: Literal["zoom", "pan"]) -> None:
        """Read the picture. Blocking. Raises EncodeError."""
        self._place, self._motion = place, motion
        try:
            with Image.open(image) as opened:
                if opened.width * opened.height > _MAX_PIXELS:
                    raise EncodeError(f"the picture has {opened.width}x{opened.height} pixels: make it smaller")
                picture = ImageOps.exif_transpose(opened).convert("RGB")
        except (OSError, Image.DecompressionBombError, SyntaxError, ValueError) as error:
            raise EncodeError(f"a picture can't be read: {error}") from error
        self._size = self._covering(picture.size)
        self._wide = picture.width * place.box.height > place.box.width * picture.height
        rgb = np.asarray(picture.resize(self._size, Image.Resampling.LANCZOS, reducing_gap=2.0))
        self._planes = [Image.fromarray(p) for p in planes(to_yuv(rgb, self._size, VideoReformatter()), self._size)]

    @property
    def box(self) -> Rect:
        return self._place.box

    @property
    def step(self) -> int:
        return self._place.step

    @property
    def span_s(self) -> tuple[float, float]:
        return self._place.span_s

    def frame(self, at_s: float, size: tuple[int, int]) -> Yuv:
        """Return the window at that time."""
        left, top, right, bottom = self._window(self._place.part(at_s))
        parts = []
        for number, plane in enumerate(self._planes):
            by = 1 if number == 0 else 2
            window = (left / by, top / by, right / by, bottom / by)
            wanted = (size[0] // by, size[1] // by)
            parts.append(np.asarray(plane.resize(wanted, Image.Resampling.BILINEAR, box=window)).reshape(-1))
        return np.concatenate(parts).reshape(size[1] * 3 // 2, size[0])

    def _covering(self, given: tuple[int, int]) -> tuple[int, int]:
        """Return the size in which the picture covers its box at the end of the zoom."""
        box = self._place.box
        scale = max(box.width / given[0], box.height / given[1]) * ZOOM
        width, height = (max(4, round(side * scale / 2) * 2) for side in given)
        return width, height

    def _window(self, part: float) -> Window:
        width, height = self._size
        box = self._place.box
        cover = min(width / box.width, height / box.height)
        zoom = 1 + (ZOOM - 1) * part if self._motion == "zoom" else ZOOM
        across, down = box.width * cover / zoom, box.height * cover / zoom
        along = part if self._motion == "pan" else 0.5
        x = (width - across) * (along if self._wide or height - down <= width - across else 0.5)
        y = (height - down) * (along if not self._wide and height - down > width - across else 0.5)
        return x, y, x + across, y + down


class MovingClip:
    """A clip from its beginning, cropped to fill its box; its last frame stands to the end."""

    def __init__(self, clip: Path, place: Placement) -> None:
        """Open the clip and decode its first frame. Blocking. Raises EncodeError."""
        self._place, self._name = place, clip.name
        self._reformatter = VideoReformatter()
        try:
            self._container = open_clip(clip)
        except (av.FFmpegError, ValueError) as error:
            raise EncodeError(f"clip {clip.name} can't be read: {error}") from error
        self._frames = FrameReader(self._container)
        try:
            self._frame_at(0.0)
        except EncodeError:
            self._container.close()
            raise

    @property
    def box(self) -> Rect:
        return self._place.box

    @property
    def step(self) -> int:
        return self._place.step

    @property
    def span_s(self) -> tuple[float, float]:
        return self._place.span_s

    def frame(self, at_s: float, size: tuple[int, int]) -> Yuv:
        """Return the frame that the clip shows at that time."""
        start, end = self._place.span_s
        shown = self._frame_at(min(at_s, end) - start + _TOLERANCE_S)
        scale = max(size[0] / shown.width, size[1] / shown.height)
        covering = tuple(
            max(wanted, round(side * scale / 2) * 2) for wanted, side in zip(size, _sides(shown), strict=True)
        )
        scaled = frame_to_yuv(shown, (covering[0], covering[1]), self._reformatter, FAST_SCALING)
        return _middle(scaled, (covering[0], covering[1]), size)

    def _frame_at(self, clip_s: float) -> av.VideoFrame:
        try:
            return self._frames.frame_at(clip_s)
        except CorruptMedia as error:
            raise EncodeError(f"clip {self._name}: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()


def _sides(frame: av.VideoFrame) -> tuple[int, int]:
    return frame.width, frame.height


def _middle(picture: Yuv, given: tuple[int, int], size: tuple[int, int]) -> Yuv:
    """Crop a picture of `given` size to its middle of `size`."""
    if given == size:
        return picture
    x, y = ((has - wanted) // 4 * 2 for has, wanted in zip(given, size, strict=True))
    middle = Rect(x=x, y=y, width=size[0], height=size[1])
    parts = [region(plane, number, middle).reshape(-1) for number, plane in enumerate(planes(picture, given))]
    return np.concatenate(parts).reshape(size[1] * 3 // 2, size[0])


class PageBox(Protocol):
    """A box of a page for a moving picture or clip, in pixels; `motion` is "zoom" or "pan", or "none" for a clip."""

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


def open_motions(
    boxes: Iterable[PageBox], assets: AssetFiles, narration: Narration, stack: ExitStack
) -> tuple[MovingBox, ...]:
    """Open the pictures and clips of `boxes`: each moves from its reveal until the scene fades out, or its clip ends.

    `stack` closes the clips. Blocking. Raises UnknownAsset, EncodeError.
    """
    moving = list[MovingBox]()
    for box in boxes:
        file = assets.get(box.asset)
        if file is None or (file.kind == "clip") != (box.motion == "none"):
            raise UnknownAsset(f"asset {box.asset} is missing, or not of the kind that the scene needs")
        start = _revealed_s(narration, box.step)
        end = max(start, narration.duration_s - FADE_OUT_FRAMES / FRAME_RATE)
        area = Rect(x=box.x, y=box.y, width=box.width, height=box.height)
        if file.kind == "clip":
            until = end if file.duration_s is None else min(end, start + file.duration_s)
            moving.append(stack.enter_context(MovingClip(file.path, Placement(area, box.step, (start, until)))))
        else:
            place = Placement(area, box.step, (start, end))
            moving.append(MovingImage(file.path, place, "pan" if box.motion == "pan" else "zoom"))
    return tuple(moving)


def _revealed_s(narration: Narration, step: int) -> float:
    """Return the time in seconds at which the page of `step` begins to appear."""
    if step == 0:
        return 0.0
    return next((cue.start_s for cue in narration.cues if cue.step >= step), 0.0)
