"""The sound of a scene's clips, under who speaks and alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from handlers.generation.audio.clip_audio import ALONE, UNDER_SPEECH, with_clip_sound
from handlers.generation.audio.pcm import write_wav
from handlers.generation.model import AssetFile, Cue, Narration
from handlers.generation.script.document import read_scenes
from handlers.generation.time_grid import SAMPLE_RATE, SAMPLES_PER_CELL

ASSET = "as_" + "0123456789abcdef" * 2
CELLS = 6
#: Of a sine of half the full scale, brought from one channel to two at equal power.
LEVEL = 0.25
NARRATION = Narration(duration_cells=CELLS, cues=(Cue(0, 0.45), Cue(1, 1.0)))


@pytest.fixture
def clip(tmp_path: Path) -> AssetFile:
    """Two seconds of a tone; its pictures are of no interest here."""
    path = tmp_path / "clip.wav"
    tone = np.sin(2 * np.pi * 440 * np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE) * 0.5
    write_wav(np.round(tone * 32767).astype(np.int16), path)
    return AssetFile(path=path, kind="clip", media_type="video/mp4", width=640, height=360, duration_s=2.0)


def heard(clip: AssetFile, samples: np.ndarray, *, sound: bool = True) -> np.ndarray:
    block = {"kind": "clip", "asset": ASSET, "sound": sound}
    scene = read_scenes({"version": 1, "scenes": [{"title": "T", "blocks": [block]}]}).scenes[0]
    return with_clip_sound(samples, scene, NARRATION, {ASSET: clip})


def level(samples: np.ndarray, start_s: float, end_s: float) -> float:
    part = samples[round(start_s * SAMPLE_RATE) : round(end_s * SAMPLE_RATE)] / 32768
    return float(np.sqrt(np.mean(part**2)))


def test_a_clip_is_heard_from_its_reveal_on_and_the_scene_ends_in_silence(clip: AssetFile) -> None:
    silence = np.zeros(CELLS * SAMPLES_PER_CELL, np.int16)
    mixed = heard(clip, silence)
    assert len(mixed) == len(silence)
    assert level(mixed, 0, 0.99) == 0
    assert level(mixed, 1.5, 2.5) == pytest.approx(LEVEL * ALONE, rel=0.02)
    assert level(mixed, CELLS * 8 / 15 - 0.2, CELLS * 8 / 15) == 0


def test_it_stands_back_behind_who_speaks(clip: AssetFile) -> None:
    speech = np.zeros(CELLS * SAMPLES_PER_CELL, np.int16)
    speech[:4_800] = 3_000
    mixed = heard(clip, speech)
    assert level(mixed, 1.5, 2.5) == pytest.approx(LEVEL * UNDER_SPEECH, rel=0.02)
    assert np.array_equal(mixed[:4_800], speech[:4_800])


def test_a_clip_without_sound_changes_nothing(clip: AssetFile) -> None:
    speech = np.full(CELLS * SAMPLES_PER_CELL, 100, np.int16)
    assert heard(clip, speech, sound=False) is speech
