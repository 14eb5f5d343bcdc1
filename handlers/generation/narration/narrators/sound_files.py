"""Decodes answers of speech services: WAV or raw PCM. Other formats are refused, whatever they claim to be."""

import io
import re
from typing import Final

import av
import numpy as np

from handlers.generation.audio.pcm import Samples
from handlers.media.decode import resampled

#: Sample rate of OpenAI's `pcm` in Hz.
PCM_RATE: Final = 24_000
_RATES: Final = range(8_000, 192_001)


class BadSound(ValueError):
    """The bytes are neither WAV nor PCM, or damaged."""


def read_sound(data: bytes, media_type: str) -> tuple[Samples, int]:
    """Decode a WAV file, or little-endian s16 where `media_type` says PCM: (int16 mono samples, rate in Hz).

    Raises BadSound.
    """
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return _wav(data)
    kind, _, parameters = media_type.lower().partition(";")
    if kind.strip() not in ("audio/pcm", "audio/l16"):
        raise BadSound(f"neither WAV nor PCM ({kind.strip()[:40] or 'no media type'}, {len(data)} bytes)")
    rate = re.search(r"rate=(\d{4,6})\b", parameters)
    sample_rate = int(rate[1]) if rate else PCM_RATE
    if sample_rate not in _RATES or not data:
        raise BadSound("PCM without samples, or with a rate outside of 8 to 192 kHz")
    return np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.int16), sample_rate


def _wav(data: bytes) -> tuple[Samples, int]:
    """Decode by libav: Python's `wave` can't read headers of unknown length, 24-bit or floating-point samples."""
    try:
        with av.open(io.BytesIO(data), "r", format="wav") as container:
            if len(container.streams.audio) != 1 or len(container.streams) != 1:
                raise BadSound("the WAV file has no single audio stream")
            context = container.streams.audio[0].codec_context
            if not context.name.startswith("pcm_") or context.sample_rate not in _RATES:
                raise BadSound(f"the WAV file has {context.name} at {context.sample_rate} Hz")
            rate = context.sample_rate
            frames = list(resampled(container.decode(audio=0), layout="mono", rate=rate))
    except (av.FFmpegError, ValueError) as error:
        raise error if isinstance(error, BadSound) else BadSound(f"the WAV file is damaged ({error})") from error
    if not frames:
        raise BadSound("the WAV file has no samples")
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(np.int16), rate
