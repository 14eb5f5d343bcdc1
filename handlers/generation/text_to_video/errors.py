"""What goes wrong with clips that somebody else makes."""

from __future__ import annotations

from handlers.generation.http_services.errors import ServiceFailed
from handlers.media.errors import MediaError


class RemoteFailed(MediaError):
    """The service has given up on a clip. A new one costs: it is for a new run, or `EVENTFLOW_REMOTE_ORDERS`."""

    code = "remote_failed"
    retryable = False


class RemoteUnknown(ServiceFailed):
    """The service doesn't know the clip, or not yet."""

    code = "remote_unknown"


class BadClip(ServiceFailed):
    """What the service gave is no whole clip; it may be fetched again."""

    code = "remote_clip"
