"""What speech services answer with: WAV, or bare samples. Nothing else is opened, whatever it claims to be."""

import io
import re
from typing import Final

import av
import numpy as np

from handlers.generation.audio.pcm import Samples

#: What OpenAI's `pcm` is.
PCM_RATE: Final = 24_000
_RATES: Final = range(8_000, 192_001)


class BadSound(ValueError):
    """The bytes are no sound that is known here."""


def read_sound(data: bytes, media_type: str) -> tuple[Samples, int]:
    """(int16 mono samples, rate in Hz) of a WAV file, or of little-endian s16 where `media_type` says PCM.

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
        raise BadSound("PCM without samples, or of an impossible rate")
    return np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.int16), sample_rate


def _wav(data: bytes) -> tuple[Samples, int]:
    """libav reads what Python's own module doesn't: headers of unknown length, 24-bit and floating-point samples."""
    try:
        with av.open(io.BytesIO(data), "r", format="wav") as container:
            if len(container.streams.audio) != 1 or len(container.streams) != 1:
                raise BadSound("a WAV file without a stream of sound")
            context = container.streams.audio[0].codec_context
            if not context.name.startswith("pcm_") or context.sample_rate not in _RATES:
                raise BadSound(f"a WAV file of {context.name} at {context.sample_rate} Hz")
            rate = context.sample_rate
            resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
            frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
            frames += resampler.resample(None)
    except (av.FFmpegError, ValueError) as error:
        raise error if isinstance(error, BadSound) else BadSound(f"a damaged WAV file ({error})") from error
    if not frames:
        raise BadSound("a WAV file without samples")
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(np.int16), rate
