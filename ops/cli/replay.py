"""`eventflow replay`: do a finished job again from a stage, or fork it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from eventflow.domain.values import ReprocessFrom
from ops.cli.common import CommandError, StackDir, UsageError, open_tool, run_tool, say
from ops.cli.follow_job import follow
from ops.cli.jobs import JobId, checked_job, missing_job
from ops.cli.request_files import read_text
from ops.cli.tables import print_table, printable

if TYPE_CHECKING:
    from eventflow.domain.commands import RequestReprocess
    from eventflow.requests.forks import Fork
    from ops.compose import Parts


app = typer.Typer(help="Work with the history of jobs: do them again, fork them.", no_args_is_help=True)

Wait = Annotated[bool, typer.Option("--wait", help="Wait for the end, with live progress.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
#: Fields of a request whose value is text as it stands, and those that are lists.
_TEXTS = ("script", "topic", "title", "theme", "aspect", "pipeline", "pipeline_version")
_LISTS = ("quality_levels",)


@app.command()
def reprocess(
    job: JobId,
    stage: Annotated[ReprocessFrom, typer.Option("--from", help="The first stage to do again.")],
    scenes: Annotated[
        str | None, typer.Option(help="Only these, such as 2,5; 0 is the first. Not with metadata.")
    ] = None,
    dry_run: DryRun = False,
    wait: Wait = False,
    data_dir: StackDir = None,
) -> None:
    """Do a finished job again from a stage on; what isn't asked for is reused. The published video stays served."""
    run_tool(_reprocess(checked_job(job), stage, _scene_numbers(scenes), dry_run, wait, data_dir))


def _scene_numbers(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise UsageError(f"--scenes is {text!r}; it looks like 2,5 (0 is the first scene).")
    return tuple(sorted({int(part) for part in parts}))


async def _reprocess(
    job_id: str, stage: ReprocessFrom, scenes: tuple[int, ...] | None, dry_run: bool, wait: bool, data_dir: Path | None
) -> None:
    from eventflow.domain.commands import RequestReprocess
    from eventflow.domain.decide import decide
    from eventflow.domain.errors import CannotReprocess, NotFinished
    from eventflow.domain.reprocess import steps_of
    from eventflow.telemetry.causes import new_cause

    command = RequestReprocess(stage, scenes)
    async with open_tool(data_dir) as parts:
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
            say(f"reprocessing from {stage.value}; the job is at version {after.version if after else record.version}")
        except NotFinished:
            await _say_what_runs(parts, job_id, command)
        except CannotReprocess as error:
            option = {"from": "--from", "scenes": "--scenes"}[error.field]
            raise CommandError(f"{option}: {error}.") from error
        if wait:
            await follow(parts, job_id)


async def _specifications_gone(parts: Parts, events: Any) -> bool:
    """Whether a scene can't be rendered from what the workspace still holds."""
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
    """The job is at work: that is what was asked for, or else in the way of it. Raises CommandError for the latter."""
    from eventflow.domain.events import ArtefactLost, ReprocessRequested

    history = await parts.log.history(job_id)
    asked = [
        envelope
        for before, envelope in pairwise(history)  # what follows a loss was asked for by nobody
        if isinstance(envelope.event, ReprocessRequested) and not isinstance(before.event, ArtefactLost)
    ]
    record = await parts.log.load(job_id)
    if record is None or record.job.finished:
        raise CommandError(f"Job {job_id} has just ended; run the command again to do it again.")
    now = f"the job is {record.job.phase.value}"
    if not asked:
        raise CommandError(f"Nothing was requested: {now}; it has to end first, or `eventflow cancel {job_id}`.")
    event: ReprocessRequested = asked[-1].event  # type: ignore[assignment]
    which = "" if event.scenes is None else f", scenes {','.join(map(str, event.scenes)) or 'none'}"
    running = f"reprocessing from {event.from_stage.value}{which} since version {asked[-1].seq}; {now}"
    if (event.from_stage, event.scenes) != (command.from_stage, command.scenes):
        raise CommandError(f"Nothing was requested: already {running}.")
    say(f"already {running}")


@app.command()
def fork(
    job: JobId,
    at: Annotated[int, typer.Option("--at", metavar="VERSION", min=1, help="As `eventflow events` counts them.")],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Field of the request, such as voice.rate=1.2, script=@FILE."),
    ] = None,
    dry_run: DryRun = False,
    wait: Wait = False,
    data_dir: StackDir = None,
) -> None:
    """Make a new job of a job's request as of a version, with changes; unchanged scenes are reused.

    Run twice, it answers with the first fork.
    """
    run_tool(_fork(checked_job(job), at, overrides_of(set_ or []), dry_run, wait, data_dir))


def overrides_of(pairs: list[str]) -> dict[str, Any]:
    """Fields of a request from `key=value`; @FILE is that file's text. Raises UsageError."""
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"--set is {pair!r}; it looks like quality_levels=720p or script=@talk.md.")
        if name in found:
            raise UsageError(f"--set {name} is given more than once.")
        text = read_text(text[1:]) if text.startswith("@") else text
        found[name] = _value(name, text)
    return found


def _value(name: str, text: str) -> Any:
    """JSON where it is JSON, else text."""
    if name in _TEXTS:
        return text
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return [part.strip() for part in text.split(",") if part.strip()] if name in _LISTS else text


async def _fork(
    job_id: str, version: int, overrides: dict[str, Any], dry_run: bool, wait: bool, data_dir: Path | None
) -> None:
    from eventflow.requests.errors import RequestInvalid
    from eventflow.requests.forks import UnknownVersion, create_fork, fork_of
    from eventflow.telemetry.causes import new_cause
    from handlers.generation.scene_planner import ScenePlanner
    from ops.compose import request_reader

    async with open_tool(data_dir) as parts:
        history = await parts.log.history(job_id)
        if not history:
            raise missing_job(job_id)
        try:
            wanted = fork_of(history, version, overrides, request_reader(parts.settings))
            if faults := ScenePlanner(parts.settings).check(wanted.request):
                raise RequestInvalid(faults)
        except UnknownVersion as error:
            raise UsageError(f"--at: {error}.") from error
        except RequestInvalid as error:
            raise UsageError(f"The fork's request is refused: {error}.") from error
        if dry_run:
            await _preview(parts, wanted)
            return
        record, new = await create_fork(parts.log, wanted, new_cause(wanted.owner, "cli"))
        say(wanted.job_id)
        offered = f"{len(wanted.origin.scenes)} scenes may be reused"
        typer.echo(
            f"{'forked' if new else 'was forked already'}; the job is {record.job.phase.value}; {offered}", err=True
        )
        if wait:
            await follow(parts, wanted.job_id)


async def _preview(parts: Parts, fork: Fork) -> None:
    import asyncio

    from handlers.generation.fork_preview import preview_fork
    from handlers.media.errors import MediaError

    exists = await parts.log.load(fork.job_id) is not None
    typer.echo(f"{fork.job_id} {'exists already' if exists else 'would be made'}", err=True)
    try:
        scenes = await asyncio.to_thread(preview_fork, fork, parts.settings)
    except MediaError as error:
        raise CommandError(f"The fork would fail: {error}.") from error
    rows = [(str(scene.index), "reused" if scene.reused else "rendered", printable(scene.title)) for scene in scenes]
    print_table(("scene", "is", "title"), rows)
