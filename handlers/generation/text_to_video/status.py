"""What services say of a clip in work. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Final

from attrs import frozen

#: It becomes part of a path, and of events.
_ID: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._:~-]{0,199}")
_CURRENCY: Final = re.compile(r"[A-Za-z]{2,12}")
_MAX_ERROR_CHARS: Final = 300


class State(Enum):
    """UNKNOWN is a name that we don't know: the work is believed to go on."""

    WORKING = "working"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


#: Services don't agree on names, and rename them.
_NAMES: Final = {
    State.WORKING: (
        *("queued", "pending", "submitted", "created", "accepted", "waiting", "scheduled", "starting", "preparing"),
        *("in_progress", "processing", "running", "generating", "rendering", "started", "working"),
    ),
    State.DONE: ("completed", "complete", "succeeded", "success", "done", "finished", "ready"),
    State.FAILED: (
        *("failed", "failure", "error", "errored", "cancelled", "canceled", "rejected", "expired", "deleted"),
        *("blocked", "moderated", "aborted"),
    ),
}
_STATES: Final = {name: state for state, names in _NAMES.items() for name in names}


@frozen
class Cost:
    """`amount` is a decimal number as text."""

    amount: str
    currency: str


@frozen
class RemoteWork:
    """`status` is the service's word for `state`; `progress` from 0 to 1, None where it isn't told."""

    id: str
    state: State
    status: str
    progress: float | None = None
    error: str = ""
    cost: Cost | None = None


def read_work(value: Mapping[str, Any], remote_id: str | None = None) -> RemoteWork:
    """An answer on the work `remote_id`, or on a new one. Raises ValueError where it can't be told which."""
    found = value.get("id", remote_id)
    if not isinstance(found, str) or not _ID.fullmatch(found):
        raise ValueError("has no id of letters, digits and . _ : ~ -")
    if remote_id is not None and found != remote_id:
        raise ValueError(f"speaks of {found!r}, and {remote_id!r} was asked for")
    status = value.get("status")
    if not isinstance(status, str) or not status:
        raise ValueError("has no status")
    name = re.sub(r"[\s-]+", "_", status.strip().lower())[:64]
    return RemoteWork(
        found,
        _STATES.get(name, State.UNKNOWN),
        name,
        _progress(value.get("progress")),
        _error(value.get("error")),
        _cost(value),
    )


def _progress(value: Any) -> float | None:
    """Services tell percents; a part of one, from 0 to 1, is taken for a fraction."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        return None
    return float(value) if isinstance(value, float) and value <= 1 else value / 100


def _error(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("message") or value.get("code")
    return " ".join(value.split())[:_MAX_ERROR_CHARS] if isinstance(value, str) else ""


def _cost(value: Mapping[str, Any]) -> Cost | None:
    """`cost` as a number with `currency` beside it, or as an object with `amount` and `currency`; else `credits`."""
    told: Any = value.get("cost")
    currency: Any = value.get("currency")
    if isinstance(told, dict):
        told, currency = told.get("amount"), told.get("currency", currency)
    if told is None:
        told, currency = value.get("credits"), None
    if isinstance(told, bool) or not isinstance(told, int | float | str):
        return None
    try:
        amount = Decimal(str(told).strip())
    except InvalidOperation:
        return None
    if not amount.is_finite() or not 0 <= amount < 10**9 or len(str(amount)) > 32:
        return None
    known = isinstance(currency, str) and _CURRENCY.fullmatch(currency)
    name = str(currency) if known else "credits"
    return Cost(f"{amount:f}", name.upper() if len(name) == 3 else name)
