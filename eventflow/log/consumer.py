"""A consumer group's member on one partition: reads, reclaims, renews leases, releases.

A new entry has delivery count 1. Reclaiming takes over entries of crashed members and increments their count. A commit
checks consumer and count: together they are the fencing token.
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
from eventflow.log.commit import UNLIMITED, Claim, admission_args
from eventflow.log.connection import BLOCK_MS, DISCONNECTED, load_script
from eventflow.log.feed import PROGRESS_LENGTH
from eventflow.log.groups import register_group
from eventflow.log.keys import PartitionKeys

#: One read in this many reads the normal lane first.
NORMAL_SHARE = 4
#: Most due deliveries that one call moves.
DUE_BATCH = 500
#: Most jobs that one call admits, besides those that are admitted as others end.
ADMIT_BATCH = 500

#: Workers that may die of an entry; the last death ends it.
MAX_DEATHS = 3
#: How many leases the last of them has to be silent for: a suspended worker may be back by then.
SILENT_LEASES = 10

LOST, RENEWED, CANCEL = 0, 1, 2


@frozen_record(kw_only=True)
class Delivery:
    """A stream entry delivered to this consumer. `payload` is None where the entry holds no event.

    `retried`: it came by the group's retry stream, where a settlement deletes it. `first`: delivery count 1 and not a
    retry, so no worker has started it. `deaths` counts the workers that had begun it and fell silent.
    """

    claim: Claim
    payload: bytes | None
    retried: bool
    first: bool
    deaths: int = 0


@frozen(kw_only=True)
class Renewal:
    """A lease to renew. `fraction` is the step's progress (0 to 1), None if it hasn't changed."""

    claim: Claim
    job_id: str
    field: str
    fraction: float | None


class GroupMember:
    """Consumer `consumer` of `group` on one partition. `blocking` is its own client for XREADGROUP."""

    def __init__(
        self,
        *,
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
        self._read = load_script(redis, "read_new")
        self._heartbeat = load_script(redis, "heartbeat", after="begun_deliveries")
        self._claim = load_script(redis, "reclaim", after="begun_deliveries")
        self._begin = load_script(redis, "begin_delivery", after="begun_deliveries")
        self._due = load_script(redis, "move_due")
        self._admit = load_script(redis, "admit", after="admission")
        self._leave = load_script(redis, "remove_consumer")
        self._release = load_script(redis, "release", after="begun_deliveries")
        self._remove_silent = load_script(redis, "remove_silent_consumers")
        #: Whether the group was lost and created again: its entries may have been settled long ago.
        self.rebuilt = False

    async def ensure(self) -> None:
        """Create the group where it is missing, from the beginning of each stream: no entry is skipped.

        A group that was lost delivers old entries again; the job's history shows that their work is done, and they are
        settled. The group is registered first: from then on, entries that it has to read aren't trimmed.
        """
        await register_group(self._redis, self.keys, self.group, self.topics)
        for stream in self.streams:
            try:
                await self._redis.xgroup_create(stream, self.group, id="0", mkstream=True)
            except ResponseError as error:
                if "BUSYGROUP" not in str(error):
                    raise

    async def read(self, most: int) -> list[Delivery]:
        """Read new entries without waiting, at most `most` in all. Raises ResponseError (NOGROUP).

        Retries come first, then the high lane, then the normal lane. One read in four reads the normal lane before the
        high lane, so that it never starves.
        """
        self._reads += 1
        streams = self._fair_streams if self._reads % NORMAL_SHARE == 0 else self.streams
        rows: Any = await self._read(keys=streams, args=[self.group, self.consumer, most])
        return self._deliveries((streams[index - 1], entries) for index, entries in rows)

    async def wait(self, *, block_ms: int = BLOCK_MS) -> list[Delivery]:
        """Wait up to `block_ms` for new entries; returns at most one of each stream. Raises as `read`."""
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

    async def reclaim(self, lease_ms: int, limit: int, working: Iterable[Claim] = ()) -> list[Delivery]:
        """Take over up to `limit` entries whose lease has expired: not renewed for `lease_ms`.

        Entries of idle streams are found too.

        `working` are the claims that this consumer works on: an expired one is renewed instead.
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
                if not found:
                    raise
                return found  # these are delivered already; the next call raises the error again
            for entry_id, flat, count, deaths in rows:
                found.append(self._delivery(stream, entry_id, flat, count, first=False, deaths=deaths))
        return found

    async def renew(self, renewals: Sequence[Renewal]) -> list[int]:
        """Renew leases and record progress.

        Returns LOST, RENEWED or CANCEL (renewed, and the job is to be cancelled) for each.
        """
        keys: dict[str, int] = {}

        def key(name: str) -> int:
            return keys.setdefault(name, len(keys) + 1)

        args: list[Any] = [key(self.keys.progress), PROGRESS_LENGTH, len(renewals)]
        for r in renewals:
            claim = r.claim
            args += [key(claim.stream), key(self.keys.live(r.job_id)), r.job_id]
            args += [claim.group, claim.consumer, claim.entry_id, claim.count]
            args += [r.field, "" if r.fraction is None else f"{r.fraction:.4f}"]
        answer: list[int] = await self._heartbeat(keys=list(keys), args=args)
        return answer

    async def release(self, claims: Iterable[Claim], lease_ms: int) -> None:
        """Let other consumers take `claims` over at once, where this one still holds them.

        Uncounts this delivery.
        """
        for claim in claims:
            await self._release_with(claim, max(0, claim.count - 1), lease_ms)

    async def begin(self, claim: Claim) -> bool:
        """Record that this consumer begins a redelivered entry, or hangs in one.

        If it then falls silent, that is a death.

        False where it has lost the lease.
        """
        args: list[str | int] = [claim.group, claim.consumer, claim.entry_id, claim.count]
        return bool(await self._begin(keys=[claim.stream], args=args))

    async def abandon(self, claim: Claim) -> None:
        """Leave an entry to other consumers after its lease. Counts this delivery, but no death."""
        await self._release_with(claim, claim.count, 0)

    async def _release_with(self, claim: Claim, count: int, idle_ms: int) -> None:
        args: list[str | int] = [claim.group, claim.consumer, claim.entry_id, claim.count, count, idle_ms]
        await self._release(keys=[claim.stream], args=args)

    async def admit(self, most_in_progress: int) -> int:
        """Admit waiting jobs up to the limit (0: none); returns how many jobs are in progress."""
        args: list[str | int] = [*admission_args(self.keys), most_in_progress or UNLIMITED, ADMIT_BATCH]
        admitted: int = await self._admit(keys=[self.keys.admitted], args=args)
        return admitted

    async def move_due(self, now_ms: int) -> int:
        """Move the delayed deliveries that are due at `now_ms` (Unix time) to their streams; returns how many."""
        moved: int = await self._due(keys=[self.keys.delayed], args=[now_ms, DUE_BATCH])
        return moved

    async def leave(self) -> None:
        """Remove this consumer from the group's streams where it has nothing pending."""
        await self._leave(keys=list(self.streams), args=[self.group, self.consumer])

    async def remove_silent_consumers(self, idle_ms: int) -> int:
        """Remove consumers that have been silent for `idle_ms` and have nothing pending; returns how many."""
        removed: int = await self._remove_silent(keys=list(self.streams), args=[self.group, idle_ms])
        return removed

    def _delivery(
        self, stream: str, entry_id: bytes, fields: list[bytes], count: int, *, first: bool, deaths: int = 0
    ) -> Delivery:
        """`fields` are as the server sends them: name, value, ..."""
        claim = Claim(stream=stream, group=self.group, consumer=self.consumer, entry_id=entry_id.decode(), count=count)
        payload = fields[1] if fields and fields[0] == b"e" else None
        retried = stream in self._retries
        return Delivery(claim=claim, payload=payload, retried=retried, first=first and not retried, deaths=deaths)
