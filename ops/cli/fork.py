"""`eventflow jobs fork`: a new job from a job's request, with changes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from ops.cli.common import CommandError, UsageError, run_tool, say, say_note
from ops.cli.follow_job import follow_in_log
from ops.cli.job_source import missing_job
from ops.cli.jobs import JobId, checked_job
from ops.cli.reach import DataDir, open_log
from ops.cli.reprocess import DryRun, Wait
from ops.cli.request_files import read_text
from ops.cli.tables import print_table, printable

if TYPE_CHECKING:
    from eventflow.requests.forks import Fork
    from ops.compose import Parts


#: Fields of a request whose value is text as it stands, and those that are lists.
_TEXTS = ("script", "topic", "title", "theme", "aspect", "pipeline", "pipeline_version")
_LISTS = ("quality_levels",)


def fork(
    job: JobId,
    at: Annotated[
        int,
        typer.Option("--at", metavar="VERSION", min=1, help="Version of the job, as `eventflow jobs events` shows it."),
    ],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Field of the request, such as voice.rate=1.2, script=@FILE."),
    ] = None,
    dry_run: DryRun = False,
    wait: Wait = False,
    data_dir: DataDir = None,
) -> None:
    """Make a new job from a job's request as of a version, with changes; unchanged scenes are reused.

    Needs the log. Run twice, it answers with the first fork.
    """
    run_tool(_fork(checked_job(job), at, overrides_of(set_ or []), dry_run, wait, data_dir))


def overrides_of(pairs: list[str]) -> dict[str, Any]:
    """Return the fields of a request from KEY=VALUE; @FILE stands for the text of a file. Raises UsageError."""
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
    """Return the JSON value that `text` is, or else the text."""
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

    async with open_log(data_dir) as parts:
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
        reusable = f"{len(wanted.origin.scenes)} scenes may be reused"
        say_note(f"{'forked' if new else 'was forked already'}; the job is {record.job.phase.value}; {reusable}")
        if wait:
            await follow_in_log(parts, wanted.job_id)


async def _preview(parts: Parts, fork: Fork) -> None:
    import asyncio

    from handlers.generation.fork_preview import preview_fork
    from handlers.media.errors import MediaError

    exists = await parts.log.load(fork.job_id) is not None
    say_note(f"{fork.job_id} {'exists already' if exists else 'would be made'}")
    try:
        scenes = await asyncio.to_thread(preview_fork, fork, parts.settings)
    except MediaError as error:
        raise CommandError(f"The fork would fail: {error}.") from error
    rows = [(str(scene.index), "reused" if scene.reused else "rendered", printable(scene.title)) for scene in scenes]
    print_table(("scene", "is", "title"), rows)
