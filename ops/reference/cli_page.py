"""`ops/docs/reference/cli.md`, from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from attrs import frozen

from ops.reference.markdown import code, page, table

_INTRODUCTION = """\
`eventflow COMMAND --help` prints the same at the terminal. The exit code is 0 for success, 1 for a failure, and 2 for a
command that can't be run as it was given."""


@frozen(kw_only=True)
class CliCommand:
    """A command that can be run; `name` has the names of its groups before it. A parameter is (its form, its help)."""

    name: str
    text: str
    parameters: tuple[tuple[str, str], ...]


def cli_page() -> str:
    """Return the page of all commands but the hidden ones."""
    return page("Command line", _INTRODUCTION, *(_section(command) for command in cli_commands()))


def cli_commands() -> Iterator[CliCommand]:
    """Yield every command that is shown, in the order of `--help`."""
    yield from _commands(root_command(), "eventflow")


@cache
def root_command() -> Any:
    """Return the click command of the whole command line. The one place that knows where it comes from."""
    from typer.main import get_command

    from ops.cli.app import app

    return get_command(app)


def _commands(command: Any, name: str) -> Iterator[CliCommand]:
    below = getattr(command, "commands", None)
    if below is None:
        context = command.make_context(name, [], resilient_parsing=True)
        records = (parameter.get_help_record(context) for parameter in command.params)
        text = (command.help or "").replace("\f", "").strip()
        yield CliCommand(name=name, text=text, parameters=tuple(record for record in records if record))
        return
    for word, each in below.items():
        if not each.hidden:
            yield from _commands(each, f"{name} {word}")


def _section(command: CliCommand) -> str:
    paragraphs = (" ".join(paragraph.split()) for paragraph in command.text.split("\n\n"))
    shown = [f"## {command.name}", *paragraphs]
    if command.parameters:
        shown.append(table(("option", "meaning"), ((code(form), text) for form, text in command.parameters)))
    return "\n\n".join(shown)
