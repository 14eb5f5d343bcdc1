"""A job as it stood at an earlier version or time."""

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
from web.readmodel.status_json import status_of


class NoSuchMoment(ValueError):
    """The history doesn't reach to what was asked for; the message says what it has."""


@frozen
class Past:
    """The events up to a moment, and the job that they fold to. `last_version` is the job's version today."""

    envelopes: tuple[Envelope, ...]
    view: JobView
    last_version: int

    def as_json(self, codec: Codec) -> bytes:
        """One object: `job_id`, `version`, `last_version`, `events` as stored, and `state` as the status shows it."""
        body = {
            "job_id": self.view.id,
            "version": self.view.version,
            "last_version": self.last_version,
            "state": self.state(),
            "events": [orjson.loads(codec.encode(envelope)) for envelope in self.envelopes],
        }
        return orjson.dumps(body, option=orjson.OPT_UTC_Z)

    def state(self) -> dict[str, Any]:
        """The status answer of then. How far steps were on their way isn't history, so `progress` is without it."""
        return status_of(self.view, round(progress(self.view.job, {}), 1))


def past_of(envelopes: Sequence[Envelope], *, version: int | None = None, time: datetime | None = None) -> Past:
    """The job at `version`, or at `time` (events at that very time included), or now.

    Raises NoSuchMoment, and IllegalTransition where the history doesn't fold.
    """
    first, last = envelopes[0], envelopes[-1]
    if version is not None and not 1 <= version <= last.seq:
        raise NoSuchMoment(f"there is no version {version}: the job has versions 1 to {last.seq}")
    if time is not None and time < first.occurred_at:
        raise NoSuchMoment(f"the job didn't exist then: its first event is of {rfc3339(first.occurred_at)}")
    # By order, not by clock: events of several machines may carry times that run back a little.
    upto = version or len(envelopes)
    if time is not None:
        upto = max(place for place, envelope in enumerate(envelopes, 1) if envelope.occurred_at <= time)
    seen = tuple(envelopes[:upto])
    view = view_of(seen)
    if view is None:
        raise NoSuchMoment("the job has no events")
    return Past(seen, view, last.seq)


def rfc3339(at: datetime) -> str:
    return orjson.loads(orjson.dumps(at, option=orjson.OPT_UTC_Z))  # type: ignore[no-any-return]
