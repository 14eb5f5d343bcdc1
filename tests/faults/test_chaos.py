"""The chaos command on itself: a short storm breaks nothing, a broken commit is found out, nothing outlives it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from attrs import evolve

from eventflow.domain.topics import GROUP_TOPICS
from ops.chaos.run import Plan, run
from ops.chaos.schedule import Fault, FaultKind
from tests.support.programs import Programs, programs_in
from tests.support.waiting import wait_until_sync

#: These start up to nine processes each, on a machine that may have other tests to run.
pytestmark = [pytest.mark.timeout(300), pytest.mark.chaos]

#: Cuts off a worker of generation for two leases and a half, and later holds up its messages as long: what it has in
#: hands goes to the other one, and is finished by both. There is always more to do than two of them can.
ISOLATIONS = {
    "workers": [
        Fault(at_s=1.5, lasts_s=2.5, kind=FaultKind.ISOLATE, target=0),
        Fault(at_s=5.0, lasts_s=2.5, kind=FaultKind.SILENCE, target=0),
    ]
}
#: Nothing but generation, of which there are two workers; jobs don't end.
RENDERING = Plan(seed=1, seconds=8, jobs=24, workers=2, lease_s=1.0, groups=("generation",))


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    with programs_in(tmp_path) as programs:
        yield programs


async def test_short_storm_breaks_nothing(tmp_path: Path) -> None:
    report = await run(Plan(seed=7, seconds=12, jobs=8, workers=1), tmp_path / "site")
    assert report.violations == []
    assert report.promises["accepted"] == 8
    assert sum(report.faults.values()) >= 5
    assert _started_in(tmp_path) == []


async def test_isolated_worker_settles_nothing_that_is_not_its_own(tmp_path: Path) -> None:
    report = await run(RENDERING, tmp_path / "site", lanes=ISOLATIONS)
    assert report.worked_again > 0  # the fault has hit: somebody else did its work
    # Without the other groups jobs can't end, and their entries are delivered to nobody.
    unfinished = {"every job has ended", "nothing is pending or delayed"}
    assert {name for name, count in report.checks.items() if count} <= unfinished


@pytest.mark.parametrize(
    ("broken", "check"),
    [("no-fencing", "only the owner of an entry settles it"), ("double", "histories are gapless and fold")],
)
async def test_broken_commit_is_found_out(tmp_path: Path, broken: str, check: str) -> None:
    report = await run(evolve(RENDERING, broken=broken), tmp_path / "site", lanes=ISOLATIONS)
    assert report.checks[check] > 0


def test_interrupt_ends_every_process(programs: Programs) -> None:
    chaos = programs.start("dev", "chaos", "--minutes", "5", "--workers", "1", "--jobs", "5", "--keep", "site")
    wait_until_sync(lambda: "the stack runs" in chaos.err + chaos.out, 60, what="a running stack")
    # One that is killed comes back.
    count = 4 + len(GROUP_TOPICS)  # chaos itself, two servers, web, a worker of each group
    wait_until_sync(lambda: len(chaos.members()) == count, what=f"{count} processes")
    chaos.signal(signal.SIGINT)
    assert chaos.wait().code == 130
    wait_until_sync(lambda: not chaos.members(), what="the end of every process")


def _started_in(folder: Path) -> list[str]:
    """Processes that still run and have `folder` in their command line."""
    lines = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
    return [line for line in lines if str(folder) in line]
