"""What a handler works with, and how handlers form a group."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

import structlog
from attrs import define, frozen

from eventflow.domain.commands import Command
from eventflow.domain.envelope import Envelope
from eventflow.domain.events import Event
from eventflow.domain.state import Job
from eventflow.domain.topics import TOPIC_OF, Topic
from eventflow.domain.values import STAGE_OF_STEP, Work
from eventflow.domain.work import work_of
from eventflow.log.event_store import JobRecord

P = ParamSpec("P")
T = TypeVar("T")

#: Writes commands on a job under the lease without settling; bound by the runtime.
CommitMore = Callable[[Sequence[Command], JobRecord], Awaitable[JobRecord]]


@define(eq=False, kw_only=True)
class StepContext:
    """One delivery of one event to one handler.

    The handler makes its side effects idempotent and returns commands; the runtime decides on them, and commits the
    events together with the settlement of the entry. `record` is the job as folded before the handler began, or after
    its last `commit`. `fraction` is the progress to report (0 to 1), `allowed_s` the time that the step asked for.
    """

    envelope: Envelope
    record: JobRecord
    work: Work | None
    group: str
    _commit: CommitMore
    fraction: float | None = None
    stop_asked: bool = False
    job_ended: bool = False
    allowed_s: float = 0.0

    @property
    def event(self) -> Any:
        return self.envelope.event

    @property
    def job_id(self) -> str:
        return self.envelope.job_id

    @property
    def owner(self) -> str:
        return self.envelope.owner

    @property
    def job(self) -> Job:
        return self.record.job

    @property
    def log(self) -> Any:
        """A logger bound to this step."""
        return structlog.get_logger().bind(**log_context(self.envelope, self.group))

    def should_stop(self) -> bool:
        """Whether blocking work of this step has to end now. Safe from any thread."""
        return self.stop_asked

    def unwanted(self) -> bool:
        """Whether the job ended without this step, so that no other worker repeats it. Safe from any thread."""
        return self.job_ended

    async def commit(self, *commands: Command) -> Job:
        """Commit `commands` before the step ends, under its lease. Raises LeaseLost."""
        self.record = await self._commit(commands, self.record)
        return self.record.job

    def progress(self, fraction: float) -> None:
        """Note how much of this step is done, 0 to 1; the next heartbeat carries it. Safe from any thread."""
        self.fraction = min(1.0, max(0.0, fraction))

    def allow(self, seconds: float) -> None:
        """Let this step run for `seconds` in all if that exceeds its limit: for work that is known to be large."""
        self.allowed_s = max(self.allowed_s, seconds)

    async def in_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run blocking work in a thread; when the step is cancelled, ask the thread to stop and wait for it.

        A thread can't be cancelled: the work has to ask `should_stop` between its pieces. Its files may be removed only
        once it has ended.
        """
        running = asyncio.ensure_future(asyncio.to_thread(function, *args, **kwargs))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            self.stop_asked = True
            await asyncio.wait([running])
            if not running.cancelled():
                running.exception()  # it was asked to stop: marks its error as seen
            raise


Handler = Callable[[StepContext], Awaitable[Sequence[Command]]]


@frozen
class Group:
    """A consumer group: its handlers by type of event."""

    name: str
    handlers: Mapping[type[Event], Handler]

    @property
    def topics(self) -> tuple[Topic, ...]:
        return tuple(dict.fromkeys(TOPIC_OF[event] for event in self.handlers))


def log_context(envelope: Envelope, group: str) -> dict[str, Any]:
    """Return the fields of every log line about a step."""
    work = work_of(envelope.event)
    return {
        "job_id": envelope.job_id,
        "owner": envelope.owner,
        "correlation_id": envelope.correlation_id,
        "event_type": envelope.type,
        "group": group,
        "stage": STAGE_OF_STEP[work.step].value if work else None,
        "step": work.step.value if work else None,
        "scene": work.scene if work else None,
    }
