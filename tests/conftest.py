"""Fixtures that every level of tests may use."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

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
def _no_aws_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))


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
