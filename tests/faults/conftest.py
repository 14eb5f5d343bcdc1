"""Logs and worker processes; tests that break the server start another one."""

from tests.support.crew import crew, own_server, own_space, quiet  # noqa: F401 - fixtures
