"""Whole services in this process, and as processes."""

from tests.support.picture_site import site  # noqa: F401 - a fixture
from tests.support.studio import environment, programs, quiet, studio  # noqa: F401 - fixtures
