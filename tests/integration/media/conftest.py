"""Scenes that are made once for many tests."""

from tests.support.film import film, stop_after  # noqa: F401 - fixtures
