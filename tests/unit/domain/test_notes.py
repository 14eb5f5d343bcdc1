"""What steps note on the way: warnings, work that a service has taken on, costs."""

import pytest

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.decide import MAX_WARNINGS, decide_all
from eventflow.domain.evolve import fold
from eventflow.domain.state import Phase
from eventflow.domain.values import Step
from tests.support import stories as s
from tests.support.spec import given

WARNING = cmd.RecordWarning(run=1, step=Step.RENDER_SCENE, scene=0, code="missing_glyphs", message="no font has U+4E2D")
RAISED = ev.WarningRaised(run=1, step=Step.RENDER_SCENE, scene=0, code="missing_glyphs", message="no font has U+4E2D")
COST = cmd.RecordCost(run=1, scene=0, service="remote", amount="0.125", currency="USD")
CHARGED = ev.CostRecorded(run=1, scene=0, service="remote", amount="0.125", currency="USD")


def test_a_warning_is_raised_once() -> None:
    job = given(s.planned(2)).when(WARNING, WARNING).then(RAISED)
    assert job.warnings == (RAISED,)


def test_warnings_are_bounded() -> None:
    many = [
        cmd.RecordWarning(run=1, step=Step.RENDER_SCENE, scene=0, code="c", message=str(n))
        for n in range(MAX_WARNINGS + 5)
    ]
    events, _ = decide_all(fold(s.planned(1)), many)
    assert len(events) == MAX_WARNINGS


def test_planning_warns_of_scenes() -> None:
    command = cmd.RecordWarning(run=1, step=Step.PLAN, scene=7, code="c", message="m")
    given(s.requested(), s.announced(2)).when(command).then(
        ev.WarningRaised(run=1, step=Step.PLAN, scene=7, code="c", message="m")
    )


def test_work_that_is_done_has_nothing_to_say() -> None:
    given(s.planned(1), s.rendered(0)).when(WARNING).then_nothing()


@pytest.mark.parametrize("phase", list(Phase))
def test_what_was_charged_is_recorded_whatever_has_become_of_the_job(phase: Phase) -> None:
    job = given(s.upto(phase)).when(COST).then(CHARGED)
    assert job.phase is phase
    assert job.costs == (CHARGED,)


def test_planning_again_forgets_the_warnings_and_keeps_the_costs() -> None:
    history = [
        *s.planned(1),
        RAISED,
        CHARGED,
        ev.StepFailed(step=Step.RENDER_SCENE, scene=0, run=1, failure=s.failure(), attempt=1, retry_at=None),
    ]
    ended = [*history, ev.JobFailed(run=1, failure=s.failure(), step=Step.RENDER_SCENE, scene=0, attempts=1)]
    job = given(ended).when(cmd.RequestReprocess()).then(ev.ReprocessRequested(2))
    assert (job.warnings, job.costs) == ((), (CHARGED,))


def test_the_same_bill_is_recorded_once_and_others_each_time() -> None:
    """Bills without a reference can't be told apart: each is one."""
    named = cmd.RecordCost(run=1, scene=0, service="remote", amount="0.125", currency="USD", reference="video_1")
    recorded = ev.CostRecorded(run=1, scene=0, service="remote", amount="0.125", currency="USD", reference="video_1")
    other = ev.CostRecorded(run=1, scene=0, service="remote", amount="0.125", currency="USD", reference="video_2")
    job = given(s.planned(1)).when(
        named,
        named,
        cmd.RecordCost(run=1, scene=0, service="remote", amount="0.125", currency="USD", reference="video_2"),
    )
    assert job.then(recorded, other).costs == (recorded, other)
    given(s.planned(1)).when(COST, COST).then(CHARGED, CHARGED)
