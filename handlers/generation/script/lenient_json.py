"""Reads JSON with what models get wrong: quotes, commas, comments, characters, Python's constants. Pure and linear.

The text is taken apart in one pass and written as JSON, which the exact reader then reads. (The library json-repair
mends more, but takes minutes for some texts of 40,000 characters; decision 226.)
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

#: A quotation mark that ends a string is followed by what may follow a string; others belong to it.
_ENDS: Final = r"(?=\s{0,40}(?:[,:}\]]|//|\Z))"
_TOKEN: Final = re.compile(
    rf"""
      (?P<space>\s++|//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+\*/)
    | (?P<sign>[{{}}\[\],:])
    | "(?P<double>(?:[^"\\]++|\\.|"(?!{_ENDS}))*+)"
    | '(?P<single>(?:[^'\\]++|\\.|'(?!{_ENDS}))*+)'
    | “(?P<curly>[^”]*+)”
    | (?P<number>-?\d++(?:\.\d++)?(?:[eE][+-]?\d++)?)
    | (?P<word>[-A-Za-z_$][A-Za-z0-9_$]*+)
    """,
    re.VERBOSE | re.DOTALL,
)
_CONSTANTS: Final = {
    "true": "true",
    "false": "false",
    "null": "null",
    "True": "true",
    "False": "false",
    "None": "null",
    **dict.fromkeys(("NaN", "nan", "Infinity", "-Infinity", "undefined"), "null"),
}
_UNSAFE: Final = re.compile(r'\\.|["\x00-\x1f]', re.DOTALL)


def read_leniently(text: str, start: int = 0) -> Any:
    """Return the value that begins with a bracket at `start`; what follows it is left. Raises ValueError."""
    return _read(text, start)[0]


def read_whole(text: str) -> Any:
    """Return the value that a text is as a whole. Raises ValueError."""
    value, end = _read(text, 0)
    if text[end:].strip():
        raise ValueError(f"something follows at {end}")
    return value


def _read(text: str, start: int) -> tuple[Any, int]:
    """The value that begins with a bracket, and where it ends."""
    written: list[str] = []
    depth, place = 0, start
    before = ""  # the sign before, "v" for a value
    while True:
        match = _TOKEN.match(text, place)
        if match is None:
            raise ValueError(f"nothing of JSON at {place}")
        place = match.end()
        if match.lastgroup == "space":
            continue
        sign = match[0] if match.lastgroup == "sign" else "v"
        if sign in "}]" and before == ",":
            written.pop()
        if sign in "v{[" and before in ("v", "}", "]"):
            written.append(",")
        written.append(_json(match))
        before = sign
        depth += (sign in "{[") - (sign in "}]")
        if depth <= 0:
            break
    try:
        return json.loads("".join(written)), place
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _json(match: re.Match[str]) -> str:
    """Write a token as JSON has it."""
    kind, text = match.lastgroup or "", match[match.lastgroup or 0]
    if kind in ("sign", "number"):
        return text
    if kind == "word":
        return _CONSTANTS.get(text) or json.dumps(text)
    return '"' + _UNSAFE.sub(_safe, text) + '"'


def _safe(match: re.Match[str]) -> str:
    found = match[0]
    if len(found) == 1:
        return json.dumps(found)[1:-1]
    return "'" if found == "\\'" else found
