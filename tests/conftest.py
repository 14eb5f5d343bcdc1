"""Fixtures that every level of tests may use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.valkey import RunningServer, flush, running_server


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
