"""Leases of deliveries: the heartbeat that renews them, and the time limits of steps.

Time limits of steps. The heartbeat's rhythm looks at what is held, so that a limit costs a step nothing.

What the heartbeat says of a delivery, and whom its answer concerns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import field, frozen

from eventflow.domain.topics import TOPIC_OF, Topic
from eventflow.domain.values import Step
from eventflow.domain.view import progress_field
from eventflow.log.consumer import Renewal
from eventflow.runtime.slots import InFlight, StopReason


def renewal_of(held: InFlight) -> Renewal:
    envelope, reaction = held.envelope, held.reaction
    job_id = envelope.job_id if envelope else "-"
    if reaction is None or reaction.work is None or reaction.fraction == held.reported:
        return Renewal(claim=held.delivery.claim, job_id=job_id, field="", fraction=None)
    held.reported = reaction.fraction
    work = reaction.work
    return Renewal(
        claim=held.delivery.claim,
        job_id=job_id,
        field=progress_field(work.step, work.scene, work.run),
        fraction=reaction.fraction,
    )


def follows_the_end(held: InFlight) -> bool:
    """Whether it tells of the job's end or deletion, and so isn't stopped by it."""
    return held.envelope is not None and TOPIC_OF.get(type(held.envelope.event)) in (Topic.OUTCOME, Topic.DELETION)


@frozen
class StepLimits:
    """How long a handler may take, in seconds: `by_step`, else `default_s`, or what it asked for with `allow`.

    One that is cancelled has `patience_s` to clean up; after that it is given up.
    """

    default_s: float = 3_600.0
    by_step: Mapping[Step, float] = field(factory=dict)
    patience_s: float = 15.0

    def of(self, held: InFlight) -> float:
        reaction = held.reaction
        if reaction is None:
            return self.default_s
        limit_s = self.by_step.get(reaction.work.step, self.default_s) if reaction.work else self.default_s
        return max(limit_s, reaction.allowed_s)


def end_overdue(steps: Iterable[InFlight], now_s: float, limits: StepLimits) -> list[InFlight]:
    """Cancel handlers whose time is over. Returns those that are given up now, since they ignore it.

    `now_s` is on the clock of `Held.began`. A step that is given up is no longer renewed: its lease runs out, another
    worker takes it over, and whatever this one still does comes to nothing at its fence. That goes for one
    that ignores the end of its job, too.
    """
    given_up = []
    for held in steps:
        if held.began is None or held.given_up:
            continue
        over_s = now_s - held.began - limits.of(held)
        if over_s > limits.patience_s:
            held.given_up = True
            given_up.append(held)
        elif over_s > 0:
            held.end(StopReason.TIMED_OUT)
    return given_up
