"""What can go wrong between us and the log."""

from __future__ import annotations

from redis.exceptions import ConnectionError as RedisConnectionError


class LogError(Exception):
    """Base of the log's errors."""


class VersionConflict(LogError):
    """The job has moved on: decide again on its present version."""

    def __init__(self, job_id: str, expected: int, present: int) -> None:
        super().__init__(f"job {job_id} is at version {present}, not {expected}")
        self.present = present


class QueueFull(LogError):
    """More jobs wait in the partition than may: this one wasn't written."""

    def __init__(self, waiting: int) -> None:
        super().__init__(f"{waiting} jobs wait already")
        self.waiting = waiting


class HistoryLost(LogError):
    """The log has another history of the job than the one that was folded: it has lost the end of that one, and others
    may have gone on since. What was done on the strength of it has to be done again."""

    def __init__(self, job_id: str, version: int) -> None:
        super().__init__(f"version {version} of job {job_id} that was read here is no longer in the log")


class LeaseLost(LogError):
    """The entry has another owner or was delivered anew: whatever we did for it doesn't count."""


class CommitFailed(LogError):
    """The server refused a commit for a reason of its own (wrong type of key, out of memory)."""


class LogUnfit(LogError):
    """The server's configuration would lose data; the message says which setting to change."""


class NotDurable(LogError):
    """The event is in the log, but the server hasn't said that it is on disk; the job goes on all the same."""


class DeadLetterMissing(LogError):
    """Nothing is parked under this name: there never was, or it was redriven or dropped."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} isn't parked: there is no such entry, or it was redriven or dropped")


class DeadLetterRefused(LogError):
    """A parked entry that can't be redriven or dropped as it is; the message says why and what to do."""


class PositionLost(LogError):
    """Entries of the feed were trimmed before this reader came to them: what it knows has to be read again."""


class ArchiveDamaged(LogError):
    """A block of the archive isn't what was written there; the message names the segment and what is wrong."""


class WrongServer(RedisConnectionError):
    """The connection leads to a server that takes no writes: a replica, by now. A new one may lead elsewhere."""


class LogForbidden(LogUnfit):
    """The server's user lacks rights; the message names what it may not do, and the rule that gives them."""
