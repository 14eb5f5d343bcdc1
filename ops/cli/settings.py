"""`eventflow settings`: the reference of settings, as Markdown."""

from __future__ import annotations

from eventflow.settings import Row, reference
from ops.cli.common import say


def settings() -> None:
    """Print every setting with its default, its values and its meaning, as Markdown tables by subject."""
    say(markdown_tables())


def markdown_tables() -> str:
    """Return one Markdown table for each subject, without a line end after the last."""
    return "\n\n".join(
        "\n".join([f"### {section.heading}", "", *_HEAD, *(_line(row) for row in section.rows)])
        for section in reference()
    )


_HEAD = ("| variable | default | values | meaning |", "|---|---|---|---|")


def _line(row: Row) -> str:
    return f"| `{row.variable}` | {_code(row.default)} | {_cell(row.values)} | {_cell(_meaning(row))} |"


def _meaning(row: Row) -> str:
    secret = f". Secret; `{row.variable}_FILE` may name a file that holds it" if row.secret else ""
    old = f". Called `{row.old_variable}` before; that name still works" if row.old_variable else ""
    return f"{row.text}{secret}{old}"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*")
