"""Trimming: removes entries that every registered group has handled, by id, never by length.

Topics hold copies of events that are in the jobs' streams or the archive; they are trimmed behind the slowest group.
The feed is trimmed up to the first entry of a job that isn't archived. Every entry stays for a grace period.
"""

from __future__ import annotations

from datetime import datetime

from attrs import frozen
from redis.asyncio import Redis

from eventflow.domain.topics import ARCHIVE_GROUP, ARCHIVE_TOPICS, GROUP_TOPICS, LANES, Topic
from eventflow.log.archive_pointers import ArchivePointers
from eventflow.log.connection import load_script
from eventflow.log.feed import oldest_appended
from eventflow.log.keys import Keyspace, PartitionKeys

#: How long every entry stays, in seconds: readers by position (web processes) may be that far behind unnoticed.
GRACE_S = 60.0
#: Entries of the feed in one round trip.
_PAGE = 500

#: Topic -> groups that have to be registered for it to be trimmed. Outcomes stay until an archive has read them.
_REQUIRED: dict[Topic, tuple[str, ...]] = {
    topic: tuple(group for group, topics in {**GROUP_TOPICS, ARCHIVE_GROUP: ARCHIVE_TOPICS}.items() if topic in topics)
    for topic in Topic
}


@frozen
class Trimmed:
    """How many entries were trimmed."""

    topics: int
    feed: int


class Trimmer:
    """Trims the topics of every partition, and with `pointers` (there is an archive) the feeds."""

    def __init__(
        self, redis: Redis, keyspace: Keyspace, pointers: ArchivePointers | None, *, grace_s: float = GRACE_S
    ) -> None:
        self._redis, self._keyspace, self._pointers, self._grace_s = redis, keyspace, pointers, grace_s
        self._trim, self._trim_feed = load_script(redis, "trim_topic"), load_script(redis, "trim_feed")

    async def trim(self, now: datetime) -> Trimmed:
        """Run one round; `now` is the present time. Safe in several processes at a time.

        Raises connection errors.
        """
        newest_ms = int((now.timestamp() - self._grace_s) * 1000)
        topics = feed = 0
        for keys in self._keyspace.all:
            for topic in Topic:
                for lane in LANES:
                    names = [keys.topic(topic, lane), keys.groups]
                    topics += await self._trim(keys=names, args=[topic.value, newest_ms, *_REQUIRED[topic]])
            if self._pointers is not None:
                feed += await self._feed(keys, self._pointers, newest_ms)
        return Trimmed(topics, feed)

    async def _feed(self, keys: PartitionKeys, pointers: ArchivePointers, newest_ms: int) -> int:
        """Trim the feed up to the first entry whose job isn't archived."""
        gone = 0
        while True:
            entries = await oldest_appended(self._redis, keys, newest_ms=newest_ms, count=_PAGE)
            jobs = list(dict.fromkeys(note.job_id for _, note in entries))
            archived = dict(zip(jobs, await pointers.find_all(keys, jobs), strict=True))
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
