"""Recognises documents of other tools by sure signs: front matter that only they have, and commands in comments.

Decks are those of Marp, Slidev, reveal-md (reveal.js) and presenterm; what else other tools write is told apart from
our own front matter only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal

from attrs import frozen

Tool = Literal["marp", "slidev", "reveal", "presenterm"]

_RULE: Final = "---"
_VERTICAL: Final = "----"


@frozen(kw_only=True)
class Deck:
    """A deck of slides, and how they are told apart.

    `separators` are lines between slides, in Markdown or in comments; `blank_lines` so many of them are one (0: none).
    `divider` are the ranks of headings that begin a slide. `notes` begins what the speaker says.
    """

    tool: Tool
    separators: frozenset[str] = frozenset({_RULE})
    blank_lines: int = 0
    divider: frozenset[int] = frozenset()
    notes: str = ""


#: Front matter that only one tool has.
_KEYS: Final[Mapping[str, frozenset[str]]] = {
    "marp": frozenset({"marp", "headingdivider", "_class", "_paginate", "backgroundcolor"}),
    "slidev": frozenset({
        "canvaswidth", "colorschema", "drawings", "exportfilename", "favicon", "highlighter", "mdc", "monaco",
        "presenter", "routermode", "selectable", "themeconfig", "titletemplate", "twoslash", "hideintoc",
        "seometa", "wakelock",
    }),
    "reveal": frozenset({
        "highlighttheme", "notesseparator", "revealoptions", "separator", "verticalseparator", "vertical_separator",
    }),
}  # fmt: skip
#: Front matter of tools that write no decks, where `theme` and `title` may mean something else than here.
_OTHERS: Final = frozenset({
    "aspectratio", "bibliography", "categories", "colortheme", "csl", "cssclass", "cssclasses", "documentclass",
    "execute", "fonttheme", "format", "header-includes", "jupyter", "kernelspec", "knitr", "layout", "myst", "output",
    "paginate", "permalink", "sidebar_label", "sidebar_position", "sub_title", "transition",
})  # fmt: skip
_COMMAND: Final = r"^[ \t]*<!--\s*"
_PRESENTERM: Final = re.compile(
    rf"{_COMMAND}(?:end_slide|column_layout:[^\n>]*?|reset_layout|jump_to_middle|column: *\d+) *+-->[ \t]*+$",
    re.MULTILINE,
)
_REVEAL: Final = re.compile(r"<!-- {0,4}\.(?:slide|element):")
_SLIDEV: Final = re.compile(r"^(?:::(?:right|left|default|bottom)::|</?v-clicks?\b[^<>\n]*>)[ \t]*$", re.MULTILINE)
#: Front matter of a slide.
_SLIDE: Final = re.compile(
    r"^---[ \t]*\n(?:[\w-]+:.*\n){0,8}?"
    r"(?:layout|transition|layoutClass|clicks|hideInToc|routeAlias|dragPos|zoom|src|level|background|class):.*\n"
    r"(?:[\w-]+:.*\n){0,20}?---[ \t]*$",
    re.MULTILINE,
)
_MARP: Final = re.compile(rf"{_COMMAND}(?:marp: *true|_class:|_paginate:|headingDivider:)[^\n>]*?-->", re.MULTILINE)
_DIVIDER: Final = re.compile(rf"{_COMMAND}headingDivider:(?P<ranks>[ \d,\[\]]*)-->", re.MULTILINE)
_SHORTHAND: Final = re.compile(r"^[ \t]+end_slide_shorthand:[ \t]*true\b", re.MULTILINE)


def deck_of(entries: Mapping[str, str | None], head: str, body: str) -> Deck | None:
    """Return what deck a document is; `head` is its front matter as written, `entries` are its keys and values."""
    keys = frozenset(entries)
    if (
        entries.get("marp") == "true"
        or "headingdivider" in keys
        or (not entries and "\n---" in body and _MARP.search(body))
    ):
        return Deck(tool="marp", divider=_divider(entries.get("headingdivider") or _commanded(body)))
    if _PRESENTERM.search(body) or _SHORTHAND.search(head):
        return Deck(tool="presenterm", separators=frozenset({_RULE} if _SHORTHAND.search(head) else ()))
    if keys & _KEYS["slidev"] or _SLIDEV.search(body) or ("theme" in keys and _SLIDE.search(body)):
        return Deck(tool="slidev")
    if keys & _KEYS["reveal"] or _REVEAL.search(body):
        return _reveal({**entries, **_commented(head)})
    return None


def is_foreign(keys: frozenset[str]) -> bool:
    """Tell whether front matter with these keys belongs to another tool."""
    return bool(keys & _OTHERS) or any(keys & own for own in _KEYS.values())


def _commanded(body: str) -> str:
    found = _DIVIDER.search(body)
    return found["ranks"] if found else ""


def _divider(value: str) -> frozenset[int]:
    """Return the ranks in Marp's `headingDivider`: up to a number, or those in a list."""
    ranks = [int(digit) for digit in re.findall(r"[1-6]", value[:40])]
    return frozenset(ranks if "[" in value or "," in value else range(1, max(ranks, default=0) + 1))


def _commented(head: str) -> dict[str, str | None]:
    """Return the separators in front matter that are comments, which are no values otherwise."""
    return {match["key"].lower(): match["value"] for match in _COMMENTED.finditer(head)}


def _reveal(entries: Mapping[str, str | None]) -> Deck:
    given = [entries.get("separator"), entries.get("verticalseparator") or entries.get("vertical_separator")]
    lines = [_literal(value) if value else usual for value, usual in zip(given, (_RULE, _VERTICAL), strict=True)]
    blank = min((line.count("\n") for line in lines if line and not line.strip()), default=0)
    notes = _literal(entries.get("notesseparator") or "").strip()
    separators = frozenset(line.strip() for line in lines if line.strip())
    return Deck(tool="reveal", separators=separators, blank_lines=max(0, blank - 1), notes=notes)


_COMMENTED: Final = re.compile(
    r"^(?P<key>(?:vertical_?)?separator):[ \t]*+(?P<quote>[\"']?)(?P<value>\^?<!--[^\n>]*+>\$?)(?P=quote)[ \t]*+$",
    re.IGNORECASE | re.MULTILINE,
)
_NEWLINE: Final = re.compile(r"(?:\\r\?)?\\n")
_SPECIAL: Final = re.compile(r"[.?+()|\[\]{}]|\\[a-zA-Z]")


def _literal(pattern: str) -> str:
    """Return the text that a regular expression stands for; empty where it stands for several."""
    text = _NEWLINE.sub("\n", pattern.removeprefix("^").removesuffix("$"))
    text = text.removeprefix("^").removesuffix("$")
    return "" if _SPECIAL.search(text) else text.replace("\\", "")
