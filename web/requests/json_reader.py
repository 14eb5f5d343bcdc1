"""Checks of JSON values that collect every problem, each with its place, instead of stopping at the first."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any

from web.http.errors import FieldError, invalid

#: Most problems that one answer lists.
MAX_ERRORS = 50
_SHOWN_CHARS = 64

JSONObject = Mapping[str, Any]


def pointer_to(*parts: str | int) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join(f"/{_shown(str(part)).replace('~', '~0').replace('/', '~1')}" for part in parts)


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…"


def kind_of(value: Any) -> str:
    """What JSON calls the type of `value`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    names: dict[type, str] = {str: "a string", int: "a number", float: "a number", list: "an array", dict: "an object"}
    return names[type(value)]


class Checks:
    """Collects problems; `raise_if_any` ends the check."""

    def __init__(self) -> None:
        self._errors: list[FieldError] = []

    def add(self, pointer: str, code: str, reason: str) -> None:
        if len(self._errors) < MAX_ERRORS:
            self._errors.append(FieldError(pointer, code, reason))

    def raise_if_any(self) -> None:
        """Raises Problem 422 with everything that was found."""
        if self._errors:
            raise invalid(self._errors)

    def fields(self, body: JSONObject, known: Collection[str], later: Collection[str] = (), at: str = "") -> None:
        """Refuse fields that aren't `known`; those of `later` are on their way."""
        for name in body:
            if len(self._errors) >= MAX_ERRORS:
                return
            if name in later:
                self.add(at + pointer_to(name), "not_available", f"the field {name!r} isn't available yet")
            elif name not in known:
                near = difflib.get_close_matches(name[:_SHOWN_CHARS], sorted(known), n=1)
                hint = f"; did you mean {near[0]!r}?" if near else f"; there is: {', '.join(sorted(known)) or 'none'}"
                self.add(at + pointer_to(name), "unknown_field", f"there is no field {_shown(name)!r}{hint}")

    def typed(self, value: Any, kind: type, pointer: str, wanted: str) -> bool:
        """Whether `value` is of the Python type `kind`; a boolean is no number."""
        if isinstance(value, kind) and not (kind is not bool and isinstance(value, bool)):
            return True
        self.add(pointer, "wrong_type", f"must be {wanted}, not {kind_of(value)}")
        return False

    def number(self, value: Any, low: float, high: float, pointer: str) -> float | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.add(pointer, "wrong_type", f"must be a number, not {kind_of(value)}")
            return None
        if not low <= value <= high:
            self.add(pointer, "out_of_range", f"must be from {low:g} to {high:g}, not {value:g}")
            return None
        return float(value)

    def integer(self, value: Any, low: int, high: int, pointer: str) -> int | None:
        """JSON knows no integers: 3.0 is one as well."""
        number = self.number(value, low, high, pointer)
        if number is not None and not number.is_integer():
            self.add(pointer, "wrong_type", "must be a whole number")
            return None
        return None if number is None else int(number)


def as_object(value: Any) -> JSONObject:
    """`value` if it is a JSON object. Raises Problem 422."""
    if not isinstance(value, dict):
        raise invalid([FieldError("", "wrong_type", f"the body must be an object, not {kind_of(value)}")])
    return value
