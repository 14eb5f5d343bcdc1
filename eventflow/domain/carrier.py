"""`carrier`: frozen for the type checker, plain at run time.

For what is made several times for each step and never leaves the process: a class that attrs freezes takes twice as
long to make and three times as long to read, which together is a tenth of a worker's time per step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from attrs import frozen as carrier
else:
    from attrs import define

    carrier = define(slots=False, unsafe_hash=True)

T = TypeVar("T")


def changed(value: T, changes: dict[str, Any]) -> T:
    """A copy of a carrier with other values for the fields that `changes` names.

    attrs' own `evolve` runs __init__ over every field, which takes three times as long.
    """
    copy = object.__new__(type(value))
    copy.__dict__ = value.__dict__ | changes
    return copy


__all__ = ["carrier", "changed"]
