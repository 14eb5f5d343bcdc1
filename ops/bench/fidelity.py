"""Fidelity of an encoded video: mean SSIM of luma between its frames and the pictures that went into the encoder."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from handlers.generation.encoding.overlays import Yuv
from handlers.generation.time_grid import FRAME_RATE

#: Every 13th frame is compared; a prime, so that fades are met at every phase.
STRIDE: Final = 13
_WINDOW: Final = 8
#: K1 and K2 of the SSIM paper (Wang et al. 2004), for 8 bits.
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2

Plane = NDArray[np.float32] | NDArray[np.float64]


def mean_ssim(video: Path, meant: Iterable[Yuv]) -> float:
    """Return the mean SSIM; `meant` yields every `STRIDE`th frame at 30 frames per second. Blocking."""
    return float(np.mean([ssim(_luma(one), other) for one, other in zip(meant, _shown(video), strict=True)]))


def ssim(one: Plane, other: Plane) -> float:
    """Return the SSIM of two planes of the same size, by windows of 8x8 that overlap by half."""
    moments = [_windows(plane) for plane in (one, other, one * one, other * other, one * other)]
    mean_1, mean_2, square_1, square_2, product = moments
    between = product - mean_1 * mean_2
    spread = square_1 - mean_1**2 + square_2 - mean_2**2
    found = (2 * mean_1 * mean_2 + _C1) * (2 * between + _C2) / ((mean_1**2 + mean_2**2 + _C1) * (spread + _C2))
    return float(found.mean())


def _windows(plane: Plane) -> Plane:
    half = _WINDOW // 2
    rows, columns = (size // half * half for size in plane.shape)
    sums = plane[:rows, :columns].reshape(rows // half, half, columns // half, half).sum(axis=(1, 3), dtype=np.float64)
    windows = (sums[:-1, :-1] + sums[1:, :-1] + sums[:-1, 1:] + sums[1:, 1:]) / _WINDOW**2
    return np.asarray(windows, dtype=np.float64)


def _luma(picture: Yuv) -> Plane:
    return picture[: picture.shape[0] * 2 // 3].astype(np.float32)


def _shown(video: Path) -> Iterator[Plane]:
    """Yield the luma of the picture on the screen at every `STRIDE`th frame."""
    with av.open(str(video)) as container:
        stream, wanted, before = container.streams.video[0], 0, None
        for frame in container.decode(stream):
            at = round(float(frame.time or 0) * FRAME_RATE)
            while before is not None and wanted < at:
                yield _luma_of(before)
                wanted += STRIDE
            before = frame
        end = round(float((stream.duration or 0) * (stream.time_base or 0)) * FRAME_RATE)
        while before is not None and wanted < end:
            yield _luma_of(before)
            wanted += STRIDE


def _luma_of(frame: av.VideoFrame) -> Plane:
    plane = frame.planes[0]
    rows = np.frombuffer(bytes(plane), np.uint8).reshape(plane.height, plane.line_size)
    return np.asarray(rows[:, : plane.width], dtype=np.float32)
