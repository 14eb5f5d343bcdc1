"""The failure policy: what kind of trouble an exception is, and when to try again."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import ClassVar

from attrs import frozen

from eventflow.backoff import backoff_s
from eventflow.domain.values import Failure, FailureCategory

#: Deliveries of an entry that may end without it being settled, whatever the reason; after that it is parked.
MAX_DELIVERIES = 10
_MESSAGE_CHARS = 2_000
#: How a step goes down that was ended because its time was over.
TIMED_OUT = Failure(FailureCategory.TIMEOUT, "step_timeout", "the step took longer than its time limit")


class StepError(Exception):
    """Base of what handlers raise for a step that failed. `code` is stable, for programs.

    `retryable` says whether the same step may succeed later; where not, it fails at once. `retry_after_s` is what an
    upstream asked for (`Retry-After`): the next attempt waits for at least so long.
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
    """A store could not be reached, or refused."""

    category = FailureCategory.STORAGE


class ArtefactMissing(StepError):
    """Files that events name are gone. What they were made from is done again, instead of this step.

    `keys` are those that are missed.
    """

    category = FailureCategory.STORAGE

    def __init__(self, *keys: str) -> None:
        super().__init__("artefact_lost", f"gone from its store: {', '.join(keys)}")
        self.keys = keys


class ResourceError(StepError):
    """This machine has too little memory, disk or files for the step; another one, or this one later, may have it."""

    category = FailureCategory.RESOURCE


def failure_of(error: Exception) -> Failure:
    """What an exception of a handler goes down as in the log."""
    message = (str(error) or type(error).__name__)[:_MESSAGE_CHARS]
    message = message.encode(errors="replace").decode()  # names of files may hold what UTF-8 and the log don't
    if isinstance(error, StepError):
        return Failure(error.category, error.code, message)
    if isinstance(error, MemoryError):
        return Failure(FailureCategory.RESOURCE, "out_of_memory", "the worker ran out of memory")
    return Failure(FailureCategory.INTERNAL, type(error).__name__, message)


def is_final(error: Exception | None) -> bool:
    """Whether no other try can do better."""
    return isinstance(error, StepError) and not error.retryable


@frozen
class RetryPolicy:
    """Exponential backoff with jitter: between half and all of base * 2^(attempt - 1), at most `cap_s`.

    Where an upstream asked for a pause, ours comes on top of it, so that its clients don't all come back at once; more
    than `longest_s` is not waited for.
    """

    base_s: float = 2.0
    cap_s: float = 60.0
    longest_s: float = 900.0

    def retry_at(self, now: datetime, attempt: int, random: Random, error: Exception | None = None) -> datetime | None:
        """When the attempt after failed attempt number `attempt` (from 1) starts; None where there is no use in one."""
        if is_final(error):
            return None
        delay = backoff_s(attempt, first_s=self.base_s, longest_s=self.cap_s, random=random)
        asked = error.retry_after_s if isinstance(error, StepError) else None
        if asked is not None and asked > 0:
            delay += min(asked, self.longest_s)
        return now + timedelta(seconds=delay)
