"""A folded job, and what comes with a commit on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from eventflow.domain import events as ev
from eventflow.domain.carrier import carrier
from eventflow.domain.job import Job, evolve
from eventflow.envelope import Envelope
from eventflow.log.commit import Claim, Delayed, OnClaim, Parked


@carrier
class JobRecord:
    """A job as folded up to `version`; `job` is its state, `mark` that of the last event that was folded."""

    id: str
    owner: str
    correlation_id: str
    version: int
    job: Job
    mark: str


@carrier
class Cause:
    """What a commit is a reaction to: goes into the envelope of each event of it."""

    owner: str
    correlation_id: str
    causation_id: str
    traceparent: str


@carrier
class Settlement:
    """What becomes of the claimed entry with a commit: put off, or parked, if anything but done.

    `retry` makes the delayed delivery from the events that were decided.
    """

    claim: Claim
    on_claim: OnClaim = "hold"
    retry: Callable[[Sequence[ev.Event]], tuple[Delayed, ...]] | None = None
    parked: tuple[Parked, ...] = ()


def advance(record: JobRecord | None, envelope: Envelope) -> JobRecord:
    """Fold one more event. The events of a job must come in order and without a gap."""
    version = record.version if record else 0
    if envelope.seq != version + 1:
        raise LookupError(f"job {envelope.job_id}: event {envelope.seq} doesn't follow version {version}")
    job = evolve(record.job if record else None, envelope.event)
    owner = record.owner if record else envelope.owner
    correlation = record.correlation_id if record else envelope.correlation_id
    return JobRecord(envelope.job_id, owner, correlation, envelope.seq, job, envelope.mark)
