"""`eventflow projections rebuild`: compare what is served with the events, and repair what differs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from ops.cli.command_group import CommandGroup
from ops.cli.common import EXIT_FAILURE, CommandError, run_tool, say
from ops.cli.display import counting
from ops.cli.jobs import checked_job
from ops.cli.reach import ApiKey, DataDir, open_log, service
from ops.cli.tables import printable

if TYPE_CHECKING:
    from ops.replay.difference import Difference
    from ops.replay.rebuild import RebuildReport
    from ops.replay.served import Served


app = typer.Typer(help="Read models: the feed, due work, and the answers of web processes.", cls=CommandGroup)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]


@app.command()
def rebuild(
    job: Annotated[list[str] | None, typer.Option("--job", help="Only this job (may be repeated).")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report differences, and write nothing.")] = False,
    url: Annotated[
        str | None,
        typer.Option(help="Also compare with the answers of this web process; the key needs the admin scope."),
    ] = None,
    api_key: ApiKey = None,
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Fold every job from its events, compare with what is served, and repair what differs.

    Compares the feed, the deliveries of work that is due, the live hashes, and the answers of a web process. Needs the
    log. Exit code 1 if differences are left.
    """
    ids = tuple(dict.fromkeys(checked_job(one) for one in job or ()))

    def show(difference: Difference, repaired: bool) -> None:
        state = "mended" if repaired else ("found" if difference.repair else "beyond repair")
        if json:
            row = {"job_id": difference.job_id, "version": difference.version, "kind": difference.kind}
            say(orjson.dumps({**row, "state": state, "detail": difference.detail}).decode())
        else:
            say(f"{difference.job_id}  {difference.kind:8} {state:13} {printable(difference.detail)}")

    report = run_tool(_rebuild(ids, dry_run, url, api_key, show, data_dir))
    if json:
        totals = {"jobs": report.jobs, "events": report.events, "found": report.found, "mended": report.repaired}
        say(orjson.dumps({**totals, "left": report.left, "dry_run": dry_run}).decode())
    else:
        say(_summary(report, dry_run))
    if report.left:
        raise typer.Exit(EXIT_FAILURE)


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
    show: Callable[[Difference, bool], None],
    data_dir: Path | None,
) -> RebuildReport:
    from eventflow.telemetry.causes import new_cause
    from ops.replay.inspect import Inspector
    from ops.replay.rebuild import Rebuild
    from ops.replay.repair import Repairer
    from ops.replay.served import CannotAsk

    async with open_log(data_dir) as parts, _served(url, api_key) as served:
        inspector = Inspector(redis=parts.redis, codec=parts.log.codec, keyspace=parts.keyspace, served=served)
        repairer = None
        if not dry_run:
            repairer = Repairer(parts.redis, parts.keyspace, parts.log, new_cause("operator", "cli"))
        with counting("folding") as count:
            rebuild = Rebuild(
                inspector=inspector,
                repairer=repairer,
                on_difference=show,
                on_progress=lambda r: count(f"{r.jobs} jobs, {r.events} events"),
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
    asked = service(url, api_key)
    async with aiohttp.ClientSession() as session:
        yield Served(session, asked.url, asked.api_key)
