"""`eventflow storage`: what viewers' stores need once, and whether all of them hold what the log says."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer
from attrs import asdict, evolve

from ops.cli.command_group import CommandGroup
from ops.cli.common import CommandError, run_tool, say
from ops.cli.display import counting
from ops.cli.reach import DataDir, open_log
from ops.cli.tables import printable

if TYPE_CHECKING:
    from eventflow.storage import ObjectStore
    from eventflow.storage.owner_mark import Owner
    from ops.storage_check.check import Check, Finding, Report


app = typer.Typer(help="The stores of videos and of what they are made from.", no_args_is_help=True, cls=CommandGroup)


@app.command()
def check(
    repair: Annotated[
        bool, typer.Option("--repair", help="Remove orphans and old open uploads, nothing else.")
    ] = False,
    checksum: Annotated[bool, typer.Option("--checksum", help="Read every file that viewers are sent to.")] = False,
    older_than_hours: Annotated[float, typer.Option(min=1, help="Younger files are no orphans.")] = 24.0,
    force: Annotated[
        bool, typer.Option("--force", help="Remove also what is of jobs that the log doesn't know.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Compare the stores with the log: files that no event names (orphans), files that are named and gone (missing).

    Files of jobs that the log doesn't know (unknown) may be another environment's, or newer than a log that was
    restored: a repair asks before it removes them, and leaves them where it can't ask. Nothing is changed without
    --repair. Exits with 1 where something is left.
    """

    def tell(finding: Finding) -> None:
        if json:
            say(orjson.dumps(asdict(finding)).decode())
        else:
            where = f"{finding.store}/{finding.key}" if finding.store else finding.job_id
            state = "removed" if finding.removed else finding.kind
            say(printable(f"{state:10} {where}  {finding.detail}".rstrip()))

    report = run_tool(_check(data_dir, older_than_hours, repair, checksum, force, tell))
    if json:
        say(orjson.dumps({**asdict(report), "left": report.left, "repair": repair}).decode())
    else:
        say(_summary(report, repair))
    if report.left:
        raise typer.Exit(1)


def _summary(report: Report, repair: bool) -> str:
    text = f"{report.jobs} jobs, {report.objects} files, {report.size_bytes} bytes"
    found = ", ".join(f"{kind}: {count}" for kind, count in sorted(report.found.items()))
    if not found:
        return f"{text}; stores and log agree"
    hint = "" if repair or not report.orphan_bytes else f"; --repair would free {report.orphan_bytes} bytes"
    if strange := report.found.get("unknown", 0) - report.removed.get("unknown", 0):
        hint += (
            f"; {strange} are of jobs that this log doesn't know: another environment's, or newer than a restored log? "
            "Only --repair --force removes them"
        )
    return f"{text}; {found}; left: {report.left}{hint}"


async def _check(
    data_dir: Path | None,
    older_than_hours: float,
    repair: bool,
    checksum: bool,
    force: bool,
    tell: Callable[[Finding], None],
) -> Report:
    from eventflow.storage import StorageError
    from ops.environment import ForeignStore, refuse_foreign_stores
    from ops.storage_check.check import Check
    from ops.storage_check.referenced_files import all_jobs
    from ops.storage_check.uploads import open_uploads

    older_than = datetime.now(UTC) - timedelta(hours=older_than_hours)
    async with open_log(data_dir) as parts:
        made = Check(parts.log, parts.stores, older_than, checksum=checksum)
        try:
            if repair:
                await refuse_foreign_stores(parts)
            with counting("comparing") as show:
                made = evolve(made, on_progress=_shown(show))
                jobs = await all_jobs(
                    parts.redis, parts.keyspace, parts.archive_pointers if parts.segment_store else None
                )
                strangers = await _strangers(made, jobs) if repair and not force else 0
            force = force or _asked_for(strangers)
            with counting("comparing") as show:
                made = evolve(made, on_finding=tell, repair=repair, unknown_too=force, on_progress=_shown(show))
                report = await made.run(jobs)
                uploads = open_uploads(parts.log, parts.stores, older_than, repair=repair, unknown_too=force)
                async for finding in uploads:
                    report.add(finding)
                    tell(finding)
        except ForeignStore as error:
            raise CommandError(f"Nothing was removed. {error}") from error
        except StorageError as error:
            raise CommandError(f"A store can't be read: {error}") from error
        return report


def _shown(show: Callable[[str], None]) -> Callable[[Report], None]:
    return lambda report: show(f"{report.jobs} jobs, {report.objects} files")


async def _strangers(check: Check, jobs: list[bytes]) -> int:
    """How many files a repair would remove that are of unknown jobs. Raises CommandError where most files are of such:
    the log is empty, lost or another one's."""
    seen = await evolve(check, checksum=False).run(jobs)
    if 2 * seen.unknown_objects > seen.objects:
        raise CommandError(
            f"{seen.unknown_objects} of {seen.objects} files are of jobs that this log doesn't know: is it the right "
            "one, and whole (`eventflow archive restore`)? --force removes them all the same."
        )
    return seen.found.get("unknown", 0)


def _asked_for(strangers: int) -> bool:
    """Whether files of unknown jobs are to go as well: who is at a terminal types how many they are."""
    if not strangers or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    told = f"{strangers} files are of jobs that this log doesn't know: they may be another environment's."
    answer = typer.prompt(f"{told} Type {strangers} to remove them too, or nothing", default="", err=True)
    return bool(answer.strip() == str(strangers))


@app.command()
def adopt(yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False, data_dir: DataDir = None) -> None:
    """Make the stores this environment's, whoever's mark they have: where a log was lost or moved, and they are its.

    An environment that has its files there, too, is refused at its next start.
    """
    if not yes:
        typer.confirm("Make every store that the settings name this environment's?", abort=True, err=True)
    for line in run_tool(_adopt(data_dir)):
        say(line)


async def _adopt(data_dir: Path | None) -> list[str]:
    from eventflow.storage import StorageError
    from ops.environment import adopt_stores, stores_of

    async with open_log(data_dir) as parts:
        try:
            before = await adopt_stores(parts)
        except StorageError as error:
            raise CommandError(f"A store can't be marked: {error}") from error
        places = {role: store.description for role, store in stores_of(parts).items()}
    return [f"{role:10} {places[role]}  was {_shown_owner(owner)}" for role, owner in before]


def _shown_owner(owner: Owner | None) -> str:
    return f"of namespace {owner.namespace}, id {owner.environment}" if owner else "unmarked"


@app.command()
def setup(data_dir: DataDir = None) -> None:
    """Let players in pages of any origin read what signed URLs of the delivery bucket lead to (CORS)."""
    run_tool(_setup(data_dir))


async def _setup(data_dir: Path | None) -> None:
    from eventflow.storage import StorageError

    async with open_log(data_dir) as parts:
        store = parts.stores["delivery"]
        try:
            say(f"{store.description}: {await set_up(store)}")
        except StorageError as error:
            way_out = "Allow this user s3:GetBucketCORS and s3:PutBucketCORS, or set the rule at the store itself."
            raise CommandError(f"{error} {way_out}") from error


async def set_up(store: ObjectStore) -> str:
    """Set up a delivery store; says what was done. Raises StorageError."""
    from eventflow.storage.s3.store import S3Store

    if not isinstance(store, S3Store):
        return "nothing to set up: the web app serves it, to pages of any origin"
    if await store.let_any_page_read():
        return "players of any origin may read it now"
    return "players of any origin may read it already"
