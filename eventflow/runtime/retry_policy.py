"""The failure policy: the category of an exception, and when its step is tried again."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import ClassVar

from attrs import frozen

from eventflow.backoff import backoff_s
from eventflow.domain.values import Failure, FailureCategory

#: Deliveries of an entry that may end without it being settled, for whatever reason; after that it is dead-lettered.
MAX_DELIVERIES = 10
#: Characters of an exception's message that a failure keeps.
_MESSAGE_CHARS = 2_000
#: The failure of a step that was stopped at its time limit.
TIMED_OUT = Failure(FailureCategory.TIMEOUT, "step_timeout", "the step took longer than its time limit")


class StepError(Exception):
    """Base of the errors by which handlers fail a step. `code` is stable, for programs.

    `retryable`: the same step may succeed later; otherwise it fails at once. `retry_after_s` is the pause that an
    upstream asked for (`Retry-After`): the next attempt waits at least so long.
    """

    category: ClassVar[FailureCategory] = FailureCategory.INTERNAL

    def __init__(self, code: str, message: str, *, retryable: bool = True, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.code, self.retryable, self.retry_after_s = code, retryable, retry_after_s


class InitializationError(StepError):
    """Wrong input, missing dependency or credential: fails the job at once, since a retry can't help."""

    category = FailureCategory.INITIALIZATION


class GenerationError(StepError):
    """Planning, narration, rendering or assembly went wrong."""

    category = FailureCategory.GENERATION


class StorageStepError(StepError):
    """A store is unreachable, or refused."""

    category = FailureCategory.STORAGE


class ArtefactMissing(StepError):
    """Files that events name are gone. The work that made them is repeated, instead of this step.

    `keys` are those of the files.
    """

    category = FailureCategory.STORAGE

    def __init__(self, *keys: str) -> None:
        super().__init__("artefact_lost", f"gone from its store: {', '.join(keys)}")
        self.keys = keys


class ResourceError(StepError):
    """This machine has too little memory, disk or files for the step; another one, or this one later, may have it."""

    category = FailureCategory.RESOURCE


def failure_of(error: Exception) -> Failure:
    """Return the failure that the log records for an exception of a handler."""
    message = (str(error) or type(error).__name__)[:_MESSAGE_CHARS]
    message = message.encode(errors="replace").decode()  # file names may hold surrogates, which UTF-8 refuses
    if isinstance(error, StepError):
        return Failure(error.category, error.code, message)
    if isinstance(error, MemoryError):
        return Failure(FailureCategory.RESOURCE, "out_of_memory", "the worker ran out of memory")
    return Failure(FailureCategory.INTERNAL, type(error).__name__, message)


def is_final(error: Exception | None) -> bool:
    """Whether no further attempt can succeed."""
    return isinstance(error, StepError) and not error.retryable


@frozen
class RetryPolicy:
    """Exponential back-off of failed steps: `backoff_s` from `base_s` to `cap_s`.

    A pause that an upstream asked for is added, up to `longest_s`, so that its clients don't all come back at once.
    """

    base_s: float = 2.0
    cap_s: float = 60.0
    longest_s: float = 900.0

    def retry_at(self, now: datetime, attempt: int, random: Random, error: Exception | None = None) -> datetime | None:
        """Return when the attempt after failed attempt number `attempt` (from 1) starts; None if none can succeed."""
        if is_final(error):
            return None
        delay = backoff_s(attempt, first_s=self.base_s, longest_s=self.cap_s, random=random)
        asked = error.retry_after_s if isinstance(error, StepError) else None
        if asked is not None and asked > 0:
            delay += min(asked, self.longest_s)
        return now + timedelta(seconds=delay)
