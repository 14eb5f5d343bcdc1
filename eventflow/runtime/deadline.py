"""Time limits of steps. The heartbeat's rhythm looks at what is held, so that a limit costs a step nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import field, frozen

from eventflow.domain.values import Step
from eventflow.runtime.held import Ending, Held


@frozen
class StepLimits:
    """How long a handler may take, in seconds: `by_step`, else `default_s`, or what it asked for with `allow`.

    One that is cancelled has `patience_s` to clean up; after that it is given up.
    """

    default_s: float = 3_600.0
    by_step: Mapping[Step, float] = field(factory=dict)
    patience_s: float = 15.0

    def of(self, held: Held) -> float:
        reaction = held.reaction
        if reaction is None:
            return self.default_s
        limit_s = self.by_step.get(reaction.work.step, self.default_s) if reaction.work else self.default_s
        return max(limit_s, reaction.allowed_s)


def end_overdue(steps: Iterable[Held], now_s: float, limits: StepLimits) -> list[Held]:
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
            held.end(Ending.TIMED_OUT)
    return given_up
