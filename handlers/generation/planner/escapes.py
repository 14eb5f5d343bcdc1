r"""Gives formulas their backslashes back, which models write once where JSON needs two. Pure and linear.

"\times" is read by JSON as a tab and "imes", "\alpha" isn't read at all.
"""

from __future__ import annotations

import re
from typing import Any, Final

_ESCAPE: Final = re.compile(r"""\\(?:(["\\/bfnrt]|u[0-9A-Fa-f]{4})|('))?""")
#: Control characters that JSON makes of a backslash and a letter, before another letter.
_CONTROL: Final = re.compile(r"(?<=\\\\)[\n\r\t ]++|[\t\n\r\f\b](?:[A-Za-z]++)?")
_LETTERS: Final = {"\t": "t", "\n": "n", "\r": "r", "\f": "f", "\b": "b"}
#: Commands that begin with \n; other letters after a line feed are a new line of a formula.
_COMMANDS_OF_N: Final = frozenset(
    (
        "nu",
        "neq",
        "nequiv",
        "ne",
        "neg",
        "nabla",
        "not",
        "notin",
        "ni",
        "nmid",
        "nleq",
        "ngeq",
        "nless",
        "ngtr",
        "nexists",
        "newline",
        "nonumber",
        "natural",
        "nearrow",
        "nwarrow",
        "nparallel",
        "nprec",
        "nsucc",
        "nsim",
        "ncong",
        "nsubseteq",
        "nsupseteq",
        "nsub",
        "nsup",
        "nleftarrow",
        "nleftrightarrow",
        "nrightarrow",
        "nolimits",
    )
)
_INLINE: Final = re.compile(r"\$[^$]{1,400}\$")
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")


def doubled(text: str) -> str:
    """Double each backslash that is no escape of JSON; an escaped apostrophe loses its backslash."""
    return _ESCAPE.sub(_doubled, text)


def _doubled(match: re.Match[str]) -> str:
    if match[1] is not None:
        return match[0]
    return "'" if match[2] is not None else "\\\\"


def formula(latex: str) -> str:
    """Return a formula with its commands as the model meant them; other control characters are spaces."""
    return _CONTROL.sub(_command, latex)


def _command(match: re.Match[str]) -> str:
    found = match[0]
    control, letters = found[0], found[1:]
    if control not in _LETTERS or found.isspace() or (control == "\n" and f"n{letters}" not in _COMMANDS_OF_N):
        return f" {letters.strip()}"
    return f"\\{_LETTERS[control]}{letters}"


def with_escapes(value: Any, name: str = "") -> Any:
    """Return a JSON value with its formulas as they were written: `latex`, and what stands between dollars in texts.

    Halves of surrogate pairs, which no file can hold, become U+FFFD.
    """
    if isinstance(value, dict):
        return {_whole(key): with_escapes(each, str(key)) for key, each in value.items()}
    if isinstance(value, list):
        return [with_escapes(each, name) for each in value]
    if not isinstance(value, str):
        return value
    if name == "latex":
        return _whole(formula(value))
    if name == "code" or "$" not in value:
        return _whole(value)
    return _whole(_INLINE.sub(lambda match: formula(match[0]), value))


def _whole(text: Any) -> Any:
    return _SURROGATE.sub("\ufffd", text) if isinstance(text, str) else text
