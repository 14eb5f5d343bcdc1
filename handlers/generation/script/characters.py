"""Characters that no text may have: they are nothing to see or say, and some can't be written as UTF-8."""

import re
from typing import Final

_FORBIDDEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def forbidden(text: str) -> re.Match[str] | None:
    """The first control character in a text, but for tab and line ends; half a surrogate pair counts as one."""
    return _FORBIDDEN.search(text)
