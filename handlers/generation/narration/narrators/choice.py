"""Chooses the narrator by the prefix of the voice's name: `piper:en_US-amy-medium`, `openai:alloy`; plain: espeak."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from attrs import evolve, field, frozen

from eventflow.settings import Fallback, ServiceVoice, SpeechSettings
from handlers.generation.control import Control
from handlers.generation.errors import UnknownVoice
from handlers.generation.narration.default_voices import language_name, voice_of
from handlers.generation.narration.narrators import espeak
from handlers.generation.narration.narrators.base import Narrator, Speech, VoiceInfo
from handlers.generation.narration.narrators.espeak import EspeakNarrator
from handlers.generation.narration.narrators.openai import Meter, OpenAINarrator
from handlers.generation.narration.narrators.piper import PiperNarrator

#: The fallback voice where the language is unknown.
_DEFAULT: Final = "en-us"


@frozen
class Narrators:
    """All narrators. `fallback`: what espeak speaks where another narrator fails for good.

    `languages` are the settings that give the languages of a speech service's voices.
    """

    known: Sequence[Narrator] = field(factory=lambda: (EspeakNarrator(),))
    fallback: Fallback = Fallback.VIDEO
    languages: SpeechSettings = field(factory=SpeechSettings)

    @contextmanager
    def for_scene(self, control: Control) -> "Iterator[Narrators]":
        """Yield these narrators for one scene: `control` stops their waits; at the end it is told what was charged."""
        meter = Meter()
        known = [
            evolve(each, control=control, meter=meter) if isinstance(each, OpenAINarrator) else each
            for each in self.known
        ]
        try:
            yield evolve(self, known=known)
        finally:
            if (charge := meter.charge()) is not None:
                control.note(charge)

    def check(self, voice: str) -> None:
        """Check a voice. Raises UnknownVoice, NarratorUnavailable; SpeechError when espeak can't start."""
        narrator, name = self._of(voice)
        narrator.check(name)

    def voices(self) -> tuple[VoiceInfo, ...]:
        """List the voices of all narrators that are set up. Raises SpeechError when espeak can't start."""
        return tuple(info for narrator in self.known for info in narrator.voices())

    def speak(self, text: str, voice: str, rate: float) -> Speech:
        """Speak with a voice named with its prefix; see `Narrator.speak`."""
        narrator, name = self._of(voice)
        return narrator.speak(text, name, rate)

    def fallback_voice(self, voices: Sequence[str]) -> str | None:
        """Return the espeak voice that replaces `voices`, the video's first, when the narrator of one fails for good.

        None where none does.
        """
        if self.fallback is Fallback.NONE or not any(":" in voice for voice in voices):
            return None
        prefix, _, name = voices[0].rpartition(":")
        return self._espeak_voice(prefix, name) if prefix else name

    def language(self, voice: str) -> str:
        """Return the BCP 47 tag of a voice's language, "und" where it is unknown."""
        return next((info.language for info in self.voices() if info.name == voice), "und")

    def voice_of(self, language: str) -> str | None:
        """Return espeak's voice of a language by its BCP 47 tag; None where it has none.

        Raises SpeechError when espeak can't start.
        """
        return voice_of(language, espeak.voice_names())

    def language_name(self, language: str) -> str:
        """Return the English name of a language, such as Czech; its tag where it has none."""
        return language_name(language)

    def _of(self, voice: str) -> tuple[Narrator, str]:
        prefix, _, name = voice.rpartition(":")
        for narrator in self.known:
            if narrator.name == (prefix or EspeakNarrator.name):
                return narrator, name
        raise UnknownVoice(voice, [f"{narrator.name}:NAME" for narrator in self.known[1:]] + [_DEFAULT])

    def _espeak_voice(self, prefix: str, name: str) -> str:
        """Find espeak's voice of the same language and, if possible, region."""
        names = espeak.voice_names()
        if prefix == OpenAINarrator.name:
            wanted = self.languages.voices.get(name, ServiceVoice()).language
        else:
            wanted = "-".join(name.lower().replace("_", "-").split("-")[:2])
        for candidate in (wanted, wanted.split("-")[0]):
            if candidate in names:
                return candidate
        alike = [each for each in names if wanted and each.split("-")[0] == wanted.split("-")[0]]
        return alike[0] if alike else _DEFAULT


def narrators(settings: SpeechSettings) -> Narrators:
    """Set up all narrators from settings."""
    known = (EspeakNarrator(), PiperNarrator(settings.piper_folder), OpenAINarrator(settings))
    return Narrators(known, settings.fallback, settings)
