"""The envelope: what is known of every event, whatever its payload.

On the wire the names are those of CloudEvents 1.0 where one fits (`id`, `type`, `source`, `subject`,
`time`, and the extensions `sequence` and `traceparent`), see https://cloudevents.io.
"""

from __future__ import annotations

import re
from datetime import datetime

from attrs import field

from eventflow.domain.carrier import carrier
from eventflow.domain.events import Event

_JOB_ID = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}").fullmatch
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

#: Characters of an encoded event that come before its time at any rate: the two job ids and the names.
_LEAST_BEFORE_TIME = 200


@carrier
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


def new_job_id(partition: int, random_hex: str) -> str:
    """A job id: two hex digits of the partition, a dash, 128 random bits as 32 hex digits."""
    return f"{partition:02x}-{random_hex}"


def is_job_id(text: str) -> bool:
    return _JOB_ID(text) is not None


def partition_of(job_id: str) -> int:
    """The partition that a job lives in, for ever. `job_id` has been checked by `is_job_id`."""
    return int(job_id[:2], 16)


def is_traceparent(text: str) -> bool:
    return _TRACEPARENT.fullmatch(text) is not None
