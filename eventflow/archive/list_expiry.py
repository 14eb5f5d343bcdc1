"""Removes archived jobs from the lists of jobs after the listing window; they stay available by id.

Rule 1: a job without an archive pointer stays listed, which the script itself checks. So this may run in several
processes at a time and be repeated, and a job that is put back into the server meanwhile is listed again.
Rule 2: it walks the list of all jobs and keeps no other state. A job's owner, whose list it is in as well, is read in
the index of its segment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from attrs import define, field
from cachetools import LRUCache

from eventflow.archive.segment_store import SegmentStore
from eventflow.domain.job_ids import is_job_id
from eventflow.log.archive_pointers import ArchivePointers
from eventflow.log.errors import ArchiveDamaged
from eventflow.log.job_lists import JobLists, position_of
from eventflow.log.keys import PartitionKeys

#: Jobs of a partition in one step.
_PAGE = 500
#: Segments whose owners are cached: jobs of one segment are neighbours in the list.
_SEGMENTS = 32
_READS_AT_ONCE = 8


@define(kw_only=True)
class ListExpiry:
    """Walks the lists of every partition, oldest job first, in steps.

    The window `listed_s` counts from a job's first event.

    Jobs of owners for whom `stays` is true stay listed: the deletion policy has to find them.
    """

    job_lists: JobLists
    pointers: ArchivePointers
    segment_store: SegmentStore
    listed_s: float
    clock: Callable[[], datetime]
    stays: Callable[[str], bool] = lambda owner: False
    page: int = _PAGE
    _after: dict[int, int] = field(factory=dict)
    _done: set[int] = field(factory=set)
    _owners: LRUCache[str, dict[str, str]] = field(factory=lambda: LRUCache(_SEGMENTS))

    async def step(self) -> bool:
        """Handle a page of each partition; returns whether there are more.

        After the last page the next step starts again.

        Raises StorageError and connection errors: the next step handles the same page again.
        """
        up_to = max(0, position_of(self.clock() - timedelta(seconds=self.listed_s)))
        unlisted = 0
        for keys in self.pointers.keyspace.all:
            if keys.partition not in self._done:
                unlisted += await self._page(keys, up_to)
        if unlisted:
            structlog.get_logger().info("jobs unlisted", group="archive", jobs=unlisted)
        if len(self._done) < len(self.pointers.keyspace.all):
            return True
        self._done.clear()
        self._after.clear()
        return False

    async def _page(self, keys: PartitionKeys, up_to: int) -> int:
        after = self._after.get(keys.partition, -1)
        entries = await self.job_lists.oldest(keys, after=after, up_to=up_to, count=self.page)
        jobs = await self._with_owners(keys, [entry.job_id for entry in entries if is_job_id(entry.job_id)])
        unlisted = await self.job_lists.remove_archived(keys, jobs) if jobs else 0
        if len(entries) < self.page:
            self._done.add(keys.partition)
        else:
            self._after[keys.partition] = entries[-1].position
        return unlisted

    async def _with_owners(self, keys: PartitionKeys, job_ids: list[str]) -> list[tuple[str, str]]:
        """(id, owner) of the archived jobs whose segment names the owner, without those that stay listed."""
        by_segment: dict[int, list[str]] = {}
        for job_id, pointer in zip(job_ids, await self.pointers.find_all(keys, job_ids), strict=True):
            if pointer is not None:
                by_segment.setdefault(pointer.number, []).append(job_id)
        found: list[tuple[str, str]] = []
        numbers = list(by_segment)
        for start in range(0, len(numbers), _READS_AT_ONCE):
            some = numbers[start : start + _READS_AT_ONCE]
            for number, owners in zip(some, await asyncio.gather(*(self._of(keys, n) for n in some)), strict=True):
                known = [(job_id, owners[job_id]) for job_id in by_segment[number] if job_id in owners]
                found += [(job_id, owner) for job_id, owner in known if not self.stays(owner)]
        return found

    async def _of(self, keys: PartitionKeys, number: int) -> dict[str, str]:
        """Owner by job of a segment; empty for a damaged segment, whose jobs then stay listed."""
        name = await self.pointers.segment_name(keys, number)
        known = self._owners.get(name) if name else None
        if known is not None:
            return known
        try:
            if name is None:
                raise ArchiveDamaged(f"the server has no name for segment {number} of partition {keys.partition}")
            entries = await self.segment_store.index(await self.segment_store.find(name))
        except ArchiveDamaged as error:
            way_out = "eventflow archive verify"
            structlog.get_logger().warning("jobs stay listed", group="archive", error=str(error), see=way_out)
            return {}
        self._owners[name] = owners = {entry.job: entry.owner for entry in entries}
        return owners
