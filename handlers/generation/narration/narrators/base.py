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
    """A spoken word: `length` characters of the text from `position` on, spoken from `start_s` on (seconds)."""

    position: int
    length: int
    start_s: float


@frozen(kw_only=True)
class Speech:
    """int16 mono samples at `rate` Hz with the times of the words. `estimated`: the times are from `estimate_words`."""

    samples: Samples
    rate: int
    words: tuple[SpokenWord, ...]
    estimated: bool = False


@frozen
class VoiceInfo:
    """A voice by the name that requests use; `language` is a BCP 47 tag, "und" where it is unknown."""

    name: str
    language: str
    narrator: str


class Narrator(Protocol):
    """A source of speech. Voices are named without the narrator's prefix here."""

    #: The prefix before the colon in names of its voices; also its name in lists of voices.
    name: ClassVar[str]

    def check(self, voice: str) -> None:
        """Check a voice without speaking. Raises UnknownVoice, NarratorUnavailable."""

    def voices(self) -> tuple[VoiceInfo, ...]:
        """List all voices, with the names that requests use; none where the narrator isn't set up."""

    def speak(self, text: str, voice: str, rate: float) -> Speech:
        """Speak `text` at `rate` times the usual speed. Blocking.

        Raises SpeechError (may pass), SpeechRefused (permanent), UnknownVoice, NarratorUnavailable.
        """


def unknown_voice(name: str, known: Iterable[str]) -> UnknownVoice:
    """Make the error for a voice that isn't in `known`; its examples begin with voices of the same language."""
    names = list(known)
    stem = name.lower().split("-")[0].split("_")[0]
    alike = [each for each in names if each.lower().replace("_", "-").split("-")[0] == stem]
    return UnknownVoice(name, list(dict.fromkeys([*alike[:4], *names]))[:_MAX_EXAMPLES])


def language_tag(name: str) -> str:
    """Derive the BCP 47 tag from a voice's name: "en-us" and "en_US-amy-medium" give "en-US", others "und"."""
    language, *rest = name.replace("_", "-").split("-")
    if not (2 <= len(language) <= 3 and language.isalpha() and language.isascii()):
        return "und"
    tag = [language.lower()]
    if rest and len(rest[0]) == 2 and rest[0].isalpha() and rest[0].isascii():
        tag.append(rest[0].upper())
    elif rest and len(rest[0]) == 4 and rest[0].isalpha() and rest[0].isascii():
        tag.append(rest[0].capitalize())
    return "-".join(tag)


#: Samples up to this amplitude (of 32767; -46 dBFS) count as silence.
QUIET: Final = 160

#: Length of the pause at a punctuation mark, in letters.
_PAUSES: Final = {",": 3, ";": 4, ":": 4, "–": 3, "—": 3, ".": 6, "!": 6, "?": 6, "…": 6}
_WORD: Final = re.compile(r"\S+")


def audible_range(samples: Samples) -> tuple[int, int] | None:
    """Return the first and one past the last audible sample; None for silence."""
    loud = np.flatnonzero((samples > QUIET) | (samples < -QUIET))
    return (int(loud[0]), int(loud[-1]) + 1) if len(loud) else None


def estimate_words(text: str, samples: Samples, rate: int) -> tuple[SpokenWord, ...]:
    """Spread the words of `text` over the audible part of `samples` (at `rate` Hz) by their lengths.

    For narrators that don't report the times of words.
    """
    part = audible_range(samples)
    found = [match for match in _WORD.finditer(text) if any(map(str.isalnum, match[0]))]
    if part is None or not found:
        return ()
    start_s, length_s = part[0] / rate, (part[1] - part[0]) / rate
    weights = [_weight(match[0]) for match in found]
    # No pause follows the last mark.
    weights[-1] = 1 + sum(map(str.isalnum, found[-1][0]))
    total, before = sum(weights), 0
    words = []
    for match, weight in zip(found, weights, strict=True):
        words.append(SpokenWord(match.start(), len(match[0]), start_s + length_s * before / total))
        before += weight
    return tuple(words)


def _weight(word: str) -> int:
    digits = sum(map(str.isdigit, word))
    # A spoken digit is a word.
    return 1 + sum(map(str.isalnum, word)) + 3 * digits + _PAUSES.get(word[-1], 0)
