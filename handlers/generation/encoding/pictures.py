"""Strips with an alpha channel on yuv420p pictures: scaled once for each rendition, blended in their own rows alone.

From RGB to the encoder's yuv420p (bt709, limited range), and its planes.

Pictures as the encoder takes them: drawn once, scaled for each rendition, blended where they change, with what moves
and what is laid over them put in.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

import av
import numpy as np
from attrs import frozen
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray
from PIL import Image

from handlers.generation.encoding.overlays import MovingBox, Overlay, Rect, Rgb, Rgba, Strip, Yuv
from handlers.generation.encoding.timeline import BLANK, FULL_MIX, Shot

#: A plane of yuv420p, or a part of one.
Plane = NDArray[np.uint8]

_SCALING: Final = Interpolation.LANCZOS | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP
#: What moves isn't looked at for long, and is scaled 30 times a second.
FAST_SCALING: Final = Interpolation.BILINEAR


def to_yuv(rgb: Rgb, size: tuple[int, int], reformatter: VideoReformatter) -> Yuv:
    """`rgb` scaled to `size` (width, height)."""
    # rgb24 comes untagged; without both ends named swscale would take bt601.
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
    return frame_to_yuv(frame, size, reformatter, _SCALING, ColorRange.JPEG)


def frame_to_yuv(
    frame: av.VideoFrame,
    size: tuple[int, int],
    reformatter: VideoReformatter,
    scaling: Interpolation,
    given: ColorRange | None = None,
) -> Yuv:
    """A frame of any format scaled to `size` (width, height); `given` is its range where it doesn't say."""
    scaled = reformatter.reformat(
        frame,
        width=size[0],
        height=size[1],
        format="yuv420p",
        src_color_range=given,
        dst_color_range=ColorRange.MPEG,
        dst_colorspace=Colorspace.ITU709,
        interpolation=scaling,
        threads=1,
    )
    return np.asarray(scaled.to_ndarray(), dtype=np.uint8)


def planes(picture: Yuv, size: tuple[int, int]) -> tuple[Plane, Plane, Plane]:
    """Views of Y (height x width), U and V (half of both)."""
    width, height = size
    flat = picture.reshape(-1)
    chroma = flat[width * height :].reshape(2, height // 2, width // 2)
    return flat[: width * height].reshape(height, width), chroma[0], chroma[1]


Floats = NDArray[np.float32]

#: bt709, limited range: R'G'B' of 0..255 -> Y, Cb, Cr.
_MATRIX = np.array([[0.1826, 0.6142, 0.0620], [-0.1006, -0.3386, 0.4392], [0.4392, -0.3989, -0.0403]], dtype=np.float32)
_OFFSETS = np.array([16, 128, 128], dtype=np.float32)


@frozen
class StripMask:
    """A strip for pictures of `size`: of each plane what is added, and how much of it is left, both in 1/256."""

    size: tuple[int, int]
    box: Rect
    added: tuple[NDArray[np.uint16], ...]
    left: tuple[NDArray[np.uint16], ...]

    def over(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """`picture` with the strip on it."""
        result = picture.copy()
        box = self.box
        for number, plane in enumerate(planes(result, self.size)):
            by = 1 if number == 0 else 2
            area = plane[box.y // by : (box.y + box.height) // by, box.x // by : (box.x + box.width) // by]
            area[...] = (area * self.left[number] + self.added[number]) >> np.uint16(8)
        return result


def strip_mask(strip: Strip, drawn: tuple[int, int], size: tuple[int, int]) -> StripMask:
    """`strip`, meant for pages of `drawn` pixels, for pictures of `size`; what is outside of the page is cut off."""
    whole = strip.rgba[max(0, -strip.y) : drawn[1] - strip.y, max(0, -strip.x) : drawn[0] - strip.x]
    top, bottom = _seen(np.atleast_1d(whole[..., 3].any(axis=1)))
    left_end, right_end = _seen(np.atleast_1d(whole[..., 3].any(axis=0)))
    rgba = whole[top:bottom, left_end:right_end]
    height, width = rgba.shape[:2]
    box = Rect(max(0, strip.x) + left_end, max(0, strip.y) + top, width, height).scaled(drawn, size)
    # With its alpha multiplied in, so that colours of clear pixels don't bleed at the edges.
    alpha = rgba[..., 3:].astype(np.float32) / 255
    layers = np.concatenate([rgba[..., :3] * alpha, alpha], axis=2)
    scaled = np.stack([_resized(layers[..., n], box) for n in range(4)], axis=2)
    small = scaled.reshape(box.height // 2, 2, box.width // 2, 2, 4).mean(axis=(1, 3))
    added, left = [], []
    for number in range(3):
        layer = scaled if number == 0 else small
        value = layer[..., :3] @ _MATRIX[number] + _OFFSETS[number] * layer[..., 3]
        added.append(np.clip(value * 256 + 128, 0, 255 * 256).astype(np.uint16))
        left.append(np.round((1 - layer[..., 3]) * 256).astype(np.uint16))
    # What is left of the picture and what is added never come to more than fits.
    fitting = [np.minimum(a, np.uint16(65535) - np.uint16(255) * kept) for a, kept in zip(added, left, strict=True)]
    return StripMask(size, box, tuple(fitting), tuple(left))


def _seen(some: NDArray[np.bool_]) -> tuple[int, int]:
    """From the first to behind the last that is true; one of them where none is."""
    found = np.flatnonzero(some)
    return (int(found[0]), int(found[-1]) + 1) if len(found) else (0, 1)


def _resized(layer: Floats, box: Rect) -> Floats:
    image = Image.fromarray(np.ascontiguousarray(layer, dtype=np.float32), mode="F")
    scaled = np.asarray(image.resize((box.width, box.height), Image.Resampling.BILINEAR), dtype=np.float32)
    return np.clip(scaled, np.float32(0), np.float32(255))


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
        moving: Sequence[MovingBox] = (),
        overlay: Overlay | None = None,
        layer: Layer | None = None,
    ) -> None:
        """`layer` gives what of a picture lies over what moves, the same from one time to the next."""
        self._draw, self._sizes, self._moving, self._overlay = draw, sizes, tuple(moving), overlay
        self._reformatter, self._layer = VideoReformatter(), layer
        self._layers: OrderedDict[tuple[int, Size], StripMask | None] = OrderedDict()
        self._kept: OrderedDict[int, dict[Size, Yuv]] = OrderedDict()
        self._fade: dict[Size, tuple[tuple[int, int], _Fade]] = {}
        self._masks: dict[Size, tuple[Strip, StripMask]] = {}
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
            self._masks[size] = (strip, strip_mask(strip, self._drawn, size))
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
            self._layers[key] = None if rgba is None else strip_mask(Strip(0, 0, rgba), self._drawn, size)
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


def _pasted(picture: Yuv, part: Yuv, box: Rect, size: Size) -> Yuv:
    """`picture` with `part` in the box (even numbers all)."""
    result = picture.copy()
    for number, (plane, piece) in enumerate(
        zip(planes(result, size), planes(part, (box.width, box.height)), strict=True)
    ):
        by = 1 if number == 0 else 2
        plane[box.y // by : (box.y + box.height) // by, box.x // by : (box.x + box.width) // by] = piece
    return result
