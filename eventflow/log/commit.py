"""The atomic commit: claim -> version -> append -> route -> settle, all of it or none.

Commits that are ready at the same time are sent in one script call per partition; each still stands for itself. They
are sent as one MessagePack value: encoding some thousand arguments of a command takes ten times as long, and the server
parses them more slowly.
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
from eventflow.domain.envelope import mark_of
from eventflow.domain.topics import GROUP_TOPICS, Topic
from eventflow.log.connection import load_script
from eventflow.log.deadline import LogTimeout, WithinDeadline
from eventflow.log.errors import CommitFailed, HistoryLost, LeaseLost, QueueFull, VersionConflict
from eventflow.log.keys import PartitionKeys

#: Batches in flight, the second only if it is full: it is encoded while the server works on the first.
IN_FLIGHT = 2

#: Most commits in one script call: a batch blocks the server for a few milliseconds.
BATCH = 128

#: The consumer group that requests are delivered to.
(REQUEST_GROUP,) = (group for group, topics in GROUP_TOPICS.items() if Topic.REQUESTED in topics)

#: The limit of jobs in progress that means "no limit" to the scripts.
UNLIMITED = 10**15

OnClaim = Literal["hold", "settle", "discard"]
LifecycleEffect = Literal["", "cancel", "stop", "publish", "dead-letter", "resume", "request", "delete"]


class Claim(msgspec.Struct, array_like=True, frozen=True, gc=False, kw_only=True):
    """A pending entry as it was delivered to a consumer. `count` is its delivery count, the fencing token."""

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
class NewDeadLetter:
    """An entry of the stream of dead letters: names and values, which needn't be text."""

    fields: tuple[tuple[str, str | bytes], ...]


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """One atomic write. Without events it only settles, delays or dead-letters its delivery.

    `expected` is the job's version before the first of `events`, and `mark` that of the event of this version (empty:
    not checked). The job waits for admission in `lane`, among the jobs of `owner`. A request is refused where
    `most_waiting` jobs of its partition wait already.
    """

    keys: PartitionKeys
    job_id: str
    expected: int = 0
    events: tuple[NewEvent, ...] = ()
    claim: Claim | None = None
    on_claim: OnClaim = "hold"
    effect: LifecycleEffect = ""
    lane: str = ""
    owner: str = ""
    delayed: tuple[Delayed, ...] = ()
    dead_letters: tuple[NewDeadLetter, ...] = ()
    mark: str = ""
    most_waiting: int | None = None

    @property
    def mark_after(self) -> str:
        """The mark of its last event."""
        return mark_of(self.events[-1].payload)


#: What an event does to the job's live hash, admission and lists; of several events the last one counts.
_EFFECTS: dict[type[ev.Event], LifecycleEffect] = {
    ev.CancellationRequested: "cancel",
    ev.JobCancelled: "stop",
    ev.JobFailed: "stop",
    ev.VideoPublished: "publish",
    ev.StepParked: "dead-letter",
    ev.ReprocessRequested: "resume",
    ev.JobDeleted: "delete",
}
#: As the last event of a commit these wait for admission; a later event in the commit means that work has started.
REQUESTS: frozenset[type[ev.Event]] = frozenset({ev.VideoRequested, ev.ReprocessRequested})


def effect_of(events: Sequence[ev.Event]) -> LifecycleEffect:
    """The lifecycle effect of a commit with these events; "" for none."""
    if events and type(events[-1]) in REQUESTS:
        return "request"
    effect: LifecycleEffect = ""
    for event in events:
        effect = _EFFECTS.get(type(event), effect)
    return effect


_pack = msgspec.msgpack.Encoder().encode


def admission_args(keys: PartitionKeys) -> tuple[str, str, str]:
    """The ARGV that `admission.lua` needs: base of the key names, topic of requests, and its group."""
    return keys.base, Topic.REQUESTED.value, REQUEST_GROUP


def script_call(commits: Sequence[Commit], limit: int) -> tuple[list[str], list[str | bytes | int]]:
    """KEYS and ARGV of `commit.lua` for commits of one partition.

    `limit` is the most jobs in progress there.
    """
    keys = commits[0].keys
    letters = [part for c in commits for each in c.dead_letters for field in each.fields for part in field]
    packed = _pack([_wire(c) for c in commits])
    args: list[str | bytes | int] = [packed, *admission_args(keys), limit or UNLIMITED, *letters]
    return [keys.feed, keys.delayed, keys.dead_letters], args


def _wire(c: Commit) -> tuple[Any, ...]:
    """The commit as the script reads it.

    Dead letters are sent beside it: MessagePack of old servers has no bytes.
    """
    letters = [2 * len(each.fields) for each in c.dead_letters] if c.dead_letters else ()
    settling = (c.claim, c.on_claim, c.delayed, letters)
    return (c.job_id, c.expected, c.mark, c.events, *settling, c.effect, c.lane, c.owner, c.most_waiting)


def version_from(commit: Commit, row: Any) -> int:
    """The job's version after `commit`, from the script's answer.

    Raises LeaseLost, VersionConflict, HistoryLost, QueueFull or CommitFailed, as the script refused it.
    """
    if isinstance(row, int):
        return row
    raise _refusal(commit, row)


def _refusal(commit: Commit, row: list[Any]) -> Exception:
    status, detail = row
    if status == b"lost":
        return LeaseLost(f"entry {commit.claim.entry_id if commit.claim else '?'} has another consumer now")
    if status == b"conflict":
        return VersionConflict(commit.job_id, commit.expected, int(detail))
    if status == b"full":
        return QueueFull(int(detail))
    if status == b"other":
        return HistoryLost(commit.job_id, commit.expected)
    return CommitFailed(detail.decode(errors="replace") if isinstance(detail, bytes) else str(detail))


#: Called once for a commit, with the job's version after it or the error; a lost connection leaves open which.
Answered = Callable[[int, Exception | None], None]


class Committer:
    """Sends commits, many in one call where many are ready. One per process."""

    def __init__(self, redis: Redis, *, limit: int = 0) -> None:
        """`limit`: most jobs in progress in a partition; 0 for no limit."""
        self.script = load_script(redis, "commit", after="admission begun_deliveries")
        self.limit = limit
        self._queues: dict[str, _Queue] = {}

    def submit(self, commit: Commit, answered: Answered) -> _Queue:
        """Queue `commit`, to be sent with others. `answered` gets the result or the error of `commit`."""
        queue = self._queues.get(commit.keys.base)
        if queue is None:
            queue = self._queues[commit.keys.base] = _Queue(self.script, self.limit)
        queue.put(commit, answered)
        return queue

    async def commit(self, commit: Commit) -> int:
        """Write `commit`; returns the job's version after it.

        Raises LeaseLost, VersionConflict, HistoryLost or QueueFull (nothing was written), CommitFailed, or connection
        errors (it may or may not have been written; sending it again is safe).
        """
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def answered(version: int, error: Exception | None) -> None:
            if done.done():  # the caller was cancelled
                return
            if error is None:
                done.set_result(version)
            else:
                done.set_exception(error)

        queue = self.submit(commit, answered)
        try:
            async with WithinDeadline():
                return await done
        except (asyncio.CancelledError, LogTimeout):
            queue.withdraw(answered)
            raise


class _Queue:
    """The commits of one partition that wait to be sent."""

    def __init__(self, script: AsyncScript, limit: int) -> None:
        self._script, self._limit = script, limit
        self._waiting: list[tuple[Commit, Answered]] = []
        self._senders: set[asyncio.Task[None]] = set()

    def put(self, commit: Commit, answered: Answered) -> None:
        self._waiting.append((commit, answered))
        sending = len(self._senders)
        if sending == 0 or (sending < IN_FLIGHT and len(self._waiting) >= BATCH):
            # In a context of its own: it sends the commits of many callers, and no caller's deadline applies to it.
            self._senders.add(asyncio.create_task(self._send_all(), context=Context()))

    def withdraw(self, answered: Answered) -> None:
        """Remove a commit whose caller has gone, unless it is in flight."""
        if self._waiting:
            self._waiting = [item for item in self._waiting if item[1] is not answered]

    async def _send_all(self) -> None:
        try:
            while self._waiting:
                await self._gather()
                batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                if batch:
                    await self._send(batch)
        finally:  # nothing was awaited since `_waiting` was empty: a later commit starts a new sender
            self._senders.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _gather(self) -> None:
        """Wait while each turn of the event loop brings more commits, up to a full batch."""
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
                _answer(answered, 0, lost)
            if not isinstance(error, Exception):
                raise
            return
        for (commit, answered), row in zip(items, rows, strict=True):
            if isinstance(row, int):
                _answer(answered, row, None)
            else:
                _answer(answered, 0, _refusal(commit, row))


def _answer(answered: Answered, version: int, error: Exception | None) -> None:
    """Call `answered`, and log an error of its own: the other commits of the batch get their answers."""
    try:
        answered(version, error)
    except Exception:
        structlog.get_logger().exception("a callback of a commit failed")
