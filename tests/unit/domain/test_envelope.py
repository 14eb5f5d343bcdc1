"""Ids, partitions and trace parents."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventflow.domain.envelope import Envelope
from eventflow.domain.events import PlanningStarted
from eventflow.domain.job_ids import is_job_id, new_job_id, partition_of
from eventflow.telemetry.causes import new_cause
from eventflow.telemetry.trace_ids import is_traceparent, new_traceparent

HEX = st.text("0123456789abcdef", min_size=32, max_size=32)


@given(st.integers(0, 255), HEX)
def test_a_job_id_tells_its_partition(partition: int, random_hex: str) -> None:
    job_id = new_job_id(partition, random_hex)
    assert is_job_id(job_id)
    assert partition_of(job_id) == partition


@given(st.text(max_size=40))
def test_other_texts_are_no_job_ids(text: str) -> None:
    assert not is_job_id(text)


@pytest.mark.parametrize("text", ["00-" + "A" * 32, "00-" + "a" * 31, "00-" + "a" * 32 + "\n", "../" + "a" * 32, "0-a"])
def test_near_misses(text: str) -> None:
    assert not is_job_id(text)


def test_the_id_of_an_event_is_that_of_its_place() -> None:
    job_id = new_job_id(7, "0" * 32)
    envelope = Envelope(
        job_id=job_id,
        seq=12,
        owner="o",
        correlation_id="c",
        causation_id="",
        traceparent="",
        occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
        event=PlanningStarted(1),
    )
    assert (envelope.id, envelope.type, envelope.schema_version) == (f"{job_id}.12", "PlanningStarted", 1)


@given(st.text("123456789abcdef", min_size=48, max_size=48))
def test_a_new_traceparent_is_one(random_hex: str) -> None:
    assert is_traceparent(new_traceparent(random_hex))


@pytest.mark.parametrize(
    "text",
    ["", "00-" + "0" * 32 + "-" + "1" * 16 + "-01", "00-" + "1" * 32 + "-" + "0" * 16 + "-01", "01-" + "1" * 32, "x"],
)
def test_bad_traceparents(text: str) -> None:
    assert not is_traceparent(text)


def test_a_cause_without_a_request_has_a_trace_of_its_own() -> None:
    causes = [new_cause("ann", "cli") for _ in range(2)]
    assert all(is_traceparent(cause.traceparent) for cause in causes)
    assert all(re.fullmatch(r"cli-[0-9a-f]{16}", cause.correlation_id) for cause in causes)
    assert causes[0].traceparent != causes[1].traceparent
