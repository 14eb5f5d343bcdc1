"""All commands, grouped by subject, and the exit codes of their errors."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from eventflow.settings import SettingsError
from ops.cli import (
    archive,
    assets,
    bench,
    chaos,
    dead_letters,
    demo,
    doctor,
    fork,
    gallery,
    generate,
    group_replay,
    groups,
    history,
    jobs,
    keys,
    plan,
    projections,
    reprocess,
    serve,
    settings,
    storage,
)
from ops.cli.command_group import CommandGroup
from ops.cli.common import EXIT_FAILURE, EXIT_USAGE, CommandError, say, say_error

_INTERRUPTED = 130
#: Columns that help may fill, where the terminal has them; a longer line is hard to read.
_HELP_COLUMNS = 120
#: Packages that lie in the repository and not in the wheel.
_OF_A_CHECKOUT = ("ops.bench", "ops.chaos", "ops.gallery")

app = typer.Typer(
    help="Turns a script into a finished, streamable video; every step is an event on Redis Streams.",
    cls=CommandGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"max_content_width": _HELP_COLUMNS},
)
dev = typer.Typer(
    help="For work on eventflow itself: benchmarks, chaos, sheets of all layouts. Needs a checkout of the repository.",
    cls=CommandGroup,
    no_args_is_help=True,
)
replay = typer.Typer(no_args_is_help=True, cls=CommandGroup)


def _version(wanted: bool) -> None:
    from importlib.metadata import version

    if wanted:
        say(f"eventflow {version('eventflow')}")
        raise typer.Exit


@app.callback()
def _root(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


def _add_commands() -> None:
    for command in (serve.up, demo.demo, generate.generate, plan.plan):
        app.command()(command)
    jobs.app.command()(reprocess.reprocess)
    jobs.app.command()(fork.fork)
    jobs.app.command()(history.history)
    app.add_typer(jobs.app, name="jobs")
    app.add_typer(assets.app, name="assets")
    app.command()(doctor.doctor)
    app.command()(settings.settings)
    app.command()(serve.web)
    app.command()(serve.worker)
    app.add_typer(keys.app, name="keys")
    groups.app.command("replay")(group_replay.replay)
    app.add_typer(groups.app, name="groups")
    app.add_typer(dead_letters.app, name="dead-letters")
    app.add_typer(projections.app, name="projections")
    app.add_typer(storage.app, name="storage")
    app.add_typer(archive.app, name="archive")
    dev.add_typer(bench.app, name="bench")
    dev.command()(chaos.chaos)
    dev.command()(gallery.gallery)
    app.add_typer(dev, name="dev")


_EARLIER: dict[str, Callable[..., None]] = {
    "events": jobs.events,
    "cancel": jobs.cancel,
    "delete": jobs.delete,
    "chaos": chaos.chaos,
    "gallery": gallery.gallery,
}
_EARLIER_REPLAY: dict[str, Callable[..., None]] = {
    "reprocess": reprocess.reprocess,
    "fork": fork.fork,
    "group": group_replay.replay,
    "history": history.history,
    "rebuild": projections.rebuild,
}


def _add_earlier_names() -> None:
    """Names that commands had before they were grouped by subject; they keep working, and no help shows them."""
    for name, command in _EARLIER.items():
        app.command(name, hidden=True)(command)
    app.add_typer(dead_letters.app, name="parked", hidden=True)
    app.add_typer(bench.app, name="bench", hidden=True)
    for name, command in _EARLIER_REPLAY.items():
        replay.command(name)(command)
    app.add_typer(replay, name="replay", hidden=True)


_add_commands()
_add_earlier_names()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. A user's mistake gives one line with the way out, no traceback."""
    try:
        app(args=None if arguments is None else list(arguments), prog_name="eventflow")
    except SystemExit as end:  # the parser always ends like this
        return end.code if isinstance(end.code, int) else 0
    except SettingsError as error:
        for fault in error.faults:
            say_error(fault)
        return EXIT_USAGE
    except CommandError as error:
        say_error(str(error))
        return error.exit_code
    except ModuleNotFoundError as error:
        if error.name not in _OF_A_CHECKOUT:
            raise
        say_error(
            f"{error.name} isn't part of the installed package: run this command in a checkout of the repository "
            "(`make venv` there installs it)."
        )
        return EXIT_FAILURE
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:  # `eventflow jobs | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0
