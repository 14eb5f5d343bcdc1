"""PCM samples as narrators give them, and WAV files of them."""

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from handlers.generation.time_grid import SAMPLE_RATE

Samples = NDArray[np.int16]


def write_wav(samples: Samples, path: Path) -> None:
    """`samples` (int16, 48 kHz; mono, or channels x samples) as a WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1 if samples.ndim == 1 else len(samples))
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.T.astype("<i2").tobytes())
