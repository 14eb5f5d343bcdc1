"""Query parameters: numbers, choices, and the names that a route knows. All raise RequestInvalid."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from eventflow.requests.errors import Fault, RequestInvalid
from eventflow.requests.json_reader import Faults, shown, unknown


def query_number(query: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    """The whole number `?name=` in the query, from `low` to `high`; `default` without it."""
    text = query.get(name)
    if text is None:
        return default
    if text.isascii() and text.isdigit() and len(text) <= 18 and low <= int(text) <= high:
        return int(text)
    reason = f"must be a whole number from {low} to {high}, not {shown(text)!r}"
    raise RequestInvalid([Fault(f"?{name}", "out_of_range", reason)])


def query_choice(query: Mapping[str, str], name: str, choices: Collection[str]) -> str | None:
    """The one of `choices` in the query; None without it."""
    text = query.get(name)
    if text is None or text in choices:
        return text
    raise RequestInvalid(
        [Fault(f"?{name}", "unknown_value", f"must be one of {', '.join(choices)}, not {shown(text)!r}")]
    )


def known_query(query: Mapping[str, str], *names: str) -> None:
    """Refuse parameters that a resource doesn't have, and any that come twice."""
    if not query:
        return
    faults = Faults()
    seen: set[str] = set()
    for name, _ in query.items():  # a MultiDict, whose keys() has each name once
        if name not in names:
            faults.add(f"?{shown(name)}", "unknown_field", unknown("parameter", name, names))
        elif name in seen:
            faults.add(f"?{name}", "repeated", "is given more than once")
        seen.add(name)
    faults.raise_if_any()
