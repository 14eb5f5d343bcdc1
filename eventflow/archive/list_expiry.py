"""Archived jobs drop off the lists of jobs when they are older than the window; by id they are served as ever.

Rule 1: only what has a tombstone drops off, which the script that takes it off sees for itself. So it may run anywhere,
several at a time and as often as it likes, and a job that is revived meanwhile is listed.
Rule 2: what is in the list of all jobs is what is left to do: nothing else is remembered. The owner, whose list is the
other one, is read in the index of the job's segment.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from attrs import define, field

from eventflow.archive.segment_store import SegmentStore
from eventflow.domain.job_ids import is_job_id
from eventflow.log.archive_pointers import ArchivePointers
from eventflow.log.errors import ArchiveDamaged
from eventflow.log.job_lists import JobLists, position_of
from eventflow.log.keys import PartitionKeys

#: Jobs of a partition that one step looks at.
_PAGE = 500
#: Segments whose owners are kept: jobs of one segment are neighbours in the list.
_SEGMENTS = 32
_READS_AT_ONCE = 8


@define
class ListExpiry:
    """Goes over the lists of every partition, oldest job first, in steps. `listed_s` counts from a job's beginning.

    Jobs of owners for whom `stays` are listed for longer: they are deleted in time, and have to be found for that.
    """

    index: JobLists
    tombstones: ArchivePointers
    shelf: SegmentStore
    listed_s: float
    clock: Callable[[], datetime]
    stays: Callable[[str], bool] = lambda owner: False
    page: int = _PAGE
    _after: dict[int, int] = field(factory=dict)
    _done: set[int] = field(factory=set)
    _owners: OrderedDict[str, dict[str, str]] = field(factory=OrderedDict)

    async def step(self) -> bool:
        """A page of each partition; whether there are more. When all have been gone over, the next step begins anew.

        Raises StorageError and connection errors: then the next step looks at the same jobs again.
        """
        up_to = max(0, position_of(self.clock() - timedelta(seconds=self.listed_s)))
        dropped = 0
        for keys in self.tombstones.keyspace.all:
            if keys.partition not in self._done:
                dropped += await self._page(keys, up_to)
        if dropped:
            structlog.get_logger().info("dropped off the lists", group="archive", jobs=dropped)
        if len(self._done) < len(self.tombstones.keyspace.all):
            return True
        self._done.clear()
        self._after.clear()
        return False

    async def _page(self, keys: PartitionKeys, up_to: int) -> int:
        after = self._after.get(keys.partition, -1)
        entries = await self.index.oldest(keys, after=after, up_to=up_to, count=self.page)
        jobs = await self._with_owners(keys, [entry.job_id for entry in entries if is_job_id(entry.job_id)])
        dropped = await self.index.unlist(keys, jobs) if jobs else 0
        if len(entries) < self.page:
            self._done.add(keys.partition)
        else:
            self._after[keys.partition] = entries[-1].place
        return dropped

    async def _with_owners(self, keys: PartitionKeys, job_ids: list[str]) -> list[tuple[str, str]]:
        """(id, owner) of those of the jobs that are archived, and whose segment tells the owner."""
        by_segment: dict[int, list[str]] = {}
        for job_id, stone in zip(job_ids, await self.tombstones.find_all(keys, job_ids), strict=True):
            if stone is not None:
                by_segment.setdefault(stone.number, []).append(job_id)
        found: list[tuple[str, str]] = []
        numbers = list(by_segment)
        for start in range(0, len(numbers), _READS_AT_ONCE):
            some = numbers[start : start + _READS_AT_ONCE]
            for number, owners in zip(some, await asyncio.gather(*(self._of(keys, n) for n in some)), strict=True):
                known = [(job_id, owners[job_id]) for job_id in by_segment[number] if job_id in owners]
                found += [(job_id, owner) for job_id, owner in known if not self.stays(owner)]
        return found

    async def _of(self, keys: PartitionKeys, number: int) -> dict[str, str]:
        """Owner by job of a segment. One that is damaged holds up its own jobs, and nobody else's."""
        name = await self.tombstones.segment_name(keys, number)
        known = self._owners.get(name) if name else None
        if known is not None:
            return known
        try:
            if name is None:
                raise ArchiveDamaged(f"the server doesn't know segment {number} of partition {keys.partition}")
            entries = await self.shelf.index(await self.shelf.find(name))
        except ArchiveDamaged as error:
            way_out = "eventflow archive verify"
            structlog.get_logger().warning("jobs stay listed", group="archive", error=str(error), see=way_out)
            return {}
        self._owners[name] = owners = {entry.job: entry.owner for entry in entries}
        if len(self._owners) > _SEGMENTS:
            self._owners.popitem(last=False)
        return owners
