"""The envelope: the attributes that every event has, whatever its payload.

On the wire the names are those of CloudEvents 1.0 where one fits (`id`, `type`, `source`, `subject`,
`time`, and the extensions `sequence` and `traceparent`), see https://cloudevents.io.
"""

from __future__ import annotations

from datetime import datetime

from attrs import field

from eventflow.domain._records import frozen_record
from eventflow.domain.events import Event

#: Least number of characters before the time in an encoded event: two job ids and the names of the attributes.
_LEAST_BEFORE_TIME = 200


@frozen_record
class Envelope:
    """One event of one job.

    `seq` is the job's version after this event (1, 2, ...); `id` is `<job_id>.<seq>`, so that a resend keeps it.
    `correlation_id` is the id of the request, the same for all events that follow from it. `causation_id` is the id of
    the event that was handled, or `request.<digest>` for a request to an existing job, or empty. `traceparent` is W3C
    Trace Context. `raw` holds the bytes that it was decoded from, and isn't on the wire.

    Not `kw_only`: the codec makes it by position, since keywords cost 12 % of the time of decoding.
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
        """The event's identity (`mark_of`); empty for one that wasn't decoded. Computed on demand: only the mark of a
        job's last event is used."""
        return mark_of(self.raw.decode()) if self.raw else ""

    @property
    def type(self) -> str:
        return type(self.event).__name__

    @property
    def schema_version(self) -> int:
        return self.event.SCHEMA_VERSION


def mark_of(payload: str) -> str:
    """Return the part of an encoded event that identifies it: the span that wrote it, and its time (decision 112).

    `commit.lua` takes the same part. If the server lost the end of a job's history and others were written since, the
    two histories end in events that differ in it. No text in a payload can contain `"time":"`: quotes are escaped.
    """
    at = payload.find('"time":"', _LEAST_BEFORE_TIME)
    return payload[at - 23 : at + 34] if at > 0 else ""
