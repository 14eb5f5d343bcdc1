"""Records of which every event makes several (payloads, commands, the job): frozen for mypy, plain at run time.

A class that attrs freezes takes three times as long to make, and attrs' own `evolve` runs __init__ over every field.
So these classes are frozen only for mypy, which checks them as it checks attrs: no attribute is set, and `replace` and
`update_draft` take each field by its name and type. Records that are made once stay `attrs.frozen`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from attrs import evolve as replace
    from attrs import evolve as update_draft
    from attrs import frozen as frozen_record
else:
    from attrs import define

    def frozen_record(cls=None, *, kw_only=False):
        """Define an attrs class that is frozen for mypy only."""
        return define(cls, slots=False, unsafe_hash=True, kw_only=kw_only)

    def replace(value, /, **changes):
        """Copy a frozen_record, with other values for the fields that `changes` names."""
        copy = object.__new__(type(value))
        copy.__dict__ = value.__dict__ | changes
        return copy

    def update_draft(draft, /, **changes):
        """Change a draft in place, and return it: a row of changes by `replace` would copy it as many times."""
        draft.__dict__.update(changes)
        return draft


T = TypeVar("T")


def copy(value: T) -> T:
    """Copy a frozen_record into a draft, which `update_draft` may change until others get to know it."""
    draft: Any = object.__new__(type(value))
    draft.__dict__ = dict(value.__dict__)
    return draft  # type: ignore[no-any-return]


__all__ = ["copy", "frozen_record", "replace", "update_draft"]
