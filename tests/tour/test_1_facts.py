"""A job is a list of facts: how they are made, and how they stay readable."""

from __future__ import annotations

from pathlib import Path

import orjson

from eventflow.domain import events as ev
from eventflow.domain.commands import RequestReprocess, StartPlanning
from eventflow.domain.errors import NotFinished
from eventflow.domain.evolve import fold
from eventflow.domain.state import Phase
from eventflow.domain.values import Lane
from eventflow.log.codec import Codec
from tests.support import stories
from tests.support.spec import given

OLD_LOG = Path(__file__).parents[1] / "unit" / "golden" / "v1.jsonl"


def test_a_job_is_its_events() -> None:
    """A job has no row that is updated: its state is the fold of its history, from the first event to the last.

    A prefix of the history gives the job as it was then.
    """
    history = stories.published(scenes=2)
    job = fold(history)
    assert job is not None
    assert (job.phase, len(job.scenes)) == (Phase.COMPLETED, 2)
    earlier = fold(history[:4])
    assert earlier is not None
    assert earlier.phase is Phase.RENDERING


def test_a_command_becomes_events_or_is_refused() -> None:
    """`decide` is a pure function: a job and a command give events, or an error of the domain and no event."""
    given(stories.requested()).when(StartPlanning(1)).then(ev.PlanningStarted(1))
    given(stories.requested()).when(RequestReprocess()).then_refused(NotFinished)


def test_an_event_of_version_1_is_read_as_todays() -> None:
    """Stored events are never rewritten. An older payload is lifted, version by version, when it is read."""
    stored = OLD_LOG.read_bytes().splitlines()[0]
    assert orjson.loads(stored)["dataversion"] == 1
    event = Codec().decode(stored).event
    assert isinstance(event, ev.VideoRequested)
    assert event.SCHEMA_VERSION > 1
    assert event.request.priority is Lane.NORMAL, "a field that version 1 didn't have"
