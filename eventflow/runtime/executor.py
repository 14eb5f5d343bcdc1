"""One delivery from its bytes to its settlement: decode, fold, react, commit; or fail, park, give up.

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

from eventflow.codec import DecodeError
from eventflow.domain import events as ev
from eventflow.domain.carrier import carrier
from eventflow.domain.commands import Command, ConfirmCancellation, FailStep, ReportLostArtefact
from eventflow.domain.errors import DomainError
from eventflow.domain.values import Failure, FailureCategory
from eventflow.domain.work import Work, still_due, work_of
from eventflow.envelope import Envelope
from eventflow.log.commit import Commit, Delayed, OnClaim
from eventflow.log.connection import is_passing
from eventflow.log.consume import Delivery
from eventflow.log.errors import LeaseLost
from eventflow.log.jobs import JobLog
from eventflow.log.records import Cause, JobRecord, Settlement
from eventflow.runtime.failure import MAX_DELIVERIES, ArtefactMissing, RetryPolicy, failure_of
from eventflow.runtime.held import Ending, Held
from eventflow.runtime.parking import parked_entry
from eventflow.runtime.reaction import Group, Handler, Reaction, log_context
from eventflow.telemetry.tracing import Tracing, failed
from eventflow.topics import TOPIC_OF

P = ParamSpec("P")
T = TypeVar("T")
_LOG = structlog.get_logger()


#: If the job is being cancelled, a settlement may be of the last delivery that anybody holds: it has to say the end.
_CONFIRM = ConfirmCancellation()


@carrier
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
    """Runs deliveries of one group. Time, randomness, log and tracing are passed in.

    `finished` hears of each delivery once, when nothing is left to do for it here; `unfinished` of one whose last
    commit wasn't taken as it was, and which therefore has to be run again.
    """

    group: Group
    log: JobLog
    retry: RetryPolicy
    clock: Callable[[], datetime]
    random: Random
    tracing: Tracing
    says_settled: bool
    finished: Callable[[Held], None]
    unfinished: Callable[[Held], None]

    async def run(self, held: Held) -> None:
        """See `held` to its end, or to its last commit, which is not waited for.

        Never raises, but for the cancellation of the slot itself: what goes wrong is logged, and the entry comes back
        after its lease.
        """
        try:
            if held.left_over is not None:
                await held.left_over()
            elif held.ending is None:
                await self._run(held)
            else:
                await self._ended(held)
        except (DecodeError, DomainError, LookupError) as error:
            await self._last(held, self._park(held, error))
        except LeaseLost:
            self._note(held, "lease lost; this delivery commits nothing more")
        except asyncio.CancelledError:
            if held.ending is None:
                raise
            task = asyncio.current_task()
            if task is not None:
                task.uncancel()
            await self._last(held, self._ended(held))
        except Exception:
            self._note(held, "delivery left unsettled", level="error", exc_info=True)
        if not held.settling or held.left_over is not None:
            self.finished(held)

    async def _run(self, held: Held) -> None:
        envelope = held.envelope or self.log.codec.decode(held.delivery.payload or b"")
        held.envelope = envelope
        handler = self.group.handlers.get(type(envelope.event))
        if handler is None:
            raise DecodeError(f"group {self.group.name} has no handler for {envelope.type}")
        delivery = held.delivery
        record = self.log.known_at(envelope) if delivery.first else None
        if record is None:
            record = await self._patiently(self._fold, envelope, first=delivery.first)
        work = work_of(envelope.event)
        if work is not None and not still_due(record.job, work):
            await self._settle_without_work(held, envelope, record)
        elif delivery.claim.count > MAX_DELIVERIES:
            await self._gave_up(held, envelope, record, work)
        else:
            await self._react(held, envelope, record, work, handler)

    async def _last(self, held: Held, words: Awaitable[None]) -> None:
        """What is said of a delivery that ended badly. If that goes wrong too, the entry comes back after its lease."""
        try:
            await words
        except LeaseLost:
            self._note(held, "lease lost; this delivery commits nothing more")
        except Exception:
            self._note(held, "delivery left unsettled", level="error", exc_info=True)

    async def _fold(self, envelope: Envelope, *, first: bool) -> JobRecord:
        """A first delivery can do with the cached job; a later one looks at what its predecessor has left."""
        if first:
            return await self.log.at_event(envelope)
        record = await self.log.load(envelope.job_id)
        if record is None or record.version < envelope.seq:
            raise LookupError(f"job {envelope.job_id} has no event {envelope.seq}")
        return record

    async def _react(
        self, held: Held, envelope: Envelope, record: JobRecord, work: Work | None, handler: Handler
    ) -> None:
        began = perf_counter()
        with self.tracing.step(envelope, self.group.name) as (traceparent, span):
            cause = _cause(envelope, traceparent)
            commit_more = partial(self._commit_more, held, envelope, cause)
            reaction = held.reaction = Reaction(envelope, record, work, self.group.name, commit_more)
            try:
                commands = await handler(reaction)
            except LeaseLost:
                raise
            except Exception as error:
                failure = failure_of(error)
                failed(span, failure.message)
                await self._failed(held, envelope, reaction.record, work, cause, failure, error)
                return
            settlement = Settlement(held.delivery.claim, _settling(held.delivery))
            record, commands = reaction.record, [*commands, _CONFIRM]
            last = _Last(envelope, cause, settlement, commands, record, began)
            held.settling = True
            answered = partial(self._answered, held, last)
            if not self.log.offer(record, commands, cause, settlement, answered):
                held.settling = False
                await self._insist(held, last)

    def _answered(self, held: Held, last: _Last, after: JobRecord | None, error: Exception | None) -> None:
        """What became of the last commit. Most are taken; what else can be done about the others needs a slot again."""
        if after is not None:
            self._settled(held, last, after)
        elif isinstance(error, LeaseLost):
            self._note(held, "lease lost; this delivery commits nothing more")
        else:
            held.left_over = partial(self._insist, held, last)
            self.unfinished(held)
            return
        self.finished(held)

    async def _insist(self, held: Held, last: _Last) -> None:
        """Decide again on the job as it stands now, and wait for the commit."""
        after = await self._execute(last.envelope, last.cause, last.settlement, last.commands, last.record)
        self._settled(held, last, after)

    def _settled(self, held: Held, last: _Last, after: JobRecord) -> None:
        if self.says_settled:
            stage_ms = round((perf_counter() - last.began) * 1000, 1)
            count = held.delivery.claim.count
            self._note(held, "step settled", stage_ms=stage_ms, version=after.version, delivery_count=count)

    async def _commit_more(
        self, held: Held, envelope: Envelope, cause: Cause, commands: Sequence[Command], record: JobRecord
    ) -> JobRecord:
        return await self._execute(envelope, cause, Settlement(held.delivery.claim), commands, record)

    async def _execute(
        self,
        envelope: Envelope,
        cause: Cause,
        settlement: Settlement,
        commands: Sequence[Command],
        record: JobRecord,
    ) -> JobRecord:
        after = await self._patiently(
            self.log.execute, envelope.job_id, commands, cause, record=record, settlement=settlement
        )
        return after or record

    async def _failed(
        self,
        held: Held,
        envelope: Envelope,
        record: JobRecord,
        work: Work | None,
        cause: Cause,
        failure: Failure,
        error: Exception,
    ) -> None:
        """StepFailed, the delayed retry and the settlement are one commit."""
        self._note(held, "step failed", level="warning", code=failure.code, error=failure.message, exc_info=error)
        if work is None:
            await self._park(held, error)
            return
        attempt = record.job.failed_attempts(work.step, work.scene, work.run) + 1
        retry_at = self.retry.retry_at(self.clock(), attempt, self.random)
        command: Command = FailStep(work.step, work.scene, work.run, failure, retry_at)
        if isinstance(error, ArtefactMissing):
            command = ReportLostArtefact(work.step, work.scene, work.run, error.keys)
        settlement = Settlement(
            held.delivery.claim,
            _settling(held.delivery),
            lambda events: self._delayed(held, envelope, events),
        )
        await self._execute(envelope, cause, settlement, [command, _CONFIRM], record)

    def _delayed(self, held: Held, envelope: Envelope, events: Sequence[ev.Event]) -> tuple[Delayed, ...]:
        again = next((e for e in events if isinstance(e, ev.StepFailed) and e.retry_at), None)
        if again is None or again.retry_at is None:
            return ()
        target = held.member.keys.retry(self.group.name, TOPIC_OF[type(envelope.event)])
        due_ms = int(again.retry_at.timestamp() * 1000)
        return (Delayed(due_ms, target, self.log.codec.encode(envelope)),)

    async def _settle_without_work(self, held: Held, envelope: Envelope, record: JobRecord) -> None:
        settlement = Settlement(held.delivery.claim, _settling(held.delivery))
        cause = _cause(envelope, envelope.traceparent)
        await self._execute(envelope, cause, settlement, [_CONFIRM], record)

    async def _gave_up(self, held: Held, envelope: Envelope, record: JobRecord, work: Work | None) -> None:
        message = (
            f"delivered {MAX_DELIVERIES} times without being settled: the worker died of it or was killed each time"
        )
        failure = Failure(FailureCategory.RESOURCE, "delivery_limit", message)
        cause = _cause(envelope, envelope.traceparent)
        await self._failed(held, envelope, record, work, cause, failure, RuntimeError(message))

    async def _ended(self, held: Held) -> None:
        """The step was stopped from outside, and its handler, if it had begun, has cleaned up after itself."""
        if held.ending is Ending.JOB_CANCELLED and held.envelope is not None:
            record = await self._patiently(self.log.load, held.envelope.job_id)
            if record is not None:
                await self._settle_without_work(held, held.envelope, record)
        self._note(held, "step stopped", reason=held.ending.value if held.ending else "cancelled")

    async def _park(self, held: Held, error: Exception) -> None:
        """Set aside what nobody here can handle, with what is needed to understand it and to send it again."""
        claim = held.delivery.claim
        job_id = held.envelope.job_id if held.envelope else "-"
        parked = (parked_entry(held.delivery, self.clock(), error),)
        commit = Commit(held.member.keys, job_id, claim=claim, on_claim=_settling(held.delivery), parked=parked)
        await self._patiently(self.log.committer.commit, commit)
        self._note(held, "delivery parked", level="error", error=str(error))

    async def _patiently(self, action: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
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

    def _note(self, held: Held, message: str, *, level: str = "info", **context: Any) -> None:
        known = log_context(held.envelope, self.group.name) if held.envelope else {"group": self.group.name}
        getattr(_LOG, level)(message, **known, **context)


def _cause(envelope: Envelope, traceparent: str) -> Cause:
    return Cause(envelope.owner, envelope.correlation_id, envelope.id, traceparent)


def _settling(delivery: Delivery) -> OnClaim:
    return "discard" if delivery.retried else "settle"
