"""Errors of the domain. The web app maps them to HTTP answers; the domain knows no HTTP."""

from __future__ import annotations


class DomainError(Exception):
    """Base of the errors of `decide` and `evolve`."""


class IllegalTransition(DomainError):
    """An event that can't follow in the job's present phase."""


class JobMissing(DomainError):
    """A command for a job that has no events."""


class JobExists(DomainError):
    """A second request under the id of an existing job."""


class AlreadyFinished(DomainError):
    """A cancellation of a job that has ended."""


class NotFinished(DomainError):
    """A reprocess or deletion of a job that is still being worked on."""


class JobGone(DomainError):
    """A command for a job that is deleted or being deleted."""


class CannotReprocess(DomainError):
    """A reprocess that isn't possible. `field` is the one to change ("from" or "scenes"); the message says how."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
