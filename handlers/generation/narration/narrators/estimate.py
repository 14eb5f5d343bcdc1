"""When words are spoken, where the narrator doesn't tell: by their lengths, over the part that can be heard. Pure."""

import re
from typing import Final

import numpy as np

from handlers.generation.audio.pcm import Samples
from handlers.generation.narration.narrators.base import SpokenWord

#: Below this a sample is silence.
QUIET: Final = 160

#: What a mark costs in letters: a comma is a short breath, a full stop a long one.
_PAUSES: Final = {",": 3, ";": 4, ":": 4, "–": 3, "—": 3, ".": 6, "!": 6, "?": 6, "…": 6}
_WORD: Final = re.compile(r"\S+")


def heard(samples: Samples) -> tuple[int, int] | None:
    """First and one past the last sample that can be heard; None where all is silence."""
    loud = np.flatnonzero((samples > QUIET) | (samples < -QUIET))
    return (int(loud[0]), int(loud[-1]) + 1) if len(loud) else None


def estimate_words(text: str, samples: Samples, rate: int) -> tuple[SpokenWord, ...]:
    """The words of `text`, spread over what can be heard of `samples` at `rate` Hz."""
    part = heard(samples)
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
