"""The envelope: what is known of every event, whatever its payload.

On the wire the names are those of CloudEvents 1.0 where one fits (`id`, `type`, `source`, `subject`,
`time`, and the extensions `sequence` and `traceparent`), see https://cloudevents.io.
"""

from __future__ import annotations

from datetime import datetime

from attrs import field

from eventflow.domain._records import frozen_record
from eventflow.domain.events import Event

#: Characters of an encoded event that come before its time at any rate: the two job ids and the names.
_LEAST_BEFORE_TIME = 200


@frozen_record
class Envelope:
    """One event of one job.

    `seq` is the job's version after this event (1, 2, ...); `id` is `<job_id>.<seq>`, so that a resend keeps it.
    `correlation_id` is the request's id and stays the same through a job; `causation_id` is the id of the event that
    was reacted to; of a request to a job that was there, its mark, `request.<digest>`; else empty.
    `traceparent` is W3C Trace Context. `raw` is what it was read from, and isn't on the wire.
    """

    job_id: str
    seq: int
    owner: str
    correlation_id: str
    causation_id: str
    traceparent: str
    occurred_at: datetime
    event: Event
    raw: bytes = field(default=b"", eq=False, repr=False)

    @property
    def id(self) -> str:
        return f"{self.job_id}.{self.seq}"

    @property
    def mark(self) -> str:
        """What tells the event from any other one (`mark_of`); empty for one that wasn't read. Made when asked for:
        most events are followed by others of their job."""
        return mark_of(self.raw.decode()) if self.raw else ""

    @property
    def type(self) -> str:
        return type(self.event).__name__

    @property
    def schema_version(self) -> int:
        return self.event.SCHEMA_VERSION


def mark_of(payload: str) -> str:
    """The part of an encoded event by which it is known again: the span it was written in, and the time. `commit.lua`
    takes the same.

    Two histories of a job that differ (the server has lost the end of one, and others went on) end in events that
    differ in these. No text inside a payload can hold the quotes of `"time":"`: there they are escaped.
    """
    at = payload.find('"time":"', _LEAST_BEFORE_TIME)
    return payload[at - 23 : at + 34] if at > 0 else ""
