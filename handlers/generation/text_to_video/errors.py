"""Errors of clips of text-to-video services."""

from __future__ import annotations

from handlers.generation.http_services.errors import ServiceFailed
from handlers.media.errors import MediaError


class RemoteFailed(MediaError):
    """The service failed to make a clip. A new order costs: only a new run, or `EVENTFLOW_REMOTE_ORDERS`, makes one."""

    code = "remote_failed"
    retryable = False


class RemoteLate(MediaError):
    """A clip that was ordered isn't ready in time. A new run waits for it again."""

    code = "remote_late"
    retryable = False


class OrderUnknown(MediaError):
    """What became of an order is not known: it may cost, so that it isn't sent again.

    `answer` is what the service answered, as it came.
    """

    code = "remote_order_unknown"
    retryable = False

    def __init__(self, message: str, answer: str = "") -> None:
        super().__init__(message)
        self.answer = answer


class RemoteUnknown(ServiceFailed):
    """The service does not know the clip, or not yet."""

    code = "remote_unknown"


class ClipNotThere(ServiceFailed):
    """A finished clip isn't where it should be, or not yet."""

    code = "remote_clip_missing"
