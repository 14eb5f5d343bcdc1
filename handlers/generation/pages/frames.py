"""Where things stand on a canvas, by aspect, and how much of a script a page holds."""

from typing import Any, Final

from attrs import asdict, evolve, frozen

from handlers.generation.aspects import aspect_of


@frozen
class Frame:
    """Lengths in points, one for each pixel of the canvas. Text stays between `left` and `width - right`, and its body
    between `top` and `bottom`; `scale` is of type, `heading` and `title` are sizes, `shape` decides on arrangements.
    """

    shape: str
    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    scale: float
    heading: float
    heading_height: float
    title: float
    section: float
    quote: float
    #: Whether there is room for the deck's title and the page's number. Upright pages have these at the head.
    footed: bool = True

    def data(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def above_captions(self) -> "Frame":
        """The frame of pages over which captions are drawn: two rows of them have the foot to themselves."""
        return evolve(self, bottom=min(self.bottom, self.height - _CAPTIONS), footed=self.shape == "tall")

    @property
    def room(self) -> float:
        """Width of the body."""
        return self.width - self.left - self.right


#: From the foot of the canvas to the top of two rows of captions (`burning`), and a little air.
_CAPTIONS: Final = 220

_FRAMES: Final = {
    "16:9": Frame("wide", 1920, 1080, 130, 130, 98, 940, 1.0, 72, 190, 116, 104, 84),
    # Players of upright videos lay their own signs over the lower part, and captions stand there.
    "9:16": Frame("tall", 1080, 1920, 84, 84, 250, 1560, 1.16, 80, 330, 112, 108, 82),
    "1:1": Frame("square", 1080, 1080, 76, 76, 90, 948, 0.94, 62, 160, 92, 86, 68),
}


def frame_of(aspect: str) -> Frame:
    """Raises UnknownAspect."""
    return _FRAMES[aspect_of(aspect).name]
