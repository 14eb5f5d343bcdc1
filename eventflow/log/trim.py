"""Trimming: what everybody who is registered has dealt with goes, by id and exactly, never by length.

Topics hold copies of events that are in the jobs' streams (or the archive); they go behind the slowest group.
The feed goes up to the first entry of a job that isn't archived. Everything stays for a grace.
"""

from __future__ import annotations

from datetime import datetime

from attrs import frozen
from redis.asyncio import Redis

from eventflow.domain.topics import ARCHIVE_GROUP, ARCHIVE_TOPICS, GROUP_TOPICS, LANES, Topic
from eventflow.log.archive_pointers import ArchivePointers
from eventflow.log.connection import load_script
from eventflow.log.feed import oldest
from eventflow.log.keys import Keyspace, PartitionKeys

#: How long everything stays, in seconds: readers by position (web, viewers) may be that far behind unnoticed.
GRACE_S = 60.0
_PAGE = 500

#: Topic -> groups without which nothing of it goes. Outcomes stay until there is an archive that has read them.
_REQUIRED: dict[Topic, tuple[str, ...]] = {
    topic: tuple(group for group, topics in {**GROUP_TOPICS, ARCHIVE_GROUP: ARCHIVE_TOPICS}.items() if topic in topics)
    for topic in Topic
}


@frozen
class Trimmed:
    """How many entries went."""

    topics: int
    feed: int


class Trimmer:
    """Trims every partition. With `tombstones` (there is an archive) the feed too."""

    def __init__(
        self, redis: Redis, keyspace: Keyspace, tombstones: ArchivePointers | None, *, grace_s: float = GRACE_S
    ) -> None:
        self._redis, self._keyspace, self._tombstones, self._grace_s = redis, keyspace, tombstones, grace_s
        self._trim, self._trim_feed = load_script(redis, "trim"), load_script(redis, "trim_feed")

    async def trim(self, now: datetime) -> Trimmed:
        """One round. Safe to run in several processes at a time."""
        newest_ms = int((now.timestamp() - self._grace_s) * 1000)
        topics = feed = 0
        for keys in self._keyspace.all:
            for topic in Topic:
                for lane in LANES:
                    names = [keys.topic(topic, lane), keys.groups]
                    topics += await self._trim(keys=names, args=[topic.value, newest_ms, *_REQUIRED[topic]])
            if self._tombstones is not None:
                feed += await self._feed(keys, self._tombstones, newest_ms)
        return Trimmed(topics, feed)

    async def _feed(self, keys: PartitionKeys, tombstones: ArchivePointers, newest_ms: int) -> int:
        """Up to the first entry whose job isn't archived."""
        gone = 0
        while True:
            entries = await oldest(self._redis, keys, newest_ms=newest_ms, count=_PAGE)
            jobs = list(dict.fromkeys(note.job_id for _, note in entries))
            archived = dict(zip(jobs, await tombstones.find_all(keys, jobs), strict=True))
            kept = next((at for at, (_, note) in enumerate(entries) if archived[note.job_id] is None), len(entries))
            if kept == 0:
                return gone
            last = entries[kept - 1][0]
            trimmed: int = await self._trim_feed(keys=[keys.feed, keys.trimmed], args=[last, _after(last)])
            gone += trimmed
            if kept < len(entries) or len(entries) < _PAGE:
                return gone


def _after(entry_id: str) -> str:
    ms, _, seq = entry_id.partition("-")
    return f"{ms}-{int(seq) + 1}"
