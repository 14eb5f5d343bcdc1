"""What a narrator is. Its methods block, and may be called from several threads at once."""

from collections.abc import Iterable
from typing import ClassVar, Final, Protocol

from attrs import frozen

from handlers.generation.audio.pcm import Samples
from handlers.generation.errors import UnknownVoice

_MAX_EXAMPLES: Final = 10


@frozen
class SpokenWord:
    """A word of the text, as (first character, length), and when it begins, in seconds."""

    position: int
    length: int
    start_s: float


@frozen
class Speech:
    """int16 mono samples at `rate` Hz. `estimated`: nobody told when the words begin, it was worked out."""

    samples: Samples
    rate: int
    words: tuple[SpokenWord, ...]
    estimated: bool = False


@frozen
class VoiceInfo:
    """A voice under the name that requests give it; `language` is a BCP 47 tag, "und" where it isn't known."""

    name: str
    language: str
    narrator: str


class Narrator(Protocol):
    """Speaks. Voices are named without the narrator's prefix here."""

    #: What stands before the colon in names of its voices, and in lists of voices.
    name: ClassVar[str]

    def check(self, voice: str) -> None:
        """Whether it can speak with this voice. Raises UnknownVoice, NarratorUnavailable. Costs nothing."""

    def voices(self) -> tuple[VoiceInfo, ...]:
        """All voices, with the names that requests use. Empty where the narrator isn't set up."""

    def speak(self, text: str, voice: str, rate: float) -> Speech:
        """`text` at `rate` times the usual speed.

        Raises SpeechError, which may pass; SpeechRefused, which won't; UnknownVoice, NarratorUnavailable.
        """


def unknown_voice(name: str, known: Iterable[str]) -> UnknownVoice:
    """The error for a voice that isn't among `known`, with some of them, those of its language first."""
    names = list(known)
    stem = name.lower().split("-")[0].split("_")[0]
    alike = [each for each in names if each.lower().replace("_", "-").split("-")[0] == stem]
    return UnknownVoice(name, list(dict.fromkeys([*alike[:4], *names]))[:_MAX_EXAMPLES])


def language_tag(name: str) -> str:
    """The BCP 47 tag of a voice's language: "en-us" and "en_US-amy-medium" are "en-US"; "und" where there is none."""
    language, *rest = name.replace("_", "-").split("-")
    if not (2 <= len(language) <= 3 and language.isalpha() and language.isascii()):
        return "und"
    tag = [language.lower()]
    if rest and len(rest[0]) == 2 and rest[0].isalpha() and rest[0].isascii():
        tag.append(rest[0].upper())
    elif rest and len(rest[0]) == 4 and rest[0].isalpha() and rest[0].isascii():
        tag.append(rest[0].capitalize())
    return "-".join(tag)
