"""Reads the options of listings: `{code-block} python` of MyST, `{python}` and `#|` of Quarto, `{.python}`."""

from __future__ import annotations

import re
from typing import Final

_BRACES: Final = re.compile(r"\{[ \t]*+(?P<dot>\.)?(?P<name>[\w+#-]++)(?P<more>[^{}]*+)\}(?P<rest>.*)", re.DOTALL)
_OPTION: Final = re.compile(r":(?P<name>[A-Za-z][\w-]*+):[ \t]*+(?P<value>.*)")
_CELL_OPTION: Final = re.compile(r"[ \t]*+(?:#|//|--|%|%%)\|[ \t]*+[\w-]++:.*")
#: Directives of MyST whose word behind the braces is the language.
_LISTINGS: Final = frozenset({"code-block", "code", "code-cell", "sourcecode", "highlight", "parsed-literal"})
_FORMULA: Final = "math"


def plain_fence(info: str, content: str) -> tuple[str, str]:
    """Return the words behind a fence and its text without the notation of other tools; line breaks stay."""
    match = _BRACES.fullmatch(info.strip())
    if match is None or not (match["dot"] or match["name"][0].isalpha()):
        return info, content
    name, rest = match["name"], match["rest"].strip()
    if name in _LISTINGS or name == _FORMULA:
        options, text = _without_options(content)
        language = _FORMULA if name == _FORMULA else rest
        marked = options.get("emphasize-lines", "")
        return f"{language} {{{marked}}}" if marked else language, text
    if match["dot"] and rest:
        return f"{name} {rest}", content
    return f"{name} {rest}".strip(), _without_cell_options(content)


def _without_options(content: str) -> tuple[dict[str, str], str]:
    """Split the lines `:name: value`, or YAML between `---`, off the beginning of a directive's text."""
    rows, options, at = content.split("\n"), dict[str, str](), 0
    if rows[0].strip() == "---" and "---" in (row.strip() for row in rows[1:]):
        at = 1 + next(n for n, row in enumerate(rows[1:], 1) if row.strip() == "---")
        return options, "\n".join(rows[at:])
    while at < len(rows) and (match := _OPTION.fullmatch(rows[at])):
        options[match["name"]] = match["value"].strip()
        at += 1
    if at < len(rows) and at and not rows[at].strip():
        at += 1
    return options, "\n".join(rows[at:])


def _without_cell_options(content: str) -> str:
    rows = content.split("\n")
    at = 0
    while at < len(rows) and _CELL_OPTION.fullmatch(rows[at]):
        at += 1
    return "\n".join(rows[at:])
