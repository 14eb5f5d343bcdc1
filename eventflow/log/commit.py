"""The atomic commit: claim -> version -> append -> route -> settle, all of it or none.

Commits that are ready at the same time travel together in one script call per partition; each still stands for itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Literal, cast

import structlog
from attrs import frozen
from redis.asyncio import Redis
from redis.commands.core import AsyncScript

from eventflow.domain import events as ev
from eventflow.domain.carrier import carrier
from eventflow.envelope import mark_of
from eventflow.log.connection import load_script
from eventflow.log.errors import CommitFailed, HistoryLost, LeaseLost, QueueFull, VersionConflict
from eventflow.log.keys import PartitionKeys

#: Batches on their way at the same time, if the second is full: it is laid out while the server works on the first.
IN_FLIGHT = 2

#: Most commits in one script call: keeps the server's pause for a batch at a few milliseconds.
BATCH = 128

#: What the script takes for no limit of jobs in progress.
UNLIMITED = 10**15

OnClaim = Literal["hold", "settle", "discard"]
Hint = Literal["", "cancel", "stop", "publish", "park", "resume", "request", "delete"]


@carrier
class Claim:
    """A pending entry as it was handed to a consumer. `count` is its delivery count, the fencing token."""

    stream: str
    group: str
    consumer: str
    entry_id: str
    count: int


@carrier
class NewEvent:
    """An encoded event; `topic` is the stream it is delivered on, or None for history only."""

    type: str
    payload: bytes
    topic: str | None


@frozen
class Delayed:
    """A delivery on the stream `target`, not before `due_ms` (Unix time)."""

    due_ms: int
    target: str
    payload: bytes


@frozen
class Parked:
    fields: tuple[tuple[str, str | bytes], ...]


@carrier
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
    hint: Hint = ""
    lane: str = ""
    owner: str = ""
    delayed: tuple[Delayed, ...] = ()
    parked: tuple[Parked, ...] = ()
    mark: bytes = b""
    most_waiting: int | None = None

    @property
    def mark_after(self) -> bytes:
        """The mark of the last of its events."""
        return mark_of(self.events[-1].payload)


#: What an event means for the live hash and for the place among jobs in progress; of several the last one counts.
_HINTS: dict[type[ev.Event], Hint] = {
    ev.CancellationRequested: "cancel",
    ev.JobCancelled: "stop",
    ev.JobFailed: "stop",
    ev.VideoPublished: "publish",
    ev.StepParked: "park",
    ev.ReprocessRequested: "resume",
    ev.JobDeleted: "delete",
}
#: These take a place among the jobs in progress or give it back, or leave the lists of their owner.
_OF_A_PLACE: frozenset[Hint] = frozenset({"request", "stop", "publish", "park", "delete"})
#: As the last event of a commit these wait for admission; what follows one of them in a commit is work already.
REQUESTS: frozenset[type[ev.Event]] = frozenset({ev.VideoRequested, ev.ReprocessRequested})


def hint_of(events: Sequence[ev.Event]) -> Hint:
    if events and type(events[-1]) in REQUESTS:
        return "request"
    hint: Hint = ""
    for event in events:
        hint = _HINTS.get(type(event), hint)
    return hint


class _Batch:
    """Lays commits out as the script reads them: streams once, everything else by index.

    KEYS: feed, delayed, parked; the events key of each commit, in order; then the other streams.
    """

    def __init__(self, keys: PartitionKeys, commits: Sequence[Commit], limit: int) -> None:
        self.keys = [keys.feed, keys.delayed, keys.parked]
        self.keys += [keys.events(commit.job_id) for commit in commits]
        self._streams: dict[str, int] = {}
        self.args: list[str | bytes | int] = [len(commits), limit or UNLIMITED]
        for commit in commits:
            self._add(commit)
        self.keys += self._streams

    def _stream(self, name: str) -> int:
        return self._streams.get(name) or self._streams.setdefault(name, len(self.keys) + len(self._streams) + 1)

    def _add(self, c: Commit) -> None:
        put, claim = self.args.extend, c.claim
        put((c.expected, c.mark, c.hint, len(c.events)))
        if c.hint in _OF_A_PLACE:
            put((c.lane, c.owner, "" if c.most_waiting is None else c.most_waiting))
        for event in c.events:
            put((event.type, event.payload, self._stream(event.topic) if event.topic else 0))
        if claim is None:
            put(("none", len(c.delayed), len(c.parked)))
        else:
            put((c.on_claim, len(c.delayed), len(c.parked), self._stream(claim.stream)))
            put((claim.group, claim.consumer, claim.entry_id, claim.count))
        for d in c.delayed:
            put((d.due_ms, d.target.encode() + b"\n" + d.payload))
        for p in c.parked:
            put((2 * len(p.fields), *(part for field in p.fields for part in field)))


def script_call(commits: Sequence[Commit], limit: int) -> tuple[list[str], list[str | bytes | int]]:
    """KEYS and ARGV of `commit.lua` for commits of one partition; `limit` is the most jobs in progress there."""
    batch = _Batch(commits[0].keys, commits, limit)
    return batch.keys, batch.args


def version_from(commit: Commit, row: list[Any]) -> int:
    """The job's version after `commit`. Raises what the script said: LeaseLost, VersionConflict, HistoryLost,
    QueueFull, CommitFailed."""
    if row[0] == b"ok":
        return int(row[1])
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
        self.script = load_script(redis, "commit", after="admission")
        self.limit = limit
        self._queues: dict[str, _Queue] = {}

    def submit(self, commit: Commit, answered: Answered) -> None:
        """Write `commit` soon, together with others. `answered` gets what `commit` returns or raises."""
        queue = self._queues.get(commit.keys.base)
        if queue is None:
            queue = self._queues[commit.keys.base] = _Queue(self.script, self.limit)
        queue.put(commit, answered)

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

        self.submit(commit, answered)
        return await done


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
            self._senders.add(asyncio.create_task(self._send_all()))

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
            if row[0] == b"ok":
                _tell(answered, row[1], None)
            else:
                _tell(answered, 0, _refusal(commit, row))


def _tell(answered: Answered, version: int, error: Exception | None) -> None:
    """One that fails to listen is a defect of its own: the others of the batch get their answers all the same."""
    try:
        answered(version, error)
    except Exception:
        structlog.get_logger().exception("the answer to a commit was not heard out")
