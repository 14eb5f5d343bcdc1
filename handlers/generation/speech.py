"""Narration of a scene: its lines spoken one by one, so that the time of every reveal is exact."""

import wave
from pathlib import Path
from typing import Final

import av
import numpy as np
from attrs import frozen

from handlers.generation import espeak
from handlers.generation.content import Line
from handlers.generation.errors import RequestError
from handlers.generation.espeak import Samples
from handlers.generation.grid import SAMPLE_RATE, SAMPLES_PER_CELL, cells_for
from handlers.generation.model import Cue, Narration, SpokenLine, Voice, Word

SLOWEST: Final = 0.5
FASTEST: Final = 2.0

#: Silence in seconds. Both ends are longer than the 1024 samples of AAC priming that a scene drops.
LEAD_IN_S: Final = 0.45
LEAD_OUT_S: Final = 0.80
PAUSE_S: Final = 0.32
#: A page that is revealed without a word is looked at for this long.
WORDLESS_S: Final = 0.9

PEAK: Final = 10 ** (-3 / 20)
_QUIET: Final = 160


class BadRate(RequestError):
    """The rate factor is not between 0.5 and 2."""

    code = "bad_rate"


@frozen
class SpokenScene:
    """`samples`: int16 mono at 48 kHz, exactly as long as `narration.duration_cells`."""

    samples: Samples
    narration: Narration


def check(voice: Voice) -> None:
    """Raises UnknownVoice or BadRate."""
    if not SLOWEST <= voice.rate <= FASTEST:
        raise BadRate(f"the rate is between {SLOWEST} and {FASTEST}, not {voice.rate}")
    espeak.check_voice(voice.name)


def speak_lines(lines: tuple[Line, ...], voice: Voice) -> SpokenScene:
    """Speak a scene. Raises UnknownVoice, BadRate, SpeechError."""
    check(voice)
    pieces: list[Samples] = [_silence(LEAD_IN_S)]
    position = len(pieces[0])
    cues: dict[int, float] = {}
    spoken: list[SpokenLine] = []
    words: list[Word] = []
    for line in lines:
        start_s = position / SAMPLE_RATE
        cues.setdefault(line.step, start_s)
        samples, line_words = _speak(line.text, voice)
        if len(samples):
            spoken.append(SpokenLine(line.text, start_s, start_s + len(samples) / SAMPLE_RATE))
            words += [Word(word.text, start_s + word.start_s) for word in line_words]
        for piece in (samples, _silence(PAUSE_S / voice.rate if len(samples) else WORDLESS_S)):
            pieces.append(piece)
            position += len(piece)
    cells = cells_for(position / SAMPLE_RATE + LEAD_OUT_S)
    sound = np.zeros(cells * SAMPLES_PER_CELL, np.int16)
    sound[:position] = np.concatenate(pieces)
    order = tuple(Cue(step, start_s) for step, start_s in sorted(cues.items()))
    return SpokenScene(_normalised(sound), Narration(cells, order, tuple(spoken), tuple(words)))


def write_wav(samples: Samples, path: Path) -> None:
    """`samples` (int16 mono, 48 kHz) as a WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.astype("<i2").tobytes())


def _speak(text: str, voice: Voice) -> tuple[Samples, list[Word]]:
    """A line at 48 kHz without the silence around it, and its words in seconds from its start."""
    if not any(map(str.isalnum, text)):
        return np.zeros(0, np.int16), []
    speech = espeak.speak(text, voice.name, voice.rate)
    loud = np.flatnonzero(np.abs(speech.samples.astype(np.int32)) > _QUIET)
    if not len(loud):
        return np.zeros(0, np.int16), []
    margin = speech.rate // 100
    first, last = max(0, int(loud[0]) - margin), min(len(speech.samples), int(loud[-1]) + margin)
    words = [
        Word(text[w.position : w.position + w.length], max(0.0, w.start_s - first / speech.rate)) for w in speech.words
    ]
    return _resampled(speech.samples[first:last], speech.rate), words


def _resampled(samples: Samples, rate: int) -> Samples:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[np.newaxis]), format="s16", layout="mono")
    frame.sample_rate = rate
    parts = [out.to_ndarray()[0] for out in (*resampler.resample(frame), *resampler.resample(None))]
    return np.concatenate(parts).astype(np.int16)


def _silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE), np.int16)


def _normalised(samples: Samples) -> Samples:
    """The loudest sample at -3 dBFS; silence stays silence."""
    peak = int(np.abs(samples.astype(np.int32)).max(initial=0))
    if peak == 0:
        return samples
    return np.round(samples * (PEAK * 32767 / peak)).astype(np.int16)
