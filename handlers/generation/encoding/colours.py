"""From RGB to the encoder's yuv420p (bt709, limited range), and its planes."""

from typing import Final

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from handlers.generation.encoding.overlays import Rgb, Yuv

#: A plane of yuv420p, or a part of one.
Plane = NDArray[np.uint8]

_SCALING: Final = Interpolation.LANCZOS | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP
#: What moves isn't looked at for long, and is scaled 30 times a second.
FAST_SCALING: Final = Interpolation.BILINEAR


def to_yuv(rgb: Rgb, size: tuple[int, int], reformatter: VideoReformatter) -> Yuv:
    """`rgb` scaled to `size` (width, height)."""
    # rgb24 comes untagged; without both ends named swscale would take bt601.
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
    return of_frame(frame, size, reformatter, _SCALING, ColorRange.JPEG)


def of_frame(
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
