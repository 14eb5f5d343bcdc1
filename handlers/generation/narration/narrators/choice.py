"""Which narrator speaks, by the prefix of the voice's name: `piper:en_US-amy-medium`, `openai:alloy`; plain: espeak."""

from collections.abc import Sequence
from typing import Final

from attrs import field, frozen

from eventflow.settings import SpeechSettings
from handlers.generation.errors import UnknownVoice
from handlers.generation.narration.narrators import espeak
from handlers.generation.narration.narrators.base import Narrator, Speech, VoiceInfo
from handlers.generation.narration.narrators.espeak import EspeakNarrator
from handlers.generation.narration.narrators.openai import OpenAINarrator
from handlers.generation.narration.narrators.piper import PiperNarrator

#: Where nobody knows the language.
_DEFAULT: Final = "en-us"


@frozen
class Narrators:
    """All narrators, under one set of settings. `fallback`: espeak speaks where another one fails for good."""

    known: Sequence[Narrator] = field(factory=lambda: (EspeakNarrator(),))
    fallback: bool = True
    languages: SpeechSettings = field(factory=SpeechSettings)

    def check(self, voice: str) -> None:
        """Whether one can speak with it. Raises UnknownVoice, NarratorUnavailable; SpeechError without espeak."""
        narrator, name = self._of(voice)
        narrator.check(name)

    def voices(self) -> tuple[VoiceInfo, ...]:
        """All voices of all narrators that are set up. Raises SpeechError when espeak can't start."""
        return tuple(info for narrator in self.known for info in narrator.voices())

    def speak(self, text: str, voice: str, rate: float) -> Speech:
        """See `Narrator.speak`; `voice` with its prefix."""
        narrator, name = self._of(voice)
        return narrator.speak(text, name, rate)

    def stand_in(self, voice: str) -> str | None:
        """The voice that speaks instead of `voice` when that fails for good; None where none does."""
        prefix, _, name = voice.rpartition(":")
        if not prefix or not self.fallback:
            return None
        return self._espeak_voice(prefix, name)

    def language(self, voice: str) -> str:
        """The BCP 47 tag of what is spoken with `voice`, "und" where it isn't known."""
        return next((info.language for info in self.voices() if info.name == voice), "und")

    def _of(self, voice: str) -> tuple[Narrator, str]:
        prefix, _, name = voice.rpartition(":")
        for narrator in self.known:
            if narrator.name == (prefix or EspeakNarrator.name):
                return narrator, name
        raise UnknownVoice(voice, [f"{narrator.name}:NAME" for narrator in self.known[1:]] + [_DEFAULT])

    def _espeak_voice(self, prefix: str, name: str) -> str:
        """espeak's voice of the same language, as near as there is one."""
        names = espeak.voice_names()
        if prefix == OpenAINarrator.name:
            wanted = self.languages.voices.get(name, "")
        else:
            wanted = "-".join(name.lower().replace("_", "-").split("-")[:2])
        for candidate in (wanted, wanted.split("-")[0]):
            if candidate in names:
                return candidate
        alike = [each for each in names if wanted and each.split("-")[0] == wanted.split("-")[0]]
        return alike[0] if alike else _DEFAULT


def narrators(settings: SpeechSettings) -> Narrators:
    """The narrators of these settings."""
    known = (EspeakNarrator(), PiperNarrator(settings.piper_folder), OpenAINarrator(settings))
    return Narrators(known, settings.fallback, settings)
