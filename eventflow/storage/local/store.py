"""Objects as files below one directory; signed URLs are served by the web app.

    root/<key>                          the bytes
    root/.eventflow/meta/ab/ab12...json SHA-256 and media type, by the hash of the key
    root/.eventflow/spool/              files that are being written

No key starts with a dot, so nothing below `.eventflow` can be read, written or listed as an object. The metadata names
inode, mtime and size of its file: if a crash or a concurrent put separated the two, it is ignored, and never describes
other bytes.
"""

import asyncio
import os
import re
import stat as stat_module
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, suppress
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from eventflow.storage.content_disposition import safe_name
from eventflow.storage.errors import (
    IntegrityError,
    InvalidKey,
    ObjectMissing,
    RangeNotSatisfiable,
    StorageRefused,
    StorageUnavailable,
)
from eventflow.storage.files import COPY_BYTES, Spool, make_folders, open_in_thread, read_chunks, save
from eventflow.storage.local.errors import reported
from eventflow.storage.local.meta import INTERNAL, MetaFiles, is_link, remove_empty_folders, walk
from eventflow.storage.object_keys import check_key, check_prefix, check_sha256
from eventflow.storage.port import (
    CHUNK_BYTES,
    Method,
    ObjectInfo,
    ObjectStore,
    OnProgress,
    check_range,
    lifetime_seconds,
)
from eventflow.storage.signed_urls import MediaGrant, SigningKeys, sign_url

_LIST_BATCH = 500
_PUBLISH_ATTEMPTS = 20
_STORE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


class LocalStore:
    """An ObjectStore in a directory, which is created when needed.

    `name` is the store's name in URLs. Without `signing` it makes no URLs (StorageRefused). Only the process's user may
    read folders and files; with `public` every user of the machine may, such as a web server that serves the folder.
    """

    def __init__(
        self,
        root: Path,
        *,
        now: Callable[[], datetime],
        signing: SigningKeys | None = None,
        name: str = "local",
        base_url: str = "",
        public: bool = False,
    ) -> None:
        if not root.is_absolute():
            raise ValueError("The root of a local store is an absolute path.")
        if not _STORE_NAME.fullmatch(name):
            raise ValueError("A store's name is 1 to 32 lower-case letters, digits and dashes.")
        self.name = name
        self.root = Path(os.path.realpath(root))
        self._spool_folder = self.root / INTERNAL / "spool"
        self._public = public
        self._meta = MetaFiles(self.root, public=public)
        self._now = now
        self._signing = signing
        self._base_url = base_url

    @property
    def description(self) -> str:
        return self.root.as_uri()

    async def put_file(
        self,
        key: str,
        path: Path,
        *,
        media_type: str,
        sha256: str | None = None,
        on_progress: OnProgress | None = None,
    ) -> ObjectInfo:
        """As in the port; never skips, and reads the file once. Progress counts bytes written."""
        wanted = sha256 and check_sha256(sha256)
        chunks = read_chunks(lambda: path.open("rb"), chunk_bytes=COPY_BYTES)
        return await self._put(key, chunks, media_type, wanted, on_progress)

    async def put_bytes(self, key: str, data: bytes, *, media_type: str) -> ObjectInfo:
        async def chunks() -> AsyncGenerator[bytes, None]:
            yield data

        return await self._put(key, chunks(), media_type, None, None)

    async def put_new(self, key: str, data: bytes, *, media_type: str) -> bool:
        """As in the port, without metadata: the media type follows from the key."""

        def write() -> bool:
            target = self._path(key)
            self._make_folders(target.parent)
            self._make_folders(self._spool_folder)
            handle, spool = tempfile.mkstemp(dir=self._spool_folder, prefix=".spool-")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(handle)
                    os.fchmod(handle, 0o644 if self._public else 0o600)
                os.link(spool, target)  # atomic: of several writers, one wins
            except FileExistsError:
                return False
            finally:
                os.unlink(spool)
            return True

        with reported(key):
            return await asyncio.to_thread(write)

    async def read(
        self, key: str, *, start: int = 0, length: int | None = None, chunk_bytes: int = CHUNK_BYTES
    ) -> AsyncGenerator[bytes, None]:
        check_range(start, length, chunk_bytes)
        with reported(key):
            size_bytes = (await asyncio.to_thread(self._stat, key)).st_size
        if start >= size_bytes and (start > 0 or length is not None):
            raise RangeNotSatisfiable(f"{key!r} has {size_bytes} bytes; the range starts at {start}.")
        chunks = read_chunks(lambda: self._open(key), chunk_bytes=chunk_bytes, start=start, length=length)
        async with aclosing(chunks):
            while True:
                with reported(key):
                    data = await anext(chunks, None)
                if data is None:
                    return
                yield data

    async def fetch(self, key: str, path: Path, *, sha256: str | None = None) -> ObjectInfo:
        wanted = sha256 and check_sha256(sha256)
        info = await self.head(key)
        chunks = self.read(key, chunk_bytes=COPY_BYTES)
        await save(chunks, path, what=repr(key), size_bytes=info.size_bytes, sha256=wanted or info.sha256)
        return info

    async def head(self, key: str) -> ObjectInfo:
        with reported(key):
            return await asyncio.to_thread(lambda: self._meta.info(key, self._stat(key)))

    async def copy(self, source: str, target: str) -> ObjectInfo:
        check_key(target)
        info = await self.head(source)
        if source == target:
            return info
        chunks = self.read(source, chunk_bytes=COPY_BYTES)
        return await self._put(target, chunks, info.media_type, info.sha256, None)

    async def copy_from(self, other: ObjectStore, source: ObjectInfo, target: str) -> ObjectInfo | None:
        """As in the port: copies the file. A hard link would share later damage, and keep the old time."""
        if not isinstance(other, LocalStore):
            return None
        chunks = other.read(source.key, chunk_bytes=COPY_BYTES)
        return await self._put(target, chunks, source.media_type, source.sha256, None)

    async def delete(self, key: str) -> None:
        def remove() -> None:
            path = self._path(key)
            path.unlink(missing_ok=True)
            self._meta.remove(key)
            remove_empty_folders(path.parent, self.root)

        with reported(key):
            try:
                await asyncio.to_thread(remove)
            except (NotADirectoryError, IsADirectoryError):
                return  # a folder of objects, or below an object: either way there is no such object

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        check_prefix(prefix)
        found = walk(self.root, prefix)
        while True:
            with reported(prefix):
                batch = await asyncio.to_thread(lambda: tuple(islice(found, _LIST_BATCH)))
            for info in batch:
                yield info
            if len(batch) < _LIST_BATCH:
                return

    async def signed_url(
        self,
        key: str,
        *,
        expires_in: timedelta,
        download_name: str | None = None,
        media_type: str | None = None,
        method: Method = "GET",
    ) -> str:
        """A URL below `base_url` (relative to the host if that is empty); `signing.verify` checks it."""
        lifetime = timedelta(seconds=lifetime_seconds(expires_in))
        if self._signing is None:
            raise StorageRefused(f"The store {self.name!r} has no signing key: set EVENTFLOW_SIGNING_KEY.")
        grant = MediaGrant(
            store=self.name,
            key=check_key(key),
            expires_at=self._now() + lifetime,
            download_name=None if download_name is None else safe_name(download_name),
            media_type=media_type,
        )
        return sign_url(self._signing, grant, base_url=self._base_url, method=method)

    async def open(self, key: str) -> BinaryIO:
        """The object's file, to be sent with sendfile and closed by the caller. Raises ObjectMissing, InvalidKey."""

        def checked() -> BinaryIO:
            self._stat(key)
            return self._open(key)

        with reported(key):
            return await open_in_thread(checked, undo=lambda file: file.close())

    async def check(self) -> None:
        """Creates the directory if need be, and writes a file to it."""

        async def probe() -> None:
            async with Spool(self._spool_folder) as spool:
                await spool.write(b"probe")

        try:
            with reported(self.description):
                await asyncio.to_thread(self._make_folders, self._spool_folder)
                await probe()
        except ObjectMissing as error:  # a parent that can't hold folders
            advice = "Choose a folder that can be created."
            raise StorageRefused(
                f"{self.description} can't be made ({error.upstream_code}). {advice}", upstream_code=error.upstream_code
            ) from None

    async def remove_abandoned(self, *, older_than: timedelta, below: Sequence[str] = ("",)) -> int:
        """As in the port: files in the store's own spool, whatever they were to become. An hour without a byte is a
        good measure."""

        def remove() -> int:
            limit = (self._now() - older_than).timestamp()
            removed = 0
            for path in self._spool_folder.glob("*"):
                with suppress(FileNotFoundError):  # finished just now
                    if path.stat().st_mtime < limit:
                        path.unlink()
                        removed += 1
            return removed

        with reported(self.description):
            return await asyncio.to_thread(remove)

    async def close(self) -> None:
        """Nothing is held open."""

    async def _put(
        self,
        key: str,
        chunks: AsyncGenerator[bytes, None],
        media_type: str,
        sha256: str | None,
        on_progress: OnProgress | None,
    ) -> ObjectInfo:
        async with AsyncExitStack() as stack:
            with reported(key):
                await asyncio.to_thread(self._path, key)
                await asyncio.to_thread(self._make_folders, self._spool_folder)
                spool = await stack.enter_async_context(Spool(self._spool_folder, public=self._public))
            await stack.enter_async_context(aclosing(chunks))
            # Not in `reported`: what goes wrong with the source is the caller's, not the store's.
            async for data in chunks:
                with reported(key):
                    await spool.write(data)
                if on_progress is not None:
                    on_progress(spool.size_bytes)
            if sha256 not in (None, spool.sha256):
                raise IntegrityError(f"The content for {key!r} has SHA-256 {spool.sha256} instead of {sha256}.")
            if on_progress is not None and spool.size_bytes == 0:
                on_progress(0)
            with reported(key):
                return await asyncio.to_thread(self._publish, key, spool, media_type)

    def _publish(self, key: str, spool: Spool, media_type: str) -> ObjectInfo:
        target = self._path(key)
        if target.is_dir() and not target.is_symlink():
            raise InvalidKey(f"{key!r} is the folder of other objects.")
        for _ in range(_PUBLISH_ATTEMPTS):
            # A delete may take an empty folder away before the file is in it.
            with suppress(FileNotFoundError):
                self._make_folders(target.parent)
                stat = spool.commit(target, before=lambda stat: self._meta.write(key, stat, spool.sha256, media_type))
                return self._meta.info(key, stat)
        raise StorageUnavailable(f"{key!r}: its folder disappears again and again.")

    def _make_folders(self, folder: Path) -> None:
        make_folders(folder, public=self._public)

    def _path(self, key: str) -> Path:
        """Where the object is; its folder is inside the root even if there are symbolic links."""
        path = self.root / check_key(key)
        folder = Path(os.path.realpath(path.parent))
        if not folder.is_relative_to(self.root) or folder.is_relative_to(self.root / INTERNAL):
            raise InvalidKey(f"{key!r} leads out of the store by a symbolic link.")
        return folder / path.name

    def _stat(self, key: str) -> os.stat_result:
        path = self._path(key)
        stat = path.lstat()
        if is_link(stat):
            raise InvalidKey(f"{key!r} is a symbolic link, which the store does not follow.")
        if not stat_module.S_ISREG(stat.st_mode):
            raise ObjectMissing(f"Nothing is stored under {key!r}.")
        return stat

    def _open(self, key: str) -> BinaryIO:
        # NONBLOCK: should a pipe have been put there meanwhile, opening it must not hang.
        handle = os.open(self._path(key), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        return os.fdopen(handle, "rb")
