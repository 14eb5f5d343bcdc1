"""`eventflow replay history` and `rebuild`: what the log says, then and now, beside what is served."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from ops.cli.common import CLIENT_KEY, CommandError, StackDir, UsageError, open_tool, run_tool, say
from ops.cli.display import counting
from ops.cli.jobs import JobId, checked_job, missing_job
from ops.cli.tables import print_table, printable

if TYPE_CHECKING:
    from ops.replay.difference import Difference
    from ops.replay.history import PastJob
    from ops.replay.rebuild import RebuildReport
    from ops.replay.served import Served


Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def history(
    job: JobId,
    at_version: Annotated[int | None, typer.Option(min=1, help="As of this version.")] = None,
    at_time: Annotated[str | None, typer.Option(help="As of this time, such as 2026-03-01T12:00:00Z.")] = None,
    json: Json = False,
    data_dir: StackDir = None,
) -> None:
    """Show a job's events up to a version or a time, and its state as of then."""
    if at_version is not None and at_time is not None:
        raise UsageError("--at-version and --at-time exclude each other: give one of them.")
    time = _instant(at_time) if at_time is not None else None
    past, raw = run_tool(_past(checked_job(job), at_version, time, data_dir))
    if json:
        say(raw.decode())
        return
    rows = []
    for event in orjson.loads(raw)["events"]:
        data = printable(orjson.dumps(event["data"]).decode())
        rows.append((str(event["sequence"]), event["time"], event["type"], data))
    print_table(("version", "time", "event", "data"), rows)
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

    async with open_tool(data_dir) as parts:
        try:
            envelopes = await parts.log.history(job_id)
            if not envelopes:
                raise missing_job(job_id)
            past = past_job(envelopes, version=version, time=time)
        except NoSuchMoment as error:
            way_out = "`eventflow replay history` without --at-version and --at-time shows them all"
            raise UsageError(f"Job {job_id}: {error}; {way_out}.") from error
        except (DecodeError, DomainError) as error:
            way_out = f"`eventflow replay rebuild --dry-run --job {job_id}` says where it breaks"
            raise CommandError(f"The history of job {job_id} is no good: {error}; {way_out}.") from error
        return past, past.as_json(parts.log.codec)


def _state_rows(past: PastJob) -> list[tuple[str, str]]:
    """The state, a line for each field; empty ones are left out."""
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


def rebuild(
    job: Annotated[list[str] | None, typer.Option("--job", help="Only this job; may be given several times.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report only; write nothing.")] = False,
    url: Annotated[str | None, typer.Option(help="Compare with what this web server answers, too.")] = None,
    api_key: Annotated[
        str | None, typer.Option(envvar=CLIENT_KEY, show_envvar=True, help="With the admin scope, for --url.")
    ] = None,
    json: Json = False,
    data_dir: StackDir = None,
) -> None:
    """Fold every job again from its events, compare with what is served, and repair what differs.

    Compared are the feed, the deliveries of work that is due, the live hashes, and the answers of a web server.
    Exits with 1 where differences are left.
    """
    ids = tuple(dict.fromkeys(checked_job(one) for one in job or ()))
    told: list[Difference] = []

    def tell(difference: Difference, repaired: bool) -> None:
        told.append(difference)
        state = "mended" if repaired else ("found" if difference.repair else "beyond repair")
        if json:
            row = {"job_id": difference.job_id, "version": difference.version, "kind": difference.kind}
            say(orjson.dumps({**row, "state": state, "detail": difference.detail}).decode())
        else:
            say(f"{difference.job_id}  {difference.kind:8} {state:13} {printable(difference.detail)}")

    report = run_tool(_rebuild(ids, dry_run, url, api_key, tell, data_dir))
    if json:
        totals = {"jobs": report.jobs, "events": report.events, "found": report.found, "mended": report.repaired}
        say(orjson.dumps({**totals, "left": report.left, "dry_run": dry_run}).decode())
    else:
        say(_summary(report, dry_run))
    if report.left:
        raise typer.Exit(1)


def _summary(report: RebuildReport, dry_run: bool) -> str:
    found, repaired = sum(report.found.values()), sum(report.repaired.values())
    text = f"{report.jobs} jobs with {report.events} events folded; differences: {found}"
    if dry_run and found:
        return text + "; nothing was written, because of --dry-run"
    return text + (f", mended: {repaired}, left: {report.left}" if found else "")


async def _rebuild(
    ids: Sequence[str],
    dry_run: bool,
    url: str | None,
    api_key: str | None,
    tell: Callable[[Difference, bool], None],
    data_dir: Path | None,
) -> RebuildReport:
    from eventflow.telemetry.causes import new_cause
    from ops.replay.inspect import Inspector
    from ops.replay.rebuild import Rebuild
    from ops.replay.repair import Repairer
    from ops.replay.served import CannotAsk

    async with open_tool(data_dir) as parts, _served(url, api_key) as served:
        cause = new_cause("operator", "cli")
        inspector = Inspector(redis=parts.redis, codec=parts.log.codec, keyspace=parts.keyspace, served=served)
        repairer = None if dry_run else Repairer(parts.redis, parts.keyspace, parts.log, cause)
        with counting("folding") as show:
            rebuild = Rebuild(
                inspector=inspector,
                repairer=repairer,
                on_difference=tell,
                on_progress=lambda r: show(f"{r.jobs} jobs, {r.events} events"),
            )
            try:
                return await (rebuild.jobs(ids) if ids else rebuild.all())
            except CannotAsk as error:
                raise CommandError(f"{error}.") from error


@asynccontextmanager
async def _served(url: str | None, api_key: str | None) -> AsyncIterator[Served | None]:
    import aiohttp

    from ops.replay.served import Served

    if url is None:
        yield None
        return
    if not url.startswith(("http://", "https://")):
        raise UsageError(f"--url {url!r} is no address; it looks like http://127.0.0.1:8080.")
    async with aiohttp.ClientSession() as session:
        yield Served(session, url, api_key)
