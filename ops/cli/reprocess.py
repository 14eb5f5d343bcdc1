"""`eventflow jobs reprocess`: do a finished job again from a stage on."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from attrs import frozen

from eventflow.domain.values import ReprocessFrom
from ops.cli.common import CommandError, UsageError, run_tool, say
from ops.cli.display import display
from ops.cli.follow_job import follow_in_log, follow_over_http
from ops.cli.job_source import missing_job
from ops.cli.jobs import JobId, checked_job
from ops.cli.reach import ApiKey, DataDir, Service, Url, open_api, open_log, reach
from ops.cli.tables import print_table

if TYPE_CHECKING:
    from eventflow.domain.commands import RequestReprocess
    from ops.compose import Parts


Wait = Annotated[bool, typer.Option("--wait", help="Wait for the end, with live progress.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")]


@frozen(kw_only=True)
class _Request:
    """A job, the first stage to do again, the scenes (None: all), and whether to wait for the end."""

    job_id: str
    stage: ReprocessFrom
    scenes: tuple[int, ...] | None
    wait: bool


def reprocess(
    job: JobId,
    stage: Annotated[ReprocessFrom, typer.Option("--from", help="The first stage to do again.")],
    scenes: Annotated[
        str | None, typer.Option(help="Only these scenes, such as 2,5; 0 is the first. Not with metadata.")
    ] = None,
    dry_run: DryRun = False,
    wait: Wait = False,
    url: Url = None,
    api_key: ApiKey = None,
    data_dir: DataDir = None,
) -> None:
    """Do a finished job again from a stage on; earlier results are reused. The published video stays available.

    Over HTTP the key needs the admin scope. --dry-run needs the log.
    """
    request = _Request(job_id=checked_job(job), stage=stage, scenes=_scene_numbers(scenes), wait=wait)
    way = reach(url, api_key, data_dir)
    if isinstance(way, Service) and not dry_run:
        run_tool(_over_http(way, request))
    elif isinstance(way, Service) and url is not None:
        raise UsageError("--dry-run needs the log itself: give --data-dir or EVENTFLOW_REDIS_URL, and no --url.")
    else:
        run_tool(_in_log(data_dir, request, dry_run=dry_run))


def _scene_numbers(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise UsageError(f"--scenes is {text!r}; it looks like 2,5 (0 is the first scene).")
    return tuple(sorted({int(part) for part in parts}))


async def _over_http(service: Service, request: _Request) -> None:
    body: dict[str, Any] = {"from": request.stage.value}
    if request.scenes is not None:
        body["scenes"] = list(request.scenes)
    async with open_api(service) as api:
        accepted = await api.reprocess(request.job_id, body)
        say(f"reprocessing from {request.stage.value}; the job is at version {accepted['version']}")
        if request.wait:
            with display() as shown:
                await follow_over_http(api, accepted, shown)


async def _in_log(data_dir: Path | None, request: _Request, *, dry_run: bool) -> None:
    from eventflow.domain.commands import RequestReprocess
    from eventflow.domain.decide import decide
    from eventflow.domain.errors import CannotReprocess, NotFinished
    from eventflow.domain.reprocess import steps_of
    from eventflow.telemetry.causes import new_cause

    job_id, command = request.job_id, RequestReprocess(request.stage, request.scenes)
    async with open_log(data_dir) as parts:
        record = await parts.log.load(job_id)
        if record is None:
            raise missing_job(job_id)
        try:
            events = decide(record.job, command)
            if dry_run:
                planned_again = await _specifications_gone(parts, events)
                print_table(("step", "scene"), steps_of(record.job, command, events, planned_again=planned_again))
                return
            after = await parts.log.execute(job_id, [command], new_cause(record.owner, "cli"))
            version = after.version if after else record.version
            say(f"reprocessing from {request.stage.value}; the job is at version {version}")
        except NotFinished:
            await _say_what_runs(parts, job_id, command)
        except CannotReprocess as error:
            option = {"from": "--from", "scenes": "--scenes"}[error.field]
            raise CommandError(f"{option}: {error}.") from error
        if request.wait:
            await follow_in_log(parts, job_id)


async def _specifications_gone(parts: Parts, events: Any) -> bool:
    """Return whether the workspace lacks a file that a scene needs to be rendered."""
    from eventflow.domain.events import ScenePlanned
    from eventflow.storage import ObjectMissing

    for event in events:
        if isinstance(event, ScenePlanned):
            for file in filter(None, (event.spec, event.narration)):
                try:
                    await parts.stores["workspace"].head(file.key)
                except ObjectMissing:
                    return True
    return False


async def _say_what_runs(parts: Parts, job_id: str, command: RequestReprocess) -> None:
    """Say that the same request runs already. Raises CommandError where something else keeps the job busy."""
    from eventflow.domain.events import ArtefactLost, NarratorReplaced, ReprocessRequested

    history = await parts.log.history(job_id)
    asked = [
        envelope
        for before, envelope in pairwise(history)  # a request right after a loss was made by the worker
        if isinstance(envelope.event, ReprocessRequested)
        and not isinstance(before.event, ArtefactLost | NarratorReplaced)
    ]
    record = await parts.log.load(job_id)
    if record is None or record.job.finished:
        raise CommandError(f"Job {job_id} has just ended; run the command again to do it again.")
    now = f"the job is {record.job.phase.value}"
    if not asked:
        raise CommandError(f"Nothing was requested: {now}; it has to end first, or `eventflow jobs cancel {job_id}`.")
    event: ReprocessRequested = asked[-1].event  # type: ignore[assignment]
    which = "" if event.scenes is None else f", scenes {','.join(map(str, event.scenes)) or 'none'}"
    running = f"reprocessing from {event.from_stage.value}{which} since version {asked[-1].seq}; {now}"
    if (event.from_stage, event.scenes) != (command.from_stage, command.scenes):
        raise CommandError(f"Nothing was requested: already {running}.")
    say(f"already {running}")
