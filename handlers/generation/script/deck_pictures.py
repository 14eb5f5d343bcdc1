"""Reads the descriptions of pictures in decks of Marp and presenterm, whose words say how a picture is set.

Words of look leave the description. A background of Marp's fills the page (`![bg](a.png)`), or stands at its side
(`![bg left:40%](a.png)`); one that is a colour is nothing.
"""

from __future__ import annotations

import re
from typing import Final

from handlers.generation.script.deck_tools import Deck

_PICTURE: Final = re.compile(r"!\[(?P<alt>[^\[\]\n]*+)\]\((?P<address>(?:[^()\s]|\([^()\n]*+\))++)\)")
_MARP: Final = re.compile(
    r"bg|cover|contain|fit|auto|vertical|(?:left|right)(?::\S*)?|\d+(?:\.\d+)?%|"
    r"(?:w|h|width|height|blur|brightness|contrast|drop-shadow|grayscale|hue-rotate|invert|opacity|saturate|sepia)(?::\S*)?"
)
_PRESENTERM: Final = re.compile(r"(?:[a-z_-]{1,20}:)?(?:w|h|width|height):\S*")
_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{3,8}|[a-zA-Z]++|(?:rgb|hsl)a?\([^()]*+\)")


def read_pictures(line: str, deck: Deck) -> str:
    """Rewrite the pictures of a line."""
    words = {"marp": _MARP, "presenterm": _PRESENTERM}.get(deck.tool)
    if words is None or "![" not in line:
        return line
    return _PICTURE.sub(lambda match: _picture(match, words), line)


def _picture(match: re.Match[str], look: re.Pattern[str]) -> str:
    words = match["alt"].split()
    kept = [word for word in words if not look.fullmatch(word)]
    looks = {word.partition(":")[0] for word in words if look.fullmatch(word)}
    if "bg" in looks and _COLOUR.fullmatch(match["address"]):
        return ""
    side = looks & {"left", "right"} if "bg" in looks else set()
    options = ""
    if side:
        options = f' "side={min(side)}"'
    elif "bg" in looks and not looks & {"fit", "contain", "auto"}:
        options = ' "fit=cover"'
    return f"![{' '.join(kept)}]({match['address']}{options})"
