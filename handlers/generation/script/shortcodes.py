"""Reads the names of emoji and icons between colons: `:tada:` is its emoji, `:material-home:` nothing.

Unknown names and times stay text.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline

from handlers.generation.script.attribute_lists import ATTRIBUTES

_NAME: Final = re.compile(r"(?<![\w:]):([a-z+-][a-z0-9_+-]{0,50}):(?![\w:])")

#: Icons by the names of their sets in Material for MkDocs.
_ICON: Final = re.compile(
    r":(?:material|octicons|simple|fontawesome-(?:brands|regular|solid))-[a-z0-9][a-z0-9_-]{0,80}:(?![\w:])"
)


def read_icon(state: StateInline, silent: bool) -> bool:
    """The parser's rule: skips an icon with its attribute list; of the blanks around it one stays."""
    if state.src[state.pos] != ":" or (match := _ICON.match(state.src, state.pos, state.posMax)) is None:
        return False
    before = state.src[state.pos - 1] if state.pos else " "
    if before.isalnum() or before == ":":
        return False
    end = match.end()
    if attributes := ATTRIBUTES.match(state.src, end, state.posMax):
        end = attributes.end()
    if before in " \t\n[":
        while end < state.posMax and state.src[end] in " \t":
            end += 1
    if not silent and state.src[end : end + 1] == "]":
        state.pending = state.pending.rstrip(" \t")
    state.pos = end
    return True


def read_shortcodes(state: StateCore) -> None:
    """The parser's rule: replaces names in text by their emoji."""
    for token in state.tokens:
        if token.type == "inline" and token.content.count(":") > 1:
            for child in token.children or ():
                if child.type == "text" and ":" in child.content:
                    child.content = _NAME.sub(lambda match: _emoji(match[1]) or match[0], child.content)


@lru_cache(1_000)
def _emoji(name: str) -> str:
    """Return the emoji of a name; empty for an unknown one."""
    from rich.emoji import Emoji, NoEmoji

    try:
        return str(Emoji({"+1": "thumbs_up", "-1": "thumbs_down"}.get(name, name)))
    except NoEmoji:
        return ""
