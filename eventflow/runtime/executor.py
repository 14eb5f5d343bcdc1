"""One delivery from its bytes to its settlement: decode, fold, react, commit; or fail, park, give up.

The order matters: what can't be understood is parked, what is done already is settled, and only then does a
handler run. Whatever happens, the entry is settled in the same commit as what it led to, or not at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from time import perf_counter

from attrs import frozen

from eventflow.codec import DecodeError
from eventflow.domain.carrier import carrier
from eventflow.domain.commands import Command
from eventflow.domain.errors import DomainError
from eventflow.domain.work import Work, still_due, work_of
from eventflow.envelope import Envelope
from eventflow.log.consume import MAX_DEATHS
from eventflow.log.errors import HistoryLost, LeaseLost
from eventflow.log.jobs import JobLog
from eventflow.log.records import Cause, JobRecord, Settlement
from eventflow.runtime.endings import CONFIRM, NEVER_SETTLED, Endings, cause_of, note, settling_of
from eventflow.runtime.failure import MAX_DELIVERIES, TIMED_OUT, failure_of
from eventflow.runtime.held import Ending, Held
from eventflow.runtime.reaction import Group, Handler, Reaction
from eventflow.telemetry.tracing import Tracing, failed


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
    """Runs deliveries of one group.

    `finished` hears of each delivery once, when nothing is left to do for it here; `unfinished` of one whose last
    commit wasn't taken as it was, and which therefore has to be run again.
    """

    group: Group
    log: JobLog
    endings: Endings
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

    async def _do_or_park(self, held: Held) -> None:
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

    async def _do(self, held: Held) -> None:
        if held.left_over is not None:
            await held.left_over()
        elif held.ending is None:
            await self._run(held, first=held.delivery.first)
        else:
            await self._ended(held)

    async def _run(self, held: Held, *, first: bool) -> None:
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

    async def _last(self, held: Held, words: Awaitable[None]) -> None:
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
        self, held: Held, envelope: Envelope, record: JobRecord, work: Work | None, handler: Handler
    ) -> None:
        began = perf_counter()
        with self.tracing.step(envelope, self.group.name) as (traceparent, span):
            cause = cause_of(envelope, traceparent)
            commit_more = partial(self._commit_more, held, envelope, cause)
            reaction = held.reaction = Reaction(envelope, record, work, self.group.name, commit_more)
            held.began = began
            try:
                commands = await _handled(handler, reaction, held)
            except (LeaseLost, HistoryLost):
                raise
            except Exception as error:
                failure = failure_of(error) if held.ending is not Ending.TIMED_OUT else TIMED_OUT
                failed(span, failure.message)
                await self.endings.failed(held, envelope, reaction.record, work, cause, failure, error)
                return
            finally:
                held.began = None
            settlement = Settlement(held.delivery.claim, settling_of(held.delivery))
            record, commands = reaction.record, [*commands, CONFIRM]
            last = _Last(envelope, cause, settlement, commands, record, began)
            answered = partial(self._answered, held, last)
            held.settling = self.log.offer(record, commands, cause, settlement, answered)
            if not held.settling:
                await self._insist(held, last)

    def _answered(self, held: Held, last: _Last, after: JobRecord | None, error: Exception | None) -> None:
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

    async def _insist(self, held: Held, last: _Last) -> None:
        """Decide again on the job as it stands now, and wait for the commit."""
        after = await self.endings.execute(last.envelope, last.cause, last.settlement, last.commands, last.record)
        self._settled(held, last, after)

    def _settled(self, held: Held, last: _Last, after: JobRecord) -> None:
        if self.says_settled:
            stage_ms = round((perf_counter() - last.began) * 1000, 1)
            count = held.delivery.claim.count
            note(self.group, held, "step settled", stage_ms=stage_ms, version=after.version, delivery_count=count)

    async def _commit_more(
        self, held: Held, envelope: Envelope, cause: Cause, commands: Sequence[Command], record: JobRecord
    ) -> JobRecord:
        held.committing = True
        try:
            return await self.endings.execute(envelope, cause, Settlement(held.delivery.claim), commands, record)
        finally:
            held.committing = False

    async def _ended(self, held: Held) -> None:
        """The step was stopped from outside, and its handler, if it had begun, has cleaned up after itself."""
        envelope, reaction = held.envelope, held.reaction
        if held.ending in (Ending.JOB_CANCELLED, Ending.TIMED_OUT) and envelope is not None:
            record = await self.endings.patiently(self.log.load, envelope.job_id)
            if reaction is not None and held.ending is Ending.TIMED_OUT:
                cause, late = cause_of(envelope, envelope.traceparent), TimeoutError(TIMED_OUT.message)
                await self.endings.failed(
                    held, envelope, record or reaction.record, reaction.work, cause, TIMED_OUT, late
                )
            elif record is not None:
                await self.endings.without_work(held, envelope, record)
        note(self.group, held, "step stopped", reason=held.ending.value if held.ending else "cancelled")


async def _handled(handler: Handler, reaction: Reaction, held: Held) -> Sequence[Command]:
    """What the handler answers. A cancellation that nobody has asked for is a failure of what it waited for."""
    try:
        return await handler(reaction)
    except asyncio.CancelledError as error:
        slot = asyncio.current_task()
        if held.ending is not None or (slot is not None and slot.cancelling()):
            raise
        raise RuntimeError("something that the step waited for was cancelled, though the step was not") from error
