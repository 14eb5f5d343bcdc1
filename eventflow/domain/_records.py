"""`frozen_record`: frozen for the type checker, plain at run time.

For values that every step or every event makes several of: payloads, commands, the job. A class that attrs freezes
takes three times as long to make. mypy refuses to change them all the same. What is made once stays `frozen`.

`carrier`: frozen for the type checker, plain at run time.

For values that every step or every event makes several of: payloads, commands, the job. A class that attrs freezes
takes three times as long to make. mypy refuses to change them all the same. What is made once stays `frozen`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from attrs import frozen as frozen_record
else:
    from attrs import define

    def frozen_record(cls=None, *, kw_only=False):
        """Define an attrs class that is frozen for mypy only."""
        return define(cls, slots=False, unsafe_hash=True, kw_only=kw_only)


T = TypeVar("T")


def replace(value: T, changes: dict[str, Any]) -> T:
    """A copy of a frozen_record with other values for the fields that `changes` names.

    attrs' own `evolve` runs __init__ over every field, which takes several times as long. Nothing checks the names
    here; a test does, which folds random histories.
    """
    copy = object.__new__(type(value))
    copy.__dict__ = value.__dict__ | changes
    return copy


def copy(value: T) -> T:
    """A copy of a frozen_record for `update_draft`, which nobody else may know before its last change."""
    copy = object.__new__(type(value))
    copy.__dict__ = dict(value.__dict__)
    return copy


def update_draft(draft: Any, changes: dict[str, Any]) -> None:
    """Change a draft in place, where a row of changes would copy the value as many times."""
    draft.__dict__.update(changes)


__all__ = ["copy", "frozen_record", "replace", "update_draft"]
