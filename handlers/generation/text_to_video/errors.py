"""Errors of clips of text-to-video services."""

from __future__ import annotations

from handlers.generation.http_services.errors import ServiceFailed
from handlers.media.errors import MediaError


class RemoteFailed(MediaError):
    """The service failed to make a clip. A new order costs: only a new run, or `EVENTFLOW_REMOTE_ORDERS`, makes one."""

    code = "remote_failed"
    retryable = False


class RemoteUnknown(ServiceFailed):
    """The service does not know the clip, or not yet."""

    code = "remote_unknown"
