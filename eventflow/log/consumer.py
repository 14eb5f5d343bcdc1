"""A consumer group's member on one partition: read, sweep, renew, release.

A fresh entry has delivery count 1. Entries that a crashed member left behind come by the sweep, with the
count it gave them; name and count together are what the commit checks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from attrs import frozen
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from eventflow.domain._records import frozen_record
from eventflow.domain.topics import LANES, Topic
from eventflow.log.commit import UNLIMITED, Claim
from eventflow.log.connection import BLOCK_MS, DISCONNECTED, load_script
from eventflow.log.groups import register
from eventflow.log.keys import PartitionKeys

#: Length that the stream of progress notes is trimmed to; it serves live viewers only.
PROGRESS_CAP = 10_000
#: One read in this many looks at the normal lane first.
NORMAL_SHARE = 4
#: Most retries that one call moves when they are due.
DUE_BATCH = 500
#: Most jobs that one call admits, beyond those that follow a job's end.
ADMIT_BATCH = 500

#: Workers that may die of an entry; it ends with the last of them.
MAX_DEATHS = 3
#: How many leases the last of them has to be silent for: one that only stands still may be back by then.
SILENT_LEASES = 10

LOST, RENEWED, CANCEL = 0, 1, 2


@frozen_record
class Delivery:
    """An entry in our hands. `payload` is None where the entry has no event in it.

    `retried` tells that it came by the group's own retry stream, where it is deleted once settled; `first` that
    nobody can have begun its work before. `deaths` counts the workers that had begun it before and fell silent.
    """

    claim: Claim
    payload: bytes | None
    retried: bool
    first: bool
    deaths: int = 0


@frozen
class Renewal:
    """One lease to renew. `fraction` is the step's progress, or None where there is nothing new."""

    claim: Claim
    job_id: str
    field: str
    fraction: float | None


class GroupMember:
    """Consumer `consumer` of `group` on one partition. `blocking` is its own client for XREADGROUP."""

    def __init__(
        self,
        blocking: Redis,
        redis: Redis,
        keys: PartitionKeys,
        group: str,
        topics: tuple[Topic, ...],
        consumer: str,
    ) -> None:
        self.keys, self.group, self.consumer = keys, group, consumer
        self.topics, self.streams = topics, keys.streams_of(group, topics)
        self._retries = {keys.retry(group, topic) for topic in topics}
        self._blocking, self._redis = blocking, redis
        self._fair_streams = keys.streams_of(group, topics, lanes=LANES[::-1])
        self._reads = 0
        self._read = load_script(redis, "read")
        self._heartbeat = load_script(redis, "heartbeat", after="begun")
        self._claim = load_script(redis, "claim", after="begun")
        self._begin = load_script(redis, "begin", after="begun")
        self._due = load_script(redis, "due")
        self._admit = load_script(redis, "admit", after="admission")
        self._leave = load_script(redis, "leave")
        self._release = load_script(redis, "release", after="begun")
        self._reap = load_script(redis, "reap")
        #: Whether the group was lost and made anew: what it delivers then may be settled long since.
        self.rebuilt = False

    async def ensure(self) -> None:
        """Create the group where it is missing, from the beginning of each stream: nothing is skipped.

        What is delivered again by a group that was lost is settled without work, as the job's history tells. The
        group is registered first, so that from then on nothing that it has to read is trimmed.
        """
        await register(self._redis, self.keys, self.group, self.topics)
        for stream in self.streams:
            try:
                await self._redis.xgroup_create(stream, self.group, id="0", mkstream=True)
            except ResponseError as error:
                if "BUSYGROUP" not in str(error):
                    raise

    async def read(self, room: int) -> list[Delivery]:
        """New entries that are there now, at most `room` in all, by preference. Raises ResponseError (NOGROUP).

        Retries come first, then the high lane, then the normal one. One read in four looks at the normal lane before
        the high one, so that it never starves.
        """
        self._reads += 1
        streams = self._fair_streams if self._reads % NORMAL_SHARE == 0 else self.streams
        rows: Any = await self._read(keys=streams, args=[self.group, self.consumer, room])
        return self._deliveries((streams[index - 1], entries) for index, entries in rows)

    async def wait(self, *, block_ms: int = BLOCK_MS) -> list[Delivery]:
        """The next entry to come, if one does within `block_ms`; at most one of each stream. Raises as `read`."""
        answer: Any = await self._blocking.xreadgroup(
            self.group, self.consumer, dict.fromkeys(self.streams, ">"), count=1, block=block_ms
        )
        if isinstance(answer, dict):  # RESP3
            rows = [(stream.decode(), entries[0] if entries else []) for stream, entries in answer.items()]
        else:
            rows = [(stream.decode(), entries) for stream, entries in answer or []]
        return self._deliveries((stream, [(i, [*chain(*f.items())]) for i, f in entries]) for stream, entries in rows)

    def _deliveries(self, rows: Iterable[tuple[str, Any]]) -> list[Delivery]:
        return [
            self._delivery(stream, entry_id, fields, 1, first=not self.rebuilt)
            for stream, entries in rows
            for entry_id, fields in entries
        ]

    async def sweep(self, lease_ms: int, limit: int, working: Iterable[Claim] = ()) -> list[Delivery]:
        """Take over up to `limit` entries that nobody has renewed for `lease_ms`, on idle streams too.

        `working` is what this consumer is working on itself: where it has come to that age, it is renewed.
        """
        own: dict[str, list[str]] = {}
        for claim in working:
            own.setdefault(claim.stream, []).append(claim.entry_id)
        found: list[Delivery] = []
        for stream in self.streams:
            if limit - len(found) <= 0:
                break
            args: list[Any] = [self.group, self.consumer, lease_ms, limit - len(found)]
            args += [MAX_DEATHS, SILENT_LEASES * lease_ms, *own.get(stream, ())]
            try:
                rows: Any = await self._claim(keys=[stream], args=args)
            except (ResponseError, *DISCONNECTED):
                if (
                    found
                ):  # what was taken so far is ours, and counted as delivered: the next sweep says the error again
                    return found
                raise
            for entry_id, flat, count, deaths in rows:
                found.append(self._delivery(stream, entry_id, flat, count, first=False, deaths=deaths))
        return found

    async def renew(self, renewals: Sequence[Renewal]) -> list[int]:
        """Renew leases and record progress; LOST, RENEWED or CANCEL for each."""
        keys: dict[str, int] = {}

        def key(name: str) -> int:
            return keys.setdefault(name, len(keys) + 1)

        args: list[Any] = [key(self.keys.progress), PROGRESS_CAP, len(renewals)]
        for r in renewals:
            claim = r.claim
            args += [key(claim.stream), key(self.keys.live(r.job_id)), r.job_id]
            args += [claim.group, claim.consumer, claim.entry_id, claim.count]
            args += [r.field, "" if r.fraction is None else f"{r.fraction:.4f}"]
        answer: list[int] = await self._heartbeat(keys=list(keys), args=args)
        return answer

    async def release(self, claims: Iterable[Claim], lease_ms: int) -> None:
        """Let others take `claims` over at once, where they are still ours. This delivery isn't counted."""
        for claim in claims:
            await self._let(claim, max(0, claim.count - 1), lease_ms)

    async def begin(self, claim: Claim) -> bool:
        """Note that the work on an entry begins which was delivered before, or that it hangs: should nothing more be
        heard of this consumer, it has died of it. False where the entry is no longer ours."""
        args: list[str | int] = [claim.group, claim.consumer, claim.entry_id, claim.count]
        return bool(await self._begin(keys=[claim.stream], args=args))

    async def let_go(self, claim: Claim) -> None:
        """Leave an entry to others after its lease, alive as we are: this delivery counts, but for no death."""
        await self._let(claim, claim.count, 0)

    async def _let(self, claim: Claim, count: int, idle_ms: int) -> None:
        args: list[str | int] = [claim.group, claim.consumer, claim.entry_id, claim.count, count, idle_ms]
        await self._release(keys=[claim.stream], args=args)

    async def admit(self, most_in_progress: int) -> int:
        """Let jobs that wait begin where there is room for them; returns how many are in progress."""
        args = [most_in_progress or UNLIMITED, ADMIT_BATCH]
        admitted: int = await self._admit(keys=[self.keys.admitted], args=args)
        return admitted

    async def move_due(self, now_ms: int) -> int:
        """Deliver the retries of this partition that are due by `now_ms`; returns how many."""
        moved: int = await self._due(keys=[self.keys.delayed], args=[now_ms, DUE_BATCH])
        return moved

    async def leave(self) -> None:
        """Take this consumer off the group's list, where nothing is pending for it."""
        await self._leave(keys=list(self.streams), args=[self.group, self.consumer])

    async def reap(self, idle_ms: int) -> int:
        """Remove the group's consumers that were silent for `idle_ms` and have nothing pending; returns how many."""
        removed: int = await self._reap(keys=list(self.streams), args=[self.group, idle_ms])
        return removed

    def _delivery(
        self, stream: str, entry_id: bytes, fields: list[bytes], count: int, *, first: bool, deaths: int = 0
    ) -> Delivery:
        """`fields` as the server gives them: name, value, ..."""
        claim = Claim(stream, self.group, self.consumer, entry_id.decode(), count)
        payload = fields[1] if fields and fields[0] == b"e" else None
        retried = stream in self._retries
        return Delivery(claim, payload, retried, first and not retried, deaths)
