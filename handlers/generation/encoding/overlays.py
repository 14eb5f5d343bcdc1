"""Overlays: boxes of a page that move, and strips that lie over everything, such as captions.

Overlays from states that follow each other in time, such as captions whose spoken word is marked.

What changes on a page besides its reveals: boxes that move, and strips that are laid over everything.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

#: rgb24: height x width x 3, uint8.
Rgb = NDArray[np.uint8]
#: yuv420p, limited range, bt709: (height * 3 / 2) x width, uint8.
Yuv = NDArray[np.uint8]
#: height x width x 4, uint8, straight alpha.
Rgba = NDArray[np.uint8]


@frozen
class Box:
    """A part of a picture in its pixels."""

    x: int
    y: int
    width: int
    height: int

    def scaled(self, drawn: tuple[int, int], size: tuple[int, int]) -> "Box":
        """The same part of a picture of `size` instead of `drawn` (width, height): even, at least 2x2, inside."""
        across, down = size[0] / drawn[0], size[1] / drawn[1]
        left, top = _even(self.x * across), _even(self.y * down)
        right, bottom = _even((self.x + self.width) * across), _even((self.y + self.height) * down)
        left, top = min(left, _below(size[0]) - 2), min(top, _below(size[1]) - 2)
        right, bottom = min(right, _below(size[0])), min(bottom, _below(size[1]))
        return Box(left, top, max(2, right - left), max(2, bottom - top))


def _even(value: float) -> int:
    return max(0, round(value / 2) * 2)


def _below(size: int) -> int:
    return size // 2 * 2


class Moving(Protocol):
    """A box of the page in which every frame may differ: a picture that is zoomed into, a clip."""

    @property
    def box(self) -> Box:
        """Where, in pixels of the drawn page."""

    @property
    def step(self) -> int:
        """The reveal from which on it is on the page."""

    @property
    def span_s(self) -> tuple[float, float]:
        """When it moves, in seconds from the start of the scene; before and after, its first and last frame stand."""

    def frame(self, at_s: float, size: tuple[int, int]) -> Yuv:
        """What is in the box `at_s` seconds after the start of the scene, scaled to `size` (even); times never go back.

        Blocking; raises MediaError.
        """


@frozen(eq=False)
class Strip:
    """Something laid over the page: `rgba` with its upper left corner at (x, y), in pixels of the drawn page."""

    x: int
    y: int
    rgba: Rgba


class Overlay(Protocol):
    """What is laid over the pages of a scene, such as captions."""

    @property
    def cuts_s(self) -> tuple[float, ...]:
        """The times at which it changes, in seconds from the start of the scene."""

    def at(self, at_s: float) -> Strip | None:
        """What is shown then; the same object as long as it doesn't change."""


class State(Protocol):
    """Something to be shown from `start_s` to `end_s`, in seconds from the start of the scene."""

    @property
    def start_s(self) -> float: ...

    @property
    def end_s(self) -> float: ...


S = TypeVar("S", bound=State)


class TimedOverlay(Generic[S]):
    """`states` in order of time, each painted when its time comes: `paint` gives (x, y, rgba) on the drawn page."""

    def __init__(self, states: Sequence[S], paint: Callable[[S], tuple[int, int, Rgba]]) -> None:
        self._states, self._paint = states, paint
        self._starts = [state.start_s for state in states]
        self._painted: tuple[int, Strip] | None = None

    @property
    def cuts_s(self) -> tuple[float, ...]:
        """Beginnings and ends."""
        return tuple(sorted({at_s for state in self._states for at_s in (state.start_s, state.end_s)}))

    def at(self, at_s: float) -> Strip | None:
        """The strip of the state that has come last, unless it is over. Times are rounded to frames by the caller."""
        half_frame = 1 / 60
        number = bisect_right(self._starts, at_s + half_frame) - 1
        if number < 0 or self._states[number].end_s <= at_s + half_frame:
            return None
        if self._painted is None or self._painted[0] != number:
            x, y, rgba = self._paint(self._states[number])
            self._painted = (number, Strip(x, y, rgba))
        return self._painted[1]
