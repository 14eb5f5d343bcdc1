"""Checks that the feed names every version of every job once and in order, and makes the repair.

Rule 1: a first walk only counts; the entries themselves are read only for jobs with an odd count, so that a long feed
costs little memory.
Rule 2: versions from before the feed's first entry were trimmed, and aren't missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import define, field, frozen
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from eventflow.domain.envelope import Envelope
from eventflow.log.feed import Appended, read_feed
from eventflow.log.keys import PartitionKeys
from ops.replay.outstanding import Wanted

#: Largest difference between the clocks of server (entries) and workers (events).
_SKEW_MS = 60_000

#: An entry of the feed: its id and its note.
Entry = tuple[str, Appended]


@define
class FeedCount:
    """For each job the first and last version that the feed names without a gap; `odd` jobs have one."""

    spans: dict[str, tuple[int, int]] = field(factory=dict)
    odd: set[str] = field(factory=set)
    position: str = "-"
    trimmed_ms: int = 0

    def take(self, entries: Sequence[Entry], wanted: Wanted) -> None:
        """Count a page of entries."""
        for entry_id, note in entries:
            self.position = entry_id
            if not wanted(note.job_id):
                continue
            first, last = self.spans.get(note.job_id, (note.version, note.version - 1))
            if note.version == last + 1:
                self.spans[note.job_id] = first, note.version
            else:
                self.odd.add(note.job_id)

    def fits(self, job_id: str, times: Sequence[datetime]) -> bool:
        """Whether the feed names just the events that happened at `times`, as far back as it reaches."""
        first, last = self.spans.get(job_id, (len(times) + 1, len(times)))
        if job_id in self.odd or last != len(times):
            return False
        return first <= 1 or first <= first_due(times, self.trimmed_ms)


@frozen
class FeedRepair:
    """Entries to remove from the feed, and versions (with their types) to append.

    `position` is the feed's last entry when it was read ("-": none); two inspections differ in it and nothing else.
    """

    drop: tuple[str, ...]
    append: tuple[tuple[int, str], ...]
    position: str = field(default="-", eq=False)

    def __str__(self) -> str:
        named = ", ".join(str(version) for version, _ in self.append) or "none"
        return f"entries to remove: {len(self.drop)}; versions to append: {named}"


async def count_feed(redis: Redis, keys: PartitionKeys, count: FeedCount, wanted: Wanted) -> None:
    """Read on to the end of the feed."""
    if count.position == "-":
        count.trimmed_ms = await trimmed_before(redis, keys)
    async for page in read_feed(redis, keys, count.position):
        count.take(page, wanted)


async def entries_of(redis: Redis, keys: PartitionKeys, found: Mapping[str, list[Entry]]) -> str:
    """Add each job's entries to its list in `found`; returns the id of the feed's last entry ("-": none)."""
    position = "-"
    async for page in read_feed(redis, keys):
        for entry in page:
            position = entry[0]
            if entry[1].job_id in found:
                found[entry[1].job_id].append(entry)
    return position


async def trimmed_before(redis: Redis, keys: PartitionKeys) -> int:
    """The Unix time in ms before which the feed may lack events; 0 where it was never trimmed."""
    try:
        about: Any = await redis.xinfo_stream(keys.feed)
    except ResponseError as error:
        if "no such key" not in str(error).lower():
            raise
        return 0
    if about["entries-added"] <= about["length"]:
        return 0
    first = about["first-entry"]
    edge: bytes = first[0] if first else about["last-generated-id"]
    return int(edge.partition(b"-")[0]) + _SKEW_MS


def first_due(times: Sequence[datetime], trimmed_ms: int) -> int:
    """The first version that the feed has to name; one more than there are if none."""
    if not trimmed_ms:
        return 1
    late = (version for version, at in enumerate(times, 1) if at.timestamp() * 1000 >= trimmed_ms)
    return next(late, len(times) + 1)


def repair(entries: Sequence[Entry], envelopes: Sequence[Envelope], trimmed_ms: int) -> FeedRepair | None:
    """The repair that makes `entries` name the events in order; None where they do.

    Keeps a sound beginning.
    """
    types = {envelope.seq: envelope.type for envelope in envelopes}
    due = first_due([envelope.occurred_at for envelope in envelopes], trimmed_ms)
    following: int | None = None
    drop = []
    for entry_id, note in entries:
        in_order = note.version == following or (following is None and note.version <= due)
        if in_order and types.get(note.version) == note.type:
            following = note.version + 1
        else:
            drop.append(entry_id)
    append = tuple((version, types[version]) for version in range(following or due, len(envelopes) + 1))
    return FeedRepair(tuple(drop), append) if drop or append else None
