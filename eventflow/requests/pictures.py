"""A quick look at a script: most have no pictures, and needn't be parsed for them."""

from __future__ import annotations

import re
from typing import Final

#: Tags of HTML, directives of MyST, tags of site generators.
_TAGS: Final = re.compile(
    r"<(?:img|video)\b|\{(?:figure|image|video)\}"
    r"|\{(?:\{[<%]|%-?)[ \t]{0,9}(?:include[ \t]{1,9})?(?:figure|image|img)\b",
    re.IGNORECASE,
)


def may_name_pictures(script: str) -> bool:
    """Tell whether a script may have pictures: Markdown's, Obsidian's, or those of HTML and other tools."""
    return "![" in script or _TAGS.search(script) is not None
