"""Warns of formulas that aren't understood: they are shown as their source."""

from __future__ import annotations

from collections.abc import Iterator

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from handlers.generation.control import Warned
from handlers.generation.script.callouts import NOTICED, notice
from handlers.generation.script.formula import MathError, parse_math

_SHOWN_CHARS = 60


def notice_formulas(state: StateCore) -> None:
    """The parser's rule: adds a warning for each formula that is shown as text, with its line."""
    if NOTICED not in state.env:
        return
    for token in state.tokens:
        for line, source in _formulas(token):
            try:
                parse_math(" ".join(source.split()))
            except MathError as error:
                message = f"the formula {source[:_SHOWN_CHARS]!r} is shown as it is written: {error}"
                notice(state.env, line, Warned("formula_as_text", message))


def _formulas(token: Token) -> Iterator[tuple[int, str]]:
    """Yield the formulas of a token with their lines, counted from 1."""
    line = token.map[0] + 1 if token.map else 1
    if token.type == "math_block" or (token.type == "fence" and token.info.strip().lower() == "math"):
        if token.content.strip():
            yield line, token.content
    elif token.type == "inline":
        for child in token.children or ():
            if child.type == "math_inline":
                yield line, child.content
            line += child.type in ("softbreak", "hardbreak")
