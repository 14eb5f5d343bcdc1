"""What the domain refuses. The web maps these to HTTP answers; the domain knows no HTTP."""

from __future__ import annotations


class DomainError(Exception):
    """Base of what `decide` and `evolve` raise."""


class IllegalTransition(DomainError):
    """An event that can't follow in the job's present phase."""


class JobMissing(DomainError):
    """A command for a job that has no events."""


class JobExists(DomainError):
    """A second request under the id of a job that has one already."""


class AlreadyFinished(DomainError):
    """A cancellation of a job that has reached its end."""


class NotFinished(DomainError):
    """A reprocess of a job that is still being worked on."""


class JobGone(DomainError):
    """A command for a job that is deleted, or about to be."""


class CannotReprocess(DomainError):
    """A reprocess that the job can't do. `field` is what to change: "from" or "scenes"; the message is the way out."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
