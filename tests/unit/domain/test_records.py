"""Records copied and changed without the checks that attrs makes at run time; mypy makes them instead."""

from collections.abc import Iterator

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from eventflow.domain._records import copy, frozen_record, replace, update_draft
from tests.support.walks import walk


@frozen_record
class Point:
    x: int
    y: int = 0


def test_a_copy_has_the_changes_and_leaves_its_original_alone() -> None:
    point = Point(1, 2)
    moved = replace(point, y=3)
    assert (point, moved) == (Point(1, 2), Point(1, 3))
    assert moved == attrs.evolve(point, y=3)
    assert hash(moved) == hash(Point(1, 3))


def test_a_draft_changes_in_place_and_leaves_its_original_alone() -> None:
    point = Point(1, 2)
    draft = copy(point)
    update_draft(draft, x=5)
    assert update_draft(draft, y=3) is draft
    assert (point, draft) == (Point(1, 2), Point(5, 3))


def records(value: object) -> Iterator[object]:
    """`value` and all that lies in it, as far as it is made of attrs classes and tuples."""
    if isinstance(value, tuple):
        for item in value:
            yield from records(item)
    elif attrs.has(type(value)):
        yield value
        for inner in vars(value).values():
            yield from records(inner)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32))
def test_the_fold_changes_no_field_that_there_isnt(seed: int) -> None:
    *_, last = walk(seed)
    for value in records(last.job):
        assert set(vars(value)) == {field.name for field in attrs.fields(type(value))}  # type: ignore[arg-type]
