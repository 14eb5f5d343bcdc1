"""Folds every job again from its stream, compares it with derived data, and repairs differences.

Rule 1: a first pass over all jobs only finds suspects; differences that two inspections of a suspect agree on count.
Rule 2: repairs are safe beside running workers: the script checks the job's version, and a delivery that comes twice is
settled without work.
Rule 3: memory is bounded by slices of jobs, which are taken by their random ids, and by batches of suspects.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from functools import partial

from attrs import define, field, frozen

from eventflow.log.keys import PartitionKeys
from ops.replay import difference as differ
from ops.replay.difference import Difference
from ops.replay.feed_check import FeedCount, count_feed
from ops.replay.inspect import Inspector
from ops.replay.outstanding import Outstanding, Wanted, outstanding
from ops.replay.repair import Repairer
from ops.replay.scan import JobSnapshot, scan_jobs

#: Entries of all feeds for each slice of the jobs; a slice takes some 300 bytes for each of its jobs.
SLICE_ENTRIES = 4_000_000
#: Suspects that are inspected together.
SUSPECTS = 5_000
_AT_ONCE = 32


@define
class RebuildReport:
    """What a rebuild has found and repaired so far; differences are counted by kind."""

    jobs: int = 0
    events: int = 0
    found: dict[str, int] = field(factory=dict)
    repaired: dict[str, int] = field(factory=dict)

    @property
    def left(self) -> int:
        """Differences that are left: without a repair, of a job that has changed, or in a dry run."""
        return sum(self.found.values()) - sum(self.repaired.values())


@frozen(kw_only=True)
class Rebuild:
    """One run. Without `repairer` nothing is written.

    `on_difference` gets each difference and whether it was repaired; `on_progress` the report after each batch;
    `on_begin` is called when a slice has read the feed and begins with its jobs.
    """

    inspector: Inspector
    repairer: Repairer | None
    on_difference: Callable[[Difference, bool], None] = lambda *_: None
    on_progress: Callable[[RebuildReport], None] = lambda _: None
    on_begin: Callable[[], None] = lambda: None
    slice_entries: int = SLICE_ENTRIES

    async def all(self) -> RebuildReport:
        """Check every job of every partition. Raises CannotAsk and connection errors."""
        report, of = RebuildReport(), self.inspector
        lengths = [await of.redis.xlen(keys.feed) for keys in of.keyspace.all]
        slices = 1 + sum(lengths) // self.slice_entries
        for number in range(slices):
            await self._slice(report, partial(_in_slice, slices, number))
        return report

    async def jobs(self, ids: Sequence[str]) -> RebuildReport:
        """Check these jobs only. Raises as `all`."""
        report = RebuildReport()
        for look in await self.inspector.look(ids):
            report.jobs, report.events = report.jobs + 1, report.events + look.version
        await self._settle(report, ids)
        return report

    async def _slice(self, report: RebuildReport, wanted: Wanted) -> None:
        first = await FirstPass.begin(self.inspector, wanted)
        self.on_begin()
        suspects: set[str] = set()
        live: set[str] = set()
        async for looks in self.inspector.look_ahead(self._jobs(wanted, live)):
            suspects |= await first.suspects(looks, live)
            live.clear()
            report.jobs += len(looks)
            report.events += sum(look.version for look in looks)
            self.on_progress(report)
            if len(suspects) >= SUSPECTS:
                await self._settle(report, tuple(suspects))
                suspects.clear()
        suspects |= await first.suspects([], live)
        rest = [*suspects, *(first.unseen() - suspects)]
        for start in range(0, len(rest), SUSPECTS):
            await self._settle(report, rest[start : start + SUSPECTS])
        self.on_progress(report)

    async def _jobs(self, wanted: Wanted, live: set[str]) -> AsyncIterator[list[str]]:
        """The wanted jobs, batch by batch; adds those that have a live hash to `live`."""
        async for found in scan_jobs(self.inspector.redis, self.inspector.keyspace):
            live.update(filter(wanted, found.live))
            yield list(filter(wanted, found.jobs))

    async def _settle(self, report: RebuildReport, suspects: Sequence[str]) -> None:
        """Count the confirmed differences of `suspects`, and repair them."""
        found = await self.inspector.confirmed(suspects)
        for start in range(0, len(found), _AT_ONCE):
            batch = found[start : start + _AT_ONCE]
            for difference, repaired in zip(batch, await self._repair(batch), strict=True):
                kind = difference.kind.value
                report.found[kind] = report.found.get(kind, 0) + 1
                if repaired:
                    report.repaired[kind] = report.repaired.get(kind, 0) + 1
                self.on_difference(difference, repaired)

    async def _repair(self, batch: Sequence[Difference]) -> list[bool]:
        if self.repairer is None:
            return [False] * len(batch)
        return await asyncio.gather(*map(self.repairer.repair, batch))


def _in_slice(slices: int, number: int, job_id: str) -> bool:
    return int(job_id[-6:], 16) % slices == number


@define(kw_only=True)
class FirstPass:
    """Finds suspects fast: jobs that differ from the outstanding events and feed at its start."""

    of: Inspector
    wanted: Wanted
    coming: Outstanding
    counts: dict[PartitionKeys, FeedCount]

    @classmethod
    async def begin(cls, inspector: Inspector, wanted: Wanted) -> FirstPass:
        """Read the outstanding events and the feeds."""
        coming = await outstanding(inspector.redis, inspector.keyspace, wanted)
        counts = {keys: FeedCount() for keys in inspector.keyspace.all}
        made = cls(of=inspector, wanted=wanted, coming=coming, counts=counts)
        await made.catch_up()
        return made

    async def catch_up(self) -> None:
        """Read the entries that were added to the feeds since."""
        for keys, count in self.counts.items():
            await count_feed(self.of.redis, keys, count, self.wanted)

    async def suspects(self, looks: Sequence[JobSnapshot], live_hashes: Collection[str]) -> set[str]:
        """The jobs that may differ, of those in `looks` and those with a live hash."""
        odd = {look.id for look in looks if look.job is None or differ.of_work(look, self.coming)}
        unfit = [look for look in looks if not self._fits(look)]
        if unfit:
            await self.catch_up()
        odd.update(look.id for look in unfit if not self._fits(look))
        odd.update(d.job_id for d in await self.of.of_served(looks))
        live = [*live_hashes, *(look.id for look in looks if look.cancelling)]
        seen = await self.of.live(live)
        for look, one in zip(await self.of.look(live), seen, strict=True):
            if look.job is None or differ.of_live(look, one.fields, one.seconds):
                odd.add(look.id)
        for look in looks:  # jobs that are left in the counts at the end have no stream
            self._count(look).spans.pop(look.id, None)
        return odd

    def unseen(self) -> set[str]:
        """Jobs that the feeds name but the scan hasn't found, or that the feeds name out of order."""
        return {job_id for count in self.counts.values() for job_id in (*count.spans, *count.odd)}

    def _fits(self, look: JobSnapshot) -> bool:
        return look.job is None or self._count(look).fits(look.id, look.times)

    def _count(self, look: JobSnapshot) -> FeedCount:
        return self.counts[self.of.keyspace.of_job(look.id)]
