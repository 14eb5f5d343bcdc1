"""Errors of services. Messages never contain the service's key."""

from __future__ import annotations

from handlers.generation.http_services.causes import Cause
from handlers.media.errors import MediaError


class ServiceFailed(MediaError):
    """A service is unreachable, busy, slow or broken; a retry may succeed, after `retry_after_s`."""

    code = "service_failed"

    def __init__(self, message: str, *, retry_after_s: float | None = None, cause: Cause = Cause.BROKEN) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.cause = cause


class AnswerLost(ServiceFailed):
    """A request was sent, and no answer that can be read came back: what it asked for may be done, and paid for."""


class ServiceRefused(MediaError):
    """A service refuses a request for good: a wrong key, model or input. `status` is the HTTP status, or 0."""

    code = "service_refused"
    retryable = False

    def __init__(self, message: str, status: int, *, cause: Cause = Cause.INPUT) -> None:
        super().__init__(message)
        self.status = status
        self.cause = cause
