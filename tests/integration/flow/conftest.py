"""Whole services in this process, and as processes."""

from tests.support.studio import environment, programs, quiet, studio  # noqa: F401 - fixtures
