"""Reads what `recordings` has made, for the engine: pictures of a clip by time, sound by range. Blocking.

Only such files are to be read with it: what users have sent is decoded in the sandbox alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from handlers.media.codecs import FRAME_RATE, SAMPLE_RATE
from handlers.media.errors import CorruptMedia

Frame = NDArray[np.uint8]
Samples = NDArray[np.float32]

_ONE_FRAME = Fraction(1, FRAME_RATE)


def read_frames(clip: Path, *, start_s: float = 0.0, size: tuple[int, int] | None = None) -> Iterator[Frame]:
    """The clip's pictures from `start_s` on, 30 for each second, rgb24: height * width * 3 bytes.

    `size` is (width, height) to scale to. One picture is held at a time; close the generator when leaving early.
    Nothing comes where `start_s` is behind the end. Raises CorruptMedia.
    """
    with _opened(clip) as container:
        if not container.streams.video:
            raise CorruptMedia(f"{clip.name} has no pictures")
        stream = container.streams.video[0]
        stream.thread_type = "NONE"  # no queue of decoded pictures
        first = round(max(0.0, start_s) * FRAME_RATE)
        base = stream.time_base or _ONE_FRAME
        if first:
            container.seek(round(first * _ONE_FRAME / base), stream=stream, backward=True)
        width, height = size or (stream.width, stream.height)
        for frame in container.decode(stream):
            if frame.pts is not None and round(frame.pts * base * FRAME_RATE) >= first:
                yield np.asarray(frame.to_ndarray(format="rgb24", width=width, height=height), np.uint8)


def read_sound(recording: Path, start: int, count: int) -> Samples:
    """`count` samples from sample number `start` on: float32 of shape (count, 2), 48 kHz, -1 to 1.

    Silence before the beginning and after the end, and where there is no sound at all. Raises CorruptMedia.
    """
    samples = np.zeros((count, 2), np.float32)
    with _opened(recording) as container:
        if not container.streams.audio:
            return samples
        stream = container.streams.audio[0]
        base = stream.time_base or Fraction(1, SAMPLE_RATE)
        if start > SAMPLE_RATE:  # a little earlier: decoders need a moment to settle
            container.seek(round(Fraction(start - SAMPLE_RATE // 2, SAMPLE_RATE) / base), stream=stream, backward=True)
        to_float = av.AudioResampler(format="flt", layout="stereo", rate=SAMPLE_RATE)
        for packed in container.decode(stream):
            at = round((packed.pts or 0) * base * SAMPLE_RATE)
            if at >= start + count:
                break
            for frame in to_float.resample(packed):
                _place(np.asarray(frame.to_ndarray(), np.float32).reshape(-1, 2), at - start, samples)
    return samples


def _place(piece: Samples, at: int, samples: Samples) -> None:
    """Copy what of `piece`, which begins at index `at`, lies inside."""
    first, last = max(0, at), min(len(samples), at + len(piece))
    if first < last:
        samples[first:last] = piece[first - at : last - at]


@contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    try:
        with av.open(str(path), options={"protocol_whitelist": "file"}) as container:
            yield container
    except (av.FFmpegError, ValueError) as error:
        raise CorruptMedia(f"{path.name} can't be read: {error}") from error
