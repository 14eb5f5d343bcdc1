"""One delivery from its bytes to its settlement: decode, fold, react, commit; or fail, park, give up.

The order matters: what can't be understood is parked, what is done already is settled, and only then does a
handler run. Whatever happens, the entry is settled in the same commit as what it led to, or not at all.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from enum import Enum
from functools import partial
from random import Random
from time import perf_counter
from typing import Any, ParamSpec, TypeVar

import structlog
from attrs import define, frozen

from eventflow.codec import DecodeError
from eventflow.domain import events as ev
from eventflow.domain.commands import Command, ConfirmCancellation, FailStep, ParkStep
from eventflow.domain.errors import DomainError
from eventflow.domain.values import Failure, FailureCategory
from eventflow.domain.work import Work, still_due, work_of
from eventflow.envelope import Envelope
from eventflow.log.commit import Commit, Delayed, OnClaim
from eventflow.log.connection import is_passing
from eventflow.log.consume import Delivery, GroupMember
from eventflow.log.errors import LeaseLost
from eventflow.log.jobs import Cause, JobLog, JobRecord, Settlement
from eventflow.log.parked import parked_delivery, reason_of, waiting_work
from eventflow.runtime.failure import MAX_DELIVERIES, TIMED_OUT, RetryPolicy, failure_of
from eventflow.runtime.reaction import Group, Handler, Reaction, log_context
from eventflow.telemetry.tracing import Tracing, failed
from eventflow.topics import TOPIC_OF

P = ParamSpec("P")
T = TypeVar("T")
_LOG = structlog.get_logger()


class Ending(Enum):
    """Why a running step was cancelled from outside."""

    LEASE_LOST = "lease_lost"
    JOB_CANCELLED = "job_cancelled"
    SHUTDOWN = "shutdown"
    TIMED_OUT = "timed_out"


@define(eq=False)
class Held:
    """A delivery in our hands, from its arrival to its settlement.

    `began` is when its handler did, in seconds of `perf_counter`, and None unless that runs. `given_up` is one that
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
    given_up: bool = False

    def end(self, why: Ending) -> None:
        """Cancel the step, once. A lease that is gone while we settle may be gone by our own doing."""
        if why is Ending.LEASE_LOST and self.settling:
            return
        if self.ending is None and self.task is not None:
            self.ending = why
            self.task.cancel()


@frozen
class Executor:
    """Runs deliveries of one group. Time, randomness, log and tracing are passed in."""

    group: Group
    log: JobLog
    retry: RetryPolicy
    clock: Callable[[], datetime]
    random: Random
    tracing: Tracing
    slots: asyncio.Semaphore

    async def run(self, held: Held) -> None:
        """See `held` to its end. Never raises: what goes wrong is logged, and the entry comes back after its lease."""
        try:
            await self._run(held)
        except LeaseLost:
            self._note(held, "lease lost; this delivery commits nothing more")
        except asyncio.CancelledError:
            await self._cancelled(held)
        except Exception:
            self._note(held, "delivery left unsettled", level="error", exc_info=True)

    async def _run(self, held: Held) -> None:
        delivery = held.delivery
        try:
            envelope = held.envelope = self.log.codec.decode(delivery.payload or b"")
            handler = self.group.handlers.get(type(envelope.event))
            if handler is None:
                raise DecodeError(f"group {self.group.name} has no handler for {envelope.type}")
            async with self.slots:
                await self._handle(held, envelope, handler)
        except (DecodeError, DomainError, LookupError) as error:
            await self._park(held, error)

    async def _handle(self, held: Held, envelope: Envelope, handler: Handler) -> None:
        """Fold only now that there is a slot: the job may have ended while the entry waited for one."""
        delivery = held.delivery
        record = await self._patiently(self._fold, envelope, first=delivery.first)
        work = work_of(envelope.event)
        if work is not None and not still_due(record.job, work):
            await self._settle_without_work(held, envelope, record)
        elif delivery.claim.count > MAX_DELIVERIES:
            await self._gave_up(held, envelope, record, work)
        else:
            await self._react(held, envelope, record, work, handler)

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
            commit_more = partial(self._execute, envelope, cause, Settlement(held.delivery.claim))
            reaction = held.reaction = Reaction(envelope, record, work, self.group.name, commit_more)
            held.began = began
            try:
                commands = await handler(reaction)
            except LeaseLost:
                raise
            except Exception as error:
                held.began = None
                failure = failure_of(error) if held.ending is not Ending.TIMED_OUT else TIMED_OUT
                failed(span, failure.message)
                await self._failed(held, envelope, reaction.record, work, cause, failure, error)
                return
            finally:
                held.began = None
            settle = Settlement(held.delivery.claim, _settling(held.delivery))
            held.settling = True
            # If the job is being cancelled, this may be the last delivery that anybody holds: it has to say the end.
            after = await self._execute(envelope, cause, settle, [*commands, ConfirmCancellation()], reaction.record)
        if _LOG.is_enabled_for(logging.INFO):
            stage_ms = round((perf_counter() - began) * 1000, 1)
            count = held.delivery.claim.count
            self._note(held, "step settled", stage_ms=stage_ms, version=after.version, delivery_count=count)

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
        retry_at = self.retry.retry_at(self.clock(), attempt, self.random, error)
        command = FailStep(work.step, work.scene, work.run, failure, retry_at)
        settlement = Settlement(
            held.delivery.claim,
            _settling(held.delivery),
            lambda events: self._delayed(held, envelope, events),
        )
        await self._execute(envelope, cause, settlement, [command, ConfirmCancellation()], record)

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
        await self._execute(envelope, cause, settlement, [ConfirmCancellation()], record)

    async def _gave_up(self, held: Held, envelope: Envelope, record: JobRecord, work: Work | None) -> None:
        message = (
            f"delivered {MAX_DELIVERIES} times without being settled: the worker died of it or was killed each time"
        )
        failure = Failure(FailureCategory.RESOURCE, "delivery_limit", message)
        cause = _cause(envelope, envelope.traceparent)
        await self._failed(held, envelope, record, work, cause, failure, RuntimeError(message))

    async def _cancelled(self, held: Held) -> None:
        """The step was stopped from outside and its handler has cleaned up after itself."""
        envelope, reaction = held.envelope, held.reaction
        if held.ending in (Ending.JOB_CANCELLED, Ending.TIMED_OUT) and envelope is not None:
            task = asyncio.current_task()
            if task is not None:
                task.uncancel()
            try:
                record = await self._patiently(self.log.load, envelope.job_id)
                if reaction is not None and held.ending is Ending.TIMED_OUT:
                    cause, late = _cause(envelope, envelope.traceparent), TimeoutError(TIMED_OUT.message)
                    record = record or reaction.record
                    await self._failed(held, envelope, record, reaction.work, cause, TIMED_OUT, late)
                elif record is not None:
                    await self._settle_without_work(held, envelope, record)
            except LeaseLost:
                pass
            except Exception:
                self._note(held, "delivery left unsettled", level="error", exc_info=True)
        self._note(held, "step stopped", reason=held.ending.value if held.ending else "cancelled")

    async def _park(self, held: Held, error: Exception) -> None:
        """Set aside what nobody here can handle, with what is needed to understand it and to send it again."""
        claim = held.delivery.claim
        parked = (parked_delivery(held.delivery, error, self.clock()),)
        on_claim, envelope = _settling(held.delivery), held.envelope
        work = waiting_work(self.group.name, envelope) if envelope else None
        record = await self._readable(envelope) if envelope and work else None
        if envelope and work and record:
            command = ParkStep(work.step, work.scene, work.run, reason_of(error))
            settlement, cause = Settlement(claim, on_claim, parked=parked), _cause(envelope, envelope.traceparent)
            await self._execute(envelope, cause, settlement, [command, ConfirmCancellation()], record)
        else:
            job_id = envelope.job_id if envelope else "-"
            commit = Commit(held.member.keys, job_id, claim=claim, on_claim=on_claim, parked=parked)
            await self._patiently(self.log.committer.commit, commit)
        self._note(held, "delivery parked", level="error", error=str(error))

    async def _readable(self, envelope: Envelope) -> JobRecord | None:
        """The job, or None where the log doesn't have it, lacks this event of it, or holds what we can't read."""
        try:
            record = await self._patiently(self.log.load, envelope.job_id)
        except (DecodeError, DomainError, LookupError):
            return None
        return record if record and record.version >= envelope.seq else None

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
