"""How one worker works: slots, leases, patience."""

from __future__ import annotations

from attrs import frozen

from eventflow.runtime.deadline import StepLimits
from eventflow.runtime.failure import RetryPolicy


@frozen
class WorkerSettings:
    """`concurrency` handlers at a time; a lease of `lease_s` is renewed every third of it, at least once a second.

    `drain_s` is how long running handlers may go on after a stop was asked for, `limits` how long they may take at all.
    A worker rests for `rest_s` after a step for which it had too little disk or memory.
    """

    concurrency: int = 4
    lease_s: float = 15.0
    drain_s: float = 30.0
    retry: RetryPolicy = RetryPolicy()
    limits: StepLimits = StepLimits()
    rest_s: float = 30.0

    @property
    def least_room(self) -> int:
        """Free slots that make a read worth its round trip: one where handlers are few, more where they are many."""
        return max(1, self.concurrency // 4)

    @property
    def heartbeat_s(self) -> float:
        return min(1.0, self.lease_s / 3)

    @property
    def sweep_s(self) -> float:
        return min(1.0, self.lease_s / 4)
