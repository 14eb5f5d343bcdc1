"""Unit tests do no I/O: sockets, processes and files are refused while one runs."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.support.no_io import no_io


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    with no_io():
        return (yield)
