"""The chaos command on itself: a short storm breaks nothing, a broken commit is found out, nothing outlives it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ops.chaos.run import Plan, run
from ops.chaos.schedule import Fault, FaultKind
from tests.support.programs import Programs, programs_in
from tests.support.waiting import wait_until_sync

#: Cuts off a worker of generation and one of upload for two leases and a half, again and again: what they have in
#: hands goes to the others of their groups, and is finished by both.
ISOLATIONS = {
    group: [Fault(1.0 + 3.6 * n + 0.4 * target, 2.5, FaultKind.ISOLATE, target) for n in range(3)]
    for group, target in (("generation", 0), ("upload", 1))
}


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    with programs_in(tmp_path) as programs:
        yield programs


async def test_short_storm_breaks_nothing(tmp_path: Path) -> None:
    report = await run(Plan(seed=7, seconds=15, jobs=10, workers=1), tmp_path / "site")
    assert report.violations == []
    assert report.accepted == 10
    assert sum(report.faults.values()) >= 6
    assert _started_in(tmp_path) == []


async def test_isolated_workers_settle_nothing(tmp_path: Path) -> None:
    report = await run(Plan(seed=1, seconds=12, jobs=16, workers=2, lease_s=1.0), tmp_path / "site", lanes=ISOLATIONS)
    assert report.violations == []
    assert report.worked_again > 0  # the fault has hit: somebody else did their work


@pytest.mark.parametrize(
    ("broken", "check"),
    [("no-fencing", "only the owner of an entry settles it"), ("no-settle", "nothing is pending or delayed")],
)
async def test_broken_commit_is_found_out(tmp_path: Path, broken: str, check: str) -> None:
    plan = Plan(seed=1, seconds=12, jobs=16, workers=2, lease_s=1.0, broken=broken)
    report = await run(plan, tmp_path / "site", lanes=ISOLATIONS)
    assert report.checks[check] > 0


def test_interrupt_ends_every_process(programs: Programs) -> None:
    chaos = programs.start("chaos", "--minutes", "5", "--workers", "1", "--jobs", "5", "--keep", "site")
    wait_until_sync(lambda: "the stack runs" in chaos.err + chaos.out, 60, what="a running stack")
    assert len(chaos.members()) == 7  # chaos itself, two servers, web, three workers
    chaos.signal(signal.SIGINT)
    assert chaos.wait().code == 130
    wait_until_sync(lambda: not chaos.members(), what="the end of every process")


def _started_in(folder: Path) -> list[str]:
    """Processes that still run and have `folder` in their command line."""
    lines = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
    return [line for line in lines if str(folder) in line]
