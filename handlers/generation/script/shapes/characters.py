"""Characters of other programs that nobody sees: line ends of Office and PDF, zero-width signs, ligatures.

Blanks that don't break stay on the page.
"""

from __future__ import annotations

import re
from typing import Final

_ENDS: Final = re.compile("\r\n|[\r\x0b\x85\u2028]|\x0c")
_PARAGRAPH: Final = "\u2029"
#: Zero-width space, word joiner, byte order mark, soft hyphen, object replacement; C0 and C1 without tab and line ends.
_GONE: Final = re.compile("[\u200b\u2060\ufeff\u00ad\ufffc\x01-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufdd0-\ufdef]")
_LIGATURES: Final = {0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "st", 0xFB06: "st"}
_ANY: Final = re.compile(
    "[\x01-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b\u2028\u2029\u2060\ufb00-\ufb06\ufeff\ufffc\ufdd0-\ufdef]"
)


def visible(text: str) -> tuple[str, int]:
    """A text with line feeds as its only line ends, without invisible characters; returns how many were removed."""
    if not _ANY.search(text):
        return text, 0
    text = text.replace(_PARAGRAPH, "\n\n")
    text = _ENDS.sub("\n", text)
    text, gone = _GONE.subn("", text)
    return text.translate(_LIGATURES), gone
