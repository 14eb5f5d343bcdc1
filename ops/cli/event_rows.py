"""Events as short lines: version, time, type, and what fits of the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ops.cli.tables import cut, printable

#: Characters of one value, and of all of them in a pipe; a terminal cuts at its width.
_VALUE_CHARS, _LINE_CHARS = 32, 96
HEADINGS = ("version", "time", "event", "data")


def event_row(event: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Return the row of an event as it is stored; `--json` shows the rest."""
    return str(event["sequence"]), f"{event['time'][:19]}Z", event["type"], summary(event.get("data", {}))


def summary(data: Mapping[str, Any]) -> str:
    """Return the fields that hold something, such as "scene=0 duration_s=4.2 videos=[2]", in at most 96 characters."""
    text = " ".join(f"{name}={shown}" for name, value in data.items() if (shown := _shown(value)))
    return cut(text, _LINE_CHARS)


def _shown(value: Any) -> str:
    """Return a scalar as it is, a list or an object as the number of its members; "" for what is empty."""
    if value is None or value == "" or value == [] or value == {}:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return f"[{len(value)}]"
    if isinstance(value, dict):
        return f"{{{len(value)}}}"
    return cut(printable(str(value)).replace("\n", " "), _VALUE_CHARS)
