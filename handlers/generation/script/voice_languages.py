"""Chooses the voice of a text by its language where none is named; warns of a named voice of another language."""

from __future__ import annotations

from typing import Final, Protocol

from attrs import evolve, frozen

from handlers.generation.control import Warned
from handlers.generation.model import TextLanguage, Voice

#: Languages that count as the same: other tags of one, and those that a short text can't tell apart.
_ALIKE: Final = {
    **dict.fromkeys(("cmn", "yue", "hak"), "zh"),
    **dict.fromkeys(("nb", "nn", "da"), "no"),
    **dict.fromkeys(("hr", "sr", "bs", "sh"), "hbs"),
    **dict.fromkeys(("ms", "in"), "id"),
    "iw": "he",
    "grc": "el",
    "hyw": "hy",
}


class Voices(Protocol):
    """The languages of the voices that are installed."""

    def language(self, voice: str) -> str:
        """Return the BCP 47 tag of a voice's language, "und" where it is unknown."""

    def voice_of(self, language: str) -> str | None:
        """Return the default narrator's voice of a language; None where it has none."""

    def language_name(self, language: str) -> str:
        """Return the English name of a language, such as Czech; its tag where it has none."""


@frozen
class VoicesOfTags(Voices):
    """One voice for each language, named as the language's tag."""

    def language(self, voice: str) -> str:
        return voice

    def voice_of(self, language: str) -> str | None:
        return "en-us" if language.lower() == "en" else language.lower()

    def language_name(self, language: str) -> str:
        return language


def chosen_voice(voice: Voice, found: TextLanguage, voices: Voices) -> tuple[Voice, tuple[Warned, ...]]:
    """Return `voice` with the name of one in the language of the text, and a warning where there is none."""
    if not found.sure:
        return voice, ()
    name = voices.voice_of(found.tag)
    if name is not None:
        return evolve(voice, name=name), ()
    spoken = voices.language_name(voices.language(voice.name))
    message = (
        f"the text is {voices.language_name(found.tag)} ({found.because}), and there is no voice of that language: "
        f"{voice.name} reads it as {spoken}; choose the voice of another narrator"
    )
    return voice, (Warned("voice_language", message),)


def voice_warning(voice: Voice, found: TextLanguage, voices: Voices) -> tuple[Warned, ...]:
    """Return a warning where the language of a voice is surely another than that of the text."""
    spoken = voices.language(voice.name)
    if not found.sure or "und" in (spoken, found.tag) or _kind(spoken) == _kind(found.tag):
        return ()
    instead = voices.voice_of(found.tag)
    way_out = f"choose a voice such as {instead}" if instead else "there is no voice of that language"
    message = (
        f"the text is {voices.language_name(found.tag)} ({found.because}), and the voice {voice.name} reads it as "
        f"{voices.language_name(spoken)}; {way_out}"
    )
    return (Warned("voice_language", message),)


def _kind(tag: str) -> str:
    language = tag.split("-")[0].lower()
    return _ALIKE.get(language, language)
