"""The sound of a scene's clips, mixed with its narration."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from handlers.generation.audio.pcm import Samples
from handlers.generation.model import AssetFiles, Narration
from handlers.generation.script.content import Clip, Scene
from handlers.generation.script.pagination import cells_of
from handlers.generation.time_grid import SAMPLE_RATE
from handlers.media.decode import read_sound

#: How loud a clip is beside who speaks over it, and alone.
UNDER_SPEECH: Final = 10 ** (-12 / 20)
ALONE: Final = 10 ** (-3 / 20)
#: A scene ends in silence, as its joins need it; a clip that goes on until then is faded out.
_SILENT_END_S: Final = 0.25
_FADE_S: Final = 0.2


def with_clip_sound(samples: Samples, scene: Scene, narration: Narration, assets: AssetFiles) -> Samples:
    """`samples` (int16 mono at 48 kHz, as long as the scene) with the sound of clips from their reveal on.

    Limited to full scale. Raises CorruptMedia.
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
    """Gains that fade in and out over `count` samples."""
    place = np.arange(count, dtype=np.float32) / (_FADE_S * SAMPLE_RATE)
    return np.asarray(np.clip(np.minimum(place, place[::-1]), 0, 1), dtype=np.float32)
