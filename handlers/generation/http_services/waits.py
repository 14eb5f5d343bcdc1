"""How long a service asks its clients to wait, in any of the ways in which services tell it. Pure and linear."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final

from handlers.generation.http_services.reasons import Reason

#: Longer pauses are cut: services have told of two weeks.
MAX_WAIT_S: Final = 900.0
_DURATION: Final = re.compile(
    r"(?:(\d{1,4})d)?(?:(\d{1,4})h)?(?:(\d{1,5})m(?!s))?(?:(\d{1,7}(?:\.\d{1,12})?)s)?(?:(\d{1,9}(?:\.\d{1,9})?)ms)?"
)
_UNITS_S: Final = (86_400.0, 3_600.0, 60.0, 1.0, 0.001)
_AGAIN: Final = re.compile(
    r"(?:try again|retry|wait)(?: again)?(?: in| after| for)? ?(\d{1,6}(?:\.\d{1,12})?)"
    r" ?(ms|milliseconds?|s\b|sec|minutes?|m\b)"
    r"|(?:try again|retry)(?: in| after) ((?:\d{1,5}[dhm]){1,3}(?:\d{1,5}(?:\.\d{1,12})?s)?)",
    re.IGNORECASE,
)
_BUDGETS: Final = ("requests", "tokens")
_NUMBER: Final = re.compile(r"\d{1,15}(\.\d{1,12})?")


def wait_of(headers: Mapping[str, str], reason: Reason, now_s: float | None = None) -> float | None:
    """Return the seconds that an answer asks to wait, at most MAX_WAIT_S, or None. `now_s` is the time since 1970."""
    now = time.time() if now_s is None else now_s
    named = {name.lower(): value for name, value in headers.items()}
    within = _metadata_headers(reason.details)
    for found in _stated(named, within, reason, now):
        if found is not None:
            return min(max(0.0, found), MAX_WAIT_S)
    return None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of `Retry-After` and other headers; None without a valid one."""
    return wait_of(headers, Reason())


def _stated(
    headers: Mapping[str, str], within: Mapping[str, str], reason: Reason, now: float
) -> Iterator[float | None]:
    for source in (headers, within):
        yield _milliseconds(source.get("retry-after-ms", ""))
        yield _seconds_or_date(source.get("retry-after", ""), headers.get("date", ""), now)
    yield _retry_info(reason.details)
    for source in (headers, within):
        yield _of_empty_budgets(source)
        yield _reset(source.get("x-ratelimit-reset", ""), now)
    yield _in_words(reason.message)


def duration_s(text: str) -> float | None:
    """Read "6m0s", "1m12.5s", "120ms", "45.8s"; a bare number is seconds."""
    if _NUMBER.fullmatch(text):
        return float(text)
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        return None
    return sum(float(part) * unit for part, unit in zip(match.groups(), _UNITS_S, strict=True) if part)


def _milliseconds(text: str) -> float | None:
    return float(text) / 1_000 if _NUMBER.fullmatch(text) else None


def _seconds_or_date(text: str, date: str, now: float) -> float | None:
    """Read `Retry-After`; a date counts from the answer's `Date`, or from this machine's clock without one."""
    if not text or len(text) > 100:
        return None
    if _NUMBER.fullmatch(text):
        return float(text)
    then = _time_s(text)
    if then is None:
        return None
    begin = _time_s(date)
    return max(0.0, then - (now if begin is None else begin))


def _time_s(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def _retry_info(details: Mapping[str, Any]) -> float | None:
    """Read Google's RetryInfo."""
    entries = details.get("details")
    for each in entries[:20] if isinstance(entries, list) else ():
        if isinstance(each, dict) and isinstance(delay := each.get("retryDelay"), str):
            return duration_s(delay[:40])
    return None


def _of_empty_budgets(headers: Mapping[str, str]) -> float | None:
    """Read when the budgets that are used up are filled again."""
    waits = [
        duration_s(headers.get(f"x-ratelimit-reset-{budget}", "")[:40])
        for budget in _BUDGETS
        if headers.get(f"x-ratelimit-remaining-{budget}", "").strip() == "0"
    ]
    return max((wait for wait in waits if wait is not None), default=None)


def _reset(text: str, now: float) -> float | None:
    """Read a time in ms or s since 1970, or seconds from now on."""
    if not _NUMBER.fullmatch(text):
        return duration_s(text[:40]) if text else None
    value = float(text)
    if value > 1e11:
        return max(0.0, value / 1_000 - now)
    return max(0.0, value - now) if value > 1e8 else value


def _in_words(message: str) -> float | None:
    match = _AGAIN.search(message)
    if match is None:
        return None
    if match[3]:
        return duration_s(match[3])
    unit = match[2].lower()
    factor = 0.001 if unit.startswith(("ms", "milli")) else 60.0 if unit.startswith("m") else 1.0
    return float(match[1]) * factor


def _metadata_headers(details: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers of the provider behind a gateway, which OpenRouter passes on in the body."""
    metadata = details.get("metadata")
    headers = metadata.get("headers") if isinstance(metadata, dict) else None
    if not isinstance(headers, dict):
        return {}
    return {str(name).lower(): str(value)[:100] for name, value in list(headers.items())[:50]}
