"""`eventflow dead-letters`: deliveries that no handler could finish; look at them, redrive them, or drop them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import orjson
import typer

from ops.cli.command_group import ListingGroup
from ops.cli.common import CommandError, UsageError, run_tool, say, say_error, say_note
from ops.cli.dead_letter_source import DeadLetterSource, DeadLetterSummary, open_dead_letters
from ops.cli.reach import ApiKey, DataDir, Log, Service, Url, reach
from ops.cli.tables import cut, print_table, printable

app = typer.Typer(
    help="Deliveries that no handler could finish: list, show, redrive, drop. Over HTTP for admins.", cls=ListingGroup
)

_ID_HELP = "Id of a stopped delivery; `eventflow dead-letters list` shows it."
EntryId = Annotated[str, typer.Argument(metavar="ID", help=_ID_HELP)]
MaybeEntryId = Annotated[str | None, typer.Argument(metavar="ID", help=_ID_HELP)]
All = Annotated[bool, typer.Option("--all", help="All of them, or those that --reason selects.")]
Reason = Annotated[str, typer.Option(help="Only those whose reason contains this text.")]
#: Characters of a reason in the list.
_REASON_CHARS = 120

#: Does something with the entry of an id; returns a line that says so.
Action = Callable[[DeadLetterSource, str], Coroutine[Any, Any, str]]


@app.command("list")
def list_dead_letters(
    limit: Annotated[int, typer.Option(min=1, help="Number of entries to show.")] = 50,
    reason: Reason = "",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    url: Url = None,
    api_key: ApiKey = None,
    data_dir: DataDir = None,
) -> None:
    """List stopped deliveries, newest first."""
    entries = run_tool(_selected(reach(url, api_key, data_dir), reason, limit))
    if json:
        for entry in entries:
            say(orjson.dumps(entry.as_json()).decode())
        return
    if not entries:
        say_note("no dead letters")
        return
    headings = ("id", "stopped", "group", "topic", "attempts", "job", "reason")
    print_table(
        headings,
        [
            (e.id, e.at, e.group, e.topic or e.stream, str(e.attempts), e.job_id or "unknown", _line(e.reason))
            for e in entries
        ],
        expendable=("topic", "attempts", "stopped", "job"),
        cut_last=True,
    )


def _line(text: str) -> str:
    return cut(printable(text).replace("\n", " "), _REASON_CHARS)


async def _selected(way: Service | Log, reason: str, limit: int | None = None) -> list[DeadLetterSummary]:
    found: list[DeadLetterSummary] = []
    async with open_dead_letters(way) as letters:
        async for entry in letters.all():
            if reason.casefold() in entry.reason.casefold():
                found.append(entry)
            if limit is not None and len(found) >= limit:
                break
    return found


@app.command()
def show(
    entry_id: EntryId,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    url: Url = None,
    api_key: ApiKey = None,
    data_dir: DataDir = None,
) -> None:
    """Show one: its input, its job, its last error and the number of attempts."""
    way = reach(url, api_key, data_dir)

    async def run() -> dict[str, Any]:
        async with open_dead_letters(way) as letters:
            found = await letters.show(entry_id)
        named = {"job": found.job, "input": found.input, "cause": found.cause, "stderr": found.stderr}
        return found.summary.as_json() | named

    whole = run_tool(run())
    if json:
        say(orjson.dumps(whole).decode())
        return
    for name, value in whole.items():
        text = value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
        separator = "\n" if "\n" in text else " "
        say(f"{name + ':':<9}{separator}{printable(text.rstrip())}" if text else f"{name}: none")


@app.command()
def redrive(
    entry_id: MaybeEntryId = None,
    every: All = False,
    reason: Reason = "",
    url: Url = None,
    api_key: ApiKey = None,
    data_dir: DataDir = None,
) -> None:
    """Send it to its group again, and to no other group; its job continues where it stopped."""

    async def redriven(letters: DeadLetterSource, name: str) -> str:
        return await letters.redrive(name)

    way = reach(url, api_key, data_dir)
    _on_each(_ids(way, entry_id, every=every, reason=reason), redriven, way)


@app.command()
def drop(
    entry_id: MaybeEntryId = None,
    every: All = False,
    reason: Reason = "",
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask for confirmation.")] = False,
    url: Url = None,
    api_key: ApiKey = None,
    data_dir: DataDir = None,
) -> None:
    """Remove it. An unfinished job that waits for it fails, once its other scenes are done."""
    way = reach(url, api_key, data_dir)
    ids = _ids(way, entry_id, every=every, reason=reason)
    if ids and not yes:
        say_note(f"Drop {len(ids)} dead letters? Unfinished jobs that wait for them will fail.")
        if not typer.confirm("Drop", err=True):
            raise CommandError("Nothing was dropped.")

    async def dropped(letters: DeadLetterSource, name: str) -> str:
        return await letters.drop(name)

    _on_each(ids, dropped, way)


def _ids(way: Service | Log, entry_id: str | None, *, every: bool, reason: str) -> list[str]:
    if (entry_id is None) == (not every):
        raise UsageError("Name one dead letter, or use --all (with --reason TEXT for some of them).")
    if entry_id is not None and reason:
        raise UsageError("--reason goes with --all.")
    return [entry_id] if entry_id is not None else [entry.id for entry in run_tool(_selected(way, reason))]


def _on_each(ids: list[str], action: Action, way: Service | Log) -> None:
    """Do `action` with each. One that fails doesn't stop the others; the command fails at the end."""

    async def run() -> int:
        failed = 0
        async with open_dead_letters(way) as letters:
            for entry_id in ids:
                try:
                    say(await action(letters, entry_id))
                except CommandError as error:
                    failed += 1
                    say_error(printable(str(error)))
        return failed

    if failed := run_tool(run()):
        raise CommandError(f"{failed} of {len(ids)} failed; see above.")
