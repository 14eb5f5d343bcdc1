"""`eventflow parked`: what nobody could handle; look at it, send it again, or give it up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from eventflow.log.errors import DeadLetterMissing, DeadLetterRefused
from ops.cli.common import CommandError, StackDir, UsageError, open_tool, run_tool, say, say_error
from ops.cli.tables import print_table, printable

if TYPE_CHECKING:
    from eventflow.log.dead_letters import DeadLetter, DeadLetters
    from eventflow.log.event_store import JobRecord


app = typer.Typer(help="Deliveries that nobody could handle: list, show, redrive, drop.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="ID", help="As `eventflow parked list` shows it.")]
MaybeName = Annotated[str | None, typer.Argument(metavar="ID", help="As `eventflow parked list` shows it.")]
All = Annotated[bool, typer.Option("--all", help="All of them, or those that --reason picks.")]
Reason = Annotated[str, typer.Option(help="Only those whose reason contains this text.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]

#: What is done with an entry; returns what to say about it.
Action = Callable[["DeadLetters", str], Awaitable[str]]


@app.command("list")
def list_parked(
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 50,
    reason: Reason = "",
    json: Json = False,
    data_dir: StackDir = None,
) -> None:
    """List parked deliveries, newest first."""
    entries = run_tool(_picked(data_dir, reason, limit))
    if json:
        for entry in entries:
            say(orjson.dumps(described(entry)).decode())
        return
    headings = ("id", "parked", "group", "topic", "attempts", "job", "reason")
    rows = [
        (e.id, e.at, e.group, e.topic or e.stream, str(e.attempts), e.job_id or "unknown", _line(e.reason))
        for e in entries
    ]
    print_table(headings, rows)


def _line(text: str) -> str:
    return printable(text).replace("\n", " ")[:120]


async def _picked(data_dir: Path | None, reason: str, limit: int | None = None) -> list[DeadLetter]:
    from eventflow.log.dead_letters import DeadLetters

    found: list[DeadLetter] = []
    async with open_tool(data_dir) as parts:
        async for entry in DeadLetters(parts.log).all():
            if reason.casefold() in entry.reason.casefold():
                found.append(entry)
            if limit is not None and len(found) >= limit:
                break
    return found


def described(entry: DeadLetter) -> dict[str, Any]:
    """Without the long texts."""
    return {
        "id": entry.id,
        "at": entry.at,
        "group": entry.group,
        "stream": entry.stream,
        "entry": entry.source_entry,
        "attempts": entry.attempts,
        "job_id": entry.job_id or None,
        "reason": entry.reason,
    }


@app.command()
def show(entry_id: Name, json: Json = False, data_dir: StackDir = None) -> None:
    """Show one: its input, its job, what went wrong and how often it was tried."""
    entry, job = run_tool(_shown(entry_id, data_dir))
    whole = {**described(entry), "job": job, "input": _input(entry), "cause": entry.cause, "stderr": entry.stderr}
    if json:
        say(orjson.dumps(whole).decode())
        return
    for name, value in whole.items():
        text = value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
        separator = "\n" if "\n" in text else " "
        say(f"{name + ':':<9}{separator}{printable(text.rstrip())}" if text else f"{name}: none")


def _input(entry: DeadLetter) -> Any:
    """The event as JSON where it is some; else what its bytes are."""
    try:
        return orjson.loads(entry.payload)
    except orjson.JSONDecodeError:
        return repr(entry.payload)[2:-1] if entry.payload else "none"


async def _shown(name: str, data_dir: Path | None) -> tuple[DeadLetter, str]:
    from eventflow.log.dead_letters import DeadLetters

    async with open_tool(data_dir) as parts:
        parked = DeadLetters(parts.log)
        try:
            entry = await parked.find(name)
        except DeadLetterMissing as error:
            raise _missing(error) from error
        try:
            return entry, _job(entry, await parked.job_of(entry))
        except DeadLetterRefused as error:
            return entry, str(error)


def _job(entry: DeadLetter, record: JobRecord | None) -> str:
    if record is None:
        return f"{entry.job_id}: not in this log" if entry.job_id else "unknown"
    return f"{record.id}: {record.job.phase.value}, version {record.version}"


@app.command()
def redrive(entry_id: MaybeName = None, every: All = False, reason: Reason = "", data_dir: StackDir = None) -> None:
    """Send it to its group again, and to no other; its job goes on where it stopped."""

    async def action(parked: DeadLetters, name: str) -> str:
        entry = await parked.redrive(name)
        return f"redriven {name} to group {entry.group}"

    _on_each(_names(entry_id, every, reason, data_dir), action, data_dir)


@app.command()
def drop(
    entry_id: MaybeName = None,
    every: All = False,
    reason: Reason = "",
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    data_dir: StackDir = None,
) -> None:
    """Give it up. An unfinished job that waits for it fails: at once, or once its other scenes are done."""
    names = _names(entry_id, every, reason, data_dir)
    if names and not yes:
        typer.echo(f"Drop {len(names)} parked deliveries? Unfinished jobs that wait for them will fail.", err=True)
        if not typer.confirm("Go on", err=True):
            raise CommandError("Nothing was dropped.")

    async def action(parked: DeadLetters, name: str) -> str:
        from eventflow.telemetry.causes import new_cause

        cause = new_cause("operator", "cli")
        entry, record = await parked.drop(name, cause)
        return f"dropped {name}; job {_job(entry, record)}"

    _on_each(names, action, data_dir)


def _names(name: str | None, every: bool, reason: str, data_dir: Path | None) -> list[str]:
    if (name is None) == (not every):
        raise UsageError("Name one parked entry, or use --all (with --reason TEXT for some of them).")
    if name is not None and reason:
        raise UsageError("--reason goes with --all.")
    return [name] if name is not None else [entry.id for entry in run_tool(_picked(data_dir, reason))]


def _on_each(names: list[str], action: Action, data_dir: Path | None) -> None:
    """One that can't be done doesn't keep the others from it; it makes the command fail."""

    async def run() -> int:
        from eventflow.log.dead_letters import DeadLetters

        failed = 0
        async with open_tool(data_dir) as parts:
            parked = DeadLetters(parts.log)
            for name in names:
                try:
                    say(await action(parked, name))
                except (DeadLetterMissing, DeadLetterRefused) as error:
                    failed += 1
                    say_error(printable(str(_missing(error) if isinstance(error, DeadLetterMissing) else error)))
        return failed

    if failed := run_tool(run()):
        raise CommandError(f"{failed} of {len(names)} could not be done; see above.")


def _missing(error: DeadLetterMissing) -> CommandError:
    return CommandError(f"{error}. `eventflow parked list` lists what there is.")
