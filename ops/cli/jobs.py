"""`eventflow jobs`, `events`, `cancel` and `delete`: an operator's look at the log itself, whoever owns the jobs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer
from attrs import asdict, frozen

from ops.cli.common import CommandError, StackDir, UsageError, open_tool, run_tool, say
from ops.cli.tables import print_table, printable

if TYPE_CHECKING:
    from eventflow.domain.commands import Command
    from eventflow.log.job_lists import Cursor, Page
    from ops.compose import Parts


_PAGE = 200

JobId = Annotated[str, typer.Argument(metavar="JOB", help="As `eventflow jobs` shows it.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]


@frozen
class JobRow:
    """A job in the list; progress in percent."""

    id: str
    owner: str
    status: str
    stage: str
    progress: float
    version: int
    created_at: str
    title: str


def list_jobs(
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 20,
    owner: Annotated[str | None, typer.Option(help="Only this owner's.")] = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="First enter jobs that the lists lack.")] = False,
    json: Json = False,
    data_dir: StackDir = None,
) -> None:
    """List jobs, newest first; not those that were archived and are older than EVENTFLOW_LIST_FOR_SECONDS."""
    rows = run_tool(_list(limit, owner, data_dir, rebuild=rebuild))
    if json:
        for row in rows:
            say(orjson.dumps(asdict(row)).decode())
        return
    headings = ("job", "owner", "status", "stage", "progress", "version", "created", "title")
    print_table(
        headings,
        [
            (r.id, r.owner, r.status, r.stage, f"{r.progress:.0f} %", str(r.version), r.created_at, printable(r.title))
            for r in rows
        ],
    )


async def _list(limit: int, owner: str | None, data_dir: Path | None, *, rebuild: bool) -> list[JobRow]:
    async with open_tool(data_dir) as parts:
        if rebuild:
            sys.stderr.write(f"{await _rebuild(parts)} jobs were missing from the lists\n")
        rows: list[JobRow] = []
        cursor: Cursor | None = None
        while len(rows) < limit:
            page = await parts.log.job_lists.read(owner, cursor, min(_PAGE, limit - len(rows)))
            rows += await _rows(parts, page)
            cursor = page.end
            if not page.more:
                break
        return rows


async def _rebuild(parts: Parts) -> int:
    """Enter the jobs that are missing, those in the archive too where there is one; returns how many."""
    from datetime import UTC, datetime, timedelta

    from eventflow.archive.restore import list_archived
    from eventflow.log.errors import ArchiveDamaged
    from eventflow.log.rebuild_job_lists import rebuild_job_lists
    from eventflow.storage import StorageError

    entered = await rebuild_job_lists(parts.log)
    if parts.segment_store is None:
        return entered
    try:
        since = datetime.now(UTC) - timedelta(seconds=parts.settings.finished_jobs.listing_window_seconds)
        return entered + await list_archived(
            parts.segment_store, parts.pointers, parts.log, since, parts.settings.finished_jobs.deletes
        )
    except (ArchiveDamaged, StorageError) as error:
        raise CommandError(f"{entered} jobs were entered, none of the archive's: {error}") from error


async def _rows(parts: Parts, page: Page) -> list[JobRow]:
    from eventflow.domain.progress import progress
    from web.readmodel.projection import Wanted, read_jobs
    from web.readmodel.view_fold import fold_on

    readings = await read_jobs(parts.log, [Wanted(entry.job_id, 0) for entry in page.entries], live=True)
    rows = []
    for reading in readings:
        view = fold_on(None, reading.envelopes)
        if view is None:
            continue
        created = view.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        stage = view.stage.value if view.stage and view.status == "processing" else ""
        percent = progress(view.job, reading.live)
        rows.append(
            JobRow(view.id, view.owner, view.status.value, stage, percent, view.version, created, view.job.title)
        )
    return rows


def events(job: JobId, json: Json = False, data_dir: StackDir = None) -> None:
    """Show the history of a job."""
    raw = run_tool(_history(checked_job(job), data_dir))
    if json:
        for line in raw:
            say(line.decode())
        return
    rows = []
    for line in raw:
        body = orjson.loads(line)
        data = printable(orjson.dumps(body.get("data", {})).decode())
        rows.append((str(body["sequence"]), body["time"], body["type"], data))
    print_table(("version", "time", "event", "data"), rows)


async def _history(job_id: str, data_dir: Path | None) -> Sequence[bytes]:
    async with open_tool(data_dir) as parts:
        envelopes = await parts.log.history(job_id)
        if not envelopes:
            raise missing_job(job_id)
        return [parts.log.codec.encode(envelope) for envelope in envelopes]


def cancel(job: JobId, data_dir: StackDir = None) -> None:
    """Ask for a job to be cancelled; running steps end within a second or so."""
    from eventflow.domain.commands import RequestCancellation

    version = run_tool(_ask(checked_job(job), RequestCancellation("requested by the operator"), data_dir))
    say(f"cancellation requested; the job is at version {version}")


def delete(
    job: JobId,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask whether it is meant.")] = False,
    data_dir: StackDir = None,
) -> None:
    """Remove the files of a job that has ended, for good, and take it off the lists. Its history is kept."""
    from eventflow.domain.commands import RequestDeletion

    job_id = checked_job(job)
    if not yes:
        typer.confirm(f"Delete all files of job {job_id}?", abort=True, err=True)
    version = run_tool(_ask(job_id, RequestDeletion("requested by the operator"), data_dir))
    say(f"deletion requested; the job is at version {version}")


async def _ask(job_id: str, command: Command, data_dir: Path | None) -> int:
    """The job's version afterwards."""
    from eventflow.domain.errors import AlreadyFinished, JobGone, NotFinished
    from eventflow.telemetry.causes import new_cause

    async with open_tool(data_dir) as parts:
        cause = new_cause("operator", "cli")
        if await parts.log.load(job_id) is None:
            raise missing_job(job_id)
        try:
            record = await parts.log.execute(job_id, [command], cause)
        except AlreadyFinished as error:
            raise CommandError(f"Job {job_id} has ended already; there is nothing to cancel.") from error
        except JobGone as error:
            raise CommandError(f"Job {job_id} is deleted.") from error
        except NotFinished as error:
            raise CommandError(f"Job {job_id}: {error}. `eventflow cancel {job_id}` ends it.") from error
        return record.version if record else 0


def checked_job(job_id: str) -> str:
    from eventflow.domain.job_ids import is_job_id

    if not is_job_id(job_id):
        raise UsageError(f"{job_id!r} isn't a job id; `eventflow jobs` lists them.")
    return job_id


def missing_job(job_id: str) -> CommandError:
    return CommandError(f"There is no job {job_id} in this log; `eventflow jobs` lists what there is.")
