"""Words as they are set: how wide, in which direction, and where one that is too long may break."""

import re
import unicodedata
from typing import Final

from handlers.generation.script.content import Spans

_APOSTROPHE: Final = re.compile(r"(?<=\w)'(?=\w)")
#: Between these a line may break anywhere.
_FREE: Final = re.compile(r"[\s\u200b\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef-]+")


def is_rtl(text: str) -> bool:
    """Whether the first letter is of a script that is written from right to left."""
    for char in text:
        kind = unicodedata.bidirectional(char)
        if kind in ("R", "AL"):
            return True
        if kind == "L":
            return False
    return False


def spans_rtl(spans: Spans) -> bool:
    return is_rtl("".join(span.text for span in spans if span.kind == "text"))


def typographic(text: str) -> str:
    """Straight apostrophes within words become curved ones."""
    return _APOSTROPHE.sub("’", text)


def breakable(text: str, longest: int) -> str:
    """Zero-width spaces in words of more than `longest` characters without a place to break: pieces of like length."""
    return re.sub(rf"[^\s\u200b]{{{longest + 1},}}", lambda match: _pieces(match[0], longest), text)


def _pieces(word: str, longest: int) -> str:
    count = -(-len(word) // longest)
    size = -(-len(word) // count)
    return "\u200b".join(word[at : at + size] for at in range(0, len(word), size))


def ems(text: str) -> float:
    """A generous estimate of the width of `text` in em."""
    return sum(map(_em, text))


def widest_word(text: str) -> float:
    """The widest run without a place to break, in em; at least 1."""
    return max((ems(word) for word in _FREE.split(text)), default=1.0) or 1.0


def shortened(text: str, room: float) -> str:
    """The beginning of `text`, as much as `room` em hold, with an ellipsis where there is more."""
    if ems(text) <= room:
        return text
    taken = 0.0
    for at, char in enumerate(text):
        taken += _em(char)
        if taken > room - 1:
            return text[:at].rstrip() + "…"
    return text


def _em(char: str) -> float:
    if unicodedata.combining(char) or unicodedata.category(char) == "Cf":
        return 0.0
    if unicodedata.east_asian_width(char) in "WF":
        return 1.05
    if char in "iljtfr.,:;'!|()[] ’":
        return 0.4
    if char in "mwMWQO@%—…":
        return 0.95
    return 0.72 if char.isupper() or char.isdigit() else 0.6
