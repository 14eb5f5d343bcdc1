"""Each invariant finds what it is there for, and nothing in a run that went well."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from attrs import evolve

from eventflow.domain import events as ev
from eventflow.domain.envelope import Envelope
from eventflow.domain.values import FailureCategory, Step
from ops.chaos.clients import Promise
from ops.chaos.evidence import Evidence, History, Leftovers, Pending
from ops.chaos.invariants import CHECKS, folded, violations
from ops.chaos.journal import Line
from tests.support import stories as s
from web.readmodel.job_status import render_status

JOB = "00-" + "1" * 32
AT = datetime(2026, 1, 1, tzinfo=UTC)
STEPS = (
    ("plan", None),
    ("render_scene", 0),
    ("render_scene", 1),
    ("upload_scene", 0),
    ("upload_scene", 1),
    ("assemble", None),
    ("upload_video", None),
    ("extract_metadata", None),
)


def history_of(events: Sequence[ev.Event]) -> History:
    envelopes = [
        Envelope(
            job_id=JOB,
            seq=n,
            owner="ada",
            correlation_id="c",
            causation_id="",
            traceparent="",
            occurred_at=AT,
            event=event,
        )
        for n, event in enumerate(events, 1)
    ]
    return History(tuple(f"{n}-0" for n in range(1, len(events) + 1)), tuple(envelopes))


def journal() -> list[Line]:
    lines = []
    for number, (step, scene) in enumerate(STEPS):
        about: dict[str, Any] = {"job": JOB, "stream": "topic", "entry": f"{number}-0", "count": 1, "pid": 7}
        work: dict[str, Any] = {"step": step, "scene": scene, "run": 1}
        lines += [
            Line(what="delivered", at_ns=10 * number, **about),
            Line(what="begin", at_ns=10 * number + 1, **about, **work),
            Line(what="end", at_ns=10 * number + 2, **about, **work),
            Line(what="settled", at_ns=10 * number + 3, version=number + 1, **about),
        ]
    return lines


def evidence(events: Sequence[ev.Event] | None = None) -> Evidence:
    """Of a run that went well, if the history did."""
    history = history_of(s.published(2) if events is None else events)
    view = folded(history)
    served = {JOB: orjson.loads(render_status(view, 100.0))} if view else {}
    return Evidence(
        promises=[Promise(what="accepted", job=JOB, owner="ada", version=1)],
        journal=journal(),
        histories={JOB: history},
        leftovers=Leftovers(),
        served=served,
    )


def found(e: Evidence) -> set[str]:
    return {violation.check for violation in violations(e)}


def test_nothing_is_found_in_a_run_that_went_well() -> None:
    assert violations(evidence()) == []


@pytest.mark.parametrize("what", ["accepted", "cancel", "reprocess"])
def test_a_promise_that_the_log_does_not_know(what: str) -> None:
    job = "00-" + "2" * 32 if what == "accepted" else JOB
    promise = Promise(what=what, job=job, owner="ada", version=1)
    assert found(evolve(evidence(), promises=[promise])) == {"what was promised is in the log"}


def test_a_job_in_limbo() -> None:
    assert "every job has ended" in found(evidence(s.all_rendered(2)))


def test_a_failure_that_no_fault_explains() -> None:
    assert found(evidence(s.failed())) == {"failures have a cause"}
    storage = s.failure(FailureCategory.STORAGE)
    failed = [
        *s.all_rendered(2),
        ev.StepFailed(step=Step.ASSEMBLE, scene=None, run=1, failure=storage, attempt=1, retry_at=None),
        ev.JobFailed(run=1, failure=storage, step=Step.ASSEMBLE, scene=None, attempts=1),
    ]
    assert found(evidence(failed)) == set()


def test_a_gap_and_an_event_that_is_there_twice() -> None:
    good = history_of(s.published(2))
    gap = evolve(good, ids=(*good.ids[:3], *good.ids[4:]), envelopes=(*good.envelopes[:3], *good.envelopes[4:]))
    assert "histories are gapless and fold" in found(evolve(evidence(), histories={JOB: gap}))
    double = evolve(good, ids=(*good.ids, f"{len(good.ids) + 1}-0"), envelopes=(*good.envelopes, good.envelopes[-1]))
    checks = found(evolve(evidence(), histories={JOB: double}))
    assert {"histories are gapless and fold", "nothing is committed twice"} <= checks


def test_a_step_that_is_committed_twice_without_a_gap() -> None:
    events = s.published(2)
    twice = [*events[:5], s.rendered(0), *events[5:]]
    assert "nothing is committed twice" in found(evidence(twice))


def test_an_entry_that_is_settled_twice_or_by_one_who_has_lost_it() -> None:
    lines = journal()
    assert found(evolve(evidence(), journal=[*lines, lines[-1]])) == {"only the owner of an entry settles it"}
    taken_over = evolve(lines[-4], count=2)
    assert found(evolve(evidence(), journal=[*lines, taken_over])) == {"only the owner of an entry settles it"}


def test_a_commit_that_the_log_has_lost() -> None:
    lost = evolve(journal()[-1], version=99)
    assert found(evolve(evidence(), journal=[*journal()[:-1], lost])) == {"what workers committed is in the log"}


def test_an_effect_that_nobody_has_had() -> None:
    silent = [line for line in journal() if line.step != "assemble"]
    assert found(evolve(evidence(), journal=silent)) == {"what is done was done by a worker"}


def test_a_status_that_is_not_the_fold() -> None:
    served = {JOB: {**evidence().served[JOB], "status": "processing"}}
    assert found(evolve(evidence(), served=served)) == {"what is served is the fold"}


@pytest.mark.parametrize(
    ("leftovers", "check"),
    [
        (
            Leftovers(pending=(Pending(stream="topic", group="upload", consumer="w-7-aa", entry="1-0", count=2),)),
            "nothing is pending or delayed",
        ),
        (Leftovers(undelivered=("upload was never given",)), "nothing is pending or delayed"),
        (Leftovers(delayed=1), "nothing is pending or delayed"),
        (Leftovers(retries=1), "nothing is pending or delayed"),
        (Leftovers(consumers=(("topic", "upload", "w-7-aa"),)), "no consumer is left"),
        (Leftovers(dead_letters=({"reason": "no event"},)), "nothing is parked"),
    ],
)
def test_what_is_left_over(leftovers: Leftovers, check: str) -> None:
    assert found(evolve(evidence(), leftovers=leftovers)) == {check}


def test_workers_that_end_badly_and_files_that_are_bad() -> None:
    assert found(evolve(evidence(), exit_codes={"worker-upload-0": 1})) == {"workers drain and end"}
    assert found(evolve(evidence(), bad_files=["delivery:a is gone"])) == {"the files are there"}


def test_every_invariant_has_a_test() -> None:
    """By name: whoever adds one is told to add a case here."""
    assert len(CHECKS) == 14
