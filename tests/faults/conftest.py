"""Logs and worker processes; tests that break the server start another one. All tests here are of `make chaos`."""

from pathlib import Path

import pytest

from tests.support.crew import crew, own_server, own_space, quiet  # noqa: F401 - fixtures


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.chaos)
