"""Merge fields: `{{name}}` in a template's texts stands for a value that comes with the request.

They are put in after parsing, into texts alone, and what is put in is not looked at again: a value is never markup.
In text every field must have a value. Code may have braces of its own: there only fields that have one are replaced,
in formulas none.

A short field may stand for a long value, many times: what is filled in is counted before it is made.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import attrs

from eventflow.requests.limits import MAX_FILLED_CHARS, MERGE_NAME
from handlers.generation.errors import ScriptError
from handlers.generation.script.content import (
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
from handlers.generation.script.sections import Note, Said, Section

_FIELD: Final = re.compile(rf"\{{\{{[ \t]*+({MERGE_NAME})[ \t]*+\}}\}}")

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


class FilledTooLong(ScriptError):
    """The fields fill in more text than is possible; `name` is the one that fills in most."""

    code = "merge_too_long"

    def __init__(self, name: str, chars: int) -> None:
        self.name = name
        super().__init__(
            f"the merge fields fill in more than {MAX_FILLED_CHARS:,} characters; {{{{{name}}}}} alone fills in "
            f"{chars:,} up to there: give it a shorter value, or use it less often"
        )


def has_fields(text: str) -> bool:
    """Whether there may be merge fields in a text."""
    return "{{" in text


class Filling:
    """Fills the fields of one document in."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = fields
        self._filled: Counter[str] = Counter()
        self._chars = 0

    def text(self, text: str) -> str:
        """The text with its fields filled in. Raises UnknownField, FilledTooLong."""
        return self._replaced(text, strict=True)

    def section(self, section: Section) -> Section:
        """The section with all fields in its texts filled in. Raises UnknownField, FilledTooLong."""
        return self._fill(section)

    def _replaced(self, text: str, *, strict: bool) -> str:
        """`strict`: every field must have a value."""
        if not has_fields(text):
            return text
        for match in _FIELD.finditer(text):
            if match[1] in self._fields:
                self._count(match[1])
            elif strict:
                raise UnknownField(match[1], self._fields)
        return _FIELD.sub(lambda match: self._fields.get(match[1], match[0]), text)

    def _count(self, name: str) -> None:
        self._filled[name] += len(self._fields[name])
        self._chars += len(self._fields[name])
        if self._chars > MAX_FILLED_CHARS:
            raise FilledTooLong(*self._filled.most_common(1)[0])

    def _fill(self, value: T) -> T:
        """`value` with its texts filled in, however deep they are."""
        filled: Any = value
        match value:
            case str():
                filled = self.text(value)
            case tuple():
                filled = tuple(self._fill(item) for item in value)
            case Span(kind="math"):
                pass
            case Span(kind="code") | Code():
                filled = attrs.evolve(value, text=self._replaced(value.text, strict=False))
            case Span():
                # Lines of a value are no lines of the text.
                filled = attrs.evolve(value, text=" ".join(self.text(value.text).splitlines()))
            case _ if type(value) in _TEXTS:
                changed = {name: self._fill(getattr(value, name)) for name in _TEXTS[type(value)]}
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
