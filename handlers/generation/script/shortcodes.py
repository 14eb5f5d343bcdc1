"""Reads the names of emoji between colons, such as `:tada:`; unknown names and times stay text."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from markdown_it.rules_core import StateCore

_NAME: Final = re.compile(r"(?<![\w:]):([a-z+-][a-z0-9_+-]{0,50}):(?![\w:])")


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
