"""Settings of finished jobs: when they are archived, how long they are listed, and when they are deleted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from attrs import frozen

from eventflow.domain.values import is_owner
from eventflow.settings.declare import PREFIX, Group
from eventflow.settings.kinds import form, number, pairs

FINISHED_JOBS = Group("Finished jobs: archive, lists, deletion, fallback")

_YEAR_S = 365 * 86_400
_CENTURY_S = 100 * _YEAR_S
_LIST_FOR_S = 7_776_000
_MAX_DAYS = 36_500


def _owners(text: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for owner, days in pairs(text):
        if not is_owner(owner) or owner in found or not 0 <= days <= _MAX_DAYS:
            raise ValueError(text)
        found[owner] = days
    return found


@frozen(kw_only=True)
class FinishedJobsSettings:
    """The three clocks of a finished job, and the pause between two rounds of the fallback reconciler.

    A job of an owner in `delete_after_days_by_owner` is deleted after that owner's days; 0 days: never.
    """

    archive_after_seconds: float = FINISHED_JOBS.setting(
        "604800",
        number(float, 0, 10 * _YEAR_S),
        "seconds from a job's end until it may move from Redis to the archive",
        was="RETENTION_SECONDS",
    )
    list_for_seconds: float = FINISHED_JOBS.setting(
        str(_LIST_FOR_S),
        number(float, 0, _CENTURY_S),
        "seconds that an archived job stays in the lists of jobs, counted from its creation; at least "
        "EVENTFLOW_ARCHIVE_AFTER_SECONDS, which raises the default; 3153600000 (100 years): for ever",
        was="LISTED_SECONDS",
        derived=lambda self: max(float(_LIST_FOR_S), self.archive_after_seconds),
    )
    delete_after_days: float = FINISHED_JOBS.setting(
        "0",
        number(float, 0, _MAX_DAYS),
        "days from a job's last event until the job and its files are deleted; 0: never",
        was="MEDIA_RETENTION_DAYS",
    )
    delete_after_days_by_owner: Mapping[str, float] = FINISHED_JOBS.setting(
        "",
        form(_owners, f"alice=30,bob=0 (0 to {_MAX_DAYS} days)"),
        "EVENTFLOW_DELETE_AFTER_DAYS for single owners, such as alice=30,bob=0.5,carol=0",
        was="MEDIA_RETENTION_OWNERS",
    )
    reconcile_fallback_seconds: float = FINISHED_JOBS.setting(
        "60",
        number(float, 0, 86_400),
        "seconds between two rounds in which an upload worker moves files from the fallback store to the delivery "
        "store; 0: never",
        was="HOMECOMING_SECONDS",
    )

    def delete_after(self, owner: str) -> timedelta | None:
        """Return how long after its last event a job of `owner` is deleted; None: never."""
        days = self.delete_after_days_by_owner.get(owner, self.delete_after_days)
        return timedelta(days=days) if days else None

    def deletes(self, owner: str) -> bool:
        """Return whether jobs of `owner` are deleted at all."""
        return self.delete_after(owner) is not None

    @property
    def earliest_deletion(self) -> timedelta | None:
        """The shortest time after its last event in which any owner's job is deleted; None: no job is deleted."""
        days = [days for days in self._all_days if days]
        return timedelta(days=min(days)) if days else None

    @property
    def listing_window_seconds(self) -> float:
        """Seconds from its creation in which an archived job is listed: at least until its deletion, which finds jobs
        in the lists."""
        return max(self.list_for_seconds, max(self._all_days) * 86_400.0)

    @property
    def _all_days(self) -> tuple[float, ...]:
        return (self.delete_after_days, *self.delete_after_days_by_owner.values())

    def faults(self) -> list[str]:
        """Return what doesn't fit together."""
        if self.list_for_seconds >= self.archive_after_seconds:
            return []
        return [
            f"{PREFIX}LIST_FOR_SECONDS: {self.list_for_seconds:.15g} is less than {PREFIX}ARCHIVE_AFTER_SECONDS "
            f"({self.archive_after_seconds:.15g}), and a job that isn't archived is always listed; raise it, up to "
            f"{_CENTURY_S} (100 years), which lists jobs for ever"
        ]
