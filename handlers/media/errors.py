"""Errors of the media engine that its rooms and the other handlers share."""

from __future__ import annotations

from typing import ClassVar


class MediaError(Exception):
    """Base of all errors of the media engine; `code` is stable and goes into events and answers."""

    code: ClassVar[str] = "media"
    #: False when the same input can only fail again.
    retryable: ClassVar[bool] = True
    #: Seconds that an upstream service asked to wait before the next try.
    retry_after_s: float | None = None


class RequestError(MediaError):
    """The request itself is at fault; the message says what to change."""

    code = "request"
    retryable = False


class BadClip(MediaError):
    """A fetched clip is not a complete video; it may be fetched again."""

    code = "remote_clip"


class CorruptMedia(Exception):
    """The file can't be read as media; the message says why."""
