"""Settings of what finished jobs leave behind: when it comes home, and how long it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from attrs import field, frozen

from eventflow.access.api_keys import is_owner
from eventflow.light import environ
from eventflow.setting_checks import PREFIX, Checks

_MOST_DAYS = 36_500


@environ.config(prefix=PREFIX)
class RawLeavings:
    """The variables as text, with their defaults and what they mean."""

    homecoming_seconds = environ.var(
        "60", help="pause between two looks of an upload worker for files that fell back and can go home; 0: never"
    )
    media_retention_days = environ.var("0", help="a job that ended so long ago is deleted, with its files; 0: never")
    media_retention_owners = environ.var("", help="the same for single owners: alice=30,bob=0.5,carol=0")


@frozen
class LeavingsSettings:
    """`owners` have days of their own; 0 days: kept for ever."""

    homecoming_seconds: float = 60.0
    retention_days: float = 0.0
    owners: Mapping[str, float] = field(factory=dict)

    def retention_of(self, owner: str) -> timedelta | None:
        """How long after its last event a job of `owner` is kept; None: for ever."""
        days = self.owners.get(owner, self.retention_days)
        return timedelta(days=days) if days else None

    def deletes(self, owner: str) -> bool:
        """Whether jobs of `owner` are deleted some day."""
        return self.retention_of(owner) is not None

    @property
    def shortest(self) -> timedelta | None:
        """No job is deleted before it is as old as this; None: none ever is."""
        days = [days for days in (self.retention_days, *self.owners.values()) if days]
        return timedelta(days=min(days)) if days else None

    @property
    def longest_s(self) -> float:
        """How long a job has to be known by more than its id, to be found when its time has come, in seconds."""
        return max(self.retention_days, *self.owners.values(), 0.0) * 86_400.0


def leavings_settings(check: Checks) -> LeavingsSettings:
    return LeavingsSettings(
        homecoming_seconds=check.number("homecoming_seconds", float, 0, 86_400),
        retention_days=check.number("media_retention_days", float, 0, _MOST_DAYS),
        owners=check.value("media_retention_owners", _owners, "of the form alice=30,bob=0 (0 to 36500 days)"),
    )


def _owners(text: str) -> dict[str, float]:
    """Raises ValueError."""
    found: dict[str, Any] = {}
    for pair in filter(None, map(str.strip, text.split(","))):
        owner, _, days = pair.rpartition("=")
        if not is_owner(owner) or owner in found or not 0 <= float(days) <= _MOST_DAYS:
            raise ValueError(pair)
        found[owner] = float(days)
    return found
