"""Properties of text that is to be set: width, direction, and breaks in long words."""

import re
import unicodedata
from typing import Final

from handlers.generation.script.content import Spans
from handlers.generation.script.graphemes import clusters

_APOSTROPHE: Final = re.compile(r"(?<=\w)'(?=\w)")
#: White space, zero-width spaces, hyphens and CJK characters: a line may break at each of them.
_FREE: Final = re.compile(r"[\s\u200b\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef-]+")


def is_rtl(text: str) -> bool:
    """Tell whether the first letter belongs to a right-to-left script."""
    for char in text:
        kind = unicodedata.bidirectional(char)
        if kind in ("R", "AL"):
            return True
        if kind == "L":
            return False
    return False


def spans_rtl(spans: Spans) -> bool:
    """Tell whether the first letter of the spans' text belongs to a right-to-left script."""
    return is_rtl("".join(span.text for span in spans if span.kind == "text"))


def typographic(text: str) -> str:
    """Replace straight apostrophes within words by curved ones."""
    return _APOSTROPHE.sub("’", text)


def breakable(text: str, longest: int) -> str:
    """Insert zero-width spaces into words of more than `longest` characters, at even distances."""
    return re.sub(rf"[^\s\u200b]{{{longest + 1},}}", lambda match: _pieces(match[0], longest), text)


def _pieces(word: str, longest: int) -> str:
    letters = clusters(word)
    if len(letters) <= longest:
        return word
    count = -(-len(letters) // longest)
    size = -(-len(letters) // count)
    return "\u200b".join("".join(letters[at : at + size]) for at in range(0, len(letters), size))


def ems(text: str) -> float:
    """Estimate the width of `text` in em, generously."""
    return sum(map(_em, text))


def widest_word(text: str) -> float:
    """Estimate the widest run without a possible break, in em; 1 for an empty text."""
    return max((ems(word) for word in _FREE.split(text)), default=1.0) or 1.0


def shortened(text: str, room: float) -> str:
    """Shorten `text` to `room` em; the cut is marked by an ellipsis."""
    if ems(text) <= room:
        return text
    taken, kept = 0.0, list[str]()
    for letter in clusters(text):
        taken += ems(letter)
        if taken > room - 1:
            return "".join(kept).rstrip() + "…"
        kept.append(letter)
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
