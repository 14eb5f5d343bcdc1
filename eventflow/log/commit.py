"""The atomic commit: claim -> version -> append -> route -> settle, all of it or none.

Commits that are ready at the same time travel together in one script call per partition; each still stands for itself.
They travel as one MessagePack value: laying out some thousand arguments of a command takes ten times as long, and the
server reads them more slowly.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextvars import Context
from typing import Any, Literal, cast

import msgspec
import structlog
from attrs import frozen
from redis.asyncio import Redis
from redis.commands.core import AsyncScript

from eventflow.domain import events as ev
from eventflow.domain._records import frozen_record
from eventflow.domain.envelope import mark_of
from eventflow.log.connection import load_script
from eventflow.log.deadline import LogSilent, Waiting
from eventflow.log.errors import CommitFailed, HistoryLost, LeaseLost, QueueFull, VersionConflict
from eventflow.log.keys import PartitionKeys

#: Batches on their way at the same time, if the second is full: it is laid out while the server works on the first.
IN_FLIGHT = 2

#: Most commits in one script call: keeps the server's pause for a batch at a few milliseconds.
BATCH = 128

#: What the script takes for no limit of jobs in progress.
UNLIMITED = 10**15

OnClaim = Literal["hold", "settle", "discard"]
LifecycleEffect = Literal["", "cancel", "stop", "publish", "park", "resume", "request", "delete"]


class Claim(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A pending entry as it was handed to a consumer. `count` is its delivery count, the fencing token."""

    stream: str
    group: str
    consumer: str
    entry_id: str
    count: int


class NewEvent(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """An encoded event; `topic` is the stream it is delivered on, or None for history only."""

    type: str
    payload: str
    topic: str | None


class Delayed(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A delivery on the stream `target`, not before `due_ms` (Unix time)."""

    due_ms: int
    target: str
    payload: str


@frozen
class Parked:
    """An entry of the parked stream, whose values may be no text at all."""

    fields: tuple[tuple[str, str | bytes], ...]


@frozen_record
class Commit:
    """What one step wants written. Without events it only settles, delays or parks.

    `expected` is the job's version before the first of `events`, and `mark` that of the event which made it (empty: any
    one will do); `lane` and `owner` say where the job lines up. A request is refused where `most_waiting` jobs of its
    partition wait already.
    """

    keys: PartitionKeys
    job_id: str
    expected: int = 0
    events: tuple[NewEvent, ...] = ()
    claim: Claim | None = None
    on_claim: OnClaim = "hold"
    hint: LifecycleEffect = ""
    lane: str = ""
    owner: str = ""
    delayed: tuple[Delayed, ...] = ()
    parked: tuple[Parked, ...] = ()
    mark: str = ""
    most_waiting: int | None = None

    @property
    def mark_after(self) -> str:
        """The mark of the last of its events."""
        return mark_of(self.events[-1].payload)


#: What an event means for the live hash and for the place among jobs in progress; of several the last one counts.
_EFFECTS: dict[type[ev.Event], LifecycleEffect] = {
    ev.CancellationRequested: "cancel",
    ev.JobCancelled: "stop",
    ev.JobFailed: "stop",
    ev.VideoPublished: "publish",
    ev.StepParked: "park",
    ev.ReprocessRequested: "resume",
    ev.JobDeleted: "delete",
}
#: As the last event of a commit these wait for admission; what follows one of them in a commit is work already.
REQUESTS: frozenset[type[ev.Event]] = frozenset({ev.VideoRequested, ev.ReprocessRequested})


def effect_of(events: Sequence[ev.Event]) -> LifecycleEffect:
    if events and type(events[-1]) in REQUESTS:
        return "request"
    hint: LifecycleEffect = ""
    for event in events:
        hint = _EFFECTS.get(type(event), hint)
    return hint


_pack = msgspec.msgpack.Encoder().encode


def script_call(commits: Sequence[Commit], limit: int) -> tuple[list[str], list[str | bytes | int]]:
    """KEYS and ARGV of `commit.lua` for commits of one partition; `limit` is the most jobs in progress there."""
    keys = commits[0].keys
    parked = [part for c in commits for each in c.parked for field in each.fields for part in field]
    args: list[str | bytes | int] = [_pack([_wire(c) for c in commits]), limit or UNLIMITED, *parked]
    return [keys.feed, keys.delayed, keys.parked], args


def _wire(c: Commit) -> tuple[Any, ...]:
    """As the script reads it. What is parked goes beside: MessagePack of old servers knows no bytes, only text."""
    parked = [2 * len(each.fields) for each in c.parked] if c.parked else ()
    settling = (c.claim, c.on_claim, c.delayed, parked)
    return (c.job_id, c.expected, c.mark, c.events, *settling, c.hint, c.lane, c.owner, c.most_waiting)


def version_from(commit: Commit, row: Any) -> int:
    """The job's version after `commit`. Raises what the script said: LeaseLost, VersionConflict, HistoryLost,
    QueueFull, CommitFailed."""
    if isinstance(row, int):
        return row
    raise _refusal(commit, row)


def _refusal(commit: Commit, row: list[Any]) -> Exception:
    status, detail = row
    if status == b"lost":
        return LeaseLost(f"entry {commit.claim.entry_id if commit.claim else '?'} is no longer ours")
    if status == b"conflict":
        return VersionConflict(commit.job_id, commit.expected, int(detail))
    if status == b"full":
        return QueueFull(int(detail))
    if status == b"other":
        return HistoryLost(commit.job_id, commit.expected)
    return CommitFailed(detail.decode(errors="replace") if isinstance(detail, bytes) else str(detail))


#: Hears of a commit once: the job's version after it, or why it wasn't (or may not have been) taken.
Answered = Callable[[int, Exception | None], None]


class Committer:
    """Sends commits, many in one call where many are ready. One per process."""

    def __init__(self, redis: Redis, *, limit: int = 0) -> None:
        """`limit`: most jobs in progress in a partition; 0 for no limit."""
        self.script = load_script(redis, "commit", after="admission begun")
        self.limit = limit
        self._queues: dict[str, _Queue] = {}

    def submit(self, commit: Commit, answered: Answered) -> _Queue:
        """Write `commit` soon, together with others. `answered` gets what `commit` returns or raises."""
        queue = self._queues.get(commit.keys.base)
        if queue is None:
            queue = self._queues[commit.keys.base] = _Queue(self.script, self.limit)
        queue.put(commit, answered)
        return queue

    async def commit(self, commit: Commit) -> int:
        """Write `commit`; returns the job's version after it.

        Raises LeaseLost, VersionConflict, HistoryLost or QueueFull (nothing was written), CommitFailed, or the client's
        connection errors (it may or may not have been written; sending it again is safe).
        """
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def answered(version: int, error: Exception | None) -> None:
            if done.done():  # whoever waited was cancelled meanwhile
                return
            if error is None:
                done.set_result(version)
            else:
                done.set_exception(error)

        queue = self.submit(commit, answered)
        try:
            async with Waiting():
                return await done
        except (asyncio.CancelledError, LogSilent):
            queue.withdraw(answered)
            raise


class _Queue:
    """Commits of one partition that wait to be sent."""

    def __init__(self, script: AsyncScript, limit: int) -> None:
        self._script, self._limit = script, limit
        self._waiting: list[tuple[Commit, Answered]] = []
        self._senders: set[asyncio.Task[None]] = set()

    def put(self, commit: Commit, answered: Answered) -> None:
        self._waiting.append((commit, answered))
        sending = len(self._senders)
        if sending == 0 or (sending < IN_FLIGHT and len(self._waiting) >= BATCH):
            # In a context of its own: it sends the commits of many, and carries nobody's patience.
            self._senders.add(asyncio.create_task(self._send_all(), context=Context()))

    def withdraw(self, answered: Answered) -> None:
        """Nobody waits for this one any more: it isn't sent, unless it is on its way."""
        if self._waiting:
            self._waiting = [item for item in self._waiting if item[1] is not answered]

    async def _send_all(self) -> None:
        try:
            while self._waiting:
                await self._gather()
                batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                if batch:
                    await self._send(batch)
        finally:  # nothing is awaited since `_waiting` was seen empty: a commit that comes now starts a new sender
            self._senders.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _gather(self) -> None:
        """Wait for as long as each turn of the event loop brings more commits, up to a full batch."""
        seen = 0
        while seen < len(self._waiting) < BATCH:
            seen = len(self._waiting)
            await asyncio.sleep(0)

    async def _send(self, items: list[tuple[Commit, Answered]]) -> None:
        keys, args = script_call([commit for commit, _ in items], self._limit)
        try:
            rows = await self._script(keys=keys, args=args)
        except BaseException as error:
            lost = error if isinstance(error, Exception) else ConnectionError("the sender was stopped")
            for _, answered in items:
                _tell(answered, 0, lost)
            if not isinstance(error, Exception):
                raise
            return
        for (commit, answered), row in zip(items, rows, strict=True):
            if isinstance(row, int):
                _tell(answered, row, None)
            else:
                _tell(answered, 0, _refusal(commit, row))


def _tell(answered: Answered, version: int, error: Exception | None) -> None:
    """One that fails to listen is a defect of its own: the others of the batch get their answers all the same."""
    try:
        answered(version, error)
    except Exception:
        structlog.get_logger().exception("the answer to a commit was not heard out")
