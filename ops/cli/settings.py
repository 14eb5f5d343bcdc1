"""`eventflow settings`: the reference of settings, as Markdown."""

from __future__ import annotations

from eventflow.settings import Setting, reference
from ops.cli.common import say


def settings() -> None:
    """Print every setting with its default, its values and its meaning, as Markdown tables by subject."""
    say(markdown_tables())


def markdown_tables() -> str:
    """Return one Markdown table for each subject, without a line end after the last."""
    return "\n\n".join(
        "\n".join([f"### {section.heading}", "", *_HEAD, *(_line(each) for each in section.settings)])
        for section in reference()
    )


_HEAD = ("| variable | default | values | meaning |", "|---|---|---|---|")


def _line(setting: Setting) -> str:
    values, meaning = _cell(setting.kind.values), _cell(setting.meaning)
    return f"| `{setting.variable}` | {_code(setting.default)} | {values} | {meaning} |"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*")
