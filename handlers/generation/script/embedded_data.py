"""Pictures that a script holds as data: each `data:` address outside of code has a short form, by its digest.

The parser reads long texts in pieces, which would cut such addresses; and requests name assets by addresses.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Final

from handlers.generation.script.comments import CodeLines
from handlers.generation.script.picture_addresses import SHORT_OF_SVG

_DATA: Final = re.compile(r"data:(?:image|video)/[A-Za-z0-9.+-]{1,60}(?:;[A-Za-z0-9=._-]{1,60}){0,4}+,[^\s\"'<>()\\]*+")
_SHORT: Final = "data:sha256,"
_SHORT_FORM: Final = re.compile(r"data:(?:svg-)?sha256,[0-9a-f]{32}")
_SVG: Final = "data:image/svg+xml"


def short_form(data: str) -> str:
    """Return the short form of a `data:` address."""
    start = SHORT_OF_SVG if data[: len(_SVG)].lower() == _SVG else _SHORT
    return start + hashlib.sha256(data.encode()).hexdigest()[:32]


def without_data(text: str) -> tuple[str, Mapping[str, str]]:
    """Replace the `data:` addresses of a Markdown text by their short forms; returns them by these.

    Code and lines stay as they are, and so do short forms.
    """
    if "data:" not in text:
        return text, {}
    found: dict[str, str] = {}

    def short(match: re.Match[str]) -> str:
        form = short_form(match[0])
        found[form] = match[0]
        return form

    code = CodeLines()
    made = [line if code.is_code(line) else _DATA.sub(short, line) for line in text.split("\n")]
    return "\n".join(made), found


def with_data(text: str, embedded: Mapping[str, str]) -> str:
    """Put the data back for those short forms that `embedded` has."""
    return _SHORT_FORM.sub(lambda match: embedded.get(match[0], match[0]), text) if embedded else text
