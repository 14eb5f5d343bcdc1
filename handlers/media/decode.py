"""Decodes clips and sound for the engine: pictures by time, sound by range, and resampling. Blocking.

For files that ingest has re-encoded or a configured service has made; users' uploads are decoded in the sandbox alone
(decision 95).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from handlers.media.codecs import SAMPLE_RATE
from handlers.media.errors import CorruptMedia

#: samples x 2, float32 in -1..1.
StereoSamples = NDArray[np.float32]

#: Only the file itself, and only in formats that services send.
_CLIP_OPTIONS: Final = {"protocol_whitelist": "file", "format_whitelist": "mov,mp4,matroska,webm"}


def open_clip(path: Path) -> InputContainer:
    """Open a clip as a container. Raises av.FFmpegError, ValueError."""
    return av.open(str(path), options=dict(_CLIP_OPTIONS))


class FrameReader:
    """Returns the frame that a clip shows at a time; times may not go back. Holds two frames."""

    def __init__(self, container: InputContainer) -> None:
        self._frames = _timed_frames(container)
        self._shown: av.VideoFrame | None = None
        self._following: tuple[float, av.VideoFrame] | None = None
        self._begun = False

    def frame_at(self, at_s: float) -> av.VideoFrame:
        """Return the frame shown `at_s` seconds after the clip's first; its last one stays. Raises CorruptMedia."""
        try:
            if not self._begun:
                self._begun, self._following = True, next(self._frames, None)
            while self._following is not None and (self._shown is None or self._following[0] <= at_s):
                self._shown, self._following = self._following[1], next(self._frames, None)
        except (av.FFmpegError, ValueError) as error:
            raise CorruptMedia(f"the clip can't be decoded: {error}") from error
        if self._shown is None:
            raise CorruptMedia("the clip has no pictures")
        return self._shown


def _timed_frames(container: InputContainer) -> Iterator[tuple[float, av.VideoFrame]]:
    """Yield (seconds since the first frame, frame); frames without a time are left out."""
    first: float | None = None
    for frame in container.decode(video=0) if container.streams.video else ():
        if frame.time is not None:
            first = frame.time if first is None else first
            yield frame.time - first, frame


def read_sound(recording: Path, start: int, count: int) -> StereoSamples:
    """Decode `count` samples at 48 kHz from sample number `start` on: float32 of shape (count, 2), -1 to 1.

    Silence before the beginning and after the end, and for files without audio. Raises CorruptMedia.
    """
    samples = np.zeros((count, 2), np.float32)
    with _opened(recording) as container:
        if not container.streams.audio:
            return samples
        stream = container.streams.audio[0]
        base = stream.time_base or Fraction(1, SAMPLE_RATE)
        if start > SAMPLE_RATE:  # half a second earlier: decoders need a moment to settle
            container.seek(round(Fraction(start - SAMPLE_RATE // 2, SAMPLE_RATE) / base), stream=stream, backward=True)
        to_float = av.AudioResampler(format="flt", layout="stereo", rate=SAMPLE_RATE)
        for packed in container.decode(stream):
            at = round((packed.pts or 0) * base * SAMPLE_RATE)
            if at >= start + count:
                break
            for frame in to_float.resample(packed):
                _place(np.asarray(frame.to_ndarray(), np.float32).reshape(-1, 2), at - start, samples)
    return samples


def resampled(frames: Iterable[av.AudioFrame], *, layout: str, rate: int) -> Iterator[av.AudioFrame]:
    """Convert frames to s16 in `layout` ("mono", "stereo") at `rate` Hz, to the last sample. Raises av.FFmpegError."""
    resampler = av.AudioResampler(format="s16", layout=layout, rate=rate)
    for frame in frames:
        yield from resampler.resample(frame)
    yield from resampler.resample(None)


def _place(piece: StereoSamples, at: int, samples: StereoSamples) -> None:
    """Copy the part of `piece`, which begins at index `at`, that lies within `samples`."""
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
