"""Composes the pictures of a scene for the encoder, as yuv420p (bt709, limited range).

Pages are drawn once and scaled for each rendition. Crossfades are computed only where two pages differ; moving boxes
and overlays are put in only where they lie.
"""

from collections.abc import Callable, Sequence
from typing import Final

import av
import numpy as np
from attrs import frozen
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from cachetools import LRUCache
from numpy.typing import NDArray
from PIL import Image

from handlers.generation.encoding.overlays import MovingBox, Overlay, Rect, Rgb, Rgba, Strip, Yuv
from handlers.generation.encoding.timeline import BLANK, FULL_MIX, Shot

#: A plane of yuv420p, or a part of one: height x width, uint8.
Plane = NDArray[np.uint8]
#: (width, height) in pixels.
Size = tuple[int, int]

#: Draws picture n of a scene (BLANK included).
Draw = Callable[[int], Rgb]
#: Returns the part of picture n that lies over moving boxes, in the size of the page; None where there is none.
Layer = Callable[[int], Rgba | None]

_SCALING: Final = Interpolation.LANCZOS | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP
#: For moving boxes, which are scaled 30 times a second and of which no frame is seen for long.
FAST_SCALING: Final = Interpolation.BILINEAR

#: Pictures kept in all sizes: two for a crossfade, and one that the next crossfade may need again.
_MAX_PICTURES: Final = 3
#: Crossfades are computed with 7 bits: products of differences (9 bits) and mixes fit into 16.
_BITS: Final = 7


def to_yuv(rgb: Rgb, size: tuple[int, int], reformatter: VideoReformatter) -> Yuv:
    """Scale `rgb` to `size` as yuv420p."""
    # rgb24 has no tags; unless the matrix and both ranges are named, swscale assumes bt601.
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
    return frame_to_yuv(frame, size, reformatter, _SCALING, ColorRange.JPEG)


def frame_to_yuv(
    frame: av.VideoFrame,
    size: tuple[int, int],
    reformatter: VideoReformatter,
    scaling: Interpolation,
    given: ColorRange | None = None,
) -> Yuv:
    """Scale a frame of any format to `size` as yuv420p; `given` is its colour range if it is untagged."""
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
    """Return views of Y (height x width), U and V (half of both) of a picture of `size`."""
    width, height = size
    flat = picture.reshape(-1)
    chroma = flat[width * height :].reshape(2, height // 2, width // 2)
    return flat[: width * height].reshape(height, width), chroma[0], chroma[1]


def region(plane: Plane, number: int, box: Rect) -> Plane:
    """Return a view of plane `number` (0 is Y) of yuv420p within `box`, whose sides are even numbers of pixels."""
    by = 1 if number == 0 else 2
    return plane[box.y // by : (box.y + box.height) // by, box.x // by : (box.x + box.width) // by]


Floats = NDArray[np.float32]

#: ITU-R BT.709, limited range: R'G'B' of 0..255 -> Y, Cb, Cr.
_MATRIX = np.array([[0.1826, 0.6142, 0.0620], [-0.1006, -0.3386, 0.4392], [0.4392, -0.3989, -0.0403]], dtype=np.float32)
_OFFSETS = np.array([16, 128, 128], dtype=np.float32)


@frozen(kw_only=True)
class StripMask:
    """A transparent strip, prepared for pictures of `size`.

    For each plane within `box`: the value `added` and the share of the picture `left`, both in 1/256.
    """

    size: tuple[int, int]
    box: Rect
    added: tuple[NDArray[np.uint16], ...]
    left: tuple[NDArray[np.uint16], ...]

    def over(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a copy of `picture` with the strip on it."""
        result = picture.copy()
        for number, plane in enumerate(planes(result, self.size)):
            area = region(plane, number, self.box)
            area[...] = (area * self.left[number] + self.added[number]) >> np.uint16(8)
        return result


def strip_mask(strip: Strip, drawn: tuple[int, int], size: tuple[int, int]) -> StripMask:
    """Prepare `strip`, which was drawn for pages of `drawn` pixels, for pictures of `size`; cropped to the page."""
    whole = strip.rgba[max(0, -strip.y) : drawn[1] - strip.y, max(0, -strip.x) : drawn[0] - strip.x]
    top, bottom = _seen(np.atleast_1d(whole[..., 3].any(axis=1)))
    left_end, right_end = _seen(np.atleast_1d(whole[..., 3].any(axis=0)))
    rgba = whole[top:bottom, left_end:right_end]
    height, width = rgba.shape[:2]
    box = Rect(x=max(0, strip.x) + left_end, y=max(0, strip.y) + top, width=width, height=height).scaled(drawn, size)
    # Premultiplied, so that the colours of transparent pixels don't bleed in at the edges.
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
    # The sum of both shares must fit into 16 bits.
    fitting = [np.minimum(a, np.uint16(65535) - np.uint16(255) * kept) for a, kept in zip(added, left, strict=True)]
    return StripMask(size=size, box=box, added=tuple(fitting), left=tuple(left))


def _seen(some: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the range from the first true value to the last; (0, 1) where none is true."""
    found = np.flatnonzero(some)
    return (int(found[0]), int(found[-1]) + 1) if len(found) else (0, 1)


def _resized(layer: Floats, box: Rect) -> Floats:
    image = Image.fromarray(np.ascontiguousarray(layer, dtype=np.float32), mode="F")
    scaled = np.asarray(image.resize((box.width, box.height), Image.Resampling.BILINEAR), dtype=np.float32)
    return np.clip(scaled, np.float32(0), np.float32(255))


__all__ = ["Draw", "PictureStore", "Rgb", "Yuv", "blend"]


class PictureStore:
    """Composes the pictures of a scene in the sizes of all renditions; pages are drawn on demand and kept shortly."""

    def __init__(
        self,
        draw: Draw,
        sizes: tuple[Size, ...],
        moving: Sequence[MovingBox] = (),
        overlay: Overlay | None = None,
        layer: Layer | None = None,
    ) -> None:
        """`sizes` are those of the renditions. `layer(n)` must always return the same picture."""
        self._draw, self._sizes, self._moving, self._overlay = draw, sizes, tuple(moving), overlay
        self._reformatter, self._layer = VideoReformatter(), layer
        #: Both ends of a crossfade, in every size.
        self._layers: LRUCache[tuple[int, Size], StripMask | None] = LRUCache(2 * len(sizes))
        self._kept: LRUCache[int, dict[Size, Yuv]] = LRUCache(_MAX_PICTURES)
        self._fade: dict[Size, tuple[tuple[int, int], _Fade]] = {}
        self._masks: dict[Size, tuple[Strip, StripMask]] = {}
        self._drawn: Size = (0, 0)
        self._moved: dict[tuple[int, Size], tuple[float, Yuv]] = {}

    def get(self, picture: int, size: Size) -> Yuv:
        """Return page n at `size`, without moving boxes and overlay."""
        if picture not in self._kept:
            rgb = self._draw(picture)
            self._drawn = rgb.shape[1], rgb.shape[0]
            self._kept[picture] = {wanted: to_yuv(rgb, wanted, self._reformatter) for wanted in self._sizes}
        return self._kept[picture][size]

    def shown(self, shot: Shot, size: Size) -> Yuv:
        """Compose the picture of `shot` at `size`. Callers must not write to it."""
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
        mask = self._layers[key]
        return shown if mask is None else mask.over(shown)


def blend(picture: Yuv, towards: Yuv, mix: int) -> Yuv:
    """Mix two pictures: `mix`/256 of `towards`, the rest of `picture`."""
    height, width = picture.shape
    return _Fade(picture, towards, (width, height * 2 // 3)).at(mix)


@frozen(kw_only=True)
class _Part:
    """The changed part of a plane: `difference` to the other picture, int16."""

    plane: int
    rows: slice
    columns: slice
    difference: NDArray[np.int16]


class _Fade:
    """A crossfade between two pictures: differing parts are found once, and only they are computed."""

    def __init__(self, picture: Yuv, towards: Yuv, size: Size) -> None:
        self._picture, self._size = picture, size
        pairs = zip(planes(picture, size), planes(towards, size), strict=True)
        self._parts = [part for number, (a, b) in enumerate(pairs) if (part := _difference(number, a, b)) is not None]

    def at(self, mix: int) -> Yuv:
        """Return the picture at `mix`/256 of the way."""
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
    return _Part(plane=number, rows=high, columns=wide, difference=other[high, wide].astype(np.int16) - one[high, wide])


def _pasted(picture: Yuv, part: Yuv, box: Rect, size: Size) -> Yuv:
    """Return a copy of `picture` with `part` in `box`, whose sides are even."""
    result = picture.copy()
    pieces = planes(part, (box.width, box.height))
    for number, (plane, piece) in enumerate(zip(planes(result, size), pieces, strict=True)):
        region(plane, number, box)[...] = piece
    return result
