"""Object keys: one validator for all stores, and the media type that a key suggests.

A key is a relative path in canonical form, such as `jobs/01J/scene-3/720p-<sha256>.m4s`. A key that one kind of store
can't hold is refused by all, so that a store can be exchanged for another one.
"""

import mimetypes
import re

from eventflow.storage.errors import InvalidKey

MAX_KEY_BYTES = 512
#: A part becomes a file name in the local store, where the file system's limit is 255 bytes.
MAX_PART_BYTES = 255

#: A backslash, and the control characters: category Cc, a set that Unicode promises never to change.
_FORBIDDEN = re.compile(r"[\\\x00-\x1f\x7f-\x9f]")
_SHA256 = re.compile(r"[0-9a-f]{64}")

# Python's table without the machine's own files, so that every host answers the same.
_TYPES = mimetypes.MimeTypes(filenames=())
for _suffix, _type in {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".m4a": "audio/mp4",
    ".m4s": "video/iso.segment",
    ".mp4": "video/mp4",
    ".srt": "application/x-subrip",
    ".vtt": "text/vtt",
    ".webp": "image/webp",
}.items():
    _TYPES.add_type(_type, _suffix)


def check_key(key: str) -> str:
    """Return the key if every store can hold it.

    Raises InvalidKey: empty, absolute, an empty part, a part that starts with a dot (so neither `..` nor
    hidden files), a backslash, control characters, not encodable, or too long.
    """
    if not key:
        raise InvalidKey("The key is empty.")
    _check_characters(key)
    for part in key.split("/"):
        _check_part(key, part)
    return key


def check_prefix(prefix: str) -> str:
    """Return the prefix of a listing: empty, or the beginning of a valid key. Raises InvalidKey."""
    if prefix:
        _check_characters(prefix)
        for part in prefix.removesuffix("/").split("/"):
            _check_part(prefix, part)
    return prefix


def is_valid_key(key: str) -> bool:
    """Whether `check_key` accepts `key`."""
    try:
        check_key(key)
    except InvalidKey:
        return False
    return True


def check_sha256(sha256: str) -> str:
    """Return a SHA-256 in lower-case hex. Raises ValueError for anything else."""
    if not _SHA256.fullmatch(sha256):
        raise ValueError("A SHA-256 is 64 lower-case hexadecimal digits.")
    return sha256


def guess_media_type(key: str) -> str:
    """Return the media type of the key's extension, else application/octet-stream."""
    return _TYPES.guess_type(key)[0] or "application/octet-stream"


def _check_characters(key: str) -> None:
    try:
        size_bytes = len(key.encode())
    except UnicodeEncodeError:
        raise InvalidKey("The key is not valid Unicode.") from None
    if size_bytes > MAX_KEY_BYTES:
        raise InvalidKey(f"The key has {size_bytes} bytes; at most {MAX_KEY_BYTES} are allowed.")
    if _FORBIDDEN.search(key):
        raise InvalidKey(f"The key {key!r} contains a backslash or a control character.")


def _check_part(key: str, part: str) -> None:
    if not part:
        raise InvalidKey(f"The key {key!r} is absolute or has an empty part.")
    if part.startswith("."):
        raise InvalidKey(f"A part of the key {key!r} starts with a dot.")
    if len(part.encode()) > MAX_PART_BYTES:
        raise InvalidKey(f"A part of the key {key!r} is longer than {MAX_PART_BYTES} bytes.")
