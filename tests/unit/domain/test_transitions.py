"""The table of what may follow what, entry by entry."""

from datetime import UTC, datetime

import pytest

from eventflow.domain import events as ev
from eventflow.domain.errors import IllegalTransition
from eventflow.domain.evolve import evolve, fold
from eventflow.domain.state import FINISHED, Phase
from eventflow.domain.topics import GROUP_TOPICS, TOPIC_OF, Topic
from eventflow.domain.transitions import TRANSITIONS
from eventflow.domain.values import OrderOutcome, Step
from eventflow.domain.work import work_of
from tests.support import stories as s

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
EXAMPLES: dict[type[ev.Event], ev.Event] = {
    type(event): event
    for event in [
        *s.published(1),
        ev.UploadFellBack(run=1, step=Step.UPLOAD_SCENE, scene=0, key="k", reason="r", retry_count=3),
        ev.StepDegraded(1, Step.ASSEMBLE, "r"),
        ev.StepFailed(step=Step.PLAN, scene=None, run=1, failure=s.failure(), attempt=1, retry_at=None),
        ev.StepParked(step=Step.PLAN, scene=None, run=1, reason="r"),
        ev.JobFailed(run=1, failure=s.failure(), step=Step.PLAN, scene=None, attempts=1),
        ev.SceneReused(
            scene=0,
            run=1,
            title="Scene 0",
            start_cells=0,
            duration_cells=11,
            spec=s.WORK_FILE,
            narration=None,
            source="source 0",
            renditions=s.RENDITIONS,
        ),
        ev.ArtefactLost(run=1, step=Step.PLAN, scene=None, key="k"),
        ev.CancellationRequested("r"),
        ev.JobCancelled(1),
        ev.ReprocessRequested(2),
        ev.SceneSkipped(scene=0, run=1, failure=s.failure()),
        ev.StreamStarted(1),
        ev.WarningRaised(run=1, step=Step.PLAN, scene=0, code="c", message="m"),
        ev.RemoteWorkOrdered(run=1, scene=0, service="remote", order="o", request="r", ordered_at=AT),
        ev.RemoteWorkStarted(run=1, scene=0, service="remote", remote_id="task-1"),
        ev.RemoteWorkEnded(run=1, scene=0, service="remote", outcome=OrderOutcome.FAILED, answer=""),
        ev.NarratorReplaced(run=1, scene=0, voice="openai:alloy", instead="en-us"),
        ev.CostRecorded(run=1, scene=0, service="remote", amount="0.1", currency="USD"),
        ev.DeletionRequested("r", "failed"),
        ev.JobDeleted(3),
        ev.VideoRelocated(("k",)),
    ]
}
PAIRS = [(phase, event) for phase in Phase for event in ev.EVENT_TYPES]
LISTED = [(phase, event) for phase, event in PAIRS if event in TRANSITIONS[phase]]
ABSENT = [(phase, event) for phase, event in PAIRS if event not in TRANSITIONS[phase]]


def name(value: object) -> str:
    return value.__name__ if isinstance(value, type) else str(value)


@pytest.mark.parametrize("phase", list(Phase))
def test_the_stories_end_where_they_say(phase: Phase) -> None:
    job = fold(s.upto(phase))
    assert job is not None
    assert job.phase is phase
    assert job.finished == (phase in FINISHED)


@pytest.mark.parametrize(("phase", "event"), LISTED, ids=name)
def test_a_listed_pair_leads_to_its_phase(phase: Phase, event: type[ev.Event]) -> None:
    assert evolve(fold(s.upto(phase)), EXAMPLES[event]).phase is TRANSITIONS[phase][event]


@pytest.mark.parametrize(("phase", "event"), ABSENT, ids=name)
def test_an_absent_pair_raises(phase: Phase, event: type[ev.Event]) -> None:
    with pytest.raises(IllegalTransition, match=f"{event.__name__}.*{phase.value}"):
        evolve(fold(s.upto(phase)), EXAMPLES[event])


def test_every_event_type_can_happen() -> None:
    anywhere = {event for moves in TRANSITIONS.values() for event in moves}
    assert anywhere | {ev.VideoRequested} == set(ev.EVENT_TYPES) == set(EXAMPLES)


def test_every_phase_can_be_reached_and_left_but_the_last_one() -> None:
    reached = {target for moves in TRANSITIONS.values() for target in moves.values()}
    assert reached == set(Phase) == set(TRANSITIONS)
    stays = {phase for phase in Phase if not set(TRANSITIONS[phase].values()) - {phase}}
    assert stays == {Phase.DELETED}


@pytest.mark.parametrize("event", [e for e in EXAMPLES.values() if not isinstance(e, ev.VideoRequested)], ids=type)
def test_a_job_begins_with_a_request(event: ev.Event) -> None:
    with pytest.raises(IllegalTransition, match="begin"):
        evolve(None, event)


def test_scenes_that_were_never_planned() -> None:
    job = fold(s.planned(2))
    for scene in (-1, 2, 3):
        with pytest.raises(IllegalTransition, match=f"scene {scene}"):
            evolve(job, s.rendered(scene))
    with pytest.raises(IllegalTransition, match="before scene 2"):
        evolve(job, s.scene_planned(3))


def test_the_union_of_events_is_complete() -> None:
    missing = set(ev.JobEvent.__args__) ^ set(ev.EVENT_TYPES)
    assert not missing, f"in one of JobEvent and EVENT_TYPES of eventflow/domain/events.py only: {missing}"


def test_work_is_delivered_and_only_to_whom_it_concerns() -> None:
    calls_for_work = {event for event in EXAMPLES if work_of(EXAMPLES[event]) is not None}
    read = {topic for topics in GROUP_TOPICS.values() for topic in topics} - {
        Topic.OUTCOME,
        Topic.DELETION,
    }  # these are for clearing up
    routed = {event for event, topic in TOPIC_OF.items() if topic in read}
    assert calls_for_work == routed, "_WORK of domain/work.py and TOPIC_OF of domain/topics.py name other events"
    assert set(TOPIC_OF.values()) == set(Topic)


def test_folding_shares_nothing() -> None:
    """`evolve` copies; the job before an event is still the job before it."""
    job = fold(s.planned(2))
    before = repr(job)
    evolve(job, s.rendered(0))
    assert repr(job) == before
    assert job == fold(s.planned(2))
