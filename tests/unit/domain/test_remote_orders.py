"""Orders of scenes at services: what is recorded of them, and which one a run of a scene goes on with."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from attrs import evolve

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.decide import decide_all
from eventflow.domain.evolve import fold
from eventflow.domain.remote_orders import RemoteOrder
from eventflow.domain.values import OrderOutcome, ReprocessFrom, Step
from tests.support import stories as s
from tests.support.spec import given

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ORDER = cmd.RecordRemoteOrder(run=1, scene=0, service="remote", order="j-0-1-0", request="8 s", ordered_at=AT)
ORDERED = ev.RemoteWorkOrdered(run=1, scene=0, service="remote", order="j-0-1-0", request="8 s", ordered_at=AT)
TAKE = cmd.RecordRemoteWork(run=1, scene=0, service="remote", remote_id="task-1")
STARTED = ev.RemoteWorkStarted(run=1, scene=0, service="remote", remote_id="task-1")


def ends(outcome: OrderOutcome) -> Any:
    return cmd.RecordRemoteEnd(run=1, scene=0, service="remote", outcome=outcome, answer="{}")


def ended(outcome: OrderOutcome) -> ev.RemoteWorkEnded:
    return ev.RemoteWorkEnded(run=1, scene=0, service="remote", outcome=outcome, answer="{}")


def open_order() -> RemoteOrder:
    return RemoteOrder(run=1, scene=0, service="remote", order="j-0-1-0", request="8 s", ordered_at=AT)


def test_an_order_is_known_before_its_answer_is() -> None:
    job = given(s.planned(2)).when(ORDER, ORDER).then(ORDERED)
    assert job.remote_order(0, 1) == open_order()
    assert open_order().open
    assert job.remote_order(0, 2) is None
    assert job.remote_order(1, 1) is None


def test_the_answer_belongs_to_the_order_that_waits_for_it() -> None:
    job = given(s.planned(2)).when(ORDER, TAKE, TAKE).then(ORDERED, STARTED)
    assert job.remote == (evolve(open_order(), remote_id="task-1"),)


def test_an_order_that_was_refused_may_be_sent_again_and_the_last_one_counts() -> None:
    refused = (ORDER, ends(OrderOutcome.REFUSED))
    job = given(s.planned(1)).when(*refused, ORDER, TAKE).then(ORDERED, ended(OrderOutcome.REFUSED), ORDERED, STARTED)
    assert job.remote_order(0, 1) == evolve(open_order(), remote_id="task-1")
    assert len(job.remote) == 2


def test_an_order_ends_once() -> None:
    unknown = ends(OrderOutcome.UNKNOWN)
    job = given(s.planned(1)).when(ORDER, unknown, unknown).then(ORDERED, ended(OrderOutcome.UNKNOWN))
    assert job.remote_order(0, 1) == evolve(open_order(), outcome=OrderOutcome.UNKNOWN, answer="{}")
    given(s.planned(1)).when(unknown).then_nothing()


def test_logs_of_version_0_1_and_plug_ins_record_the_id_alone() -> None:
    job = given(s.planned(1)).when(TAKE).then(STARTED)
    assert job.remote_order(0, 1) == RemoteOrder(run=1, scene=0, service="remote", remote_id="task-1")


def test_work_that_is_done_records_no_order() -> None:
    given(s.planned(1), s.rendered(0)).when(ORDER, TAKE, ends(OrderOutcome.FAILED)).then_nothing()


def _failed() -> list[ev.Event]:
    """The rendering of the one scene has failed, and so has the job."""
    failed = ev.StepFailed(step=Step.RENDER_SCENE, scene=0, run=1, failure=s.failure(), attempt=1, retry_at=None)
    return [failed, ev.JobFailed(run=1, failure=s.failure(), step=Step.RENDER_SCENE, scene=0, attempts=1)]


def test_a_later_run_goes_on_with_what_was_taken_and_not_used() -> None:
    for events, waits in (
        ([ORDERED, STARTED], True),
        ([ORDERED], False),
        ([ORDERED, ended(OrderOutcome.UNKNOWN)], False),
        ([ORDERED, STARTED, ended(OrderOutcome.FAILED)], False),
    ):
        failed = given([*s.planned(1), *events, *_failed()])
        _, job = decide_all(failed.job, [cmd.RequestReprocess(ReprocessFrom.RENDERING)])
        assert job is not None
        assert (job.remote_order(0, 2) is not None) is waits, events


def test_what_was_used_is_ordered_anew_unless_its_files_are_lost() -> None:
    rendered = [*s.planned(1), ORDERED, STARTED, s.rendered(0)]
    job = fold(rendered)
    assert job is not None
    assert job.remote[0].used
    assert job.remote_order(0, 1) is not None
    assert job.remote_order(0, 2) is None
    assert evolve(job, lost=(0,)).remote_order(0, 2) is not None


def test_who_reprocesses_a_scene_wants_another_result() -> None:
    job = fold([*s.planned(1), ORDERED, STARTED, s.rendered(0), *_failed()])
    _, again = decide_all(job, [cmd.RequestReprocess(ReprocessFrom.RENDERING, (0,))])
    assert again is not None
    assert evolve(again, lost=(0,)).remote_order(0, 2) is None
