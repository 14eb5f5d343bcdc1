"""A log, worker processes, a whole service and the web app, as the other levels use them."""

from tests.support.crew import crew, quiet  # noqa: F401 - fixtures
from tests.support.rebuilding import rebuild  # noqa: F401 - a fixture
from tests.support.studio import environment, studio  # noqa: F401 - fixtures
from tests.support.web_app import client, clock, deps, driver, settings, start, stores  # noqa: F401 - fixtures
