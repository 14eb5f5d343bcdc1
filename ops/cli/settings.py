"""`eventflow settings`: the table that the README shows."""

from __future__ import annotations

from eventflow.settings import settings_table
from ops.cli.common import say


def settings() -> None:
    """Print every setting, its default and its meaning as a Markdown table."""
    say(markdown_table())


def markdown_table() -> str:
    """The settings as a Markdown table, without a line end behind it."""
    rows = [f"| `{name}` | {_code(default)} | {_cell(meaning)} |" for name, default, meaning in settings_table()]
    return "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows])


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
