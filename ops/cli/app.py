"""All commands under one name, and what becomes of their errors."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

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
    gallery,
    generate,
    groups,
    jobs,
    keys,
    plan,
    replay,
    replay_group,
    replay_log,
    serve,
    settings,
    storage,
)
from ops.cli.common import EXIT_USAGE, CommandError, say_error

_INTERRUPTED = 130
#: Packages that lie in the repository and not in the wheel.
_OF_A_CHECKOUT = ("ops.bench", "ops.chaos", "ops.gallery")

app = typer.Typer(
    help="Turns a script into a finished, streamable video; every step is an event on Redis Streams.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)
for command in (
    serve.up,
    serve.web,
    serve.worker,
    demo.demo,
    generate.generate,
    plan.plan,
    doctor.doctor,
    settings.settings,
):
    app.command()(command)
app.command("jobs")(jobs.list_jobs)
app.command()(jobs.events)
app.command()(jobs.cancel)
app.command()(jobs.delete)
app.command()(chaos.chaos)
app.command()(gallery.gallery)
app.add_typer(keys.app, name="keys")
app.add_typer(assets.app, name="assets")
app.add_typer(dead_letters.app, name="parked")
app.add_typer(archive.app, name="archive")
app.add_typer(groups.app, name="groups")
app.add_typer(storage.app, name="storage")
app.add_typer(bench.app, name="bench")
replay.app.command("group")(replay_group.group)
replay.app.command("history")(replay_log.history)
replay.app.command("rebuild")(replay_log.rebuild)
app.add_typer(replay.app, name="replay")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. People's mistakes give a line that says what to do, not a traceback."""
    try:
        app(args=None if arguments is None else list(arguments), prog_name="eventflow")
    except SystemExit as end:  # how the parser ends, always
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
        say_error(f"{error.name} isn't in the wheel: run this command in a checkout of the repository (make venv).")
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:  # of `eventflow jobs | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0
