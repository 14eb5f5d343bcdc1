"""`ops/docs/reference/settings.md`, from the declarations of the settings."""

from __future__ import annotations

from collections.abc import Iterator

from eventflow.settings import settings_table
from ops.reference.markdown import code, page, table

_INTRODUCTION = """\
Every setting is an environment variable. All of them are read and checked once, when a process starts; a fault names
the variable and the way out. `eventflow settings` prints this table.

A secret may come from a file: `EVENTFLOW_SIGNING_KEY_FILE=/run/secrets/key` in place of `EVENTFLOW_SIGNING_KEY`. For S3
the standard `AWS_*` variables apply."""


def settings_page() -> str:
    """Return the page of all settings."""
    rows = ((code(name), code(default), meaning) for name, default, meaning in _settings())
    return page("Settings", _INTRODUCTION, table(("variable", "default", "meaning"), rows))


def setting_names() -> frozenset[str]:
    """Return the names of all variables."""
    return frozenset(name for name, _, _ in _settings())


def _settings() -> Iterator[tuple[str, str, str]]:
    """Yield (variable, default, meaning). The one place that knows how settings are declared."""
    yield from settings_table()
