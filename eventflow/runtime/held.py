"""A delivery in our hands, from its arrival to its settlement."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum

from attrs import define

from eventflow.envelope import Envelope
from eventflow.log.consume import Delivery, GroupMember
from eventflow.runtime.reaction import Reaction


class Ending(Enum):
    """Why a delivery was ended from outside."""

    LEASE_LOST = "lease_lost"
    JOB_CANCELLED = "job_cancelled"
    SHUTDOWN = "shutdown"
    TIMED_OUT = "timed_out"


@define(eq=False)
class Held:
    """Waits for a slot, then runs in `task`, then settles: its last commit is on the way and it needs no slot.

    `left_over` is what there is still to do where that commit wasn't taken as it was. `began` is when its handler did,
    in seconds of `perf_counter`, and None unless that runs; it may be `committing` meanwhile. `given_up` is one that
    ignores its end: we no longer hold on to its entry.
    """

    member: GroupMember
    delivery: Delivery
    envelope: Envelope | None = None
    reaction: Reaction | None = None
    task: asyncio.Task[None] | None = None
    ending: Ending | None = None
    reported: float | None = None
    settling: bool = False
    began: float | None = None
    committing: bool = False
    given_up: bool = False
    left_over: Callable[[], Awaitable[object]] | None = None

    @property
    def at_work(self) -> bool:
        """Whether its handler runs, and doesn't wait for the log."""
        return self.began is not None and not self.committing

    def end(self, why: Ending) -> None:
        """Cancel the running step, once. A lease that is gone while we settle may be gone by our own doing."""
        if why is Ending.LEASE_LOST and self.settling:
            return
        if self.ending is None:
            self.ending = why
            if self.reaction is not None:
                self.reaction.job_ended = why is Ending.JOB_CANCELLED
            if self.task is not None:
                self.task.cancel()
