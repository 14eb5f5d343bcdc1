"""`eventflow storage`: what viewers' stores need once, and whether all of them hold what the log says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer
from attrs import asdict, evolve

from ops.cli.common import CommandError, StackDir, open_tool, run_tool, say
from ops.cli.display import counting
from ops.cli.tables import printable

if TYPE_CHECKING:
    from eventflow.storage import ObjectStore
    from ops.inventory.check import Check, Finding, Report

app = typer.Typer(help="The stores of videos and of what they are made from.", no_args_is_help=True)


@app.command()
def check(
    repair: Annotated[
        bool, typer.Option("--repair", help="Remove orphans and old open uploads, nothing else.")
    ] = False,
    checksum: Annotated[bool, typer.Option("--checksum", help="Read every file that viewers are sent to.")] = False,
    older_than_hours: Annotated[float, typer.Option(min=1, help="Younger files are no orphans.")] = 24.0,
    force: Annotated[bool, typer.Option("--force", help="Repair though most files are of unknown jobs.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    data_dir: StackDir = None,
) -> None:
    """Compare the stores with the log: files that no event names (orphans), files that are named and gone (missing).

    Nothing is changed without --repair. Exits with 1 where something is left.
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
    from ops.inventory.check import Check
    from ops.inventory.jobs import all_jobs
    from ops.inventory.uploads import open_uploads

    older_than = datetime.now(UTC) - timedelta(hours=older_than_hours)
    async with open_tool(data_dir) as parts:
        with counting("comparing") as show:
            jobs = await all_jobs(parts.redis, parts.keyspace, parts.tombstones if parts.shelf else None)
            made = Check(
                parts.log,
                parts.stores,
                older_than,
                checksum=checksum,
                on_finding=tell,
                on_progress=lambda report: show(f"{report.jobs} jobs, {report.objects} files"),
            )
            try:
                if repair and not force:
                    await _refuse_the_wrong_log(made, jobs)
                report = await evolve(made, repair=repair).run(jobs)
                async for finding in open_uploads(parts.stores, older_than, repair=repair):
                    report.add(finding)
                    tell(finding)
            except StorageError as error:
                raise CommandError(f"A store can't be read: {error}") from error
            return report


async def _refuse_the_wrong_log(check: Check, jobs: list[bytes]) -> None:
    """A log that is empty, lost or another one's would have everything removed."""
    seen = await evolve(check, checksum=False, on_finding=lambda _: None).run(jobs)
    if 2 * seen.unknown_objects > seen.objects:
        raise CommandError(
            f"{seen.unknown_objects} of {seen.objects} files are of jobs that this log doesn't know: is it the right "
            "one, and whole (`eventflow archive restore`)? --force removes them all the same."
        )


@app.command()
def setup(data_dir: StackDir = None) -> None:
    """Let players in pages of any origin read what signed URLs of the delivery bucket lead to (CORS)."""
    run_tool(_setup(data_dir))


async def _setup(data_dir: Path | None) -> None:
    from eventflow.storage import StorageError

    async with open_tool(data_dir) as parts:
        store = parts.stores["delivery"]
        try:
            say(f"{store.description}: {await set_up(store)}")
        except StorageError as error:
            way_out = "Allow this user s3:GetBucketCORS and s3:PutBucketCORS, or set the rule at the store itself."
            raise CommandError(f"{error} {way_out}") from error


async def set_up(store: ObjectStore) -> str:
    """Set up a delivery store; says what was done. Raises StorageError."""
    from eventflow.storage.s3 import S3Store

    if not isinstance(store, S3Store):
        return "nothing to set up: the web app serves it, to pages of any origin"
    if await store.let_any_page_read():
        return "players of any origin may read it now"
    return "players of any origin may read it already"
