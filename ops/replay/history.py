"""A job as it was at an earlier version or time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from attrs import frozen

from eventflow.domain.envelope import Envelope
from eventflow.domain.progress import progress
from eventflow.domain.view import JobView, view_of
from eventflow.log.codec import Codec
from web.readmodel.job_status import status_of


class NoSuchMoment(ValueError):
    """The history doesn't reach the requested version or time; the message says what it has."""


@frozen
class PastJob:
    """The events up to a moment, and the job that they fold to.

    `last_version` is the job's present version.
    """

    envelopes: tuple[Envelope, ...]
    view: JobView
    last_version: int

    def as_json(self, codec: Codec) -> bytes:
        """One object: `job_id`, `version`, `last_version`, `events` as stored, and `state` as in the status."""
        body = {
            "job_id": self.view.id,
            "version": self.view.version,
            "last_version": self.last_version,
            "state": self.state(),
            "events": [orjson.loads(codec.encode(envelope)) for envelope in self.envelopes],
        }
        return orjson.dumps(body, option=orjson.OPT_UTC_Z)

    def state(self) -> dict[str, Any]:
        """The status answer of that moment, without the progress of running steps, which isn't history."""
        return status_of(self.view, round(progress(self.view.job, {}), 1))


def past_job(envelopes: Sequence[Envelope], *, version: int | None = None, time: datetime | None = None) -> PastJob:
    """The job at `version`, or at `time` (events at that very time included), or now.

    Raises NoSuchMoment, and IllegalTransition where the history doesn't fold.
    """
    first, last = envelopes[0], envelopes[-1]
    if version is not None and not 1 <= version <= last.seq:
        raise NoSuchMoment(f"unknown version {version}; available: 1 to {last.seq}")
    if time is not None and time < first.occurred_at:
        raise NoSuchMoment(f"the job didn't exist yet: its first event is of {rfc3339(first.occurred_at)}")
    # By order, not by clock: times of several machines may run backwards a little.
    upto = version or len(envelopes)
    if time is not None:
        upto = max(place for place, envelope in enumerate(envelopes, 1) if envelope.occurred_at <= time)
    seen = tuple(envelopes[:upto])
    view = view_of(seen)
    if view is None:
        raise NoSuchMoment("the job has no events")
    return PastJob(seen, view, last.seq)


def rfc3339(at: datetime) -> str:
    """`at` as RFC 3339 in UTC."""
    return orjson.loads(orjson.dumps(at, option=orjson.OPT_UTC_Z))  # type: ignore[no-any-return]
