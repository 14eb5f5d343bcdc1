"""Unit tests do no I/O: sockets, processes and files are refused while one runs."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from handlers.generation.narration.spoken_forms.form import spoken_form
from tests.support.no_io import no_io


@pytest.fixture(scope="session")
def cldr() -> None:
    """Load what the spoken forms of English and German read from files, before a test that may not."""
    for language in ("en-US", "de"):
        spoken_form("$5, 5 kg, 3 MB/s, 2024-07-20, in 1832, 10⁻³, −5", language)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    with no_io():
        return (yield)
