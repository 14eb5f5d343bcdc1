"""Characters of other programs that nobody sees: line ends of Office and PDF, zero-width signs, ligatures.

Blanks that don't break stay on the page. Escapes and references write characters that a script itself can't have.
"""

from __future__ import annotations

import html
import re
from typing import Any, Final

from eventflow.requests.json_reader import without_forbidden
from handlers.generation.script.nfc import nfc

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


#: References to characters by numbers beyond those of Unicode, which Python may refuse to convert.
_BEYOND: Final = re.compile(r"&#(?:[0-9]{20,}+|[xX][0-9a-fA-F]{20,}+);?")


def written(text: str) -> str:
    """A text that escapes may have written, such as a value of JSON, with the characters that a script may have."""
    return nfc(without_forbidden(visible(text)[0]))


def unescaped(text: str) -> str:
    """A text in which references such as `&amp;` and `&#38;` are the characters that they name."""
    return written(html.unescape(_BEYOND.sub("\ufffd", text))) if "&" in text else text


def written_value(value: Any, deepest: int) -> Any:
    """A value of JSON or YAML with `written` texts; None for lists and objects in more than `deepest` others."""
    match value:
        case str():
            return written(value)
        case list() if deepest:
            return [written_value(each, deepest - 1) for each in value]
        case dict() if deepest:
            return {written_value(key, 1): written_value(each, deepest - 1) for key, each in value.items()}
        case list() | dict():
            return None
        case _:
            return value
