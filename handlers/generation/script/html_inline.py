"""Reads HTML tags within a line of Markdown: elements that mean something style the text in them, others vanish.

Tags needn't be closed, or nested rightly: an element that isn't closed ends with its block.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from attrs import evolve, frozen
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from handlers.generation.script.html_names import BLOCKS, RAW, STYLES, TAG, is_element

#: In a token's `meta`: the fields of the spans that elements around it change.
STYLE: Final = "style"
#: More elements in each other are not styled.
_MOST_OPEN: Final = 20


@frozen
class _Open:
    """An open element, and the fields of spans that it and those around it change."""

    name: str
    style: dict[str, Any]


def read_tags(state: StateCore) -> None:
    """The parser's rule: replaces the tags in each inline text."""
    for token in state.tokens:
        if token.type == "inline" and token.children and any(each.type == "html_inline" for each in token.children):
            token.children = list(_styled(token.children))


def _styled(tokens: Iterable[Token]) -> Iterator[Token]:
    given = list(tokens)
    ends = _last_ends(given)
    opened: list[_Open] = []
    hidden_until = -1
    for at, token in enumerate(given):
        if at <= hidden_until:
            continue
        if token.type != "html_inline":
            yield _dressed(token, opened)
            continue
        tag = TAG.fullmatch(token.content)
        if tag is None:  # a processing instruction or declaration
            continue
        name, ends_element = tag["name"].lower(), bool(tag["end"])
        if name in RAW and not ends_element:
            hidden_until = ends.get(name, at)
        elif name == "br":
            yield Token("hardbreak", "br", 0)
        elif name == "q":
            yield Token("text", "", 0, content="”" if ends_element else "“")
        elif name in STYLES:
            _turn(opened, name, ends=ends_element)
        elif name in BLOCKS:
            yield Token("softbreak", "br", 0)
        elif not is_element(tag["name"]) and not tag["rest"].strip(" /") and not ends_element and name not in ends:
            yield _dressed(_as_text(token), opened)


def _as_text(token: Token) -> Token:
    """Return a word in angle brackets, such as `<name>`, as text."""
    return Token("text", "", 0, content=token.content)


def _last_ends(tokens: list[Token]) -> dict[str, int]:
    """Return where each element ends last, by name."""
    found: dict[str, int] = {}
    for at, token in enumerate(tokens):
        if token.type == "html_inline" and token.content.startswith("</"):
            found[token.content[2:-1].strip().lower()] = at
    return found


def _turn(opened: list[_Open], name: str, *, ends: bool) -> None:
    """Open or close an element."""
    if ends:
        for at in range(len(opened) - 1, -1, -1):
            if opened[at].name == name:
                del opened[at]
                return
    elif len(opened) < _MOST_OPEN:
        if name == "kbd":  # of keys in a key, the inner ones are keys
            opened[:] = [evolve(each, style={}) if each.name == "kbd" else each for each in opened]
        opened.append(_Open(name, dict(STYLES[name])))


def _dressed(token: Token, opened: list[_Open]) -> Token:
    style = {field: value for each in opened for field, value in each.style.items()}
    if style:
        token.meta = {**token.meta, STYLE: style}
    return token
