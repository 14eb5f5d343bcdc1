"""One delivery from its bytes to its settlement: decode, fold, run the handler, commit; or fail, delay, dead-letter.

The order matters: entries that can't be decoded are dead-lettered, work that is done already is settled, and only then
does a handler run. Whatever happens, an entry is settled in the same commit as the events that it led to, or not at
all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from random import Random
from time import perf_counter
from typing import Any, ParamSpec, TypeVar

import msgspec
import structlog
from attrs import frozen

from eventflow.backoff import Backoff
from eventflow.domain import events as ev
from eventflow.domain.commands import Command, ConfirmCancellation, DeadLetterStep, FailStep, ReportLostArtefact
from eventflow.domain.envelope import Envelope
from eventflow.domain.errors import DomainError
from eventflow.domain.topics import TOPIC_OF
from eventflow.domain.values import Failure, FailureCategory, Work
from eventflow.domain.work import still_due, work_of
from eventflow.log.codec import DecodeError
from eventflow.log.commit import Commit, Delayed, OnClaim
from eventflow.log.connection import is_transient
from eventflow.log.consumer import MAX_DEATHS, Delivery
from eventflow.log.dead_letters import dead_letter_of, reason_of, waiting_work
from eventflow.log.errors import HistoryLost, LeaseLost
from eventflow.log.event_store import Cause, JobEventStore, JobRecord, Settlement
from eventflow.runtime.context import Group, Handler, StepContext, log_context
from eventflow.runtime.loops import FIRST_PAUSE_S, LONGEST_PAUSE_S
from eventflow.runtime.retry_policy import (
    MAX_DELIVERIES,
    TIMED_OUT,
    ArtefactMissing,
    ResourceError,
    RetryPolicy,
    StorageStepError,
    failure_of,
    is_final,
)
from eventflow.runtime.slots import InFlight, StopReason
from eventflow.telemetry.tracing import Tracing, failed

P = ParamSpec("P")
T = TypeVar("T")
_LOG = structlog.get_logger()

#: The reason of a dead letter whose entry was delivered again and again, though no worker died of it.
NEVER_SETTLED = (
    f"delivered {MAX_DELIVERIES} times without being settled: its workers stand still for longer than their lease, "
    "or can't write what comes of it"
)
#: Tries of a delivery that fails outside of a step of its job: in an event that is no step, or in the log.
_TRIES = 3
#: Part of every settlement: if the job is being cancelled, this may be its last delivery, which has to end it.
CONFIRM = ConfirmCancellation()


@frozen(kw_only=True)
class Outcomes:
    """The ways in which a delivery ends, each one commit together with the settlement of its entry.

    `on_shortage` is called with the failure of a step for which this machine had too little disk or memory.
    """

    group: Group
    log: JobEventStore
    retry: RetryPolicy
    clock: Callable[[], datetime]
    random: Random
    on_shortage: Callable[[Failure], None] = lambda _: None

    async def execute(
        self,
        envelope: Envelope,
        cause: Cause,
        settlement: Settlement,
        commands: Sequence[Command],
        record: JobRecord,
    ) -> JobRecord:
        """Decide on `commands` and commit, however long that takes. Raises LeaseLost and HistoryLost."""
        after = await self.retry_until_available(
            self.log.execute, envelope.job_id, commands, cause, record=record, settlement=settlement
        )
        return after or record

    async def failed(
        self,
        in_flight: InFlight,
        envelope: Envelope,
        record: JobRecord,
        work: Work | None,
        cause: Cause,
        failure: Failure,
        error: Exception,
    ) -> None:
        """Commit StepFailed with the settlement and the delayed retry, if there is one.

        A delivery that is no step of the job (`work` None) fails without an event.
        """
        log_delivery(
            self.group,
            in_flight,
            "step failed",
            level="warning",
            code=failure.code,
            error=failure.message,
            exc_info=error,
        )
        if failure.category is FailureCategory.RESOURCE and not is_final(error):
            self.on_shortage(failure)
        if work is None:
            await self._failed_without_step(in_flight, envelope, record, cause, error)
            return
        attempt = record.job.failed_attempts(work.step, work.scene, work.run) + 1
        retry_at = self.retry.retry_at(self.clock(), attempt, self.random, error)
        command: Command = FailStep(step=work.step, scene=work.scene, run=work.run, failure=failure, retry_at=retry_at)
        if isinstance(error, ArtefactMissing):
            command = ReportLostArtefact(step=work.step, scene=work.scene, run=work.run, keys=error.keys)
        settlement = Settlement(
            claim=in_flight.delivery.claim,
            on_claim=settling_of(in_flight.delivery),
            retry=lambda events: self._delayed(in_flight, envelope, events),
        )
        await self.execute(envelope, cause, settlement, [command, CONFIRM], record)

    async def _failed_without_step(
        self, in_flight: InFlight, envelope: Envelope, record: JobRecord, cause: Cause, error: Exception
    ) -> None:
        """Delay the delivery for as long as a store or this machine lacks something: that isn't the delivery's fault.

        After any other failure the entry comes back after its lease, until it has had its tries.
        """
        claim = in_flight.delivery.claim
        if isinstance(error, StorageStepError | ResourceError) and error.retryable:
            due = self.retry.retry_at(self.clock(), _TRIES, self.random, error) or self.clock()
            delayed = (self._delay(in_flight, envelope, due),)
            settlement = Settlement(claim=claim, on_claim=settling_of(in_flight.delivery), retry=lambda _: delayed)
            await self.execute(envelope, cause, settlement, [CONFIRM], record)
        elif claim.count >= _TRIES:
            await self.dead_letter(in_flight, error)
        else:
            await self._let_go(in_flight)

    def _delayed(self, in_flight: InFlight, envelope: Envelope, events: Sequence[ev.Event]) -> tuple[Delayed, ...]:
        retried = next((e for e in events if isinstance(e, ev.StepFailed) and e.retry_at), None)
        if retried is None or retried.retry_at is None:
            return ()
        return (self._delay(in_flight, envelope, retried.retry_at),)

    def _delay(self, in_flight: InFlight, envelope: Envelope, due: datetime) -> Delayed:
        target = in_flight.member.keys.retry(self.group.name, TOPIC_OF[type(envelope.event)])
        return Delayed(int(due.timestamp() * 1000), target, self.log.codec.encode(envelope).decode())

    async def settle_without_work(self, in_flight: InFlight, envelope: Envelope, record: JobRecord) -> None:
        """Settle a delivery whose work is no longer due."""
        settlement = Settlement(claim=in_flight.delivery.claim, on_claim=settling_of(in_flight.delivery))
        cause = cause_of(envelope, envelope.traceparent)
        await self.execute(envelope, cause, settlement, [CONFIRM], record)

    async def delivery_limit_reached(
        self, in_flight: InFlight, envelope: Envelope, record: JobRecord, work: Work | None
    ) -> None:
        """Fail the step of a delivery of which workers died, for good."""
        message = f"{MAX_DEATHS} workers have begun it and died of it, or were killed, before it was settled"
        error = ResourceError("delivery_limit", message, retryable=False)
        cause = cause_of(envelope, envelope.traceparent)
        await self.failed(in_flight, envelope, record, work, cause, failure_of(error), error)

    async def dead_letter(self, in_flight: InFlight, error: Exception) -> None:
        """Move an entry that no worker can handle to the dead letters, with what an operator needs to redrive it."""
        claim = in_flight.delivery.claim
        letters = (dead_letter_of(in_flight.delivery, error, self.clock()),)
        on_claim, envelope = settling_of(in_flight.delivery), in_flight.envelope
        work = waiting_work(self.group.name, envelope) if envelope else None
        record = await self._readable(envelope) if envelope and work else None
        if envelope and work and record:
            command = DeadLetterStep(step=work.step, scene=work.scene, run=work.run, reason=reason_of(error))
            settlement = Settlement(claim=claim, on_claim=on_claim, dead_letters=letters)
            cause = cause_of(envelope, envelope.traceparent)
            await self.execute(envelope, cause, settlement, [command, CONFIRM], record)
        else:
            job_id = envelope.job_id if envelope else "-"
            commit = Commit(
                keys=in_flight.member.keys, job_id=job_id, claim=claim, on_claim=on_claim, dead_letters=letters
            )
            await self.retry_until_available(self.log.committer.commit, commit)
        log_delivery(self.group, in_flight, "delivery dead-lettered", level="error", error=str(error))

    async def _readable(self, envelope: Envelope) -> JobRecord | None:
        """Return the job, or None if its history is missing, lacks this event, or can't be read."""
        try:
            record = await self.retry_until_available(self.log.load, envelope.job_id)
        except (DecodeError, DomainError, LookupError):
            return None
        return record if record and record.version >= envelope.seq else None

    async def left_unsettled(self, in_flight: InFlight, error: Exception) -> None:
        """Let an entry with an unforeseen error come back after its lease, or dead-letter it after its tries.

        Doesn't raise.
        """
        log_delivery(self.group, in_flight, "delivery left unsettled", level="error", exc_info=error)
        try:
            if in_flight.delivery.claim.count >= _TRIES:
                await self.dead_letter(in_flight, error)
            else:
                await self._let_go(in_flight)
        except Exception as worse:
            log_delivery(self.group, in_flight, "entry left to its lease", level="warning", error=str(worse))

    async def _let_go(self, in_flight: InFlight) -> None:
        """Record that this worker is alive, if the server can be reached: else the delivery may count as its death."""
        await in_flight.member.abandon(in_flight.delivery.claim)

    async def retry_until_available(self, action: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `action` until the server can be reached and takes writes: finished work is worth waiting for."""
        backoff = Backoff(first_s=FIRST_PAUSE_S, longest_s=LONGEST_PAUSE_S, random=self.random)
        while True:
            try:
                return await action(*args, **kwargs)
            except Exception as error:
                if not is_transient(error):
                    raise
                _LOG.warning("log unreachable", error=str(error), group=self.group.name)
                await asyncio.sleep(backoff.next_s())


def log_delivery(group: Group, in_flight: InFlight, message: str, *, level: str = "info", **context: Any) -> None:
    """Log `message` about a delivery, with the fields of its step."""
    known = log_context(in_flight.envelope, group.name) if in_flight.envelope else {"group": group.name}
    getattr(_LOG, level)(message, **known, **context)


def cause_of(envelope: Envelope, traceparent: str) -> Cause:
    """Return the cause of the events that follow from `envelope`, in the trace of `traceparent`."""
    return Cause(
        owner=envelope.owner, correlation_id=envelope.correlation_id, causation_id=envelope.id, traceparent=traceparent
    )


def settling_of(delivery: Delivery) -> OnClaim:
    """Return how a delivery's entry is settled: entries of retry streams are for one group, and are deleted."""
    return "discard" if delivery.retried else "settle"


class _FinalCommit(msgspec.Struct, frozen=True, kw_only=True):
    """The commit that settles a delivery: what it is made from, should it have to be made again."""

    envelope: Envelope
    cause: Cause
    settlement: Settlement
    commands: Sequence[Command]
    record: JobRecord
    started: float


@frozen(kw_only=True)
class Executor:
    """Runs deliveries of one group.

    `on_finished` is called once for each delivery, when nothing remains to be done for it here; `on_unfinished` for one
    whose final commit wasn't taken as it was, and which therefore has to run again.
    """

    group: Group
    log: JobEventStore
    outcomes: Outcomes
    tracing: Tracing
    log_settled: bool
    on_finished: Callable[[InFlight], None]
    on_unfinished: Callable[[InFlight], None]

    async def run(self, in_flight: InFlight) -> None:
        """Run a delivery to its end, or to its final commit, which isn't waited for.

        Raises nothing but the cancellation of the slot itself: errors are logged, and the entry comes back after its
        lease.
        """
        try:
            await self._run_or_dead_letter(in_flight)
        except LeaseLost:
            self._lease_lost(in_flight)
        except asyncio.CancelledError:
            if in_flight.stop_reason is None:
                raise
            task = asyncio.current_task()
            if task is not None:
                task.uncancel()
            await self._finish_stopped(in_flight)
        except Exception as error:
            await self.outcomes.left_unsettled(in_flight, error)
        finally:
            if not in_flight.settling or in_flight.recommit is not None:
                self.on_finished(in_flight)

    async def _run_or_dead_letter(self, in_flight: InFlight) -> None:
        try:
            try:
                await self._resume(in_flight)
            except HistoryLost as error:  # the history that the step was based on may be wrong: start over
                if in_flight.stop_reason is not None:
                    raise
                message = "history lost; the step starts over"
                log_delivery(self.group, in_flight, message, level="warning", error=str(error))
                in_flight.recommit, in_flight.settling = None, False
                await self._start(in_flight, first=False)
        except (DecodeError, DomainError, LookupError) as error:
            await self.outcomes.dead_letter(in_flight, error)

    async def _resume(self, in_flight: InFlight) -> None:
        if in_flight.recommit is not None:
            await in_flight.recommit()
        elif in_flight.stop_reason is None:
            await self._start(in_flight, first=in_flight.delivery.first)
        else:
            await self._stopped(in_flight)

    async def _start(self, in_flight: InFlight, *, first: bool) -> None:
        envelope = in_flight.envelope or self.log.codec.decode(in_flight.delivery.payload or b"")
        in_flight.envelope = envelope
        handler = self.group.handlers.get(type(envelope.event))
        if handler is None:
            raise DecodeError(f"group {self.group.name} has no handler for {envelope.type}")
        delivery, outcomes = in_flight.delivery, self.outcomes
        record = self.log.known_at(envelope) if first else None
        if record is None:
            record = await outcomes.retry_until_available(self._fold, envelope, first=first)
        work = work_of(envelope.event)
        if work is not None and not still_due(record.job, work):
            await outcomes.settle_without_work(in_flight, envelope, record)
        elif delivery.deaths >= MAX_DEATHS:
            await outcomes.delivery_limit_reached(in_flight, envelope, record, work)
        elif delivery.claim.count > MAX_DELIVERIES:
            await outcomes.dead_letter(in_flight, RuntimeError(NEVER_SETTLED))
        elif delivery.claim.count == 1 or await outcomes.retry_until_available(in_flight.member.begin, delivery.claim):
            await self._handle(in_flight, envelope, record, work, handler)
        else:
            raise LeaseLost(f"entry {delivery.claim.entry_id} is no longer ours")

    async def _fold(self, envelope: Envelope, *, first: bool) -> JobRecord:
        """Fold the job: a first delivery may use the cache; a later one reads what earlier ones have committed."""
        if first:
            return await self.log.at_event(envelope)
        record = await self.log.load(envelope.job_id)
        if record is None or record.version < envelope.seq:
            raise LookupError(f"job {envelope.job_id} has no event {envelope.seq}")
        return record

    async def _handle(
        self, in_flight: InFlight, envelope: Envelope, record: JobRecord, work: Work | None, handler: Handler
    ) -> None:
        started = perf_counter()
        with self.tracing.step(envelope, self.group.name) as (traceparent, span):
            cause = cause_of(envelope, traceparent)
            commit_more = partial(self._commit_more, in_flight, envelope, cause)
            context = in_flight.context = StepContext(
                envelope=envelope, record=record, work=work, group=self.group.name, commit=commit_more
            )
            in_flight.handler_started = started
            try:
                commands = await _called(handler, context, in_flight)
            except (LeaseLost, HistoryLost):
                raise
            except Exception as error:
                failure = failure_of(error) if in_flight.stop_reason is not StopReason.TIMED_OUT else TIMED_OUT
                failed(span, failure.message)
                await self.outcomes.failed(in_flight, envelope, context.record, work, cause, failure, error)
                return
            finally:
                in_flight.handler_started = None
            settlement = Settlement(claim=in_flight.delivery.claim, on_claim=settling_of(in_flight.delivery))
            commit = _FinalCommit(
                envelope=envelope,
                cause=cause,
                settlement=settlement,
                commands=[*commands, CONFIRM],
                record=context.record,
                started=started,
            )
            answered = partial(self._answered, in_flight, commit)
            in_flight.settling = self.log.submit(commit.record, commit.commands, cause, settlement, answered)
            if not in_flight.settling:
                await self._recommit(in_flight, commit)

    def _answered(
        self, in_flight: InFlight, commit: _FinalCommit, after: JobRecord | None, error: Exception | None
    ) -> None:
        """Finish a delivery whose final commit was answered. Most commits are taken; a refused one needs a slot."""
        if after is not None:
            self._settled(in_flight, commit, after)
        elif isinstance(error, LeaseLost):
            self._lease_lost(in_flight)
        else:
            in_flight.recommit = partial(self._recommit, in_flight, commit)
            self.on_unfinished(in_flight)
            return
        self.on_finished(in_flight)

    async def _recommit(self, in_flight: InFlight, commit: _FinalCommit) -> None:
        """Decide again on the job as it stands now, and wait for the commit."""
        after = await self.outcomes.execute(
            commit.envelope, commit.cause, commit.settlement, commit.commands, commit.record
        )
        self._settled(in_flight, commit, after)

    def _settled(self, in_flight: InFlight, commit: _FinalCommit, after: JobRecord) -> None:
        if self.log_settled:
            stage_ms = round((perf_counter() - commit.started) * 1000, 1)
            count = in_flight.delivery.claim.count
            log_delivery(
                self.group, in_flight, "step settled", stage_ms=stage_ms, version=after.version, delivery_count=count
            )

    async def _commit_more(
        self, in_flight: InFlight, envelope: Envelope, cause: Cause, commands: Sequence[Command], record: JobRecord
    ) -> JobRecord:
        in_flight.committing = True
        try:
            settlement = Settlement(claim=in_flight.delivery.claim)
            return await self.outcomes.execute(envelope, cause, settlement, commands, record)
        finally:
            in_flight.committing = False

    async def _finish_stopped(self, in_flight: InFlight) -> None:
        """Run the final commit of a stopped delivery; log failures, never raise: the entry comes back then."""
        try:
            await self._stopped(in_flight)
        except LeaseLost:
            self._lease_lost(in_flight)
        except Exception as error:
            await self.outcomes.left_unsettled(in_flight, error)

    async def _stopped(self, in_flight: InFlight) -> None:
        """Commit what follows from a stop; the handler, if it had started, has cleaned up."""
        envelope, context, reason = in_flight.envelope, in_flight.context, in_flight.stop_reason
        if reason in (StopReason.JOB_CANCELLED, StopReason.TIMED_OUT) and envelope is not None:
            record = await self.outcomes.retry_until_available(self.log.load, envelope.job_id)
            if context is not None and reason is StopReason.TIMED_OUT:
                cause, late = cause_of(envelope, envelope.traceparent), TimeoutError(TIMED_OUT.message)
                known = record or context.record
                await self.outcomes.failed(in_flight, envelope, known, context.work, cause, TIMED_OUT, late)
            elif record is not None:
                await self.outcomes.settle_without_work(in_flight, envelope, record)
        log_delivery(self.group, in_flight, "step stopped", reason=reason.value if reason else "cancelled")

    def _lease_lost(self, in_flight: InFlight) -> None:
        log_delivery(self.group, in_flight, "lease lost; this delivery commits nothing more")


async def _called(handler: Handler, context: StepContext, in_flight: InFlight) -> Sequence[Command]:
    """Call the handler. A cancellation that nobody asked for is a failure of something that the step awaited."""
    try:
        return await handler(context)
    except asyncio.CancelledError as error:
        slot = asyncio.current_task()
        if in_flight.stop_reason is not None or (slot is not None and slot.cancelling()):
            raise
        raise RuntimeError("something that the step waited for was cancelled, though the step was not") from error
