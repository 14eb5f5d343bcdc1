"""Recognises the attribute lists of kramdown, pandoc and Python-Markdown, which name classes for a page's style.

A list belongs to what stands before it (`{.x}`, `{#id key=val}`, `{: .x}`) or, on a line of its own, to the block above
or below.
"""

from __future__ import annotations

import re
from typing import Final

_VALUE: Final = r"(?:\"[^\"\n]*+\"|'[^'\n]*+'|[^\s{}\"']++)"
_ATTRIBUTE: Final = rf"(?:[#.][\w:.-]++|[A-Za-z][\w:.-]*+={_VALUE}|-|=\w++)"
#: One part is a class, an id, or `key=val` behind a colon or a thing.
ATTRIBUTES: Final = re.compile(rf"\{{(?P<colon>:)?[ \t]*+(?P<list>{_ATTRIBUTE}(?:[ \t]++{_ATTRIBUTE})*+)[ \t]*+\}}")
_SURE: Final = re.compile(r"(?:^|\s)[#.]")
#: A line with nothing but a list, in a quote or not. Behind a colon it may have names of lists, too (`{:name: .x}`).
_LINE: Final = re.compile(r"(?P<before>[ \t>]*+)(?:\{:[^{}\n]++\}|(?P<list>\{[^{}\n]++\}))[ \t]*+")


def is_sure(found: re.Match[str]) -> bool:
    """Tell whether a match of ATTRIBUTES is a list wherever it stands."""
    return found["colon"] is not None or _SURE.search(found["list"]) is not None


def attribute_line(line: str) -> str | None:
    """Return what is left of a line of nothing but an attribute list, the marks of quotes; None for another line."""
    if "}" not in line or (match := _LINE.fullmatch(line)) is None:
        return None
    if match["list"] is not None:
        found = ATTRIBUTES.fullmatch(match["list"])
        if found is None or not is_sure(found):
            return None
    return match["before"].rstrip()
