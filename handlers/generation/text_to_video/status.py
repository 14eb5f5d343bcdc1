"""Reads a service's answer on the state of a clip. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Final

from attrs import frozen

#: Form of a clip's id, which becomes part of paths and events.
_ID: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._:~-]{0,199}")
_CURRENCY: Final = re.compile(r"[A-Za-z]{2,12}")
_MAX_ERROR_CHARS: Final = 300


class State(Enum):
    """The state of a clip. UNKNOWN: a status that is not in the table; the work is assumed to continue."""

    WORKING = "working"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


#: Statuses of services in use; they differ and change.
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
    """The price of a clip; `amount` is a decimal number as text."""

    amount: str
    currency: str


@frozen(kw_only=True)
class RemoteWork:
    """The state of a clip. `status` is the service's word for `state`; `progress` 0 to 1, None where unknown."""

    id: str
    state: State
    status: str
    progress: float | None = None
    error: str = ""
    cost: Cost | None = None


def read_work(value: Mapping[str, Any], remote_id: str | None = None) -> RemoteWork:
    """Read an answer about the clip `remote_id`, or about a new one. Raises ValueError without a valid id or status."""
    found = value.get("id", remote_id)
    if not isinstance(found, str) or not _ID.fullmatch(found):
        raise ValueError("has no id of letters, digits and . _ : ~ -")
    if remote_id is not None and found != remote_id:
        raise ValueError(f"is about {found!r}, not about {remote_id!r}")
    status = value.get("status")
    if not isinstance(status, str) or not status:
        raise ValueError("has no status")
    name = re.sub(r"[\s-]+", "_", status.strip().lower())[:64]
    return RemoteWork(
        id=found,
        state=_STATES.get(name, State.UNKNOWN),
        status=name,
        progress=_progress(value.get("progress")),
        error=_error(value.get("error")),
        cost=_cost(value),
    )


def _progress(value: Any) -> float | None:
    """Read progress in per cent; a float from 0 to 1 counts as a fraction."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        return None
    return float(value) if isinstance(value, float) and value <= 1 else value / 100


def _error(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("message") or value.get("code")
    return " ".join(value.split())[:_MAX_ERROR_CHARS] if isinstance(value, str) else ""


def _cost(value: Mapping[str, Any]) -> Cost | None:
    """Read `cost` (a number with `currency`, or an object with `amount` and `currency`), else `credits`."""
    charge: Any = value.get("cost")
    currency: Any = value.get("currency")
    if isinstance(charge, dict):
        charge, currency = charge.get("amount"), charge.get("currency", currency)
    if charge is None:
        charge, currency = value.get("credits"), None
    if isinstance(charge, bool) or not isinstance(charge, int | float | str):
        return None
    try:
        amount = Decimal(str(charge).strip())
    except InvalidOperation:
        return None
    if not amount.is_finite() or not 0 <= amount < 10**9 or len(str(amount)) > 32:
        return None
    known = isinstance(currency, str) and _CURRENCY.fullmatch(currency)
    name = str(currency) if known else "credits"
    return Cost(f"{amount:f}", name.upper() if len(name) == 3 else name)
