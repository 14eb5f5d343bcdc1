"""Range requests and conditions, without a server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.http.ranges import NotModified, Part, Unsatisfiable, Whole, matches_any, parse_range, select

ETAG = '"abc"'


@pytest.mark.parametrize(
    ("header", "size", "wanted"),
    [
        ("bytes=0-0", 10, Part(0, 0)),
        ("bytes=0-", 10, Part(0, 9)),
        ("bytes=3-5", 10, Part(3, 5)),
        ("bytes=3-99", 10, Part(3, 9)),
        ("BYTES = 3-5 ", 10, Part(3, 5)),
        ("bytes=-4", 10, Part(6, 9)),
        ("bytes=-40", 10, Part(0, 9)),
        ("bytes=9-", 10, Part(9, 9)),
        ("bytes=0-" + "9" * 5000, 10, Part(0, 9)),
        ("bytes=10-", 10, Unsatisfiable()),
        ("bytes=" + "9" * 5000 + "-", 10, Unsatisfiable()),
        ("bytes=-0", 10, Unsatisfiable()),
        ("bytes=0-", 0, Unsatisfiable()),
        ("bytes=-1", 0, Unsatisfiable()),
        ("bytes=5-3", 10, Whole()),
        ("bytes=-", 10, Whole()),
        ("bytes=", 10, Whole()),
        ("bytes", 10, Whole()),
        ("bytes=a-b", 10, Whole()),
        ("bytes=١-٢", 10, Whole()),
        ("bytes=0-1,3-4", 10, Whole()),
        ("seconds=0-1", 10, Whole()),
    ],
)
def test_one_range_is_cut_at_the_end_and_others_are_ignored(header: str, size: int, wanted: object) -> None:
    assert parse_range(header, size) == wanted


@given(st.text(), st.integers(0, 10_000))
def test_no_header_breaks_it_and_a_part_lies_within_the_file(header: str, size: int) -> None:
    for text in (header, f"bytes={header}"):
        chosen = parse_range(text, size)
        if isinstance(chosen, Part):
            assert 0 <= chosen.start <= chosen.end < size
            assert chosen.length >= 1


@pytest.mark.parametrize(
    ("method", "headers", "wanted"),
    [
        ("GET", {}, Whole()),
        ("GET", {"Range": "bytes=1-2"}, Part(1, 2)),
        ("HEAD", {"Range": "bytes=1-2"}, Whole()),
        ("GET", {"Range": "bytes=1-2", "If-Range": ETAG}, Part(1, 2)),
        ("GET", {"Range": "bytes=1-2", "If-Range": '"other"'}, Whole()),
        ("GET", {"Range": "bytes=1-2", "If-Range": f"W/{ETAG}"}, Whole()),
        ("GET", {"Range": "bytes=1-2", "If-Range": "Wed, 21 Oct 2015 07:28:00 GMT"}, Whole()),
        ("GET", {"Range": "bytes=1-2", "If-None-Match": ETAG}, NotModified()),
        ("GET", {"Range": "bytes=99-"}, Unsatisfiable()),
        ("GET", {"Range": "bytes=99-", "If-Range": '"other"'}, Whole()),
    ],
)
def test_conditions_come_before_ranges(method: str, headers: dict[str, str], wanted: object) -> None:
    assert select(method, headers, size_bytes=10, etag=ETAG) == wanted


@pytest.mark.parametrize(
    ("header", "matches"),
    [
        (None, False),
        ("*", True),
        (ETAG, True),
        (f"W/{ETAG}", True),
        (f'"x", {ETAG}', True),
        ('"x"', False),
        ("abc", False),
    ],
)
def test_none_match_compares_weakly(header: str | None, matches: bool) -> None:
    assert matches_any(header, ETAG) is matches
