"""What goes wrong with services. Messages never hold the service's key."""

from __future__ import annotations

from handlers.media.errors import MediaError


class ServiceFailed(MediaError):
    """A service can't be reached, is busy, too slow or broken: it may go better later, after `retry_after_s`."""

    code = "service_failed"

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ServiceRefused(MediaError):
    """A service refuses what it is asked for, and would again: a wrong key, model or input. `status` is HTTP's."""

    code = "service_refused"
    retryable = False

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
