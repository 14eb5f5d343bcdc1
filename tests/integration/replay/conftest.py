"""A log under a prefix of its own, and a rebuild of it."""

from tests.support.rebuilding import quiet, rebuild, space  # noqa: F401 - fixtures
