"""Reads marked, lowered and raised text: `==mark==`, `~sub~`, `^sup^`; prices, paths and single signs stay text."""

from __future__ import annotations

import re
from typing import Final

from attrs import evolve
from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

from handlers.generation.script.content import Span

#: Longest text between marks; it has none of the marks itself. Lowered and raised text has no blanks, as in Pandoc.
_MARKS: Final = {
    "=": (re.compile(r"==(?![\s=])([^=\n]{1,400})(?<!\s)==(?!=)"), "mark"),
    "~": (re.compile(r"~([^\s~^/\\]{1,80})~(?!~)"), "sub"),
    "^": (re.compile(r"\^([^\s~^/\\\[\]]{1,80})\^(?!\^)"), "sup"),
}


def add_mark_rules(parser: MarkdownIt) -> None:
    """Let `parser` read marked, lowered and raised text."""
    parser.inline.ruler.before("strikethrough", "mark", _mark)


def _mark(state: StateInline, silent: bool) -> bool:
    sign = state.src[state.pos]
    if sign not in _MARKS or (state.pos and state.src[state.pos - 1] in (sign, "/")):
        return False
    pattern, name = _MARKS[sign]
    match = pattern.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    if not silent:
        end = state.posMax
        state.push(f"{name}_open", name, 1)
        state.pos, state.posMax = match.start(1), match.end(1)
        state.md.inline.tokenize(state)
        state.posMax = end
        state.push(f"{name}_close", name, -1)
    state.pos = match.end()
    return True


def marked_style(name: str, style: Span) -> Span:
    """Return the style of what stands within the node `name`: mark, sub or sup."""
    return evolve(style, marked=True) if name == "mark" else evolve(style, shift="sub" if name == "sub" else "sup")
