"""Query parameters: numbers, choices, and the names that a route knows."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from web.http.errors import FieldError, invalid
from web.requests.json_reader import Checks, _shown


def query_number(query: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    """The whole number `?name=` in the query. Raises Problem 422."""
    text = query.get(name)
    if text is None:
        return default
    if text.isascii() and text.isdigit() and len(text) <= 18 and low <= int(text) <= high:
        return int(text)
    raise invalid([FieldError(f"?{name}", "out_of_range", f"must be a whole number from {low} to {high}")])


def query_choice(query: Mapping[str, str], name: str, choices: Collection[str]) -> str | None:
    """One of `choices`, or None where the query doesn't have `name`. Raises Problem 422."""
    text = query.get(name)
    if text is None or text in choices:
        return text
    raise invalid([FieldError(f"?{name}", "unknown_value", f"must be one of {', '.join(choices)}")])


def known_query(query: Mapping[str, str], *names: str) -> None:
    """Refuse parameters that a resource doesn't have, and any that come twice. Raises Problem 422."""
    checks = Checks()
    seen: set[str] = set()
    for name, _ in query.items():  # a MultiDict: iterating over its keys would tell each name once
        if name not in names:
            there_is = ", ".join(names) or "none"
            checks.add(f"?{_shown(name)}", "unknown_field", f"there is no such parameter; there is: {there_is}")
        elif name in seen:
            checks.add(f"?{name}", "repeated", "is given more than once")
        seen.add(name)
    checks.raise_if_any()
