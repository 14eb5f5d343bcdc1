"""Files that appear whole or not at all; blocking calls run in threads, a chunk at a time."""

import asyncio
import hashlib
import os
import tempfile
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, TypeVar

from eventflow.storage.errors import IntegrityError

_T = TypeVar("_T")

#: Bytes of a chunk. A hop to a thread costs about 0.1 ms, which is little beside the copying of 1 MiB.
COPY_BYTES = 1024 * 1024


class Spool:
    """A temporary file in `folder` that `commit` renames; leaving the context without that removes it.

    Counts the bytes that are written (`size_bytes`) and computes their SHA-256 (`sha256`). A write that continues after
    its task was cancelled is harmless: buffered files lock, and the file is removed. Only its owner may read the file,
    or every user of the machine if it is `public`.
    """

    def __init__(self, folder: Path, *, public: bool = False) -> None:
        self.size_bytes = 0
        self._folder, self._public = folder, public
        self._hash = hashlib.sha256()
        self._file: BinaryIO | None = None
        self._path: Path | None = None

    async def __aenter__(self) -> Self:
        return await open_in_thread(self._open, undo=Spool._close)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Not in a thread: it is short, and has to happen even while the task is being cancelled.
        self._close()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    async def write(self, data: bytes) -> None:
        await asyncio.to_thread(self._write, data)

    def commit(self, target: Path, *, before: Callable[[os.stat_result], None] | None = None) -> os.stat_result:
        """Flushes to disk and renames to `target`, replacing it; blocks, so call it in a thread.

        `before` is called with the file's stat (inode, size and mtime survive the rename) just before it.
        """
        file, path = self._file, self._path
        if file is None or path is None:
            raise RuntimeError("The spool is not open.")
        file.flush()
        os.fsync(file.fileno())
        stat = os.fstat(file.fileno())
        if before is not None:
            before(stat)
        os.replace(path, target)
        self._path = None
        with suppress(FileNotFoundError):  # deleted meanwhile, and the empty folder with it
            sync_folder(target.parent)
        return stat

    def _open(self) -> Self:
        handle, name = tempfile.mkstemp(dir=self._folder, prefix=".spool-")
        self._path = Path(name)
        self._file = os.fdopen(handle, "wb", buffering=COPY_BYTES)
        if self._public:  # mkstemp gives 0600
            os.fchmod(handle, 0o644)
        return self

    def _close(self) -> None:
        if self._file is not None:
            with suppress(OSError):  # a kept file was flushed; a dropped one may fail for lack of space
                self._file.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _write(self, data: bytes) -> None:
        if self._file is None:
            raise RuntimeError("The spool is not open.")
        self._file.write(data)
        self._hash.update(data)
        self.size_bytes += len(data)


async def open_in_thread(open_it: Callable[[], _T], *, undo: Callable[[_T], None]) -> _T:
    """Open something in a thread; if the caller is cancelled meanwhile, `undo` closes it once it is open.

    The thread can't be stopped, and its result would leak. `undo` runs without the event loop, which may be closing.
    """
    opened: list[_T] = []
    cancelled = threading.Event()

    def drop() -> None:
        with suppress(IndexError):  # either the thread or the task takes it out
            undo(opened.pop())

    def open_for_caller() -> _T:
        thing = open_it()
        opened.append(thing)
        if cancelled.is_set():
            drop()
        return thing

    try:
        return await asyncio.to_thread(open_for_caller)
    except asyncio.CancelledError:
        cancelled.set()
        drop()
        raise


async def read_chunks(
    opened: Callable[[], BinaryIO], *, chunk_bytes: int, start: int = 0, length: int | None = None
) -> AsyncGenerator[bytes, None]:
    """Stream a file that `opened` opens in a thread, and close it. Raises OSError."""
    file = await open_in_thread(opened, undo=lambda file: file.close())
    try:
        await asyncio.to_thread(file.seek, start)
        left = length
        while left is None or left > 0:
            data = await asyncio.to_thread(file.read, chunk_bytes if left is None else min(chunk_bytes, left))
            if not data:
                return
            if left is not None:
                left -= len(data)
            yield data
    finally:
        file.close()


async def hash_file(path: Path) -> tuple[int, str]:
    """Return (size in bytes, SHA-256 in hex) of a file. Raises OSError."""
    digest, size_bytes = hashlib.sha256(), 0
    async with aclosing(read_chunks(lambda: path.open("rb"), chunk_bytes=COPY_BYTES)) as chunks:
        async for data in chunks:
            await asyncio.to_thread(digest.update, data)
            size_bytes += len(data)
    return size_bytes, digest.hexdigest()


async def save(
    chunks: AsyncGenerator[bytes, None], path: Path, *, what: str, size_bytes: int, sha256: str | None
) -> None:
    """Write `chunks` into `path` atomically, and close them. Raises IntegrityError if size or SHA-256 differ."""
    async with aclosing(chunks), Spool(path.parent) as spool:
        async for data in chunks:
            await spool.write(data)
        verify_content(what, spool.size_bytes, spool.sha256, size_bytes, sha256)
        await asyncio.to_thread(spool.commit, path)


def verify_content(what: str, size_bytes: int, sha256: str, wanted_bytes: int, wanted_sha256: str | None) -> None:
    """Raise IntegrityError unless the content has the wanted size and SHA-256 (None: any)."""
    if size_bytes != wanted_bytes:
        raise IntegrityError(f"{what} has {size_bytes} bytes instead of {wanted_bytes}.")
    if wanted_sha256 is not None and sha256 != wanted_sha256:
        raise IntegrityError(f"{what} has SHA-256 {sha256} instead of {wanted_sha256}.")


def make_folders(folder: Path, *, public: bool = False) -> None:
    """Create a folder and its parents so that they survive a power cut.

    Only their owner may enter them; with `public`, the process's umask decides.
    """
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        try:
            path.mkdir(mode=0o777 if public else 0o700)
        except FileExistsError:  # another writer's, or deleted since (an error with `exist_ok`)
            if path.is_file():
                raise
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries (new names, renames) to disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
