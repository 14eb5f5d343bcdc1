"""What this process has learned of services: the form, the format of sound, the fields that they take.

A refusal teaches; what worked is kept for each address and model until the process ends. `eventflow doctor --ask`
shows it, so that it can be set. Safe for threads.
"""

from __future__ import annotations

from threading import Lock
from typing import Any, Final, TypeVar

T = TypeVar("T")
_MOST: Final = 1_000
_lock = Lock()
_known: dict[tuple[str, str, str], Any] = {}


def recall(url: str, model: str, subject: str, default: T) -> T:
    """Return what was learned of a `subject`, or `default`."""
    with _lock:
        found: T = _known.get((url, model, subject), default)
    return found


def remember(url: str, model: str, subject: str, value: Any) -> None:
    """Keep what was learned of a `subject`."""
    with _lock:
        if len(_known) >= _MOST:
            _known.clear()
        _known[url, model, subject] = value


def forget() -> None:
    """Forget everything."""
    with _lock:
        _known.clear()
