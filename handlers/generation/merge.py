"""Merge fields: `{{name}}` in a template's texts stands for a value that comes with the request.

They are put in after parsing, into texts alone, and what is put in is not looked at again: a value is never markup.
In text every field must have a value. Code may have braces of its own: there only fields that have one are replaced,
in formulas none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import attrs

from handlers.generation.content import (
    Bullet,
    Bullets,
    Chart,
    Clip,
    Code,
    Columns,
    Heading,
    Image,
    Paragraph,
    Quote,
    Sentence,
    Series,
    Span,
    Table,
)
from handlers.generation.errors import ScriptError
from handlers.generation.sections import Note, Said, Section

NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_FIELD: Final = re.compile(rf"\{{\{{[ \t]*({NAME.pattern})[ \t]*\}}\}}")

T = TypeVar("T")


class UnknownField(ScriptError):
    """A text names a field that has no value; `name` is its name."""

    code = "unknown_merge_field"

    def __init__(self, name: str, known: Mapping[str, str]) -> None:
        self.name = name
        there_is = f"there is: {', '.join(sorted(known)[:20])}" if known else "the request has no merge fields"
        super().__init__(
            f'there is no value for the merge field {{{{{name}}}}} ({there_is}): send "merge": [{{"find": "{name}", '
            '"replace": "..."}], or write it as `code`'
        )


def has_fields(text: str) -> bool:
    """Whether there may be merge fields in a text."""
    return "{{" in text


def fill_text(text: str, fields: Mapping[str, str]) -> str:
    """The text with its fields filled in. Raises UnknownField."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in fields:
            raise UnknownField(match[1], fields)
        return fields[match[1]]

    return _FIELD.sub(value, text) if has_fields(text) else text


def fill(section: Section, fields: Mapping[str, str]) -> Section:
    """The section with all fields in its texts filled in. Raises UnknownField."""
    return _fill(section, fields)


def _known_only(text: str, fields: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda match: fields.get(match[1], match[0]), text)


def _fill(value: T, fields: Mapping[str, str]) -> T:
    """`value` with its texts filled in, however deep they are."""
    filled: Any = value
    match value:
        case str():
            filled = fill_text(value, fields)
        case tuple():
            filled = tuple(_fill(item, fields) for item in value)
        case Span(kind="math"):
            pass
        case Span(kind="code") | Code():
            filled = attrs.evolve(value, text=_known_only(value.text, fields))
        case Span():
            # Lines of a value are no lines of the text.
            filled = attrs.evolve(value, text=" ".join(fill_text(value.text, fields).splitlines()))
        case _ if type(value) in _TEXTS:
            changed = {name: _fill(getattr(value, name), fields) for name in _TEXTS[type(value)]}
            filled = attrs.evolve(value, **changed)  # type: ignore[misc]
    result: T = filled
    return result


#: Where texts are, or what holds some.
_TEXTS: dict[type, tuple[str, ...]] = {
    Section: ("heading", "body", "narration"),
    Note: ("text",),
    Said: ("text",),
    Heading: ("spans",),
    Paragraph: ("sentences",),
    Sentence: ("spans",),
    Bullets: ("items",),
    Bullet: ("spans",),
    Table: ("header", "rows"),
    Quote: ("spans", "source"),
    Image: ("alt",),
    Clip: ("alt",),
    Chart: ("labels", "series", "title", "unit"),
    Series: ("name",),
    Columns: ("left", "right"),
}
