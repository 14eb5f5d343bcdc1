"""Recognises documents of other tools by sure signs: front matter that only they have, and commands in comments.

Decks are those of Marp, Slidev, reveal-md (reveal.js) and presenterm; what else other tools write is told apart from
our own only by its front matter.
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
    """A deck of slides, and the marks that separate them.

    `separators` are lines between slides, in Markdown or in comments; `blank_lines` so many of them are one (0: none).
    `divider` are the ranks of headings that begin a slide; `titles`: those of two lines do. `notes` begins what the
    speaker says, `prefix` commands in comments.
    """

    tool: Tool
    separators: frozenset[str] = frozenset({_RULE})
    blank_lines: int = 0
    divider: frozenset[int] = frozenset()
    titles: bool = False
    notes: str = ""
    prefix: str = ""


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
    rf"{_COMMAND}(?:end_slide|column_layout:[^\n>]*?|reset_layout|jump_to_middle|column: *\d+) *+-->[ \t]*+$"
    r"|^[ \t]*+!\[image:w(?:idth)?:\d++%\]\(",
    re.MULTILINE,
)
_REVEAL: Final = re.compile(r"<!-- {0,4}\.(?:slide|element):")
#: Notes of reveal.js, which with rules between slides are a sign of it.
_ASIDE: Final = re.compile(r"^[ \t]*+<aside class=[\"']notes[\"']>", re.MULTILINE)
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
#: Options of presenterm, indented below `options:` or beside each other in braces.
_OPTION: Final = re.compile(
    r"[\s{,](?P<name>implicit_slide_ends|end_slide_shorthand|command_prefix|image_attributes_prefix|incremental_lists"
    r"|strict_front_matter_parsing|list_item_newlines|h1_slide_titles):[ \t]*+(?P<value>[^\n,}#]*+)"
)


def deck_of(entries: Mapping[str, str | None], head: str, body: str) -> Deck | None:
    """Return the deck that a document is, or None. `head` is its front matter as written, `entries` are its values."""
    keys = frozenset(entries)
    if (
        entries.get("marp") == "true"
        or "headingdivider" in keys
        or (not entries and "\n---" in body and _MARP.search(body))
    ):
        return Deck(tool="marp", divider=_divider(entries.get("headingdivider") or _commanded(body)))
    options = _options(head) if "options" in keys else {}
    if options or _PRESENTERM.search(body):
        return _presenterm(options)
    if keys & _KEYS["slidev"] or _SLIDEV.search(body) or ("theme" in keys and _SLIDE.search(body)):
        return Deck(tool="slidev")
    if keys & _KEYS["reveal"] or _REVEAL.search(body) or ("\n---" in body and _ASIDE.search(body)):
        return reveal_deck({**entries, **_commented(head)})
    return None


def is_foreign(keys: frozenset[str]) -> bool:
    """Tell whether front matter with these keys belongs to another tool."""
    return bool(keys & _OTHERS) or any(keys & own for own in _KEYS.values())


def _commanded(body: str) -> str:
    found = _DIVIDER.search(body)
    return found["ranks"] if found else ""


def _options(head: str) -> dict[str, str]:
    return {match["name"]: match["value"].strip(" \t\"'") for match in _OPTION.finditer(head)}


def _presenterm(options: Mapping[str, str]) -> Deck:
    shorthand = options.get("end_slide_shorthand") == "true"
    return Deck(
        tool="presenterm",
        separators=frozenset({_RULE} if shorthand else ()),
        titles=options.get("implicit_slide_ends") == "true",
        divider=frozenset({1} if options.get("h1_slide_titles") == "true" else ()),
        prefix=options.get("command_prefix", ""),
    )


def _divider(value: str) -> frozenset[int]:
    """Return the ranks in Marp's `headingDivider`: up to a number, or those in a list."""
    ranks = [int(digit) for digit in re.findall(r"[1-6]", value[:40])]
    return frozenset(ranks if "[" in value or "," in value else range(1, max(ranks, default=0) + 1))


def _commented(head: str) -> dict[str, str | None]:
    """Return the separators in front matter that are comments, which are no values otherwise."""
    return {match["key"].lower(): match["value"] for match in _COMMENTED.finditer(head)}


def reveal_deck(entries: Mapping[str, str | None]) -> Deck:
    """Return the deck of reveal.js with the separators in `entries`, regular expressions by lower-case names."""
    given = [entries.get("separator"), entries.get("verticalseparator") or entries.get("vertical_separator")]
    lines = [
        line
        for value, usual in zip(given, (_RULE, _VERTICAL), strict=True)
        for line in (_literals(value) if value else ()) or (usual,)
    ]
    blank = min((line.count("\n") for line in lines if not line.strip()), default=0)
    notes = _literals(entries.get("notesseparator") or "")
    separators = frozenset(line.strip() for line in lines if line.strip())
    return Deck(
        tool="reveal", separators=separators, blank_lines=max(0, blank - 1), notes=notes[0].strip() if notes else ""
    )


_COMMENTED: Final = re.compile(
    r"^(?P<key>(?:vertical_?)?separator):[ \t]*+(?P<quote>[\"']?)(?P<value>\^?<!--[^\n>]*+>\$?)(?P=quote)[ \t]*+$",
    re.IGNORECASE | re.MULTILINE,
)
_NEWLINE: Final = re.compile(r"(?:(?:\\r|\r)\??)?(?:\\n|\n)")
#: Blanks of any number, which lines may have anyway.
_BLANKS: Final = re.compile(r"(?:\\s|\[ \\t\]| )[*+]")
_AT_LEAST: Final = re.compile(r"(?P<sign>[-=*_~])(?:\+|\{(?P<least>[1-9]),?\d?\})")
_SPECIAL: Final = re.compile(r"[.?+()|\[\]{}]|\\[a-zA-Z]")


def _literals(pattern: str) -> tuple[str, ...]:
    """Return the texts that a regular expression stands for, the shortest of each; none where that can't be told."""
    text = _BLANKS.sub("", _NEWLINE.sub("\n", pattern))
    text = _AT_LEAST.sub(lambda match: match["sign"] * int(match["least"] or 1), text)
    parts = [part.strip("^$") for part in text.strip("^$").removeprefix("(?:").removeprefix("(").split("|")]
    parts = [part.removesuffix(")").strip("^$") for part in parts]
    return () if any(_SPECIAL.search(part) for part in parts) else tuple(p.replace("\\", "") for p in parts if p)
