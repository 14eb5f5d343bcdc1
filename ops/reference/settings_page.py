"""`ops/docs/reference/settings.md`, from the declarations of the settings."""

from __future__ import annotations

from eventflow.settings import Section, Setting, reference
from ops.reference.markdown import code, page, table

_INTRODUCTION = """\
Every setting is an environment variable. All of them are read and checked once, when a process starts; a fault names
the variable and the way out. `eventflow settings` prints these tables. An unset variable has its default.

A secret may come from a file: `EVENTFLOW_SIGNING_KEY_FILE=/run/secrets/key` in place of `EVENTFLOW_SIGNING_KEY`. For S3
the standard `AWS_*` variables apply."""

_RENAMED = """\
## Earlier names

The earlier name of a setting still works, with a warning. A process doesn't start with both names set."""


def settings_page() -> str:
    """Return the page of all settings, by subject."""
    renamed = [each for section in reference() for each in section.settings if each.old_variable]
    names = table(("earlier name", "now"), ((code(each.old_variable or ""), code(each.variable)) for each in renamed))
    return page("Settings", _INTRODUCTION, *map(_section, reference()), f"{_RENAMED}\n\n{names}")


def setting_names() -> frozenset[str]:
    """Return the names of all variables."""
    return frozenset(each.variable for section in reference() for each in section.settings)


def earlier_names() -> frozenset[str]:
    """Return the earlier names of variables that were renamed."""
    found = (each.old_variable for section in reference() for each in section.settings)
    return frozenset(name for name in found if name)


def _section(section: Section) -> str:
    head = ("variable", "default", "values", "meaning")
    return f"## {section.heading}\n\n{table(head, map(_row, section.settings))}"


def _row(setting: Setting) -> tuple[str, str, str, str]:
    return code(setting.variable), code(setting.default), _escaped(setting.kind.values), _escaped(setting.meaning)


def _escaped(text: str) -> str:
    return text.replace("*", "\\*")
