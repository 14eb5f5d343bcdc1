"""A log of its own for every test, on one server; tests that break the server start another one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from tests.support.log_server import LogServer, log_server
from tests.support.runtime import Space, open_space, quiet_logs
from tests.support.worker_program import Journal, WorkerProcess, worker_process

__all__ = ["Crew"]


@pytest.fixture(autouse=True, scope="session")
def quiet() -> None:
    quiet_logs()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[LogServer]:
    """With an append-only file; may be killed, paused and flushed."""
    with log_server(tmp_path / "valkey", aof=True) as server:
        yield server


@pytest.fixture
async def own_space(own_server: LogServer) -> AsyncIterator[Space]:
    async with open_space(own_server.url) as space:
        yield space


class Crew(Protocol):
    """Starts worker processes on a space: `crew(space, "slow", "--seconds", "3")`."""

    journal: Journal

    def __call__(self, space: Space, behaviour: str, *options: str) -> WorkerProcess: ...


class _Crew:
    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.journal = Journal(folder / "journal")
        self._stack = stack

    def __call__(self, space: Space, behaviour: str, *options: str) -> WorkerProcess:
        start: Callable[..., AbstractContextManager[WorkerProcess]] = worker_process
        return self._stack.enter_context(
            start(space.url, space.keyspace.prefix, self.journal.path, behaviour, *options)
        )


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[Crew]:
    """Every process is killed at the end of the test."""
    with ExitStack() as stack:
        yield _Crew(tmp_path, stack)
