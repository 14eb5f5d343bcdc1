"""The errors of the log.

LogError
    VersionConflict, QueueFull, HistoryLost, LeaseLost, CommitFailed   a commit was refused
    NotDurable                                                         a commit isn't confirmed on disk
    LogUnfit > LogForbidden                                            the server can't be the log
    DeadLetterMissing, DeadLetterRefused
    PositionLost, ArchiveDamaged
redis.exceptions.ConnectionError
    WrongServer
"""

from __future__ import annotations

from redis.exceptions import ConnectionError as RedisConnectionError


class LogError(Exception):
    """Base of the log's errors, except WrongServer."""


class VersionConflict(LogError):
    """The job has newer events than were expected: decide again on its present version."""

    def __init__(self, job_id: str, expected: int, present: int) -> None:
        super().__init__(f"job {job_id} is at version {present}, not {expected}")
        self.present = present


class QueueFull(LogError):
    """The queue of the partition is full: the job wasn't written."""

    def __init__(self, waiting: int) -> None:
        super().__init__(f"{waiting} jobs wait already")
        self.waiting = waiting


class HistoryLost(LogError):
    """The stored history no longer contains the event this job was folded from (the server lost its tail).

    Work based on that event must be redone.
    """

    def __init__(self, job_id: str, version: int) -> None:
        super().__init__(f"version {version} of job {job_id}, as it was read here, is no longer in the log")


class LeaseLost(LogError):
    """The entry was delivered to another consumer, or again: results of this delivery don't count."""


class CommitFailed(LogError):
    """The server refused a commit with an error of its own (wrong type of key, out of memory)."""


class LogUnfit(LogError):
    """The server can't be the log, or would lose data; the message names the setting to change."""


class NotDurable(LogError):
    """The event is in the log, but not confirmed on disk or by replicas; the job proceeds all the same."""


class DeadLetterMissing(LogError):
    """There is no dead letter of this name: there never was, or it was redriven or dropped."""

    def __init__(self, name: str) -> None:
        super().__init__(f"unknown dead letter {name!r}: there never was one, or it was redriven or dropped")


class DeadLetterRefused(LogError):
    """A dead letter that can't be redriven or dropped as it is; the message says why and what to do."""


class PositionLost(LogError):
    """Entries of the feed were trimmed before this reader read them: its state has to be rebuilt."""


class ArchiveDamaged(LogError):
    """A block or segment of the archive is missing or corrupt; the message names segment and fault."""


class WrongServer(RedisConnectionError):
    """The connection leads to a server that takes no writes, such as a replica.

    A new one may lead to the master.
    """


class LogForbidden(LogUnfit):
    """The server's user lacks rights; the message names the denied commands and the rule that grants them."""
