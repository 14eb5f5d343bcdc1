"""Reads a service's answer on the state of a clip. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Final

from attrs import frozen

from handlers.generation.text_to_video.dialects import Dialect
from handlers.generation.text_to_video.json_pointers import text_at, value_at, values_at

MAX_ID_CHARS: Final = 1_000
_CURRENCY: Final = re.compile(r"[A-Za-z]{2,12}")
_MAX_ERROR_CHARS: Final = 300
_MAX_STATUS_CHARS: Final = 64
_MAX_ADDRESSES: Final = 4
_MAX_AMOUNT_CHARS: Final = 32
_MAX_DECIMALS: Final = 20


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
        *("throttled", "in_queue", "queueing", "queuing", "not_start", "not_started", "dreaming"),
    ),
    State.DONE: ("completed", "complete", "succeeded", "succeed", "success", "done", "finished", "ready", "ok"),
    State.FAILED: (
        *("failed", "fail", "failure", "error", "errored", "cancelled", "canceled", "rejected", "expired", "deleted"),
        *("blocked", "moderated", "aborted", "timeout", "timed_out"),
    ),
}
_STATES: Final = {name: state for state, names in _NAMES.items() for name in names}
#: Parts of statuses that say that the service doesn't show what was made.
_FORBIDDEN: Final = ("filtered", "nsfw", "moderat", "reject", "violat")


@frozen
class Cost:
    """The price of a clip; `amount` is a decimal number as text."""

    amount: str
    currency: str


@frozen(kw_only=True)
class RemoteWork:
    """The state of a clip. `status` is the service's word for `state`; `progress` 0 to 1, None where unknown.

    `addresses` are where the clip is, if the answer says so: URLs, or paths at the service.
    """

    id: str
    state: State
    status: str
    progress: float | None = None
    error: str = ""
    cost: Cost | None = None
    addresses: tuple[str, ...] = ()


def read_order(value: Mapping[str, Any], dialect: Dialect) -> str | None:
    """Return the id in the answer to an order, text of up to 1,000 characters or a whole number; None without one."""
    return next(_ids(value, dialect), None)


def read_work(value: Mapping[str, Any], dialect: Dialect, remote_id: str) -> RemoteWork:
    """Read an answer about the clip `remote_id`. Raises ValueError for one about another, or without a status."""
    named = value_at(value, "/id")
    if named is not None and remote_id not in (str(named), *_ids(value, dialect)):
        raise ValueError(f"is about {str(named)[:100]!r}, not about {remote_id[:100]!r}")
    error = reason_in(value, dialect)
    found = text_at(value, dialect.statuses)
    if not found:
        raise ValueError(f"has no status{error and ': '}{error}")
    status = re.sub(r"[\s-]+", "_", found.lower())[:_MAX_STATUS_CHARS]
    addresses = [each for each in values_at(value, dialect.addresses) if isinstance(each, str) and each.strip()]
    return RemoteWork(
        id=remote_id,
        state=_state(status, error),
        status=status,
        progress=next((part for part in map(_progress, values_at(value, dialect.progress)) if part is not None), None),
        error=error,
        cost=_cost(value, dialect),
        addresses=tuple(dict.fromkeys(addresses[:_MAX_ADDRESSES])),
    )


def reason_in(value: Any, dialect: Dialect) -> str:
    """Return the error that an answer tells, shortened; empty if it tells none."""
    return text_at(value, dialect.errors)[:_MAX_ERROR_CHARS]


def _ids(value: Any, dialect: Dialect) -> Iterator[str]:
    found = (str(each) if _is_whole(each) else each for each in values_at(value, dialect.ids))
    return (each for each in found if isinstance(each, str) and _is_id(each))


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_id(text: str) -> bool:
    """Tell whether the text can be a segment of a path, once it is quoted: "." and ".." can't."""
    return 0 < len(text) <= MAX_ID_CHARS and bool(text.strip(". \t\r\n"))


def _state(status: str, error: str) -> State:
    """A status that isn't in the table is a failure where an error, or the word itself, says so."""
    state = _STATES.get(status)
    if state is not None:
        return state
    return State.FAILED if error or any(part in status for part in _FORBIDDEN) else State.UNKNOWN


def _progress(value: Any) -> float | None:
    """Read progress in per cent; a float from 0 to 1 counts as a fraction."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        return None
    return float(value) if isinstance(value, float) and value <= 1 else value / 100


def _cost(value: Mapping[str, Any], dialect: Dialect) -> Cost | None:
    for price in dialect.prices:
        amount = _amount(value_at(value, price.amount))
        if amount is not None:
            pointed = price.currency.startswith("/")
            named = text_at(value, (price.currency, "/currency")) if pointed else price.currency
            currency = named if _CURRENCY.fullmatch(named) else "credits"
            return Cost(amount, currency.upper() if len(currency) == 3 else currency)
    return None


def _amount(charge: Any) -> str | None:
    if isinstance(charge, bool) or not isinstance(charge, int | float | str):
        return None
    text = str(charge).strip()
    try:
        amount = Decimal(text if len(text) <= _MAX_AMOUNT_CHARS else "")
    except InvalidOperation:
        return None
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or not -_MAX_DECIMALS <= exponent <= _MAX_DECIMALS or not 0 <= amount < 10**9:
        return None  # no number, or one that is too long when it is written out
    return f"{amount:f}"
