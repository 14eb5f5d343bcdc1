"""`eventflow jobs history`: a job's events up to a version or a time, and its state as of then."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from ops.cli.common import CommandError, UsageError, run_tool, say
from ops.cli.event_rows import HEADINGS, event_row
from ops.cli.job_source import missing_job
from ops.cli.jobs import JobId, checked_job
from ops.cli.reach import DataDir, open_log
from ops.cli.tables import print_table, printable

if TYPE_CHECKING:
    from ops.replay.history import PastJob


Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, with the events whole.")]


def history(
    job: JobId,
    at_version: Annotated[int | None, typer.Option(min=1, help="As of this version.")] = None,
    at_time: Annotated[str | None, typer.Option(help="As of this time, such as 2026-03-01T12:00:00Z.")] = None,
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Show a job's events up to a version or a time, and its state as of then. Needs the log."""
    if at_version is not None and at_time is not None:
        raise UsageError("--at-version and --at-time exclude each other: give one of them.")
    time = _instant(at_time) if at_time is not None else None
    past, raw = run_tool(_past(checked_job(job), at_version, time, data_dir))
    if json:
        say(raw.decode())
        return
    print_table(HEADINGS, map(event_row, orjson.loads(raw)["events"]), cut_last=True)
    say("")
    print_table((f"as of version {past.view.version} of {past.last_version}", ""), list(_state_rows(past)))


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise UsageError(f"--at-time {text!r} is no RFC 3339 time; it looks like 2026-03-01T12:00:00Z, with its zone.")
    return at


async def _past(
    job_id: str, version: int | None, time: datetime | None, data_dir: Path | None
) -> tuple[PastJob, bytes]:
    from eventflow.domain.errors import DomainError
    from eventflow.log.codec import DecodeError
    from ops.replay.history import NoSuchMoment, past_job

    async with open_log(data_dir) as parts:
        try:
            envelopes = await parts.log.history(job_id)
            if not envelopes:
                raise missing_job(job_id)
            past = past_job(envelopes, version=version, time=time)
        except NoSuchMoment as error:
            way_out = "`eventflow jobs history` without --at-version and --at-time shows them all"
            raise UsageError(f"Job {job_id}: {error}; {way_out}.") from error
        except (DecodeError, DomainError) as error:
            way_out = f"`eventflow projections rebuild --dry-run --job {job_id}` says where it breaks"
            raise CommandError(f"The events of job {job_id} can't be folded: {error}; {way_out}.") from error
        return past, past.as_json(parts.log.codec)


def _state_rows(past: PastJob) -> list[tuple[str, str]]:
    """Return a row for each field of the state that holds something."""
    rows = []
    for name, value in past.state().items():
        if name == "stages":
            value = ", ".join(f"{s['stage']} {s['state']}" for s in value if s["state"] != "pending")
        elif name == "scenes":
            value = f"{value['rendered']} rendered, {value['uploaded']} uploaded of {value['total']}"
            value = "" if past.view.job.scene_count is None else value
        elif not isinstance(value, str | int | float):
            value = orjson.dumps(value, option=orjson.OPT_UTC_Z).decode().strip('"') if value else ""
        if value != "":
            rows.append((name, printable(str(value))))
    return rows
