"""`eventflow jobs`: look at jobs, stop them, do them again. `ops.cli.reach` says which jobs a command sees."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import orjson
import typer
from attrs import asdict

from ops.cli.command_group import ListingGroup
from ops.cli.common import CommandError, UsageError, run_tool, say, say_note
from ops.cli.event_rows import HEADINGS, event_row
from ops.cli.job_source import JobRow, JobsInLog, JobSource, open_jobs
from ops.cli.outcome import outcome, warnings_of
from ops.cli.reach import ApiKey, DataDir, Log, Service, Url, open_api, open_log, reach, service
from ops.cli.tables import print_table, printable

if TYPE_CHECKING:
    from ops.compose import Parts


T = TypeVar("T")

app = typer.Typer(
    help="Jobs: list, follow, stop, delete and repeat them. Over HTTP those of an API key, in the log all.",
    cls=ListingGroup,
)

JobId = Annotated[str, typer.Argument(metavar="JOB", help="Id of a job; `eventflow jobs list` shows it.")]
JsonLines = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]


@app.command("list")
def list_jobs(
    limit: Annotated[int, typer.Option(min=1, help="Number of jobs to show.")] = 20,
    owner: Annotated[str | None, typer.Option(help="Only the jobs of this owner; over HTTP * for all owners.")] = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="First enter jobs that the log's lists lack.")] = False,
    json: JsonLines = False,
    url: Url = None,
    api_key: ApiKey = None,
    data_dir: DataDir = None,
) -> None:
    """List jobs, newest first. Archived jobs leave the list after EVENTFLOW_LIST_FOR_SECONDS."""
    way = reach(url, api_key, data_dir)
    if rebuild and isinstance(way, Service) and url is not None:
        raise UsageError("--rebuild needs the log itself: give --data-dir or EVENTFLOW_REDIS_URL, and no --url.")
    if rebuild:
        rows = run_tool(_rebuild_and_list(data_dir, limit, owner))
    else:
        rows = _ask(way, lambda jobs: jobs.list(limit, owner))
    if json:
        for row in rows:
            say(orjson.dumps(asdict(row)).decode())
        return
    if not rows:
        say_note("no jobs yet" if owner is None else f"no jobs of owner {owner}")
        return
    headings = ("job", "owner", "status", "stage", "progress", "version", "created", "title")
    print_table(
        headings,
        [
            (r.id, r.owner, r.status, r.stage, f"{r.progress:.0f} %", str(r.version), r.created_at, printable(r.title))
            for r in rows
        ],
        expendable=("version", "owner", "stage", "created"),
        cut_last=True,
    )


def _ask(way: Service | Log, ask: Callable[[JobSource], Awaitable[T]]) -> T:
    async def run() -> T:
        async with open_jobs(way) as jobs:
            return await ask(jobs)

    return run_tool(run())


async def _rebuild_and_list(data_dir: Path | None, limit: int, owner: str | None) -> Sequence[JobRow]:
    async with open_log(data_dir) as parts:
        say_note(f"{await _enter_missing(parts)} jobs were missing from the lists")
        return await JobsInLog(parts).list(limit, owner)


async def _enter_missing(parts: Parts) -> int:
    """Enter the jobs that the lists lack, archived ones included; returns how many."""
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
        raise CommandError(f"{entered} jobs were entered, none from the archive: {error}") from error


@app.command()
def status(
    job: JobId,
    json: Annotated[bool, typer.Option("--json", help="Print the whole status as JSON.")] = False,
    url: Url = None,
    api_key: ApiKey = None,
    data_dir: DataDir = None,
) -> None:
    """Show a job's status, with its warnings and the error of a job that failed."""
    job_id = checked_job(job)
    found = _ask(reach(url, api_key, data_dir), lambda jobs: jobs.status(job_id))
    if json:
        say(orjson.dumps(found).decode())
        return
    for name, value in _status_lines(found):
        say(f"{name:9} {value}")


def _status_lines(status: Mapping[str, Any]) -> list[tuple[str, str]]:
    scenes, place = status["scenes"], status["queue_position"]
    attempt = next((stage["attempt"] for stage in status["stages"] if stage["stage"] == status["stage"]), 1)
    again = f", attempt {attempt}" if attempt > 1 else ""
    lines = [
        ("job", status["job_id"]),
        ("title", printable(status["title"])),
        ("status", status["status"] + (f", number {place} in the queue" if place else "")),
        ("stage", status["stage"] + again if status["status"] == "processing" and status["stage"] else ""),
        ("progress", f"{status['progress']:.0f} %"),
        ("scenes", f"{scenes['rendered']} of {scenes['total']} rendered" if scenes["total"] else ""),
        ("created", status["created_at"]),
        ("updated", status["updated_at"]),
        ("error", outcome(status) if status["error"] else ""),
        *(("warning", text) for text in warnings_of(status)),
    ]
    return [(name, value) for name, value in lines if value]


@app.command()
def events(
    job: JobId,
    json: Annotated[bool, typer.Option("--json", help="Print each event whole, as a line of JSON.")] = False,
    url: Url = None,
    api_key: ApiKey = None,
    data_dir: DataDir = None,
) -> None:
    """Show a job's events, one short line each."""
    job_id = checked_job(job)
    found = _ask(reach(url, api_key, data_dir), lambda jobs: jobs.events(job_id))
    if json:
        for event in found:
            say(orjson.dumps(event).decode())
        return
    print_table(HEADINGS, map(event_row, found), cut_last=True)


@app.command()
def cancel(job: JobId, url: Url = None, api_key: ApiKey = None, data_dir: DataDir = None) -> None:
    """Request a job's cancellation; running steps end within a second or so."""
    job_id = checked_job(job)
    version = _ask(reach(url, api_key, data_dir), lambda jobs: jobs.cancel(job_id))
    say(f"cancellation requested; the job is at version {version}")


@app.command()
def delete(
    job: JobId,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask for confirmation.")] = False,
    url: Url = None,
    api_key: ApiKey = None,
    data_dir: DataDir = None,
) -> None:
    """Delete the files of a job that has ended, and take it off the lists. Its events are kept."""
    job_id = checked_job(job)
    way = reach(url, api_key, data_dir)
    if not yes:
        typer.confirm(f"Delete all files of job {job_id}?", abort=True, err=True)
    version = _ask(way, lambda jobs: jobs.delete(job_id))
    say(f"deletion requested; the job is at version {version}")


@app.command()
def download(
    job: JobId,
    output: Annotated[
        Path | None, typer.Option(help="File to write; default: JOB.mp4, or JOB.m4a for --quality audio.")
    ] = None,
    quality: Annotated[
        str | None, typer.Option(help="Such as 720p, or audio for the sound alone; default: the best.")
    ] = None,
    captions: Annotated[
        Literal["vtt", "srt"] | None, typer.Option(help="Save the captions, too, beside the video in this format.")
    ] = None,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Download the video of a finished job, and its captions. Only over HTTP."""
    from urllib.parse import urlencode

    job_id = checked_job(job)
    target = output or Path(f"{job_id}.{'m4a' if quality == 'audio' else 'mp4'}")
    query = "?" + urlencode({"quality": quality}) if quality else ""

    async def run() -> None:
        async with open_api(service(url, api_key)) as api:
            await api.save(f"/api/v1/videos/jobs/{job_id}/download{query}", target)
            say(f"saved     {target}")
            if captions:
                text = target.with_suffix(f".{captions}")
                await api.save(f"/api/v1/videos/jobs/{job_id}/captions.{captions}", text)
                say(f"captions  {text}")

    asyncio.run(run())


def checked_job(job_id: str) -> str:
    """Return `job_id`. Raises UsageError where it isn't one."""
    from eventflow.domain.job_ids import is_job_id

    if not is_job_id(job_id):
        raise UsageError(f"{job_id!r} isn't a job id; `eventflow jobs list` shows them.")
    return job_id
