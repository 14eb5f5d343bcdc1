"""Errors of reading and planning requests. The HTTP API turns them into problems, the command line into text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from attrs import frozen

#: Faults that an error's text lists; the others are counted.
_LISTED: Final = 5


@frozen
class Fault:
    """One thing wrong with a request: where, a stable code, and a reason that names the value and the way out.

    `pointer` is a JSON pointer (RFC 6901) into the body, or `?name` of the query.
    """

    pointer: str
    code: str
    reason: str


def summary_of(faults: Sequence[Fault]) -> str:
    """The first faults in one line of text."""
    listed = "; ".join(f"{fault.pointer or 'top level'}: {fault.reason}" for fault in faults[:_LISTED])
    more = len(faults) - _LISTED
    return f"{listed}; and {more} more" if more > 0 else listed


class RequestInvalid(ValueError):
    """A request that can be read but not met; `faults` are all that were found."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(summary_of(self.faults))


class PlanningUnavailable(Exception):
    """A service that planning needs has failed or refused. `retry_after_s` is the delay it asked for, if any."""

    def __init__(self, code: str, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.code, self.retry_after_s = code, retry_after_s
