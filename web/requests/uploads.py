"""Uploaded files: limits on their number, their bytes from a body or a form, and a copy of limited size on disk.

A client that sends faster than the disk writes has to wait. The folder of an upload is removed however the upload ends,
by a lost connection too.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

from aiohttp import BodyPartReader, ClientPayloadError, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import RequestPayloadError
from attrs import define, field, frozen

from eventflow.assets.errors import MediaBusy, MediaTooLarge
from eventflow.domain.values import Kind
from eventflow.requests.errors import Fault
from eventflow.settings import Settings
from web.deps import DEPS, Inspector
from web.http.errors import Problem, invalid

T = TypeVar("T")

#: Most simultaneous uploads of one owner, and of all owners, in a process.
MAX_PER_OWNER, MAX_TOTAL = 4, 32
#: Longest duration of an upload.
TOTAL_S = 1_800.0
#: Numbers of system errors of a full disk.
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
#: Bytes that suffice to tell a file's kind.
_HEAD_BYTES = 64
_CHUNK_BYTES = 64 * 1024
_WRITE_BYTES = 1 << 20
_BROKEN = (RequestPayloadError, ClientPayloadError, HttpProcessingError, ConnectionError)


@frozen
class Upload:
    """A file as it was sent. `sha256` is lower-case hex."""

    path: Path
    sha256: str
    size_bytes: int


@define(eq=False)
class Uploads:
    """The uploads of one process. `scratch` is the folder for them (None: the system's)."""

    scratch: Path | None
    min_free_bytes: int
    _running: Counter[str] = field(factory=Counter)

    @contextmanager
    def folder(self, owner: str) -> Iterator[Path]:
        """A folder for one upload and its re-encoded file, removed after the block. Raises MediaBusy."""
        if self._running[owner] >= MAX_PER_OWNER:
            raise MediaBusy(f"You are sending {MAX_PER_OWNER} files already; wait until one is done.")
        if self._running.total() >= MAX_TOTAL:
            raise MediaBusy(f"The service is receiving {MAX_TOTAL} files already; try again in a minute.")
        if self.scratch is not None:
            self.scratch.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self.scratch or tempfile.gettempdir()).free < self.min_free_bytes:
            raise no_disk_space()
        self._running[owner] += 1
        try:
            with tempfile.TemporaryDirectory("", "eventflow-upload-", self.scratch, ignore_cleanup_errors=True) as name:
                yield Path(name)
        finally:
            self._running[owner] -= 1
            if not self._running[owner]:
                del self._running[owner]


def no_disk_space() -> MediaBusy:
    """The error for a full disk."""
    return MediaBusy("The service has no disk space for uploads at the moment; try again later.")


def uploads(settings: Settings) -> Uploads:
    """The uploads of a process with these settings."""
    return Uploads(settings.scratch_dir, settings.min_free_scratch_mb * 1_000_000)


UPLOADS = web.AppKey("uploads", Uploads)


async def read_body(request: web.Request) -> AsyncIterator[bytes]:
    """The body in chunks. Raises Problem 400 if it is cut short, 408 if it stalls."""
    timeout_s = _timeout_s(request)
    while chunk := await _in_time(request.content.read(_CHUNK_BYTES), timeout_s):
        yield chunk


async def read_form_file(request: web.Request) -> tuple[str, AsyncIterator[bytes]]:
    """(name, chunks) of the single file in a form. Raises Problem 400, 408, 422, and while the chunks are read."""
    timeout_s = _timeout_s(request)
    try:
        form = await request.multipart()
        part = await _in_time(form.next(), timeout_s)
    except (ValueError, AssertionError) as error:
        raise _unreadable() from error
    if not isinstance(part, BodyPartReader) or not (part.filename or part.name == "file"):
        raise invalid([Fault("/file", "missing", "the first field of the form must be 'file', with the file")])

    async def chunks() -> AsyncIterator[bytes]:
        try:
            while chunk := await _in_time(part.read_chunk(_CHUNK_BYTES), timeout_s):
                yield bytes(chunk)
            another = await _in_time(form.next(), timeout_s)
        except (ValueError, AssertionError) as error:
            raise _unreadable() from error
        if another is not None:
            raise invalid([Fault("", "too_many", "the form may have no other field than the file")])

    return part.filename or "", chunks()


def _timeout_s(request: web.Request) -> float:
    return request.app[DEPS].settings.web.request_body_seconds


async def _in_time(read: Awaitable[T], timeout_s: float) -> T:
    try:
        async with asyncio.timeout(timeout_s):
            return await read
    except TimeoutError as error:
        raise Problem(408, "too_slow", f"No byte of the body arrived for {timeout_s:g} s.") from error
    except _BROKEN as error:
        raise _unreadable() from error


async def receive(chunks: AsyncIterator[bytes], path: Path, inspector: Inspector, limits: Mapping[Kind, int]) -> Upload:
    """Write the file to `path`. Its first bytes identify its kind, whose limit in bytes applies.

    Raises UnsupportedMedia, MediaTooLarge, Problem 408, and whatever `chunks` raises.
    """
    max_bytes: int | None = None
    digest, size, buffer = hashlib.sha256(), 0, bytearray()
    with path.open("wb") as file:
        try:
            async with asyncio.timeout(TOTAL_S):
                async for chunk in chunks:
                    buffer += chunk
                    size += len(chunk)
                    if max_bytes is None and len(buffer) >= _HEAD_BYTES:
                        max_bytes = limits[inspector.kind_of(bytes(buffer))]
                    if max_bytes is not None and size > max_bytes:
                        raise MediaTooLarge(f"a file of this kind may have at most {max_bytes / 1e6:g} MB")
                    if len(buffer) >= _WRITE_BYTES:
                        await asyncio.to_thread(_write, file, digest, bytes(buffer))
                        buffer.clear()
        except TimeoutError as error:
            raise Problem(408, "too_slow", f"The file didn't arrive within {TOTAL_S:g} s.") from error
        if max_bytes is None:
            inspector.kind_of(bytes(buffer))
        await asyncio.to_thread(_write, file, digest, bytes(buffer))
    return Upload(path, digest.hexdigest(), size)


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...


def _write(file: BinaryIO, digest: _Digest, data: bytes) -> None:
    digest.update(data)
    file.write(data)


def _unreadable() -> Problem:
    return Problem(400, "bad_body", "The body can't be read as it was announced.")
