"""A space of its own for each test, whose log reads through to an archive in local files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.archiving import Archived, archive_of, archived_space
from tests.support.log_server import LogServer
from tests.support.runtime import Space, open_space


@pytest.fixture
async def archived(space: Space, tmp_path: Path) -> AsyncIterator[Archived]:
    async with archived_space(space, tmp_path / "archive") as archived:
        yield archived


@pytest.fixture
async def empty(shared_server: LogServer, archived: Archived) -> AsyncIterator[Archived]:
    """Another server's worth of keys, on the archive of `archived`."""
    async with open_space(shared_server.url) as other:
        yield archive_of(other, archived.store)
