"""What a narrator is. Its methods block, and may be called from several threads at once.

When words are spoken, where the narrator doesn't tell: by their lengths, over the part that can be heard. Pure.
"""

import re
from collections.abc import Iterable
from typing import ClassVar, Final, Protocol

import numpy as np
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


#: Below this a sample is silence.
QUIET: Final = 160

#: What a mark costs in letters: a comma is a short breath, a full stop a long one.
_PAUSES: Final = {",": 3, ";": 4, ":": 4, "–": 3, "—": 3, ".": 6, "!": 6, "?": 6, "…": 6}
_WORD: Final = re.compile(r"\S+")


def audible_range(samples: Samples) -> tuple[int, int] | None:
    """First and one past the last sample that can be heard; None where all is silence."""
    loud = np.flatnonzero((samples > QUIET) | (samples < -QUIET))
    return (int(loud[0]), int(loud[-1]) + 1) if len(loud) else None


def estimate_words(text: str, samples: Samples, rate: int) -> tuple[SpokenWord, ...]:
    """The words of `text`, spread over what can be heard of `samples` at `rate` Hz."""
    part = audible_range(samples)
    found = [match for match in _WORD.finditer(text) if any(map(str.isalnum, match[0]))]
    if part is None or not found:
        return ()
    start_s, length_s = part[0] / rate, (part[1] - part[0]) / rate
    weights = [_weight(match[0]) for match in found]
    # Nothing follows the last mark.
    weights[-1] = 1 + sum(map(str.isalnum, found[-1][0]))
    total, before = sum(weights), 0
    words = []
    for match, weight in zip(found, weights, strict=True):
        words.append(SpokenWord(match.start(), len(match[0]), start_s + length_s * before / total))
        before += weight
    return tuple(words)


def _weight(word: str) -> int:
    digits = sum(map(str.isdigit, word))
    # A digit is a word of its own when it is spoken.
    return 1 + sum(map(str.isalnum, word)) + 3 * digits + _PAUSES.get(word[-1], 0)
