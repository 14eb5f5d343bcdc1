"""Pictures as the encoder takes them: drawn once, scaled for each rendition, blended where they change, with what moves
and what is laid over them put in."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from attrs import frozen
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from handlers.generation.encoding.alpha_blend import Mask, mask_of
from handlers.generation.encoding.colours import Plane, planes, to_yuv
from handlers.generation.encoding.overlays import Box, Moving, Overlay, Rgb, Rgba, Strip, Yuv
from handlers.generation.encoding.timeline import BLANK, FULL_MIX, Shot

__all__ = ["Draw", "PictureStore", "Rgb", "Yuv", "blend"]

#: Draws picture n of a scene (BLANK included).
Draw = Callable[[int], Rgb]
#: What of picture n lies over what moves, as large as the page; None: nothing.
Layer = Callable[[int], Rgba | None]
Size = tuple[int, int]

#: A crossfade needs two pictures; one more spares a redraw when a fade is followed by the next.
_KEPT: Final = 3
#: Products of differences and mixes in 1/128 fit in 16 bits.
_BITS: Final = 7


class PictureStore:
    """The last few pictures, drawn on demand, in the sizes (width, height) of all renditions."""

    def __init__(
        self,
        draw: Draw,
        sizes: tuple[Size, ...],
        moving: Sequence[Moving] = (),
        overlay: Overlay | None = None,
        layer: Layer | None = None,
    ) -> None:
        """`layer` gives what of a picture lies over what moves, the same from one time to the next."""
        self._draw, self._sizes, self._moving, self._overlay = draw, sizes, tuple(moving), overlay
        self._reformatter, self._layer = VideoReformatter(), layer
        self._layers: OrderedDict[tuple[int, Size], Mask | None] = OrderedDict()
        self._kept: OrderedDict[int, dict[Size, Yuv]] = OrderedDict()
        self._fade: dict[Size, tuple[tuple[int, int], _Fade]] = {}
        self._masks: dict[Size, tuple[Strip, Mask]] = {}
        self._drawn: Size = (0, 0)
        self._moved: dict[tuple[int, Size], tuple[float, Yuv]] = {}

    def get(self, picture: int, size: Size) -> Yuv:
        """Picture n at `size`, as it was drawn."""
        if picture not in self._kept:
            rgb = self._draw(picture)
            self._drawn = rgb.shape[1], rgb.shape[0]
            self._kept[picture] = {wanted: to_yuv(rgb, wanted, self._reformatter) for wanted in self._sizes}
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(picture)
        return self._kept[picture][size]

    def shown(self, shot: Shot, size: Size) -> Yuv:
        """What is on the screen while `shot` is, at `size`. Not to be written to."""
        shown = self._page(shot, size)
        strip = self._overlay.at(shot.start_s) if self._overlay else None
        if strip is None:
            return shown
        if size not in self._masks or self._masks[size][0] is not strip:
            self._masks[size] = (strip, mask_of(strip, self._drawn, size))
        return self._masks[size][1].over(shown)

    def _page(self, shot: Shot, size: Size) -> Yuv:
        picture = self._with_motion(shot.picture, shot.start_s, size)
        if shot.towards is None:
            return picture
        if any(moving.step <= max(shot.picture, shot.towards) for moving in self._moving):
            return _Fade(picture, self._with_motion(shot.towards, shot.start_s, size), size).at(shot.mix)
        pair = (shot.picture, shot.towards)
        if size not in self._fade or self._fade[size][0] != pair:
            self._fade[size] = (pair, _Fade(picture, self.get(shot.towards, size), size))
        return self._fade[size][1].at(shot.mix)

    def _with_motion(self, picture: int, at_s: float, size: Size) -> Yuv:
        shown = self.get(picture, size)
        for number, moving in enumerate(self._moving):
            if picture == BLANK or picture < moving.step:
                continue
            box = moving.box.scaled(self._drawn, size)
            key = (number, size)
            if key not in self._moved or self._moved[key][0] != at_s:
                self._moved[key] = (at_s, moving.frame(at_s, (box.width, box.height)))
            shown = self._under_layer(_pasted(shown, self._moved[key][1], box, size), picture, size)
        return shown

    def _under_layer(self, shown: Yuv, picture: int, size: Size) -> Yuv:
        if self._layer is None:
            return shown
        key = (picture, size)
        if key not in self._layers:
            rgba = self._layer(picture)
            self._layers[key] = None if rgba is None else mask_of(Strip(0, 0, rgba), self._drawn, size)
            while len(self._layers) > 2 * len(self._sizes):  # both ends of a crossfade
                self._layers.popitem(last=False)
        mask = self._layers[key]
        return shown if mask is None else mask.over(shown)


def blend(picture: Yuv, towards: Yuv, mix: int) -> Yuv:
    """`mix`/256 of the way from one picture to the other."""
    height, width = picture.shape
    return _Fade(picture, towards, (width, height * 2 // 3)).at(mix)


@frozen
class _Part:
    """Where a plane changes: `difference` is int16."""

    plane: int
    rows: slice
    columns: slice
    difference: NDArray[np.int16]


class _Fade:
    """From one picture to another: what differs is found once, and it alone is computed."""

    def __init__(self, picture: Yuv, towards: Yuv, size: Size) -> None:
        self._picture, self._size = picture, size
        pairs = zip(planes(picture, size), planes(towards, size), strict=True)
        self._parts = [part for number, (a, b) in enumerate(pairs) if (part := _difference(number, a, b)) is not None]

    def at(self, mix: int) -> Yuv:
        """`mix`/256 of the way."""
        if not self._parts:
            return self._picture
        result = self._picture.copy()
        found, weight = planes(result, self._size), np.int16(mix >> (FULL_MIX.bit_length() - 1 - _BITS))
        for part in self._parts:
            moved = part.difference * weight
            moved += np.int16(1 << (_BITS - 1))
            moved >>= np.int16(_BITS)
            area = found[part.plane][part.rows, part.columns]
            np.add(area, moved, out=area, casting="unsafe")
        return result


def _difference(number: int, one: Plane, other: Plane) -> _Part | None:
    rows = np.flatnonzero((one != other).any(axis=1))
    if not len(rows):
        return None
    high = slice(int(rows[0]), int(rows[-1]) + 1)
    columns = np.flatnonzero((one[high] != other[high]).any(axis=0))
    wide = slice(int(columns[0]), int(columns[-1]) + 1)
    return _Part(number, high, wide, other[high, wide].astype(np.int16) - one[high, wide])


def _pasted(picture: Yuv, part: Yuv, box: Box, size: Size) -> Yuv:
    """`picture` with `part` in the box (even numbers all)."""
    result = picture.copy()
    for number, (plane, piece) in enumerate(
        zip(planes(result, size), planes(part, (box.width, box.height)), strict=True)
    ):
        by = 1 if number == 0 else 2
        plane[box.y // by : (box.y + box.height) // by, box.x // by : (box.x + box.width) // by] = piece
    return result
