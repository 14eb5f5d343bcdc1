"""The web app on a real server and local stores."""

from tests.support.picture_site import site  # noqa: F401 - a fixture
from tests.support.web_app import client, clock, deps, driver, settings, start, stores  # noqa: F401 - fixtures
