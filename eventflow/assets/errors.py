"""Errors of uploaded media, and the formats that are accepted.

::

    MediaRefused              the message is for the uploader, and says the way out
    ├── UnsupportedMedia      none of the accepted formats
    ├── BrokenMedia           it can't be decoded completely
    ├── MediaTooLarge         too many bytes, pixels or seconds
    ├── RemoteRefused         a URL that may not be fetched
    └── RemoteFailed          a URL that didn't answer with a file
    MediaBusy                 too many uploads at the moment: try again later
"""

from __future__ import annotations

#: The accepted formats, for people.
ALLOWED = (
    "pictures (PNG, JPEG, WebP, GIF, BMP, TIFF: the first of several), clips (MP4, MOV, WebM, MKV, AVI, MTS) and sound "
    "(WAV, MP3, M4A, AAC, OGG, FLAC, AIFF, WMA)"
)


class MediaRefused(Exception):
    """Base of the faults of an uploaded file."""


class UnsupportedMedia(MediaRefused):
    """The content is of no accepted format, whatever its name says. The message lists what is accepted."""

    def __init__(self, reason: str = "the file's format is unknown", *, accepted: str = ALLOWED) -> None:
        super().__init__(f"{reason}; accepted: {accepted}")


class BrokenMedia(MediaRefused):
    """Truncated, damaged, or empty."""


class MediaTooLarge(MediaRefused):
    """More bytes, pixels or seconds than are allowed."""


class RemoteRefused(MediaRefused):
    """The URL, or one that it redirects to, may not be fetched."""


class RemoteFailed(MediaRefused):
    """The URL gave no file: no answer, another status than 200, or too slow."""


class MediaBusy(Exception):
    """The service is busy with other uploads; the file may be fine."""
