"""Pictures as the encoder takes them: drawn once, scaled per rendition, blended where they change."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from handlers.generation.timeline import FULL_MIX

#: rgb24: height x width x 3, uint8.
Rgb = NDArray[np.uint8]
#: yuv420p, limited range, bt709: (height * 3 / 2) x width, uint8.
Yuv = NDArray[np.uint8]

#: Draws picture n of a scene (BLANK included).
Draw = Callable[[int], Rgb]

#: A crossfade needs two pictures; one more spares a redraw when a fade is followed by the next.
_KEPT: Final = 3

_SCALING: Final = Interpolation.LANCZOS | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP


class PictureStore:
    """The last few pictures, drawn on demand, in the sizes (width, height) of all renditions."""

    def __init__(self, draw: Draw, sizes: tuple[tuple[int, int], ...]) -> None:
        self._draw = draw
        self._sizes = sizes
        self._reformatter = VideoReformatter()
        self._kept: OrderedDict[int, dict[tuple[int, int], Yuv]] = OrderedDict()

    def get(self, picture: int, size: tuple[int, int]) -> Yuv:
        """Picture n at `size`."""
        if picture not in self._kept:
            rgb = self._draw(picture)
            self._kept[picture] = {wanted: self._converted(rgb, wanted) for wanted in self._sizes}
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(picture)
        return self._kept[picture][size]

    def _converted(self, rgb: Rgb, size: tuple[int, int]) -> Yuv:
        # rgb24 comes untagged; without both ends named swscale would take bt601.
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
        scaled = self._reformatter.reformat(
            frame,
            width=size[0],
            height=size[1],
            format="yuv420p",
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
            dst_colorspace=Colorspace.ITU709,
            interpolation=_SCALING,
            threads=1,
        )
        return np.asarray(scaled.to_ndarray(), dtype=np.uint8)


def blend(picture: Yuv, towards: Yuv, mix: int) -> Yuv:
    """`mix`/256 of the way from one picture to the other. Only rows that differ are computed."""
    changed = np.flatnonzero((picture != towards).any(axis=1))
    if not len(changed):
        return picture
    result = picture.copy()
    rows = slice(int(changed[0]), int(changed[-1]) + 1)
    # 255 * 256 + 128 still fits in 16 bits.
    mixed = picture[rows] * np.uint16(FULL_MIX - mix)
    mixed += towards[rows] * np.uint16(mix)
    mixed += np.uint16(FULL_MIX // 2)
    mixed >>= np.uint16(8)
    result[rows] = mixed
    return result
