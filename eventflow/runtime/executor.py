"""One delivery from its bytes to its settlement: decode, fold, react, commit; or fail, delay, dead-letter.

How a delivery ends when it isn't simply done: failed, put off, parked, given up, or settled without work.

Each ending is one commit, together with the settlement of the entry.

One delivery from its bytes to its settlement: decode, fold, react, commit; or fail, park, give up.

The order matters: what can't be understood is parked, what is done already is settled, and only then does a
handler run. Whatever happens, the entry is settled in the same commit as what it led to, or not at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from random import Random
from time import perf_counter
from typing import Any, ParamSpec, TypeVar

import structlog
from attrs import frozen

from eventflow.domain import events as ev
from eventflow.domain._records import frozen_record
from eventflow.domain.commands import Command, ConfirmCancellation, FailStep, ParkStep, ReportLostArtefact
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
class Outcomes:
    """Time and randomness are passed in. `strained` hears of steps for which this machine had too little."""

    group: Group
    log: JobEventStore
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
        held: InFlight,
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
            claim=held.delivery.claim,
            on_claim=settling_of(held.delivery),
            retry=lambda events: self._delayed(held, envelope, events),
        )
        await self.execute(envelope, cause, settlement, [command, CONFIRM], record)

    async def _failed_aside(
        self, held: InFlight, envelope: Envelope, record: JobRecord, cause: Cause, error: Exception
    ) -> None:
        """What is no step of the job waits for a store, or a machine with room, for as long as there is none: it isn't
        the delivery's fault.

        After any other failure the entry is left to its lease and tried again, until it has had its deliveries.
        """
        claim = held.delivery.claim
        if isinstance(error, StorageStepError | ResourceError) and error.retryable:
            due = self.retry.retry_at(self.clock(), _TRIES, self.random, error) or self.clock()
            again = (self._again(held, envelope, due),)
            settlement = Settlement(claim=claim, on_claim=settling_of(held.delivery), retry=lambda _: again)
            await self.execute(envelope, cause, settlement, [CONFIRM], record)
        elif claim.count >= _TRIES:
            await self.park(held, error)
        else:
            await self._let_go(held)

    def _delayed(self, held: InFlight, envelope: Envelope, events: Sequence[ev.Event]) -> tuple[Delayed, ...]:
        again = next((e for e in events if isinstance(e, ev.StepFailed) and e.retry_at), None)
        if again is None or again.retry_at is None:
            return ()
        return (self._again(held, envelope, again.retry_at),)

    def _again(self, held: InFlight, envelope: Envelope, due: datetime) -> Delayed:
        target = held.member.keys.retry(self.group.name, TOPIC_OF[type(envelope.event)])
        return Delayed(int(due.timestamp() * 1000), target, self.log.codec.encode(envelope).decode())

    async def without_work(self, held: InFlight, envelope: Envelope, record: JobRecord) -> None:
        settlement = Settlement(claim=held.delivery.claim, on_claim=settling_of(held.delivery))
        cause = cause_of(envelope, envelope.traceparent)
        await self.execute(envelope, cause, settlement, [CONFIRM], record)

    async def gave_up(self, held: InFlight, envelope: Envelope, record: JobRecord, work: Work | None) -> None:
        message = f"{MAX_DEATHS} workers have begun it and died of it, or were killed, before it was settled"
        error = ResourceError("delivery_limit", message, retryable=False)
        cause = cause_of(envelope, envelope.traceparent)
        await self.failed(held, envelope, record, work, cause, failure_of(error), error)

    async def park(self, held: InFlight, error: Exception) -> None:
        """Set aside what nobody here can handle, with what is needed to understand it and to send it again."""
        claim = held.delivery.claim
        letters = (dead_letter_of(held.delivery, error, self.clock()),)
        on_claim, envelope = settling_of(held.delivery), held.envelope
        work = waiting_work(self.group.name, envelope) if envelope else None
        record = await self._readable(envelope) if envelope and work else None
        if envelope and work and record:
            command = ParkStep(work.step, work.scene, work.run, reason_of(error))
            settlement = Settlement(claim=claim, on_claim=on_claim, dead_letters=letters)
            cause = cause_of(envelope, envelope.traceparent)
            await self.execute(envelope, cause, settlement, [command, CONFIRM], record)
        else:
            job_id = envelope.job_id if envelope else "-"
            commit = Commit(keys=held.member.keys, job_id=job_id, claim=claim, on_claim=on_claim, dead_letters=letters)
            await self.patiently(self.log.committer.commit, commit)
        note(self.group, held, "delivery parked", level="error", error=str(error))

    async def _readable(self, envelope: Envelope) -> JobRecord | None:
        """The job, or None where the log doesn't have it, lacks this event of it, or holds what we can't read."""
        try:
            record = await self.patiently(self.log.load, envelope.job_id)
        except (DecodeError, DomainError, LookupError):
            return None
        return record if record and record.version >= envelope.seq else None

    async def left_unsettled(self, held: InFlight, error: Exception) -> None:
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

    async def _let_go(self, held: InFlight) -> None:
        """Say that this worker is alive, if the server hears it: else the delivery may count as its death."""
        await held.member.abandon(held.delivery.claim)

    async def patiently(self, action: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Try again while the server can't be reached or takes no writes: finished work is worth waiting for."""
        delay = 0.05
        while True:
            try:
                return await action(*args, **kwargs)
            except Exception as error:
                if not is_transient(error):
                    raise
                _LOG.warning("log unreachable", error=str(error), group=self.group.name)
                await asyncio.sleep(delay * self.random.uniform(0.5, 1.0))
                delay = min(2.0, delay * 2)


def note(group: Group, held: InFlight, message: str, *, level: str = "info", **context: Any) -> None:
    """A line about a delivery, with what is known of its job."""
    known = log_context(held.envelope, group.name) if held.envelope else {"group": group.name}
    getattr(_LOG, level)(message, **known, **context)


def cause_of(envelope: Envelope, traceparent: str) -> Cause:
    return Cause(
        owner=envelope.owner, correlation_id=envelope.correlation_id, causation_id=envelope.id, traceparent=traceparent
    )


def settling_of(delivery: Delivery) -> OnClaim:
    return "discard" if delivery.retried else "settle"


@frozen_record
class _Last:
    """The commit that settles a delivery: what it was made from, in case it has to be made again."""

    envelope: Envelope
    cause: Cause
    settlement: Settlement
    commands: Sequence[Command]
    record: JobRecord
    began: float


@frozen
class Executor:
    """Runs deliveries of one group.

    `finished` hears of each delivery once, when nothing is left to do for it here; `unfinished` of one whose last
    commit wasn't taken as it was, and which therefore has to be run again.
    """

    group: Group
    log: JobEventStore
    endings: Outcomes
    tracing: Tracing
    says_settled: bool
    finished: Callable[[InFlight], None]
    unfinished: Callable[[InFlight], None]

    async def run(self, held: InFlight) -> None:
        """See `held` to its end, or to its last commit, which is not waited for.

        Never raises, but for the cancellation of the slot itself: what goes wrong is logged, and the entry comes back
        after its lease.
        """
        try:
            await self._do_or_park(held)
        except LeaseLost:
            note(self.group, held, "lease lost; this delivery commits nothing more")
        except asyncio.CancelledError:
            if held.ending is None:
                raise
            task = asyncio.current_task()
            if task is not None:
                task.uncancel()
            await self._last(held, self._ended(held))
        except Exception as error:
            await self.endings.left_unsettled(held, error)
        finally:
            if not held.settling or held.left_over is not None:
                self.finished(held)

    async def _do_or_park(self, held: InFlight) -> None:
        try:
            try:
                await self._do(held)
            except HistoryLost as error:  # all that it was based on may be wrong: from the beginning, by what is there
                if held.ending is not None:
                    raise
                note(self.group, held, "history lost; the step begins anew", level="warning", error=str(error))
                held.left_over, held.settling = None, False
                await self._run(held, first=False)
        except (DecodeError, DomainError, LookupError) as error:
            await self.endings.park(held, error)

    async def _do(self, held: InFlight) -> None:
        if held.left_over is not None:
            await held.left_over()
        elif held.ending is None:
            await self._run(held, first=held.delivery.first)
        else:
            await self._ended(held)

    async def _run(self, held: InFlight, *, first: bool) -> None:
        envelope = held.envelope or self.log.codec.decode(held.delivery.payload or b"")
        held.envelope = envelope
        handler = self.group.handlers.get(type(envelope.event))
        if handler is None:
            raise DecodeError(f"group {self.group.name} has no handler for {envelope.type}")
        delivery = held.delivery
        record = self.log.known_at(envelope) if first else None
        if record is None:
            record = await self.endings.patiently(self._fold, envelope, first=first)
        work = work_of(envelope.event)
        if work is not None and not still_due(record.job, work):
            await self.endings.without_work(held, envelope, record)
        elif delivery.deaths >= MAX_DEATHS:
            await self.endings.gave_up(held, envelope, record, work)
        elif delivery.claim.count > MAX_DELIVERIES:
            await self.endings.park(held, RuntimeError(NEVER_SETTLED))
        elif delivery.claim.count == 1 or await self.endings.patiently(held.member.begin, delivery.claim):
            await self._react(held, envelope, record, work, handler)
        else:
            raise LeaseLost(f"entry {delivery.claim.entry_id} is no longer ours")

    async def _last(self, held: InFlight, words: Awaitable[None]) -> None:
        """What is said of a delivery that ended badly. If that goes wrong too, the entry comes back after its lease."""
        try:
            await words
        except LeaseLost:
            note(self.group, held, "lease lost; this delivery commits nothing more")
        except Exception as error:
            await self.endings.left_unsettled(held, error)

    async def _fold(self, envelope: Envelope, *, first: bool) -> JobRecord:
        """A first delivery can do with the cached job; a later one looks at what its predecessor has left."""
        if first:
            return await self.log.at_event(envelope)
        record = await self.log.load(envelope.job_id)
        if record is None or record.version < envelope.seq:
            raise LookupError(f"job {envelope.job_id} has no event {envelope.seq}")
        return record

    async def _react(
        self, held: InFlight, envelope: Envelope, record: JobRecord, work: Work | None, handler: Handler
    ) -> None:
        began = perf_counter()
        with self.tracing.step(envelope, self.group.name) as (traceparent, span):
            cause = cause_of(envelope, traceparent)
            commit_more = partial(self._commit_more, held, envelope, cause)
            reaction = held.reaction = StepContext(envelope, record, work, self.group.name, commit_more)
            held.began = began
            try:
                commands = await _handled(handler, reaction, held)
            except (LeaseLost, HistoryLost):
                raise
            except Exception as error:
                failure = failure_of(error) if held.ending is not StopReason.TIMED_OUT else TIMED_OUT
                failed(span, failure.message)
                await self.endings.failed(held, envelope, reaction.record, work, cause, failure, error)
                return
            finally:
                held.began = None
            settlement = Settlement(claim=held.delivery.claim, on_claim=settling_of(held.delivery))
            record, commands = reaction.record, [*commands, CONFIRM]
            last = _Last(envelope, cause, settlement, commands, record, began)
            answered = partial(self._answered, held, last)
            held.settling = self.log.submit(record, commands, cause, settlement, answered)
            if not held.settling:
                await self._insist(held, last)

    def _answered(self, held: InFlight, last: _Last, after: JobRecord | None, error: Exception | None) -> None:
        """What became of the last commit. Most are taken; what else can be done about the others needs a slot again."""
        if after is not None:
            self._settled(held, last, after)
        elif isinstance(error, LeaseLost):
            note(self.group, held, "lease lost; this delivery commits nothing more")
        else:
            held.left_over = partial(self._insist, held, last)
            self.unfinished(held)
            return
        self.finished(held)

    async def _insist(self, held: InFlight, last: _Last) -> None:
        """Decide again on the job as it stands now, and wait for the commit."""
        after = await self.endings.execute(last.envelope, last.cause, last.settlement, last.commands, last.record)
        self._settled(held, last, after)

    def _settled(self, held: InFlight, last: _Last, after: JobRecord) -> None:
        if self.says_settled:
            stage_ms = round((perf_counter() - last.began) * 1000, 1)
            count = held.delivery.claim.count
            note(self.group, held, "step settled", stage_ms=stage_ms, version=after.version, delivery_count=count)

    async def _commit_more(
        self, held: InFlight, envelope: Envelope, cause: Cause, commands: Sequence[Command], record: JobRecord
    ) -> JobRecord:
        held.committing = True
        try:
            return await self.endings.execute(envelope, cause, Settlement(claim=held.delivery.claim), commands, record)
        finally:
            held.committing = False

    async def _ended(self, held: InFlight) -> None:
        """The step was stopped from outside, and its handler, if it had begun, has cleaned up after itself."""
        envelope, reaction = held.envelope, held.reaction
        if held.ending in (StopReason.JOB_CANCELLED, StopReason.TIMED_OUT) and envelope is not None:
            record = await self.endings.patiently(self.log.load, envelope.job_id)
            if reaction is not None and held.ending is StopReason.TIMED_OUT:
                cause, late = cause_of(envelope, envelope.traceparent), TimeoutError(TIMED_OUT.message)
                await self.endings.failed(
                    held, envelope, record or reaction.record, reaction.work, cause, TIMED_OUT, late
                )
            elif record is not None:
                await self.endings.without_work(held, envelope, record)
        note(self.group, held, "step stopped", reason=held.ending.value if held.ending else "cancelled")


async def _handled(handler: Handler, reaction: StepContext, held: InFlight) -> Sequence[Command]:
    """What the handler answers. A cancellation that nobody has asked for is a failure of what it waited for."""
    try:
        return await handler(reaction)
    except asyncio.CancelledError as error:
        slot = asyncio.current_task()
        if held.ending is not None or (slot is not None and slot.cancelling()):
            raise
        raise RuntimeError("something that the step waited for was cancelled, though the step was not") from error
