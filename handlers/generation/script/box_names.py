"""The names of boxes in the dialects of Markdown, and what they mean."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from attrs import frozen

from handlers.generation.script.content import Tone

#: "box": a callout. "flow": its blocks stand as if there were no box. "notes": they are spoken, not shown. "nothing":
#: neither. "tab": they follow their title.
Role = Literal["box", "flow", "notes", "nothing", "tab", "columns", "column"]


@frozen(kw_only=True)
class Box:
    """A box by its name as it is written."""

    name: str
    role: Role = "box"
    tone: Tone = "plain"
    known: bool = True


#: Names in GitHub, Obsidian, MyST (docutils), Docusaurus, VitePress, Quarto and Material for MkDocs.
_NAMES: Final[tuple[tuple[Tone, str], ...]] = (
    ("note", "note notice"),
    ("info", "info seealso abstract summary tldr todo information"),
    ("tip", "tip hint"),
    ("important", "important"),
    ("warning", "warning warn attention"),
    ("caution", "caution"),
    ("danger", "danger error bug failure fail missing alert"),
    ("success", "success check done"),
    ("question", "question help faq exercise"),
    ("example", "example"),
    ("plain", "quote cite admonition details dropdown card topic sidebar aside"),
)
_TONES: Final[dict[str, Tone]] = {name: tone for tone, names in _NAMES for name in names.split()}
#: Names of boxes that structure or style a page, in pandoc, Quarto, MyST and VitePress.
_STRUCTURES: Final[tuple[tuple[Role, str], ...]] = (
    (
        "flow",
        "code-group tabs tab-set panel-tabset grid incremental nonincremental center centered fragment r-stack "
        "r-fit-text vstack hstack raw v-pre block section slide epigraph cards div container content-visible "
        "column-margin refs cell line-block compound margin hlist grid-item-card steps figure figure-md image video",
    ),
    ("notes", "notes speaker-notes"),
    ("nothing", "hidden content-hidden comment toctree contents bibliography index meta"),
    ("tab", "tab tab-item"),
    ("columns", "columns"),
    ("column", "column"),
)
_ROLES: Final[dict[str, Role]] = {name: role for role, names in _STRUCTURES for name in names.split()}
#: Directives of MyST within fences whose text is Markdown; others are languages of listings.
_DIRECTIVES: Final = frozenset({
    "admonition", "aside", "attention", "bibliography", "card", "caution", "comment", "compound", "container",
    "contents", "danger", "deprecated", "div", "dropdown", "epigraph", "error", "example", "exercise", "figure",
    "figure-md", "grid", "grid-item-card", "hint", "hlist", "image", "important", "index", "margin", "meta",
    "note", "quote", "seealso", "sidebar", "tab-item", "tab-set", "tip", "toctree", "todo", "topic",
    "versionadded", "versionchanged", "video", "warning",
})  # fmt: skip
#: Directives of MyST that name a picture or clip behind their braces.
_PICTURES: Final = frozenset({"figure", "image", "video"})
_PREFIX: Final = "callout-"


def box_of_name(name: str) -> Box:
    """Return the box of a name; an unknown one is a plain box."""
    key = name.lower().removeprefix(_PREFIX)
    if key in _ROLES:
        return Box(name=name, role=_ROLES[key])
    if key in _TONES:
        return Box(name=name, tone=_TONES[key])
    return Box(name=name, known=key in _DIRECTIVES)


def box_of_classes(classes: Iterable[str]) -> Box:
    """Return the box of pandoc's classes; classes that are no box's leave their text as it is."""
    given = list(classes)
    for name in given:
        if name.lower().startswith(_PREFIX) or name.lower() in _TONES or name.lower() in _ROLES:
            return box_of_name(name)
    return Box(name=given[0] if given else "", role="flow")


def is_directive(name: str) -> bool:
    """Tell whether a fenced block with the language `{name}` is Markdown."""
    return name.lower() in _DIRECTIVES


def names_picture(name: str) -> bool:
    """Tell whether the words behind a directive `{name}` are the address of a picture or clip."""
    return name.lower() in _PICTURES
