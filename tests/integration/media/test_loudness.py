"""Speech at one loudness, measured by ours and by ffmpeg's meter."""

from pathlib import Path

import numpy as np
import pytest

from handlers.generation.audio import loudness, pcm
from handlers.generation.model import Voice
from handlers.generation.narration import speech
from handlers.generation.script.content import Line
from handlers.generation.time_grid import SAMPLE_RATE
from tests.integration.media.meter import measured

TEXTS = (
    ("Event streams.",),
    ("Every step of the work is an event, written down once.", "Nothing is lost when a worker dies."),
    ("The log is the truth.", "One.", "Two.", "A handler does its side effects, and returns commands."),
)


def spoken(texts: tuple[str, ...], voice: str) -> np.ndarray:
    return speech.speak_lines(tuple(Line(step, text) for step, text in enumerate(texts)), Voice(voice)).samples


@pytest.mark.parametrize("voice", ["en-us", "de", "fr-fr"])
def test_a_narration_is_at_the_target(tmp_path: Path, voice: str) -> None:
    whole = np.concatenate([spoken(texts, voice) for texts in TEXTS])
    path = tmp_path / "speech.wav"
    # Heard on both sides, as every video's sound is.
    pcm.write_wav(np.stack([whole, whole]), path)
    integrated, peak = measured(path)
    assert integrated == pytest.approx(-16, abs=0.6)
    assert peak <= -2


def test_our_meter_agrees_with_ffmpegs(tmp_path: Path) -> None:
    samples = spoken(TEXTS[2], "en-us")
    path = tmp_path / "speech.wav"
    pcm.write_wav(np.stack([samples, samples]), path)
    integrated, peak = measured(path)
    assert loudness.integrated(samples[np.newaxis]) == pytest.approx(integrated, abs=0.1)
    assert loudness.true_peak(samples[np.newaxis]) == pytest.approx(peak, abs=0.1)


def test_scenes_do_not_jump() -> None:
    """What is spoken in them is about as loud in each, a word by itself included."""
    levels = list[float]()
    for texts in (("Hi.",), *TEXTS):
        samples = spoken(texts, "en-us")
        voiced = samples[np.abs(samples.astype(int)) > 300][np.newaxis]
        level = loudness.integrated(np.tile(voiced, (1, 10)))
        assert level is not None
        levels.append(level)
    assert max(levels) - min(levels) < 2.5


def test_silence_and_whispers() -> None:
    silence = np.zeros((1, SAMPLE_RATE), np.float32)
    assert loudness.integrated(silence) is None
    assert loudness.true_peak(silence) == float("-inf")
    assert loudness.limited(silence) is silence
    assert loudness.speech_gain(silence, silence) == 0
    whisper = np.random.default_rng(3).normal(size=(1, 8 * SAMPLE_RATE)).astype(np.float32) * 1e-4
    assert loudness.speech_gain(whisper, whisper) == 30


def test_the_limiter_keeps_length_place_and_what_is_quiet() -> None:
    time_s = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    loud = (np.sin(2 * np.pi * 997 * time_s) * np.where((time_s > 0.9) & (time_s < 1.1), 1.6, 0.2)).astype(np.float32)
    limited = loudness.limited(loud[np.newaxis], -2.0)
    assert limited.shape == (1, len(loud))
    assert loudness.true_peak(limited) <= -1.9
    quiet = slice(4800, 4800 * 8)
    assert np.abs(limited[0, quiet] - loud[quiet]).max() < 1e-3
