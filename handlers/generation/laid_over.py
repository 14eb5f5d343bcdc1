"""Overlays from states that follow each other in time, such as captions whose spoken word is marked."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from handlers.generation.moving import Rgba, Strip


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
