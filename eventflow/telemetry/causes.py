"""Causes of events that no request and no other event calls for: commands of an operator, periodic passes."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from eventflow.log.event_store import Cause
from eventflow.telemetry.trace_ids import new_traceparent


def new_cause(owner: str, program: str, *, random_hex: Callable[[int], str] = secrets.token_hex) -> Cause:
    """A cause with a new trace and the correlation id `<program>-<16 hex digits>`.

    `program` names the writer, such as "cli". `random_hex(n)` returns n random bytes as 2n hex digits.
    """
    return Cause(
        owner=owner,
        correlation_id=f"{program}-{random_hex(8)}",
        causation_id="",
        traceparent=new_traceparent(random_hex(24)),
    )
