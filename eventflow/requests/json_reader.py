"""The one strict reader of JSON: a cursor knows its place, and every fault is collected with a JSON pointer.

`json_types` declares what a value may be in terms of it. Reading goes on after a fault with the other values, up to
MAX_FAULTS faults, so that one answer lists everything wrong with a body in time linear in its size.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection
from typing import Any, Final, TypeVar

from eventflow.requests.errors import Fault, RequestInvalid
from eventflow.requests.limits import MAX_ALL_TEXT_CHARS, MAX_FAULTS, MAX_TEXTS

T = TypeVar("T")

#: Characters of a user's text that a message or pointer repeats.
_SHOWN_CHARS: Final = 64
#: Choices that a message lists.
_LISTED: Final = 20
#: Control characters but tab and line ends, halves of surrogate pairs (no UTF-8 has them), and non-characters.
_FORBIDDEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_KINDS: Final[dict[type, str]] = {
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "a boolean",
    list: "an array",
    dict: "an object",
    type(None): "null",
}


class Faults:
    """The faults of one body so far, and how much text has been read from it."""

    def __init__(self) -> None:
        self.found: list[Fault] = []
        self._chars = self._texts = 0

    def add(self, pointer: str, code: str, reason: str) -> None:
        """Raises RequestInvalid at fault number MAX_FAULTS."""
        self.found.append(Fault(pointer, code, reason))
        if len(self.found) >= MAX_FAULTS:
            raise RequestInvalid(self.found)

    def raise_if_any(self) -> None:
        """Raises RequestInvalid with all faults."""
        if self.found:
            raise RequestInvalid(self.found)

    def count_text(self, at: Cursor, chars: int) -> None:
        """Count one more text. Raises RequestInvalid at once when there are too many, or too long ones together."""
        self._chars += chars
        self._texts += 1
        if self._texts > MAX_TEXTS:
            reason = f"more than {MAX_TEXTS:,} texts (items, cells, lines and others) up to here; that is the limit"
            raise RequestInvalid([*self.found, Fault(at.pointer, "too_many", reason)])
        if self._chars > MAX_ALL_TEXT_CHARS:
            reason = f"more than {MAX_ALL_TEXT_CHARS:,} characters in all texts up to here; that is the limit"
            raise RequestInvalid([*self.found, Fault(at.pointer, "too_long", reason)])


class Cursor:
    """A value of a JSON document and its place. The pointer is built only for a fault."""

    __slots__ = ("_parent", "_step", "faults", "value")

    def __init__(self, value: Any, faults: Faults, parent: Cursor | None = None, step: str | int = "") -> None:
        self.value, self.faults, self._parent, self._step = value, faults, parent, step

    @property
    def pointer(self) -> str:
        """The JSON pointer (RFC 6901) of the value; long names are cut."""
        steps: list[str] = []
        at = self
        while at._parent is not None:
            steps.append("/" + shown(str(at._step)).replace("~", "~0").replace("/", "~1"))
            at = at._parent
        return "".join(reversed(steps))

    def at(self, step: str | int) -> Cursor:
        """The member or item of this name or index, which must exist."""
        return Cursor(self.value[step], self.faults, self, step)

    def fail(self, code: str, reason: str) -> None:
        """Add a fault at this place. Raises RequestInvalid at fault number MAX_FAULTS."""
        self.faults.add(self.pointer, code, reason)

    def fail_at(self, name: str, code: str, reason: str) -> None:
        """Add a fault at a member, which may be missing."""
        Cursor(None, self.faults, self, name).fail(code, reason)

    def wrong_type(self, wanted: str) -> None:
        """Add the fault that the value isn't `wanted`, such as "a string"."""
        self.fail("wrong_type", f"must be {wanted}, not {_KINDS[type(self.value)]}")


def read_value(value: Any, read: Callable[[Cursor], T]) -> T:
    """The result of `read` for a JSON value. Raises RequestInvalid with all faults."""
    faults = Faults()
    found = read(Cursor(value, faults))
    faults.raise_if_any()
    return found


def forbidden(text: str) -> re.Match[str] | None:
    """The first character that no text may have: control characters, half a surrogate pair, non-characters."""
    return _FORBIDDEN.search(text)


def unknown(noun: str, given: str, known: Collection[str]) -> str:
    """The reason for a name that isn't `known`: a near name as a hint, else the names there are."""
    near = difflib.get_close_matches(given[:_SHOWN_CHARS], known, n=1)
    if near:
        return f"unknown {noun} {shown(given)!r}; did you mean {near[0]!r}?"
    more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    return f"unknown {noun} {shown(given)!r}; available: {', '.join([*known][:_LISTED]) or 'none'}{more}"


def shown(text: str) -> str:
    """A user's text as messages repeat it: short, and possible to write as UTF-8."""
    text = text[: _SHOWN_CHARS + 1].encode("utf-8", "replace").decode()
    return text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…"
