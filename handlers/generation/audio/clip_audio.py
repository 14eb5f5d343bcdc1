"""The sound of a scene's clips, mixed with its narration.

The sound of a fetched clip, under what is said over it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from handlers.generation.audio.pcm import Samples, read_wav, write_wav
from handlers.generation.model import AssetFiles, Narration
from handlers.generation.script.content import Clip, Scene, cells_of
from handlers.generation.time_grid import SAMPLE_RATE
from handlers.media.decode import open_clip, read_sound, resampled
from handlers.media.errors import BadClip

#: Gain of an uploaded clip's sound under speech (-12 dB) and alone (-3 dB): choices.
UNDER_SPEECH: Final = 10 ** (-12 / 20)
ALONE: Final = 10 ** (-3 / 20)
#: A scene ends in silence, since scenes are joined there; longer clips are faded out before.
_SILENT_END_S: Final = 0.25
_FADE_S: Final = 0.2


def with_clip_sound(samples: Samples, scene: Scene, narration: Narration, assets: AssetFiles) -> Samples:
    """Mix the sound of a scene's clips, each from its reveal on, into `samples`, clipped to full scale.

    `samples`: int16 mono at 48 kHz, as long as the scene. Raises CorruptMedia.
    """
    starts = {cue.step: cue.start_s for cue in narration.cues}
    mixed = samples.astype(np.float32) / 32768
    heard = False
    for clip in cells_of(scene.blocks):
        file = assets.get(clip.asset) if isinstance(clip, Clip) and clip.sound else None
        if file is None or not isinstance(clip, Clip):
            continue
        first = round(starts.get(clip.step, 0.0) * SAMPLE_RATE)
        count = min(
            round((file.duration_s or 0.0) * SAMPLE_RATE), len(mixed) - first - round(_SILENT_END_S * SAMPLE_RATE)
        )
        if count <= 0:
            continue
        sound = read_sound(file.path, 0, count).mean(axis=1) * _edges(count)
        mixed[first : first + count] += sound * (UNDER_SPEECH if samples.any() else ALONE)
        heard = True
    return np.round(np.clip(mixed, -1, 32767 / 32768) * 32768).astype(np.int16) if heard else samples


def _edges(count: int) -> NDArray[np.float32]:
    """Return `count` gains that fade in and out."""
    place = np.arange(count, dtype=np.float32) / (_FADE_S * SAMPLE_RATE)
    return np.asarray(np.clip(np.minimum(place, place[::-1]), 0, 1), dtype=np.float32)


#: Gain of a service's clip under speech (-14 dB); without speech its sound is left as it is.
REMOTE_UNDER_SPEECH: Final = 0.2
#: Samples of silence, and of the ramp after it, at both ends of a scene: scenes are joined in silence.
_SILENT: Final = 1024
_RISE: Final = 2400


def with_remote_sound(clip: Path, narration: Path | None, samples: int, target: Path) -> Path:
    """Write the clip's sound under `narration` to `target`, a 48 kHz mono s16 WAV of `samples`. Raises BadClip."""
    sound = _shaped(clip_sound(clip, samples), samples)
    if narration is not None:
        spoken = read_wav(narration)[:samples]
        sound *= REMOTE_UNDER_SPEECH
        sound[: len(spoken)] += spoken
    write_wav(np.clip(np.round(sound), -32768, 32767).astype(np.int16), target)
    return target


def clip_sound(clip: Path, most: int) -> Samples:
    """Decode at most `most` samples of the clip's sound: int16, 48 kHz, mono. Raises BadClip."""
    parts: list[Samples] = []
    count = 0
    try:
        with open_clip(clip) as container:
            for frame in resampled(container.decode(audio=0), layout="mono", rate=SAMPLE_RATE):
                parts.append(frame.to_ndarray()[0])
                count += len(parts[-1])
                if count >= most:
                    break
    except (av.FFmpegError, ValueError) as error:
        raise BadClip(f"the clip's sound can't be decoded: {error}") from error
    return np.concatenate(parts).astype(np.int16)[:most] if parts else np.zeros(0, np.int16)


def _shaped(sound: Samples, samples: int) -> NDArray[np.float64]:
    """Return the sound as float, `samples` long, with silent ends."""
    shaped = np.zeros(samples)
    shaped[: len(sound)] = sound
    from_end = np.minimum(np.arange(samples), np.arange(samples)[::-1])
    shaped *= np.clip((from_end - _SILENT) / _RISE, 0, 1)
    if len(sound) < samples:  # a fade instead of a click where the clip ends before the scene
        tail = min(_RISE, len(sound))
        shaped[len(sound) - tail : len(sound)] *= np.linspace(1, 0, tail)
    return shaped
