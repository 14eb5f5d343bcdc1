"""Stored events stay readable: the golden lines, both ways."""

from pathlib import Path

import orjson
import pytest

from eventflow.domain.envelope import Envelope
from eventflow.domain.events import EVENT_TYPES
from eventflow.log.codec import Codec
from tests.unit.golden.events import AT, EVENTS, EVENTS_V2, EVENTS_V3, EVENTS_V4, EVENTS_V5, EVENTS_V6, EVENTS_V7

GOLDEN = Path(__file__).parents[1] / "golden"
#: Lines of all versions, oldest first.
LINES = [
    line
    for name in ("v1.jsonl", "v2.jsonl", "v3.jsonl", "v4.jsonl", "v5.jsonl", "v6.jsonl", "v7.jsonl")
    for line in (GOLDEN / name).read_bytes().splitlines()
]
JOB = "07-0123456789abcdef0123456789abcdef"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
EXPECTED = [
    Envelope(
        job_id=JOB,
        seq=n,
        owner="alice@example.org",
        correlation_id="req-1",
        causation_id=f"{JOB}.{n - 1}" if n > 1 else "",
        traceparent=TRACE,
        occurred_at=AT,
        event=event,
    )
    for events in (EVENTS, EVENTS_V2, EVENTS_V3, EVENTS_V4, EVENTS_V5, EVENTS_V6, EVENTS_V7)
    for n, event in enumerate(events, 1)
]
PAIRS = [pytest.param(line, envelope, id=envelope.type) for line, envelope in zip(LINES, EXPECTED, strict=True)]


@pytest.mark.parametrize(("line", "envelope"), PAIRS)
def test_a_stored_line_means_what_it_meant(line: bytes, envelope: Envelope) -> None:
    assert Codec().decode(line) == envelope


@pytest.mark.parametrize(("line", "envelope"), PAIRS)
def test_an_event_is_written_as_it_was(line: bytes, envelope: Envelope) -> None:
    """Unless its payload has a newer version by now: then in that."""
    if orjson.loads(line)["dataversion"] < envelope.schema_version:
        assert orjson.loads(Codec().encode(envelope))["dataversion"] == envelope.schema_version
        return
    assert orjson.loads(Codec().encode(envelope)) == orjson.loads(line)


def test_every_event_type_has_a_golden_line_of_its_version() -> None:
    """A new type, or a new version of one, needs a line in the file of that version and its meaning in `events.py`."""
    golden = {(body["type"], body["dataversion"]) for body in map(orjson.loads, LINES)}
    assert {(cls.__name__, cls.SCHEMA_VERSION) for cls in EVENT_TYPES} <= golden
