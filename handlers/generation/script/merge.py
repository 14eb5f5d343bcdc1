"""Merge fields: `{{name}}` in the texts of a script is replaced by a value of the request.

Values are filled in after parsing and not parsed again: a value is never markup. In text every field must have a value.
In code only fields with a value are replaced, since code may have braces of its own; in formulas none are.

A short field may stand for a long value many times: characters are counted before they are filled in.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from operator import is_not
from typing import Any, Final, TypeVar

import attrs

from eventflow.requests.limits import MAX_FILLED_CHARS, MERGE_NAME
from handlers.generation.errors import ScriptError
from handlers.generation.script.content import (
    Bullet,
    Bullets,
    Callout,
    Chart,
    Clip,
    Code,
    Columns,
    Footnote,
    Footnotes,
    Heading,
    Image,
    Note,
    Paragraph,
    Quote,
    Said,
    Section,
    Sentence,
    Series,
    Span,
    Table,
)

_FIELD: Final = re.compile(rf"\{{\{{[ \t]*+({MERGE_NAME})[ \t]*+\}}\}}")

T = TypeVar("T")


class UnknownField(ScriptError):
    """A text has the field `name`, which has no value."""

    code = "unknown_merge_field"

    def __init__(self, name: str, known: Mapping[str, str]) -> None:
        self.name = name
        available = f"available: {', '.join(sorted(known)[:20])}" if known else "the request has no merge fields"
        super().__init__(
            f'the merge field {{{{{name}}}}} has no value ({available}): send "merge": [{{"find": "{name}", '
            '"replace": "..."}], or write it as `code`'
        )


class FilledTooLong(ScriptError):
    """The fields fill in too much text; `name` is the one that fills in most."""

    code = "merge_too_long"

    def __init__(self, name: str, chars: int) -> None:
        self.name = name
        super().__init__(
            f"the merge fields fill in more than {MAX_FILLED_CHARS:,} characters; {{{{{name}}}}} alone fills in "
            f"{chars:,} up to there: give it a shorter value, or use it less often"
        )


def has_fields(text: str) -> bool:
    """Tell whether a text may have merge fields."""
    return "{{" in text


class Filling:
    """Fills in the fields of one document."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = fields
        self._filled: Counter[str] = Counter()
        self._chars = 0

    def text(self, text: str) -> str:
        """Fill in the fields of a text. Raises UnknownField, FilledTooLong."""
        return self._replaced(text, strict=True)

    def section(self, section: Section) -> Section:
        """Fill in the fields of all texts of a section. Raises UnknownField, FilledTooLong."""
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

    def _inline(self, text: str) -> str:
        """Fill in the fields of inline text. Line breaks of values become blanks, its own stay."""
        if not has_fields(text):
            return text
        return "\n".join(" ".join(self.text(row).splitlines()) for row in text.split("\n"))

    def _count(self, name: str) -> None:
        self._filled[name] += len(self._fields[name])
        self._chars += len(self._fields[name])
        if self._chars > MAX_FILLED_CHARS:
            raise FilledTooLong(*self._filled.most_common(1)[0])

    def _fill(self, value: T) -> T:
        """Fill in all texts of `value`, at any depth; a value without fields is returned itself."""
        filled: Any = value
        match value:
            case Span() if not has_fields(value.text):
                pass
            case str():
                filled = self.text(value)
            case tuple():
                items = tuple([self._fill(item) for item in value])
                filled = items if any(map(is_not, items, value)) else value
            case Span(kind="math" | "note"):
                pass
            case Span(kind="code"):
                filled = value.with_text(self._replaced(value.text, strict=False))
            case Code():
                filled = attrs.evolve(value, text=self._replaced(value.text, strict=False))
            case Span():
                filled = value.with_text(self._inline(value.text))
            case _ if type(value) in _TEXTS:
                texts = ((name, getattr(value, name)) for name in _TEXTS[type(value)])
                changed = {name: new for name, old in texts if (new := self._fill(old)) is not old}
                filled = attrs.evolve(value, **changed) if changed else value  # type: ignore[misc]
        result: T = filled
        return result


#: The fields with texts of each class, or with values that have texts.
_TEXTS: dict[type, tuple[str, ...]] = {
    Section: ("heading", "body", "narration", "hint"),
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
    Callout: ("title", "blocks"),
    Footnotes: ("notes",),
    Footnote: ("spans",),
}
