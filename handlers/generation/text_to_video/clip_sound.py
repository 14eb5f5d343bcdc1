"""The sound of a fetched clip, under what is said over it."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from handlers.generation.audio.pcm import Samples, write_wav
from handlers.generation.text_to_video.clip import open_clip
from handlers.generation.text_to_video.errors import BadClip
from handlers.generation.time_grid import SAMPLE_RATE

#: -14 dB under speech; by itself it is as loud as it is.
UNDER_SPEECH: Final = 0.2
#: Scenes begin and end in silence, so that they join: silence, and the rise after it, in samples.
_SILENT: Final = 1024
_RISE: Final = 2400


def with_remote_sound(clip: Path, narration: Path | None, samples: int, target: Path) -> Path:
    """`target`: 48 kHz mono s16 WAV of `samples` samples, the clip's sound under `narration`. Raises BadClip."""
    sound = _shaped(clip_sound(clip, samples), samples)
    if narration is not None:
        spoken = read_wav(narration)[:samples]
        sound *= UNDER_SPEECH
        sound[: len(spoken)] += spoken
    write_wav(np.clip(np.round(sound), -32768, 32767).astype(np.int16), target)
    return target


def clip_sound(clip: Path, most: int) -> Samples:
    """At most `most` samples of the clip, 48 kHz mono. Raises BadClip."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    parts: list[Samples] = []
    count = 0
    try:
        with open_clip(clip) as container:
            for frame in container.decode(audio=0):
                parts += [out.to_ndarray()[0] for out in resampler.resample(frame)]
                count += len(parts[-1]) if parts else 0
                if count >= most:
                    break
            parts += [out.to_ndarray()[0] for out in resampler.resample(None)]
    except (av.FFmpegError, ValueError) as error:
        raise BadClip(f"the clip's sound can't be decoded: {error}") from error
    return np.concatenate(parts).astype(np.int16)[:most] if parts else np.zeros(0, np.int16)


def read_wav(path: Path) -> Samples:
    """int16 samples of a mono WAV file, or of the first channel."""
    with wave.open(str(path), "rb") as file:
        data = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return data.reshape(-1, file.getnchannels())[:, 0].astype(np.int16)


def _shaped(sound: Samples, samples: int) -> NDArray[np.float64]:
    """As float, `samples` long, with silent ends."""
    shaped = np.zeros(samples)
    shaped[: len(sound)] = sound
    from_end = np.minimum(np.arange(samples), np.arange(samples)[::-1])
    shaped *= np.clip((from_end - _SILENT) / _RISE, 0, 1)
    if len(sound) < samples:  # it ends before its scene: not with a click
        tail = min(_RISE, len(sound))
        shaped[len(sound) - tail : len(sound)] *= np.linspace(1, 0, tail)
    return shaped
