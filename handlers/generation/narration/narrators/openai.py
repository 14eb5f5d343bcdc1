"""The narrator for services with OpenAI's `POST /v1/audio/speech`.

What the service says is checked for sense: a sound that can't be the line is an error (decision 225). The runtime
retries, after `retry_after_s` if the service says so (decision 99); a service that loads is waited for. The key is sent
in one header of each request; redirects are not followed, and errors never contain the key.
"""

from __future__ import annotations

from threading import Lock
from typing import ClassVar, Final

import numpy as np
from attrs import define, evolve, field, frozen

from eventflow.settings import ServiceVoice, SpeechSettings
from handlers.generation.audio.pcm import Samples
from handlers.generation.control import Charged, Control
from handlers.generation.errors import NarratorUnavailable, SpeechError, SpeechRefused
from handlers.generation.http_services.blocking import run
from handlers.generation.http_services.busy_waits import BusyWaits
from handlers.generation.http_services.client import http_session
from handlers.generation.http_services.errors import ServiceFailed, ServiceRefused
from handlers.generation.http_services.learned import recall, remember
from handlers.generation.narration.narrators.base import (
    Speech,
    VoiceInfo,
    audible_range,
    estimate_words,
    language_tag,
    unknown_voice,
)
from handlers.generation.narration.narrators.line_parts import parts_of
from handlers.generation.narration.narrators.pace import USUAL_PACE, fault_of, is_ignored, pace_of, stretched
from handlers.generation.narration.narrators.sound_files import BadSound
from handlers.generation.narration.narrators.speech_service import LineTooLong, SpeechClient, learn, way_of

#: The service's name in recorded costs.
SERVICE: Final = "speech"
#: Seconds around the speech of a part of a line that stay.
_JOINT_S: Final = 0.03
#: How often a line is split anew after the service has told that a part is too long.
_MOST_SPLITS: Final = 4
#: Lines in a row at the pace of rate 1 that show that a service ignores the rate.
_IGNORED_LINES: Final = 2


@define
class Meter:
    """Counts the characters that were spoken for a scene, which services charge for."""

    characters: int = 0
    _lock: Lock = field(factory=Lock, eq=False, repr=False)

    def add(self, text: str) -> None:
        with self._lock:
            self.characters += len(text)

    def charge(self) -> Charged | None:
        """Return the charge of what was counted; None for nothing."""
        if not self.characters:
            return None
        return Charged(service=SERVICE, amount=str(self.characters), currency="characters")


@frozen
class OpenAINarrator:
    """Speaks through the service of `settings`, which also list its voices: the API has no list of them.

    `control` stops its waits and is told of them; `meter` counts what is spoken.
    """

    name: ClassVar[str] = "openai"

    settings: SpeechSettings = field(factory=SpeechSettings)
    control: Control = field(factory=Control, kw_only=True)
    meter: Meter = field(factory=Meter, kw_only=True)

    def check(self, voice: str) -> None:
        """Check a voice against the settings alone. Raises UnknownVoice, NarratorUnavailable."""
        if not self.settings.url:
            raise NarratorUnavailable(
                "no speech service is configured: set EVENTFLOW_SPEECH_URL, for example https://api.openai.com/v1"
            )
        if voice not in self.settings.voices:
            raise unknown_voice(f"{self.name}:{voice}", [info.name for info in self.voices()])

    def voices(self) -> tuple[VoiceInfo, ...]:
        if not self.settings.url:
            return ()
        return tuple(
            VoiceInfo(f"{self.name}:{name}", language_tag(voice.language) if voice.language else "und", self.name)
            for name, voice in self.settings.voices.items()
        )

    def speak(self, text: str, voice: str, rate: float) -> Speech:
        """Speak; the times of words are estimated.

        Raises UnknownVoice, NarratorUnavailable, SpeechError, SpeechRefused, Stopped.
        """
        self.check(voice)
        known_as = self._voice(voice).known_as or voice
        try:
            samples, sample_rate = run(self._line(text, known_as, rate))
        except ServiceRefused as error:
            kind = SpeechError if error.retryable else SpeechRefused
            raise kind(str(error), retry_after_s=error.retry_after_s) from None
        except ServiceFailed as error:
            raise SpeechError(str(error), retry_after_s=error.retry_after_s) from None
        except BadSound as error:
            raise SpeechError(f"the speech service's answer is not audio: {error}") from error
        return Speech(
            samples=samples, rate=sample_rate, words=estimate_words(text, samples, sample_rate), estimated=True
        )

    def _voice(self, name: str) -> ServiceVoice:
        return self.settings.voices[name]

    async def _line(self, text: str, voice: str, factor: float) -> tuple[Samples, int]:
        """Speak a line, in parts where the service doesn't take it at once."""
        async with http_session() as session:
            client = SpeechClient(
                settings=self.settings, session=session, busy_waits=_busy_waits(self.settings), control=self.control
            )
            for _ in range(_MOST_SPLITS):
                most = min(self.settings.max_characters, way_of(self.settings).most or self.settings.max_characters)
                try:
                    return _joined([await self._part(client, part, voice, factor) for part in parts_of(text, most)])
                except LineTooLong:
                    continue
        raise SpeechError(f"the speech service takes no part of a line of {len(text)} characters")

    async def _part(self, client: SpeechClient, text: str, voice: str, factor: float) -> tuple[Samples, int]:
        spoken = await client.speak(text, voice, factor)
        self.meter.add(text)
        if fault := fault_of(text, spoken.samples, spoken.rate, factor if spoken.paced else 1.0):
            raise SpeechError(f"the speech service returned {fault}")
        samples, rate = spoken.samples, spoken.rate
        pace = pace_of(text, samples, rate) if spoken.paced else None
        if not spoken.paced or (pace is not None and self._ignores(pace, voice, factor)):
            samples = stretched(samples, rate, factor)
        return samples, rate

    def _ignores(self, pace: float, voice: str, factor: float) -> bool:
        """Tell whether the service has ignored the rate, and learn of it."""
        settings = self.settings
        if factor == 1.0:
            remember(settings.url, settings.model, f"pace of {voice}", pace)
            return False
        usual = recall(settings.url, settings.model, f"pace of {voice}", USUAL_PACE)
        subject = f"lines of {voice} at the usual pace"
        count = recall(settings.url, settings.model, subject, 0) + 1 if is_ignored(pace, factor, usual) else 0
        remember(settings.url, settings.model, subject, count)
        if count < _IGNORED_LINES:
            return False
        learn(settings, evolve(way_of(settings), speed=False))
        return True


_all_busy_waits: dict[tuple[str, float], BusyWaits] = {}
_busy_waits_lock = Lock()


def _busy_waits(settings: SpeechSettings) -> BusyWaits:
    """Return the busy_waits of this process with a service: it is waited for once, not once for each line."""
    with _busy_waits_lock:
        return _all_busy_waits.setdefault((settings.url, settings.patience_s), BusyWaits(settings.patience_s))


def _joined(parts: list[tuple[Samples, int]]) -> tuple[Samples, int]:
    """Join the parts of a line without the silence between them. Raises BadSound."""
    if len(parts) == 1:
        return parts[0]
    if len({rate for _, rate in parts}) > 1:
        raise BadSound("the parts of a line have several rates")
    pieces = []
    for number, (samples, rate) in enumerate(parts):
        heard, margin = audible_range(samples), round(_JOINT_S * rate)
        if heard is None:
            continue
        first = 0 if number == 0 else max(0, heard[0] - margin)
        last = len(samples) if number == len(parts) - 1 else min(len(samples), heard[1] + margin)
        pieces.append(samples[first:last])
    if not pieces:
        raise BadSound("no part of the line has sound")
    return np.concatenate(pieces), parts[0][1]
