"""How a delivery ends when it isn't simply done: failed, put off, parked, given up, or settled without work.

Each ending is one commit, together with the settlement of the entry.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from random import Random
from typing import Any, ParamSpec, TypeVar

import structlog
from attrs import frozen

from eventflow.codec import DecodeError
from eventflow.domain import events as ev
from eventflow.domain.commands import Command, ConfirmCancellation, FailStep, ParkStep, ReportLostArtefact
from eventflow.domain.errors import DomainError
from eventflow.domain.values import Failure, FailureCategory
from eventflow.domain.work import Work
from eventflow.envelope import Envelope
from eventflow.log.commit import Commit, Delayed, OnClaim
from eventflow.log.connection import is_passing
from eventflow.log.consume import MAX_DEATHS, Delivery
from eventflow.log.jobs import JobLog
from eventflow.log.parked import parked_delivery, reason_of, waiting_work
from eventflow.log.records import Cause, JobRecord, Settlement
from eventflow.runtime.failure import (
    MAX_DELIVERIES,
    ArtefactMissing,
    ResourceError,
    RetryPolicy,
    StorageStepError,
    failure_of,
    is_final,
)
from eventflow.runtime.held import Held
from eventflow.runtime.reaction import Group, log_context
from eventflow.topics import TOPIC_OF

P = ParamSpec("P")
T = TypeVar("T")
_LOG = structlog.get_logger()

#: Why an entry is parked that comes again and again, though nobody dies of it.
NEVER_SETTLED = (
    f"delivered {MAX_DELIVERIES} times without being settled: its workers stand still for longer than their lease, "
    "or can't write what comes of it"
)
#: How often a delivery is tried that goes wrong without a failed step of its job: in what is no step, or in the log.
_TRIES = 3
#: If the job is being cancelled, a settlement may be of the last delivery that anybody holds: it has to say the end.
CONFIRM = ConfirmCancellation()


@frozen
class Endings:
    """Time and randomness are passed in. `strained` hears of steps for which this machine had too little."""

    group: Group
    log: JobLog
    retry: RetryPolicy
    clock: Callable[[], datetime]
    random: Random
    strained: Callable[[Failure], None] = lambda _: None

    async def execute(
        self,
        envelope: Envelope,
        cause: Cause,
        settlement: Settlement,
        commands: Sequence[Command],
        record: JobRecord,
    ) -> JobRecord:
        after = await self.patiently(
            self.log.execute, envelope.job_id, commands, cause, record=record, settlement=settlement
        )
        return after or record

    async def failed(
        self,
        held: Held,
        envelope: Envelope,
        record: JobRecord,
        work: Work | None,
        cause: Cause,
        failure: Failure,
        error: Exception,
    ) -> None:
        """StepFailed, the delayed retry and the settlement are one commit.

        What is no step of the job fails without it: see `_failed_aside`.
        """
        note(self.group, held, "step failed", level="warning", code=failure.code, error=failure.message, exc_info=error)
        if failure.category is FailureCategory.RESOURCE and not is_final(error):
            self.strained(failure)
        if work is None:
            await self._failed_aside(held, envelope, record, cause, error)
            return
        attempt = record.job.failed_attempts(work.step, work.scene, work.run) + 1
        retry_at = self.retry.retry_at(self.clock(), attempt, self.random, error)
        command: Command = FailStep(work.step, work.scene, work.run, failure, retry_at)
        if isinstance(error, ArtefactMissing):
            command = ReportLostArtefact(work.step, work.scene, work.run, error.keys)
        settlement = Settlement(
            held.delivery.claim,
            settling_of(held.delivery),
            lambda events: self._delayed(held, envelope, events),
        )
        await self.execute(envelope, cause, settlement, [command, CONFIRM], record)

    async def _failed_aside(
        self, held: Held, envelope: Envelope, record: JobRecord, cause: Cause, error: Exception
    ) -> None:
        """What is no step of the job waits for a store, or a machine with room, for as long as there is none: it isn't
        the delivery's fault.

        After any other failure the entry is left to its lease and tried again, until it has had its deliveries.
        """
        claim = held.delivery.claim
        if isinstance(error, StorageStepError | ResourceError) and error.retryable:
            due = self.retry.retry_at(self.clock(), _TRIES, self.random, error) or self.clock()
            again = (self._again(held, envelope, due),)
            settlement = Settlement(claim, settling_of(held.delivery), lambda _: again)
            await self.execute(envelope, cause, settlement, [CONFIRM], record)
        elif claim.count >= _TRIES:
            await self.park(held, error)
        else:
            await self._let_go(held)

    def _delayed(self, held: Held, envelope: Envelope, events: Sequence[ev.Event]) -> tuple[Delayed, ...]:
        again = next((e for e in events if isinstance(e, ev.StepFailed) and e.retry_at), None)
        if again is None or again.retry_at is None:
            return ()
        return (self._again(held, envelope, again.retry_at),)

    def _again(self, held: Held, envelope: Envelope, due: datetime) -> Delayed:
        target = held.member.keys.retry(self.group.name, TOPIC_OF[type(envelope.event)])
        return Delayed(int(due.timestamp() * 1000), target, self.log.codec.encode(envelope).decode())

    async def without_work(self, held: Held, envelope: Envelope, record: JobRecord) -> None:
        settlement = Settlement(held.delivery.claim, settling_of(held.delivery))
        cause = cause_of(envelope, envelope.traceparent)
        await self.execute(envelope, cause, settlement, [CONFIRM], record)

    async def gave_up(self, held: Held, envelope: Envelope, record: JobRecord, work: Work | None) -> None:
        message = f"{MAX_DEATHS} workers have begun it and died of it, or were killed, before it was settled"
        error = ResourceError("delivery_limit", message, retryable=False)
        cause = cause_of(envelope, envelope.traceparent)
        await self.failed(held, envelope, record, work, cause, failure_of(error), error)

    async def park(self, held: Held, error: Exception) -> None:
        """Set aside what nobody here can handle, with what is needed to understand it and to send it again."""
        claim = held.delivery.claim
        parked = (parked_delivery(held.delivery, error, self.clock()),)
        on_claim, envelope = settling_of(held.delivery), held.envelope
        work = waiting_work(self.group.name, envelope) if envelope else None
        record = await self._readable(envelope) if envelope and work else None
        if envelope and work and record:
            command = ParkStep(work.step, work.scene, work.run, reason_of(error))
            settlement, cause = Settlement(claim, on_claim, parked=parked), cause_of(envelope, envelope.traceparent)
            await self.execute(envelope, cause, settlement, [command, CONFIRM], record)
        else:
            job_id = envelope.job_id if envelope else "-"
            commit = Commit(held.member.keys, job_id, claim=claim, on_claim=on_claim, parked=parked)
            await self.patiently(self.log.committer.commit, commit)
        note(self.group, held, "delivery parked", level="error", error=str(error))

    async def _readable(self, envelope: Envelope) -> JobRecord | None:
        """The job, or None where the log doesn't have it, lacks this event of it, or holds what we can't read."""
        try:
            record = await self.patiently(self.log.load, envelope.job_id)
        except (DecodeError, DomainError, LookupError):
            return None
        return record if record and record.version >= envelope.seq else None

    async def left_unsettled(self, held: Held, error: Exception) -> None:
        """A delivery went wrong in a way that nobody foresaw: the entry comes back after its lease, and is parked when
        that has happened often enough. Doesn't raise."""
        note(self.group, held, "delivery left unsettled", level="error", exc_info=error)
        try:
            if held.delivery.claim.count >= _TRIES:
                await self.park(held, error)
            else:
                await self._let_go(held)
        except Exception as worse:
            note(self.group, held, "entry left to its lease", level="warning", error=str(worse))

    async def _let_go(self, held: Held) -> None:
        """Say that this worker is alive, if the server hears it: else the delivery may count as its death."""
        await held.member.let_go(held.delivery.claim)

    async def patiently(self, action: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Try again while the server can't be reached or takes no writes: finished work is worth waiting for."""
        delay = 0.05
        while True:
            try:
                return await action(*args, **kwargs)
            except Exception as error:
                if not is_passing(error):
                    raise
                _LOG.warning("log unreachable", error=str(error), group=self.group.name)
                await asyncio.sleep(delay * self.random.uniform(0.5, 1.0))
                delay = min(2.0, delay * 2)


def note(group: Group, held: Held, message: str, *, level: str = "info", **context: Any) -> None:
    """A line about a delivery, with what is known of its job."""
    known = log_context(held.envelope, group.name) if held.envelope else {"group": group.name}
    getattr(_LOG, level)(message, **known, **context)


def cause_of(envelope: Envelope, traceparent: str) -> Cause:
    return Cause(envelope.owner, envelope.correlation_id, envelope.id, traceparent)


def settling_of(delivery: Delivery) -> OnClaim:
    return "discard" if delivery.retried else "settle"
