"""From what a page says of its boxes to what moves in them, and when."""

from collections.abc import Iterable
from contextlib import ExitStack
from typing import Protocol

from handlers.generation.errors import UnknownAsset
from handlers.generation.grid import FRAME_RATE
from handlers.generation.model import AssetFiles, Narration
from handlers.generation.motion import MovingClip, MovingImage, Place
from handlers.generation.moving import Box, Moving
from handlers.generation.timeline import FADE_OUT_FRAMES


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
