"""Narrates a scene: its lines are spoken one by one, so that the time of every reveal is exact."""

from collections.abc import Callable
from typing import Final

import av
import numpy as np
from attrs import evolve, frozen

from eventflow.requests.limits import FASTEST_RATE, SLOWEST_RATE
from eventflow.settings import Fallback
from handlers.generation.audio.loudness import amplified, limited, speech_gain
from handlers.generation.audio.pcm import Samples
from handlers.generation.control import Control, Warned
from handlers.generation.errors import NarratorLost, NarratorUnavailable, SpeechError, Stopped
from handlers.generation.model import Cue, Narration, SpokenLine, Voice, Word
from handlers.generation.narration.narrators.base import Speech, audible_range
from handlers.generation.narration.narrators.choice import Narrators
from handlers.generation.narration.spoken_forms.form import SpokenForm, spoken_form
from handlers.generation.script.content import Line
from handlers.generation.time_grid import LEAD_IN_S, LEAD_OUT_S, SAMPLE_RATE, SAMPLES_PER_CELL, cells_for
from handlers.media.decode import resampled
from handlers.media.errors import RequestError

#: Silence after a line at rate 1, in seconds.
PAUSE_S: Final = 0.32
#: Silence behind a line whose sentence goes on in the next.
CUT_S: Final = 0.1
#: Seconds for a reveal without words.
WORDLESS_S: Final = 0.9


class BadRate(RequestError):
    """The rate factor is outside of 0.5 to 2."""

    code = "bad_rate"


@frozen
class SpokenScene:
    """A narrated scene. `samples`: int16 mono at 48 kHz, exactly `narration.duration_cells` long."""

    samples: Samples
    narration: Narration


@frozen
class _SpokenText:
    """A spoken line at 48 kHz without the silence around it; `words` in seconds from its start."""

    samples: Samples
    words: tuple[Word, ...] = ()
    estimated: bool = False


def check_voice(voice: Voice, narrators: Narrators | None = None) -> None:
    """Check that `voice` can narrate. Raises UnknownVoice, NarratorUnavailable, BadRate."""
    if not SLOWEST_RATE <= voice.rate <= FASTEST_RATE:
        raise BadRate(f"the rate must be from {SLOWEST_RATE} to {FASTEST_RATE}, not {voice.rate}")
    (narrators or Narrators()).check(voice.name)


def narrate(
    lines: tuple[Line, ...], voice: Voice, narrators: Narrators, control: Control, *, last_try: bool
) -> SpokenScene:
    """Speak a scene. If its narrator fails for good, the fallback narrator is to speak the video: raises NarratorLost.

    By a setting it speaks this scene alone, and a warning is noted. A failure is final when it isn't retryable or on
    the `last_try` (decisions 99 and 270). Raises SpeechError, NarratorUnavailable, UnknownVoice, BadRate, Stopped.
    """
    try:
        with narrators.for_scene(control) as known:
            return speak_lines(lines, voice, known, control.should_stop)
    except (SpeechError, NarratorUnavailable) as error:
        instead = narrators.fallback_voice((voice.name, *(line.voice for line in lines)))
        if instead is None or (error.retryable and not last_try):
            raise
        if narrators.fallback is Fallback.VIDEO:
            raise NarratorLost(voice.name, instead, str(error)) from error
        control.note(Warned("narrator_fell_back", f"{voice.name} failed, {instead} speaks instead: {error}"))
    return speak_lines(in_one_voice(lines), evolve(voice, name=instead), narrators, control.should_stop)


def in_one_voice(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """Return the lines without voices of their own."""
    return tuple(evolve(line, voice="") for line in lines)


def heard(lines: tuple[Line, ...], voice: Voice, narrators: Narrators) -> tuple[str, ...]:
    """Return what the narrator of a voice hears of each line."""
    language = narrators.language(voice.name)
    return tuple(spoken_form(line.text, language, cut=line.cut).text for line in lines)


def speak_lines(
    lines: tuple[Line, ...],
    voice: Voice,
    narrators: Narrators | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> SpokenScene:
    """Speak the lines of a scene. Raises SpeechError, NarratorUnavailable, UnknownVoice, BadRate, Stopped."""
    who = narrators or Narrators()
    check_voice(voice, who)
    language = who.language(voice.name)
    pieces: list[Samples] = [_silence(LEAD_IN_S)]
    position = len(pieces[0])
    cues: dict[int, float] = {}
    spoken: list[SpokenLine] = []
    estimated = False
    for line in lines:
        teller = evolve(voice, name=line.voice) if line.voice else voice
        if should_stop():
            raise Stopped("stopped while speaking")
        start_s = position / SAMPLE_RATE
        cues.setdefault(line.step, start_s)
        said = _speak(spoken_form(line.text, who.language(teller.name), cut=line.cut), teller, who)
        samples = said.samples
        if len(samples):
            words = tuple(evolve(word, start_s=start_s + word.start_s) for word in said.words)
            end_s = start_s + len(samples) / SAMPLE_RATE
            spoken.append(SpokenLine(text=line.text, start_s=start_s, end_s=end_s, words=words, speaker=line.speaker))
            estimated = estimated or said.estimated
        between_s = CUT_S if line.cut else PAUSE_S
        behind_s = (between_s / voice.rate if len(samples) else WORDLESS_S) + line.pause_s
        for piece in (samples, _silence(behind_s)):
            pieces.append(piece)
            position += len(piece)
    cells = cells_for(position / SAMPLE_RATE + LEAD_OUT_S)
    sound = np.zeros(cells * SAMPLES_PER_CELL, np.int16)
    sound[:position] = np.concatenate(pieces)
    order = tuple(Cue(step, start_s) for step, start_s in sorted(cues.items()))
    narration = Narration(duration_cells=cells, cues=order, lines=tuple(spoken), language=language, estimated=estimated)
    return SpokenScene(_normalised(sound, narration.lines), narration)


def _speak(form: SpokenForm, voice: Voice, narrators: Narrators) -> _SpokenText:
    if not any(map(str.isalnum, form.text)):
        return _SpokenText(np.zeros(0, np.int16))
    speech = narrators.speak(form.text, voice.name, voice.rate)
    part = audible_range(speech.samples)
    if part is None:
        return _SpokenText(np.zeros(0, np.int16))
    margin = speech.rate // 100
    first, last = max(0, part[0] - margin), min(len(speech.samples), part[1] + margin)
    samples = _resampled(speech.samples[first:last], speech.rate)
    return _SpokenText(samples, _words(speech, form, first), speech.estimated)


def _words(speech: Speech, form: SpokenForm, first: int) -> tuple[Word, ...]:
    """Return the words at their places in the written line; `first` is the sample at which it begins."""
    return tuple(
        Word(word.position, word.length, max(0.0, word.start_s - first / speech.rate))
        for word in form.written(speech.words)
    )


def _resampled(samples: Samples, rate: int) -> Samples:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[np.newaxis]), format="s16", layout="mono")
    frame.sample_rate = rate
    parts = [out.to_ndarray()[0] for out in resampled([frame], layout="mono", rate=SAMPLE_RATE)]
    return np.concatenate(parts).astype(np.int16)


def _silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE), np.int16)


def _normalised(samples: Samples, lines: tuple[SpokenLine, ...]) -> Samples:
    """Bring the speech to the loudness of all videos; silence stays silence."""
    if not lines:
        return samples
    scene = np.asarray(samples[np.newaxis] / np.float32(32768), np.float32)
    spans = [slice(round(line.start_s * SAMPLE_RATE), round(line.end_s * SAMPLE_RATE)) for line in lines]
    gain = speech_gain(scene, np.concatenate([scene[:, span] for span in spans], axis=1))
    loud = limited(amplified(scene, gain))
    return np.asarray(np.round(np.clip(loud[0], -1, 1) * 32767), np.int16)
