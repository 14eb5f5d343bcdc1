"""Strips with an alpha channel on yuv420p pictures: scaled once for each rendition, blended in their own rows alone."""

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from PIL import Image

from handlers.generation.encoding.colours import planes
from handlers.generation.encoding.overlays import Box, Strip

Floats = NDArray[np.float32]

#: bt709, limited range: R'G'B' of 0..255 -> Y, Cb, Cr.
_MATRIX = np.array([[0.1826, 0.6142, 0.0620], [-0.1006, -0.3386, 0.4392], [0.4392, -0.3989, -0.0403]], dtype=np.float32)
_OFFSETS = np.array([16, 128, 128], dtype=np.float32)


@frozen
class Mask:
    """A strip for pictures of `size`: of each plane what is added, and how much of it is left, both in 1/256."""

    size: tuple[int, int]
    box: Box
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


def mask_of(strip: Strip, drawn: tuple[int, int], size: tuple[int, int]) -> Mask:
    """`strip`, meant for pages of `drawn` pixels, for pictures of `size`; what is outside of the page is cut off."""
    whole = strip.rgba[max(0, -strip.y) : drawn[1] - strip.y, max(0, -strip.x) : drawn[0] - strip.x]
    top, bottom = _seen(np.atleast_1d(whole[..., 3].any(axis=1)))
    left_end, right_end = _seen(np.atleast_1d(whole[..., 3].any(axis=0)))
    rgba = whole[top:bottom, left_end:right_end]
    height, width = rgba.shape[:2]
    box = Box(max(0, strip.x) + left_end, max(0, strip.y) + top, width, height).scaled(drawn, size)
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
    return Mask(size, box, tuple(fitting), tuple(left))


def _seen(some: NDArray[np.bool_]) -> tuple[int, int]:
    """From the first to behind the last that is true; one of them where none is."""
    found = np.flatnonzero(some)
    return (int(found[0]), int(found[-1]) + 1) if len(found) else (0, 1)


def _resized(layer: Floats, box: Box) -> Floats:
    image = Image.fromarray(np.ascontiguousarray(layer, dtype=np.float32), mode="F")
    scaled = np.asarray(image.resize((box.width, box.height), Image.Resampling.BILINEAR), dtype=np.float32)
    return np.clip(scaled, np.float32(0), np.float32(255))
