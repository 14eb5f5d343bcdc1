"""Changes of a page besides its reveals: boxes that move, and overlays such as captions.

Also the types of pictures: RGB pages, transparent strips, and the encoder's yuv420p.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from handlers.generation.time_grid import FRAME_RATE

#: rgb24: height x width x 3, uint8.
Rgb = NDArray[np.uint8]
#: yuv420p, limited range, bt709: (height * 3 / 2) x width, uint8.
Yuv = NDArray[np.uint8]
#: height x width x 4, uint8, straight alpha.
Rgba = NDArray[np.uint8]


@frozen(kw_only=True)
class Rect:
    """A rectangle of a picture, in pixels."""

    x: int
    y: int
    width: int
    height: int

    def scaled(self, drawn: tuple[int, int], size: tuple[int, int]) -> "Rect":
        """Scale from a picture of `drawn` (width, height) to one of `size`: sides even, at least 2x2, inside."""
        across, down = size[0] / drawn[0], size[1] / drawn[1]
        left, top = _even(self.x * across), _even(self.y * down)
        right, bottom = _even((self.x + self.width) * across), _even((self.y + self.height) * down)
        left, top = min(left, _below(size[0]) - 2), min(top, _below(size[1]) - 2)
        right, bottom = min(right, _below(size[0])), min(bottom, _below(size[1]))
        return Rect(x=left, y=top, width=max(2, right - left), height=max(2, bottom - top))


def _even(value: float) -> int:
    return max(0, round(value / 2) * 2)


def _below(size: int) -> int:
    return size // 2 * 2


class MovingBox(Protocol):
    """A box of the page in which every frame may differ: a zoomed or panned picture, or a clip."""

    @property
    def box(self) -> Rect:
        """The box in pixels of the drawn page."""

    @property
    def step(self) -> int:
        """The reveal step from which on it is on the page."""

    @property
    def span_s(self) -> tuple[float, float]:
        """The time of its motion in seconds from the start of the scene; its first and last frames stand around it."""

    def frame(self, at_s: float, size: tuple[int, int]) -> Yuv:
        """Return the content of the box `at_s` seconds after the start of the scene, scaled to `size` (even).

        Times must not go back. Blocking. Raises MediaError.
        """


@frozen(eq=False)
class Strip:
    """A transparent picture over the page, its upper left corner at (x, y) in pixels of the drawn page."""

    x: int
    y: int
    rgba: Rgba


class Overlay(Protocol):
    """A layer over the pages of a scene, such as captions."""

    @property
    def cuts_s(self) -> tuple[float, ...]:
        """The times of its changes in seconds from the start of the scene."""

    def at(self, at_s: float) -> Strip | None:
        """Return the strip shown at that time: the same object until it changes; None for nothing."""


class State(Protocol):
    """Content shown from `start_s` to `end_s`, in seconds from the start of the scene."""

    @property
    def start_s(self) -> float: ...

    @property
    def end_s(self) -> float: ...


S = TypeVar("S", bound=State)


class TimedOverlay(Generic[S]):
    """An overlay of states in order of time; `paint` makes (x, y, rgba) of a state when its time comes."""

    def __init__(self, states: Sequence[S], paint: Callable[[S], tuple[int, int, Rgba]]) -> None:
        self._states, self._paint = states, paint
        self._starts = [state.start_s for state in states]
        self._painted: tuple[int, Strip] | None = None

    @property
    def cuts_s(self) -> tuple[float, ...]:
        """The starts and ends of all states."""
        return tuple(sorted({at_s for state in self._states for at_s in (state.start_s, state.end_s)}))

    def at(self, at_s: float) -> Strip | None:
        """Return the strip of the state shown at `at_s`, rounded to frames; None between states."""
        half_frame = 0.5 / FRAME_RATE
        number = bisect_right(self._starts, at_s + half_frame) - 1
        if number < 0 or self._states[number].end_s <= at_s + half_frame:
            return None
        if self._painted is None or self._painted[0] != number:
            x, y, rgba = self._paint(self._states[number])
            self._painted = (number, Strip(x, y, rgba))
        return self._painted[1]
