"""`eventflow storage`: set up the delivery store, and compare all stores with the log."""

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
from ops.cli.common import EXIT_FAILURE, CommandError, run_tool, say
from ops.cli.display import counting
from ops.cli.reach import DataDir, open_log
from ops.cli.tables import printable

if TYPE_CHECKING:
    from eventflow.storage import ObjectStore
    from eventflow.storage.owner_mark import Owner
    from ops.storage_check.check import Check, CheckReport, Finding


app = typer.Typer(
    help="The stores of videos and of the files that they are made from.", no_args_is_help=True, cls=CommandGroup
)


@app.command()
def check(
    repair: Annotated[bool, typer.Option("--repair", help="Remove orphans and old open uploads.")] = False,
    checksum: Annotated[
        bool, typer.Option("--checksum", help="Also compare the checksums of delivered files.")
    ] = False,
    older_than_hours: Annotated[float, typer.Option(min=1, help="Younger files aren't orphans.")] = 24.0,
    force: Annotated[
        bool, typer.Option("--force", help="Also remove files of jobs that the log doesn't know.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Compare the stores with the log: files that no event names (orphans), and files of events that are missing.

    Files of jobs that the log doesn't know (unknown) may belong to another environment, or be newer than a restored
    log: on a terminal a repair asks before it removes them, otherwise it leaves them. Nothing changes without --repair.
    Exit code 1 if differences are left.
    """

    def show(finding: Finding) -> None:
        if json:
            say(orjson.dumps(asdict(finding)).decode())
        else:
            where = f"{finding.store}/{finding.key}" if finding.store else finding.job_id
            state = "removed" if finding.removed else finding.kind
            say(printable(f"{state:10} {where}  {finding.detail}".rstrip()))

    report = run_tool(_check(data_dir, older_than_hours, repair, checksum, force, show))
    if json:
        say(orjson.dumps({**asdict(report), "left": report.left, "repair": repair}).decode())
    else:
        say(_summary(report, repair))
    if report.left:
        raise typer.Exit(EXIT_FAILURE)


def _summary(report: CheckReport, repair: bool) -> str:
    text = f"{report.jobs} jobs, {report.objects} files, {report.size_bytes} bytes"
    found = ", ".join(f"{kind}: {count}" for kind, count in sorted(report.found.items()))
    if not found:
        return f"{text}; stores and log agree"
    hint = "" if repair or not report.orphan_bytes else f"; --repair would free {report.orphan_bytes} bytes"
    if strange := report.found.get("unknown", 0) - report.removed.get("unknown", 0):
        hint += (
            f"; {strange} are of jobs that this log doesn't know: another environment's, or newer than a restored log. "
            "Only --repair --force removes them"
        )
    return f"{text}; {found}; left: {report.left}{hint}"


async def _check(
    data_dir: Path | None,
    older_than_hours: float,
    repair: bool,
    checksum: bool,
    force: bool,
    show: Callable[[Finding], None],
) -> CheckReport:
    from eventflow.storage import StorageError
    from ops.environment import ForeignStore, refuse_foreign_stores
    from ops.storage_check.check import Check
    from ops.storage_check.referenced_files import all_jobs
    from ops.storage_check.uploads import open_uploads

    older_than = datetime.now(UTC) - timedelta(hours=older_than_hours)
    async with open_log(data_dir) as parts:
        made = Check(log=parts.log, stores=parts.stores, older_than=older_than, checksum=checksum)
        try:
            if repair:
                await refuse_foreign_stores(parts)
            with counting("comparing") as count:
                made = evolve(made, on_progress=_progress(count))
                jobs = await all_jobs(parts.redis, parts.keyspace, parts.pointers if parts.segment_store else None)
                unknown = await _unknown_files(made, jobs) if repair and not force else 0
            force = force or _confirmed(unknown)
            with counting("comparing") as count:
                made = evolve(made, on_finding=show, repair=repair, unknown_too=force, on_progress=_progress(count))
                report = await made.run(jobs)
                uploads = open_uploads(parts.log, parts.stores, older_than, repair=repair, unknown_too=force)
                async for finding in uploads:
                    report.add(finding)
                    show(finding)
        except ForeignStore as error:
            raise CommandError(f"Nothing was removed. {error}") from error
        except StorageError as error:
            raise CommandError(f"A store can't be read: {error}") from error
        return report


def _progress(count: Callable[[str], None]) -> Callable[[CheckReport], None]:
    return lambda report: count(f"{report.jobs} jobs, {report.objects} files")


async def _unknown_files(check: Check, jobs: list[bytes]) -> int:
    """Return how many files of unknown jobs a repair would remove.

    Raises CommandError if most files are of unknown jobs: then the log is empty, lost, or another one.
    """
    seen = await evolve(check, checksum=False).run(jobs)
    if 2 * seen.unknown_objects > seen.objects:
        raise CommandError(
            f"{seen.unknown_objects} of {seen.objects} files belong to jobs that this log doesn't know: is it the "
            "right one, and whole (`eventflow archive restore`)? --force removes them anyway."
        )
    return seen.found.get("unknown", 0)


def _confirmed(unknown: int) -> bool:
    """Ask on a terminal whether files of unknown jobs may be removed; the answer is their number."""
    if not unknown or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    question = f"{unknown} files belong to jobs that this log doesn't know, perhaps to another environment's."
    answer = typer.prompt(f"{question} Type {unknown} to remove them too, or nothing", default="", err=True)
    return bool(answer.strip() == str(unknown))


@app.command()
def adopt(
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask for confirmation.")] = False, data_dir: DataDir = None
) -> None:
    """Mark the stores as this environment's, whatever mark they have: after its log was lost or moved.

    Another environment with files in these stores is refused at its next start.
    """
    if not yes:
        typer.confirm("Mark every store of the settings as this environment's?", abort=True, err=True)
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
    """Let pages of any origin read the files behind signed URLs of the delivery bucket (CORS)."""
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
    """Set up a delivery store, and return a line that says what was done. Raises StorageError."""
    from eventflow.storage.s3.store import S3Store

    if not isinstance(store, S3Store):
        return "nothing to set up: the web app serves it to pages of any origin"
    if await store.let_any_page_read():
        return "pages of any origin may read it now"
    return "pages of any origin may read it already"
