"""PCM samples of narrators, and WAV files of them."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from handlers.generation.time_grid import SAMPLE_RATE

#: Mono, int16; at 48 kHz unless a rate is given with them.
Samples = NDArray[np.int16]


def write_wav(samples: Samples, path: Path) -> None:
    """Write `samples` (int16, 48 kHz; mono, or channels x samples) as a WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1 if samples.ndim == 1 else len(samples))
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.T.astype("<i2").tobytes())


def read_wav(path: Path) -> Samples:
    """Read a 16-bit WAV file; of several channels the first."""
    with wave.open(str(path), "rb") as file:
        data = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return data.reshape(-1, file.getnchannels())[:, 0].astype(np.int16)
