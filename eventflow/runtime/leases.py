"""Leases of deliveries in flight: what the heartbeat reports, and the time limits of steps.

The heartbeat also looks for overdue steps, so that a time limit costs a step nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import field, frozen

from eventflow.domain.progress import progress_field
from eventflow.domain.topics import TOPIC_OF, Topic
from eventflow.domain.values import Step
from eventflow.log.consumer import Renewal
from eventflow.runtime.slots import InFlight, StopReason


def renewal_of(in_flight: InFlight) -> Renewal:
    """Build the renewal of a delivery's lease, with its progress if that changed since the last renewal."""
    envelope, context = in_flight.envelope, in_flight.context
    claim, job_id = in_flight.delivery.claim, envelope.job_id if envelope else "-"
    if context is None or context.work is None or context.fraction == in_flight.reported_progress:
        return Renewal(claim=claim, job_id=job_id, field="", fraction=None)
    in_flight.reported_progress = context.fraction
    work = context.work
    return Renewal(
        claim=claim,
        job_id=job_id,
        field=progress_field(work.step, work.scene, work.run),
        fraction=context.fraction,
    )


def handles_job_end(in_flight: InFlight) -> bool:
    """Whether the delivery is of a job's outcome or deletion: the end of the job doesn't stop it."""
    return in_flight.envelope is not None and TOPIC_OF.get(type(in_flight.envelope.event)) in (
        Topic.OUTCOME,
        Topic.DELETION,
    )


@frozen
class StepLimits:
    """How long a handler may run, in seconds: `by_step`, else `default_s`, or longer if it asked by `allow`.

    A handler that was cancelled has `patience_s` to clean up; after that it is abandoned.
    """

    default_s: float = 3_600.0
    by_step: Mapping[Step, float] = field(factory=dict)
    patience_s: float = 15.0

    def of(self, in_flight: InFlight) -> float:
        context = in_flight.context
        if context is None:
            return self.default_s
        limit_s = self.by_step.get(context.work.step, self.default_s) if context.work else self.default_s
        return max(limit_s, context.allowed_s)


def stop_overdue(steps: Iterable[InFlight], now_s: float, limits: StepLimits) -> list[InFlight]:
    """Cancel handlers that exceed their limit; return those that are abandoned now, as they ignored it.

    `now_s` is on the clock of `InFlight.handler_started`. The lease of an abandoned step runs out, another worker takes
    its entry, and the fencing token rejects whatever the step still commits. The same goes for a step that ignores the
    end of its job.
    """
    abandoned = []
    for step in steps:
        if step.handler_started is None or step.abandoned:
            continue
        over_s = now_s - step.handler_started - limits.of(step)
        if over_s > limits.patience_s:
            step.abandoned = True
            abandoned.append(step)
        elif over_s > 0:
            step.stop(StopReason.TIMED_OUT)
    return abandoned
