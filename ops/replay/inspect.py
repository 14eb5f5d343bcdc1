"""An exact look at some jobs: all differences between their histories and the data derived from them.

Rule: the histories are read last. If two inspections in a row find a job at the same version, nothing has changed while
the second one read the rest, and a difference that both have found isn't work in progress.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from attrs import frozen
from redis.asyncio import Redis

from eventflow.log.archive_pointers import ArchivePointers
from eventflow.log.codec import Codec
from eventflow.log.keys import Keyspace
from ops.replay import difference as differ
from ops.replay.difference import Difference
from ops.replay.feed_check import Entry, FeedRepair, entries_of, repair, trimmed_before
from ops.replay.outstanding import Outstanding, outstanding
from ops.replay.scan import BATCH, JobSnapshot, read_ahead, snapshots_of
from ops.replay.served import Served

_ASKING = 16


@frozen
class Live:
    """A job's live hash; it expires in `seconds` (negative: never, or there is none)."""

    fields: Mapping[str, str]
    seconds: int


@frozen
class Feeds:
    """The feed's entries of each inspected job; its last entry and trimmed time for each partition."""

    entries: Mapping[str, Sequence[Entry]]
    ends: Mapping[str, str]
    trimmed_ms: Mapping[str, int]


@frozen(kw_only=True)
class Inspector:
    """Compares jobs with the data derived from them. With `served`, a web server's answers too."""

    redis: Redis
    codec: Codec
    keyspace: Keyspace
    served: Served | None = None

    async def confirmed(self, ids: Sequence[str]) -> list[Difference]:
        """The differences that two inspections of `ids` in a row find. Raises CannotAsk and connection errors."""
        first = set(await self.inspect(ids))
        if not first:
            return []
        again = await self.inspect(tuple(dict.fromkeys(d.job_id for d in first)))
        return [difference for difference in again if difference in first]

    async def inspect(self, ids: Sequence[str]) -> list[Difference]:
        """The differences that one inspection finds."""
        wanted = frozenset(ids)
        feeds = await self._feeds(wanted)
        coming = await outstanding(self.redis, self.keyspace, wanted.__contains__)
        found: list[Difference] = []
        for start in range(0, len(ids), BATCH):
            batch = ids[start : start + BATCH]
            lives, looks = await self.live(batch), await self.look(batch)
            archived = await self._archived([look.id for look in looks if look.missing])
            for look, live in zip(looks, lives, strict=True):
                if look.id in archived:  # its feed entries stay until earlier ones are trimmed
                    continue
                found += self._of_job(look, live, coming, feeds)
                if self.served is not None:
                    found += await self.of_served([look])
        return found

    async def look(self, ids: Sequence[str]) -> list[JobSnapshot]:
        """A snapshot of each job."""
        return await snapshots_of(self.redis, self.codec, self.keyspace, ids)

    def look_ahead(self, batches: AsyncIterator[Sequence[str]]) -> AsyncIterator[list[JobSnapshot]]:
        """Snapshots of all `batches`, with events only where a web server's answers are compared."""
        return read_ahead(self.redis, self.codec, self.keyspace, batches, keep=self.served is not None)

    async def live(self, ids: Sequence[str]) -> list[Live]:
        """The live hash of each job."""
        async with self.redis.pipeline(transaction=False) as pipe:
            for job_id in ids:
                key = self.keyspace.of_job(job_id).live(job_id)
                pipe.hgetall(key)
                pipe.ttl(key)
            answers: list[Any] = await pipe.execute()
        return [
            Live({name.decode(): value.decode(errors="replace") for name, value in fields.items()}, seconds)
            for fields, seconds in zip(answers[::2], answers[1::2], strict=True)
        ]

    async def _archived(self, ids: Sequence[str]) -> frozenset[str]:
        """The archived jobs among `ids`; `eventflow archive verify` checks those."""
        pointers = ArchivePointers(self.redis, self.keyspace)
        return frozenset([job_id for job_id in ids if await pointers.find(job_id)])

    async def of_served(self, looks: Sequence[JobSnapshot]) -> list[Difference]:
        """The statuses that the web server answers differently, of jobs that fold."""
        asked, limit = self.served, asyncio.Semaphore(_ASKING)
        if asked is None:
            return []

        async def one(look: JobSnapshot) -> list[Difference]:
            view = look.view()
            if view is None:
                return []
            async with limit:
                repaired = await asked.differs(view)
            return differ.of_served(look, repaired)

        return [d for found in await asyncio.gather(*map(one, looks)) for d in found]

    def _of_job(self, look: JobSnapshot, live: Live, coming: Outstanding, feeds: Feeds) -> list[Difference]:
        if look.job is None:
            return differ.of_history(look, live.fields, named=bool(feeds.entries[look.id]))
        base = self.keyspace.of_job(look.id).base
        repaired = repair(feeds.entries[look.id], look.envelopes, feeds.trimmed_ms[base])
        if repaired is not None:
            repaired = FeedRepair(repaired.drop, repaired.append, feeds.ends[base])
        return [
            *differ.of_work(look, coming),
            *differ.of_feed(look, repaired),
            *differ.of_live(look, live.fields, live.seconds),
        ]

    async def _feeds(self, wanted: frozenset[str]) -> Feeds:
        entries: dict[str, list[Entry]] = {job_id: [] for job_id in wanted}
        ends, trimmed = {}, {}
        for keys in {self.keyspace.of_job(job_id).base: self.keyspace.of_job(job_id) for job_id in wanted}.values():
            trimmed[keys.base] = await trimmed_before(self.redis, keys)
            ends[keys.base] = await entries_of(self.redis, keys, entries)
        return Feeds(entries, ends, trimmed)
