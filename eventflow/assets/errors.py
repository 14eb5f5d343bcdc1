"""Media of the users' own, in words: their kinds, and why some are refused.

::

    MediaRefused              the message is for who has sent it, and says the way out
    ├── UnsupportedMedia      none of the formats that are taken
    ├── BrokenMedia           it can't be decoded from its beginning to its end
    ├── MediaTooLarge         too many bytes, pixels or seconds
    ├── RemoteRefused         a URL that nothing is fetched from
    └── RemoteFailed          a URL that hasn't answered with a file
    MediaBusy                 too much is taken in at the moment; later it goes
"""

from __future__ import annotations

#: What is taken, for people.
ALLOWED = (
    "pictures (PNG, JPEG, WebP, GIF: its first frame), clips (MP4, MOV, WebM) and sound (WAV, MP3, M4A, AAC, OGG, FLAC)"
)


class MediaRefused(Exception):
    """Base of what is wrong with a file that somebody wants to be taken in."""


class UnsupportedMedia(MediaRefused):
    """By its content it is of no format that is taken, whatever it calls itself."""

    def __init__(self, what: str = "the file's content is of no known format") -> None:
        super().__init__(f"{what}; taken are {ALLOWED}")


class BrokenMedia(MediaRefused):
    """Truncated, damaged, or empty."""


class MediaTooLarge(MediaRefused):
    """More bytes, pixels or seconds than are allowed."""


class RemoteRefused(MediaRefused):
    """The URL, or one that it redirects to, is none that is fetched from."""


class RemoteFailed(MediaRefused):
    """No file came from the URL: no answer, another status than 200, too slow."""


class MediaBusy(Exception):
    """Nothing is wrong with the file; there is no room to look at it now."""
