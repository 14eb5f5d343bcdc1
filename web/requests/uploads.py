"""Files that are sent to us: room for them, their bytes from a body or a form, and a copy on disk of limited size.

What is sent is written in pieces; a client that is faster than the disk has to wait. Whatever ends an upload, a lost
connection as well, its folder is gone with it.
"""

from __future__ import annotations

import asyncio
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

#: Uploads at a time of one owner, and of all, in a process.
OF_AN_OWNER, OF_ALL = 4, 32
#: A client that isn't done after so long is sent away.
TOTAL_S = 1_800.0
#: The least that tells what a file is.
_HEAD_BYTES = 64
_CHUNK_BYTES = 64 * 1024
_WRITE_BYTES = 1 << 20
_BAD = (RequestPayloadError, ClientPayloadError, HttpProcessingError, ConnectionError)


@frozen
class Upload:
    """A file as it was sent. `sha256` in lower-case hex."""

    path: Path
    sha256: str
    size_bytes: int


@define(eq=False)
class Uploads:
    """Room for uploads in one process. `scratch` is the folder for them (None: the system's)."""

    scratch: Path | None
    min_free_bytes: int
    _now: Counter[str] = field(factory=Counter)

    @contextmanager
    def folder(self, owner: str) -> Iterator[Path]:
        """A folder for one upload and what is made of it. Raises MediaBusy."""
        if self._now[owner] >= OF_AN_OWNER:
            raise MediaBusy(f"You send {OF_AN_OWNER} files already; wait until one is done.")
        if self._now.total() >= OF_ALL:
            raise MediaBusy("Too many files are being sent; try again in a minute.")
        if self.scratch is not None:
            self.scratch.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self.scratch or tempfile.gettempdir()).free < self.min_free_bytes:
            raise MediaBusy("There is no room for files at the moment; try again later.")
        self._now[owner] += 1
        try:
            with tempfile.TemporaryDirectory("", "eventflow-upload-", self.scratch, ignore_cleanup_errors=True) as name:
                yield Path(name)
        finally:
            self._now[owner] -= 1
            if not self._now[owner]:
                del self._now[owner]


def uploads(settings: Settings) -> Uploads:
    return Uploads(settings.scratch_dir, settings.min_free_scratch_mb * 1_000_000)


UPLOADS = web.AppKey("uploads", Uploads)


async def body_of(request: web.Request) -> AsyncIterator[bytes]:
    """The body as it comes. Raises Problem 400 where it breaks off, 408 where nothing comes."""
    patience_s = _patience_s(request)
    while chunk := await _in_time(request.content.read(_CHUNK_BYTES), patience_s):
        yield chunk


async def file_of(request: web.Request) -> tuple[str, AsyncIterator[bytes]]:
    """Name and bytes of the one file in a form. Raises Problem 400, 408, 422."""
    patience_s = _patience_s(request)
    try:
        form = await request.multipart()
        part = await _in_time(form.next(), patience_s)
    except (ValueError, AssertionError) as error:
        raise _unreadable() from error
    if not isinstance(part, BodyPartReader) or not (part.filename or part.name == "file"):
        raise invalid([Fault("/file", "missing", "the form has to begin with a file, in the field 'file'")])

    async def pieces() -> AsyncIterator[bytes]:
        try:
            while chunk := await _in_time(part.read_chunk(_CHUNK_BYTES), patience_s):
                yield bytes(chunk)
            another = await _in_time(form.next(), patience_s)
        except (ValueError, AssertionError) as error:
            raise _unreadable() from error
        if another is not None:
            raise invalid([Fault("", "too_many", "the form may have one field alone, which is the file")])

    return part.filename or "", pieces()


def _patience_s(request: web.Request) -> float:
    return request.app[DEPS].settings.web.request_body_seconds


async def _in_time(coming: Awaitable[T], patience_s: float) -> T:
    try:
        async with asyncio.timeout(patience_s):
            return await coming
    except TimeoutError as error:
        raise Problem(408, "too_slow", f"Nothing of the body has come for {patience_s:g} s.") from error
    except _BAD as error:
        raise _unreadable() from error


async def receive(chunks: AsyncIterator[bytes], path: Path, inspector: Inspector, limits: Mapping[Kind, int]) -> Upload:
    """Write the file to `path`. Its first bytes tell its kind, and by that how large it may be.

    Raises UnsupportedMedia, MediaTooLarge, Problem 408, and what `chunks` raises.
    """
    most: int | None = None
    digest, size, held = hashlib.sha256(), 0, bytearray()
    with path.open("wb") as file:
        try:
            async with asyncio.timeout(TOTAL_S):
                async for chunk in chunks:
                    held += chunk
                    size += len(chunk)
                    if most is None and len(held) >= _HEAD_BYTES:
                        most = limits[inspector.kind_of(bytes(held))]
                    if most is not None and size > most:
                        raise MediaTooLarge(f"a file of this kind may have at most {most / 1e6:g} MB")
                    if len(held) >= _WRITE_BYTES:
                        await asyncio.to_thread(_write, file, digest, bytes(held))
                        held.clear()
        except TimeoutError as error:
            raise Problem(408, "too_slow", f"The file hasn't come within {TOTAL_S:g} s.") from error
        if most is None:
            inspector.kind_of(bytes(held))
        await asyncio.to_thread(_write, file, digest, bytes(held))
    return Upload(path, digest.hexdigest(), size)


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...


def _write(file: BinaryIO, digest: _Digest, data: bytes) -> None:
    digest.update(data)
    file.write(data)


def _unreadable() -> Problem:
    return Problem(400, "bad_body", "The body can't be read as it was announced.")
