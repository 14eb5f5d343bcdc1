"""Aspect ratios by name, with the canvas on which pages are drawn and the size of each quality."""

from typing import Final

from attrs import frozen

from handlers.generation.errors import UnknownAspect


@frozen
class Aspect:
    """An aspect ratio; `width` and `height` of its canvas in pixels, the shorter side has 1080."""

    name: str
    width: int
    height: int

    def size(self, lines: int) -> tuple[int, int]:
        """Return (width, height) for `lines` pixels on the shorter side; both even, as yuv420p requires."""
        return _even(self.width * lines / 1080), _even(self.height * lines / 1080)


ASPECTS: Final = {
    aspect.name: aspect
    for aspect in (Aspect("16:9", 1920, 1080), Aspect("9:16", 1080, 1920), Aspect("1:1", 1080, 1080))
}


def aspect_of(name: str) -> Aspect:
    """Return the aspect of a name such as "16:9". Raises UnknownAspect."""
    try:
        return ASPECTS[name]
    except KeyError:
        raise UnknownAspect(name, ASPECTS) from None


def _even(pixels: float) -> int:
    return 2 * round(pixels / 2)
