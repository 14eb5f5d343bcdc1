"""Fixtures that every level of tests may use."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Iterator

import pytest
import structlog
from hypothesis import settings

from tests.support.command_server import CommandServer, command_server
from tests.support.log_server import LogServer, log_server
from tests.support.runtime import Space, open_space
from tests.support.valkey import RunningServer, flush, running_server

pytest_plugins = ["tests.support.debian", "tests.support.levels"]

# On a loaded machine a single example may take long; the time-out of the test is enough.
settings.register_profile("patient", parent=settings(), deadline=None)
settings.load_profile("patient")

# Hundreds of processes start in a run: only the first one is to compile the program.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A shell lets what it runs in the background ignore SIGINT, and every process that a test starts would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def plain_logs() -> None:
    """What a test before has configured doesn't hide log lines from this one."""
    structlog.reset_defaults()
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])


@pytest.fixture(autouse=True)
def _no_aws_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[RunningServer]:
    """One real valkey-server for the whole session (of each xdist worker)."""
    with running_server() as server:
        yield server


@pytest.fixture
def valkey_url(valkey_server: RunningServer) -> str:
    """The URL of the session's server, which is empty now."""
    flush(valkey_server.url)
    return valkey_server.url


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LogServer]:
    """A server for logs under prefixes of their own; not to be stopped or flushed."""
    with log_server(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture(scope="session")
def commands() -> Iterator[CommandServer]:
    """Runs short commands in forks of one process that has loaded the program."""
    with command_server() as server:
        yield server


@pytest.fixture
async def space(shared_server: LogServer) -> AsyncIterator[Space]:
    """A log of its own on the shared server."""
    async with open_space(shared_server.url) as space:
        yield space
