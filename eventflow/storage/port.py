"""The one port through which all bytes go."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Literal, Protocol

from attrs import frozen

#: How many bytes `read` holds at a time, unless told otherwise.
CHUNK_BYTES = 256 * 1024
#: SigV4 allows no more; the local store keeps the same limit so that one can replace the other.
MAX_URL_LIFETIME = timedelta(days=7)

#: What a signed URL is for. Stores may take one for GET for HEAD as well; S3 doesn't.
Method = Literal["GET", "HEAD"]

#: Called with the bytes that are safely in the store so far; never falls, ends with the size.
OnProgress = Callable[[int], None]


@frozen(kw_only=True)
class ObjectInfo:
    """What a store says about an object.

    `sha256` is lower-case hex of the content as it was put, or None where the store has lost or never
    had it. In listings it is always None and `media_type` is guessed from the key: S3 tells neither.
    `etag` is opaque, without quotes, and changes with the content. `modified_at` is in UTC.
    """

    key: str
    size_bytes: int
    sha256: str | None
    media_type: str
    etag: str
    modified_at: datetime


class ObjectStore(Protocol):
    """Objects by key. Every method but `close` may raise StorageUnavailable and StorageRefused; methods
    that take a key raise InvalidKey. No method retries: that is the caller's decision.

    A key must not be both an object and a folder of others (`a` beside `a/b`): S3 would hold both, a
    file system can't.
    """

    @property
    def description(self) -> str:
        """Where the bytes are, such as `s3://bucket/prefix` or `file:///dir`; holds no secret."""

    async def put_file(
        self,
        key: str,
        path: Path,
        *,
        media_type: str,
        sha256: str | None = None,
        on_progress: OnProgress | None = None,
    ) -> ObjectInfo:
        """Stores a file whole or not at all, replacing what was there, in bounded memory.

        If an object of the same key, size, SHA-256 and media type exists, a store may leave it as it is.
        Without `sha256` it is computed, for which large files are read twice. Raises IntegrityError if the
        file's content is not `sha256`, OSError if the file can't be read, ValueError if `sha256` is not hex.
        """

    async def put_bytes(self, key: str, data: bytes, *, media_type: str) -> ObjectInfo:
        """Stores a small object whole or not at all, replacing what was there."""

    async def put_new(self, key: str, data: bytes, *, media_type: str) -> bool:
        """Stores a small object where there is none under this key; returns whether it has. A server that can't tell
        replaces what is there."""

    def read(
        self, key: str, *, start: int = 0, length: int | None = None, chunk_bytes: int = CHUNK_BYTES
    ) -> AsyncGenerator[bytes, None]:
        """Streams bytes `start` to `start + length` (to the end without `length`), `chunk_bytes` at most at a time.

        A length beyond the end is cut. Close the generator (`contextlib.aclosing`) when leaving early. Raises
        ObjectMissing, RangeNotSatisfiable if a range starts behind the last byte, ValueError if `start` is
        negative or `length` not positive.
        """

    async def fetch(self, key: str, path: Path, *, sha256: str | None = None) -> ObjectInfo:
        """Writes the object into a file that appears whole or not at all; its folder must exist.

        The content is compared with `sha256`, or else with the one stored. Raises ObjectMissing,
        IntegrityError, OSError if the file can't be written.
        """

    async def head(self, key: str) -> ObjectInfo:
        """Raises ObjectMissing."""

    async def copy(self, source: str, target: str) -> ObjectInfo:
        """Copies within the store, without the bytes passing through us where possible. Raises ObjectMissing."""

    async def copy_from(self, other: "ObjectStore", source: ObjectInfo, target: str) -> ObjectInfo | None:
        """Copies an object of another store without a file in between; None where these two can't do that.

        `source` is what the caller knows about it: key, size, SHA-256 and media type. Raises ObjectMissing,
        IntegrityError if it is something else.
        """

    async def delete(self, key: str) -> None:
        """Removes the object; a missing one is no error."""

    def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        """Objects whose keys start with `prefix`, ordered by the UTF-8 bytes of their keys."""

    async def signed_url(
        self,
        key: str,
        *,
        expires_in: timedelta,
        download_name: str | None = None,
        media_type: str | None = None,
        method: Method = "GET",
    ) -> str:
        """A URL that lets its bearer GET (or HEAD) the object until it expires; the object need not exist.

        Shown inline, or saved under `download_name` (any text; it is made safe). `media_type` overrides the
        stored one. Makes no request but the first, by which S3 tells the bucket's region. Raises ValueError unless
        0 < expires_in <= 7 days.
        """

    async def remove_abandoned(self, *, older_than: timedelta, below: Sequence[str] = ("",)) -> int:
        """Removes what killed processes have left half-written, and counts it; of keys that start with one of `below`.

        What is still being written must not be `older_than`, counted from its last byte (S3: its last part).
        """

    async def check(self) -> None:
        """Readiness: raises StorageError that says what to do if the store can't be used."""

    async def close(self) -> None:
        """Lets go of connections, after started clean-ups have ended. May be called twice."""


def lifetime_seconds(expires_in: timedelta) -> int:
    """A signed URL's lifetime in whole seconds, rounded up. Raises ValueError unless 0 < it <= 7 days."""
    if not timedelta(0) < expires_in <= MAX_URL_LIFETIME:
        raise ValueError(f"A signed URL lives longer than 0 and at most {MAX_URL_LIFETIME.days} days.")
    return ceil(expires_in.total_seconds())


def check_range(start: int, length: int | None, chunk_bytes: int) -> None:
    """Raises ValueError unless the three can be asked of `ObjectStore.read`."""
    if start < 0 or (length is not None and length < 1) or chunk_bytes < 1:
        raise ValueError("A range starts at 0 or later; its length and its chunks are positive.")
