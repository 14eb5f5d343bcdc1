"""Replays old events to a new or reset consumer group.

The group's position on its topics is set, so that it reads the entries that are still there. Trimmed events are in the
histories of jobs, archived or not: these are delivered to the group's own retry streams. From the moment when the
position is set, trimming waits for the group, so that every event comes by exactly one of the two ways.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from attrs import define, field, frozen

from eventflow.archive.segment import unpack_block
from eventflow.archive.segment_store import SegmentStore
from eventflow.domain.envelope import Envelope
from eventflow.domain.topics import LANES, TOPIC_OF, Topic
from eventflow.log.archive_pointers import Archive, ArchivePointers
from eventflow.log.codec import Codec
from eventflow.log.connection import load_script
from eventflow.log.feed import oldest_appended
from eventflow.log.groups import register_group
from eventflow.log.keys import PartitionKeys

#: Events of one script call, and jobs that are read together.
_BATCH = 500
#: Entries in one round trip.
_PAGE = 1_000
#: Later than any entry: the whole feed is read.
_NEWEST_MS = 2**53

OnJobs = Callable[[int], None]


@frozen
class Replay:
    """A replay to `group`: events of `topics` since `since` (None: all of them)."""

    group: str
    topics: tuple[Topic, ...]
    since: datetime | None = None

    @property
    def start_id(self) -> str:
        """The entry id after which the group reads the topics."""
        return "0" if self.since is None else f"{max(0, int(self.since.timestamp() * 1000) - 1)}-{2**64 - 1}"

    def record(self, *, done: bool) -> bytes:
        """The replay as the server keeps it, JSON."""
        since = self.since.astimezone(UTC).isoformat() if self.since else "0"
        return orjson.dumps({"since": since, "topics": sorted(self.topics), "done": done})


@frozen(kw_only=True)
class Replayed:
    """Counts of events that come by the topics, and of those delivered from histories.

    In a dry run the latter would be delivered.

    `partitions_done` counts partitions that had been replayed before.
    """

    from_topics: int
    from_histories: int
    jobs: int
    partitions_done: int


@define(kw_only=True)
class _Topics:
    """The events that the group gets by its topics; each call of `look` reads on from the last one."""

    redis: Any
    codec: Codec
    positions: dict[str, str]
    names: set[bytes] = field(factory=set)

    async def look(self) -> None:
        """Read the entries that were added since."""
        for stream, position in self.positions.items():
            rows = await self.redis.xrange(stream, f"({position}" if position != "0" else "-", count=_PAGE)
            while rows:
                self.names.update(_name(self.codec.decode(fields[b"e"])) for _, fields in rows)
                self.positions[stream] = rows[-1][0].decode()
                rows = await self.redis.xrange(stream, f"({self.positions[stream]}", count=_PAGE)


class Backfill:
    """Replays events of every partition to groups. `segment_store` is None where there is no archive."""

    def __init__(
        self, pointers: ArchivePointers, segment_store: SegmentStore | None, archive: Archive | None, codec: Codec
    ) -> None:
        self._pointers, self._segment_store, self._archive, self._codec = pointers, segment_store, archive, codec
        self._redis: Any = pointers.redis
        self._begin = load_script(pointers.redis, "replay_begin")
        self._deliver = load_script(pointers.redis, "replay_deliver")

    async def run(self, replay: Replay, *, dry_run: bool, again: bool, on_jobs: OnJobs) -> Replayed:
        """Replay to one group. A repeated call does nothing, unless `again`; an interrupted replay is resumed.

        Raises ArchiveDamaged, DecodeError, StorageError and connection errors.
        """
        topics = histories = jobs = done = 0
        for keys in self._pointers.keyspace.all:
            known = await self._redis.hget(keys.replays, replay.group)
            if known == replay.record(done=True) and not again:
                done += 1
                continue
            if not dry_run and known != replay.record(done=False):
                await self._set_group(keys, replay)
            seen = _Topics(
                redis=self._redis, codec=self._codec, positions=dict.fromkeys(_streams(keys, replay), replay.start_id)
            )
            await seen.look()
            async for job_ids, envelopes in self._histories(keys):
                await seen.look()  # after the histories were read: what is new in them is in the topics by now
                wanted = [(e, raw) for e, raw in envelopes if _wanted(replay, e) and _name(e) not in seen.names]
                histories += len(wanted) if dry_run else await self._send(keys, replay, wanted)
                jobs += job_ids
                on_jobs(jobs)
            topics += len(seen.names)
            if not dry_run:
                await self._end(keys, replay)
        return Replayed(from_topics=topics, from_histories=histories, jobs=jobs, partitions_done=done)

    async def _set_group(self, keys: PartitionKeys, replay: Replay) -> None:
        await register_group(self._redis, keys, replay.group, replay.topics)
        names = [keys.replays, keys.replay(replay.group), *_streams(keys, replay)]
        await self._begin(keys=names, args=[replay.group, replay.start_id, replay.record(done=False)])

    async def _end(self, keys: PartitionKeys, replay: Replay) -> None:
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(keys.replays, replay.group, replay.record(done=True))
            pipe.delete(keys.replay(replay.group))
            await pipe.execute()

    async def _send(self, keys: PartitionKeys, replay: Replay, events: Sequence[tuple[Envelope, bytes]]) -> int:
        names = [keys.replay(replay.group), *(keys.retry(replay.group, topic) for topic in replay.topics)]
        sent = 0
        for start in range(0, len(events), _BATCH):
            args: list[Any] = []
            for envelope, raw in events[start : start + _BATCH]:
                topic = TOPIC_OF[type(envelope.event)]
                args += [_name(envelope), replay.topics.index(topic) + 2, raw]
            sent += await self._deliver(keys=names, args=args)
        return sent

    async def _histories(self, keys: PartitionKeys) -> AsyncIterator[tuple[int, list[tuple[Envelope, bytes]]]]:
        """(number of jobs, their events), each job once: archived ones by segment, then those in the server.

        A job that is archived meanwhile was in the feed before; one that is put back is in the feed after.
        """
        seen: set[str] = set()
        position = await self._feed(keys, "-", seen)
        live = list(seen)
        async for jobs, histories in self._segments(keys, seen):
            yield jobs, histories
        known = set(seen)
        await self._feed(keys, position, seen)
        live += seen - known
        for start in range(0, len(live), _BATCH):
            batch = live[start : start + _BATCH]
            raws = [raw for job in batch for raw in await self._history(keys, job)]
            yield len(batch), [(self._codec.decode(raw), raw) for raw in raws]

    async def _segments(
        self, keys: PartitionKeys, seen: set[str]
    ) -> AsyncIterator[tuple[int, list[tuple[Envelope, bytes]]]]:
        """The jobs whose pointers name a block, segment by segment, without those in `seen`."""
        if self._segment_store is None:
            return
        numbers = {name: number for number, name in (await self._pointers.segment_names(keys)).items()}
        async for stored in self._segment_store.segments(keys.partition):
            if stored.name not in numbers:
                continue
            data, entries = await self._segment_store.whole(stored.name), await self._segment_store.index(stored)
            found: list[tuple[Envelope, bytes]] = []
            jobs = 0
            places = await self._pointers.find_all(keys, [entry.job for entry in entries])
            for entry, pointer in zip(entries, places, strict=True):
                if entry.job in seen or pointer is None or pointer.number != numbers[stored.name]:
                    continue
                seen.add(entry.job)
                jobs += 1
                block = data[entry.offset : entry.offset + entry.length]
                found += [(self._codec.decode(raw), raw) for raw in unpack_block(block, f"{stored.name}: {entry.job}")]
            yield jobs, found

    async def _feed(self, keys: PartitionKeys, position: str, seen: set[str]) -> str:
        """Add the jobs of the feed's entries after `position` to `seen`; returns the last position."""
        while True:
            entries = await oldest_appended(self._redis, keys, newest_ms=_NEWEST_MS, count=_PAGE, after=position)
            seen.update(note.job_id for _, note in entries)
            if not entries:
                return position
            position = f"({entries[-1][0]}"

    async def _history(self, keys: PartitionKeys, job_id: str) -> list[bytes]:
        if self._archive is not None:
            return await self._archive.history(job_id)
        rows = await self._redis.xrange(keys.events(job_id))
        return [fields[b"e"] for _, fields in rows]


def _streams(keys: PartitionKeys, replay: Replay) -> list[str]:
    return [keys.topic(topic, lane) for topic in replay.topics for lane in LANES]


def _wanted(replay: Replay, envelope: Envelope) -> bool:
    late = replay.since is None or envelope.occurred_at >= replay.since
    return late and TOPIC_OF.get(type(envelope.event)) in replay.topics


def _name(envelope: Envelope) -> bytes:
    """The event's name in the set of delivered events: 16 bytes of the job id, then the version (4 bytes)."""
    return bytes.fromhex(envelope.job_id[3:]) + envelope.seq.to_bytes(4, "big")
