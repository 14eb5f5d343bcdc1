"""Text in Normalization Form C, in linear time.

Canonical ordering sorts each run of combining marks, in CPython in quadratic time. The Stream-Safe Text Format
(Unicode Standard Annex 15, section 13) bounds these runs: after 30 marks a COMBINING GRAPHEME JOINER begins a new one.
No written language comes near to 30.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

#: The most combining marks in a run, as UAX 15 has it.
MAX_MARKS: Final = 30
_JOINER: Final = "\u034f"
#: No combining mark is below U+0300. Shorter runs of whatever is above can't be too long.
_LONG_RUN: Final = re.compile(rf"[^\x00-\u02ff]{{{MAX_MARKS // 3},}}+")


def nfc(text: str) -> str:
    """The text in NFC, with at most 30 combining marks in a row."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _LONG_RUN.sub(lambda match: _stream_safe(match[0]), text))


def _stream_safe(run: str) -> str:
    safe: list[str] = []
    marks = 0
    for character in run:
        leading, trailing = _marks(character)
        if marks + leading > MAX_MARKS:
            safe.append(_JOINER)
            marks = 0
        marks = marks + leading if trailing is None else trailing
        safe.append(character)
    return "".join(safe)


@lru_cache(4096)
def _marks(character: str) -> tuple[int, int | None]:
    """How many combining marks a character's decomposition begins and, after something else, ends with.

    The second number is None where it consists of marks alone, as that of U+0F73 does, which itself isn't one.
    """
    combining = [unicodedata.combining(part) > 0 for part in unicodedata.normalize("NFKD", character)]
    if all(combining):
        return len(combining), None
    return combining.index(False), combining[::-1].index(False)
