"""Events in a line each."""

from __future__ import annotations

from ops.cli.event_rows import event_row, summary
from ops.cli.tables import cut


def test_an_event_is_a_short_line() -> None:
    data = {"scene": 0, "text": "a\nb\x1b", "videos": [1, 2], "spec": {"a": 1}, "on": True, "none": None, "empty": []}
    event = {"sequence": 3, "time": "2026-11-30T16:30:52.618746Z", "type": "ScenePlanned", "data": data}
    assert event_row(event) == (
        "3",
        "2026-11-30T16:30:52Z",
        "ScenePlanned",
        "scene=0 text=a b\N{REPLACEMENT CHARACTER} videos=[2] spec={1} on=yes",
    )


def test_what_is_long_is_cut() -> None:
    assert len(summary({"script": "x" * 5_000})) <= 40
    assert len(summary({str(n): "y" * 30 for n in range(100)})) <= 96
    assert cut("abcdef", 4) == "abc…"
    assert cut("abcd", 4) == "abcd"
