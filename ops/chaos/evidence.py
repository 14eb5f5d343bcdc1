"""The state after a storm: the log, served statuses, stored files, ledgers of clients and journals of workers."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import aiohttp
import orjson
from attrs import field, frozen
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from eventflow.domain.envelope import Envelope
from eventflow.domain.state import Job
from eventflow.domain.topics import GROUP_TOPICS
from eventflow.domain.values import FileRef
from eventflow.log.codec import Codec, DecodeError
from eventflow.log.keys import Keyspace
from eventflow.storage import ObjectStore, StorageError
from ops.chaos.clients import Promise
from ops.chaos.journal import Line

_PARALLEL = 16


@frozen
class History:
    """A job's stream: entry ids, the envelopes that can be decoded, and the errors of those that can't."""

    ids: tuple[str, ...]
    envelopes: tuple[Envelope, ...]
    unreadable: tuple[str, ...] = ()


@frozen(kw_only=True)
class Pending:
    """An entry of a stream that a consumer has not settled, and the number of its deliveries."""

    stream: str
    group: str
    consumer: str
    entry: str
    count: int


@frozen(kw_only=True)
class Leftovers:
    """Entries that an idle system doesn't have. `consumers` are (stream, group, name)."""

    pending: tuple[Pending, ...] = ()
    undelivered: tuple[str, ...] = ()
    consumers: tuple[tuple[str, str, str], ...] = ()
    delayed: int = 0
    retries: int = 0
    dead_letters: tuple[Mapping[str, str], ...] = ()


@frozen(kw_only=True)
class Evidence:
    """Everything that the checks look at.

    `served`: status bodies by job; `bad_files`: a line for each stored file that is missing or wrong; `exit_codes`: of
    workers, by name.
    """

    promises: Sequence[Promise]
    journal: Sequence[Line]
    histories: Mapping[str, History]
    leftovers: Leftovers
    served: Mapping[str, Mapping[str, Any]] = field(factory=dict)
    bad_files: Sequence[str] = ()
    exit_codes: Mapping[str, int] = field(factory=dict)


async def read_histories(redis: Redis, keyspace: Keyspace, jobs: Iterable[str]) -> dict[str, History]:
    """Return the streams of jobs, by job."""
    codec, histories = Codec(), {}
    for job in jobs:
        rows: Any = await redis.xrange(keyspace.of_job(job).events(job))
        envelopes, unreadable = [], []
        for entry_id, fields in rows:
            try:
                envelopes.append(codec.decode(fields[b"e"]))
            except DecodeError as error:
                unreadable.append(f"{entry_id.decode()}: {error}")
        ids = tuple(entry_id.decode() for entry_id, _ in rows)
        histories[job] = History(ids, tuple(envelopes), tuple(unreadable))
    return histories


async def last_events(redis: Redis, keyspace: Keyspace) -> dict[str, str]:
    """Return the type of the newest event of every job in the feed, by job."""
    found: dict[str, str] = {}
    for keys in keyspace.all:
        rows: Any = await redis.xrange(keys.feed)
        found |= {fields[b"j"].decode(): fields[b"t"].decode() for _, fields in rows}
    return found


async def read_leftovers(redis: Redis, keyspace: Keyspace) -> Leftovers:
    """Return pending, undelivered, delayed and stopped entries, and consumers, of all partitions."""
    pending: list[Pending] = []
    undelivered: list[str] = []
    consumers: list[tuple[str, str, str]] = []
    delayed = retries = 0
    dead_letters: list[Mapping[str, str]] = []
    for keys in keyspace.all:
        delayed += await redis.zcard(keys.delayed)
        rows: Any = await redis.xrange(keys.dead_letters)
        dead_letters += [{k.decode(): v.decode(errors="replace") for k, v in fields.items()} for _, fields in rows]
        for group, topics in GROUP_TOPICS.items():
            retries += sum([await redis.xlen(keys.retry(group, topic)) for topic in topics])
            for stream in keys.streams_of(group, topics):
                with suppress(ResponseError):  # no such stream: nothing was ever added to it
                    pending += await _pending(redis, stream, group)
                    undelivered += await _undelivered(redis, stream, group)
                    members: Any = await redis.xinfo_consumers(stream, group)
                    consumers += [(stream, group, member["name"].decode()) for member in members]
    return Leftovers(
        pending=tuple(pending),
        undelivered=tuple(undelivered),
        consumers=tuple(consumers),
        delayed=delayed,
        retries=retries,
        dead_letters=tuple(dead_letters),
    )


async def _pending(redis: Redis, stream: str, group: str) -> list[Pending]:
    rows: Any = await redis.xpending_range(stream, group, "-", "+", 1_000)
    return [
        Pending(
            stream=stream,
            group=group,
            consumer=row["consumer"].decode(),
            entry=row["message_id"].decode(),
            count=row["times_delivered"],
        )
        for row in rows
    ]


async def _undelivered(redis: Redis, stream: str, group: str) -> list[str]:
    """Return a line if the stream has entries that were never delivered to the group."""
    groups: Any = await redis.xinfo_groups(stream)
    mine = next(g for g in groups if g["name"].decode() == group)
    rest: Any = await redis.xrange(stream, min=f"({mine['last-delivered-id'].decode()}", count=1)
    return [f"{stream} from {rest[0][0].decode()} on was never delivered to {group}"] if rest else []


async def read_served(url: str, tokens: Mapping[str, str], owners: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return the status of each job, as its owner gets it; {"http": CODE} for another answer. `owners`: by job."""
    slots, served = asyncio.Semaphore(_PARALLEL), dict[str, dict[str, Any]]()

    async def ask(session: aiohttp.ClientSession, job: str) -> None:
        headers = {"Authorization": f"Bearer {tokens[owners[job]]}"}
        async with slots, session.get(f"{url}/api/v1/videos/jobs/{job}/status", headers=headers) as answer:
            served[job] = orjson.loads(await answer.read()) if answer.status == 200 else {"http": answer.status}

    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        await asyncio.gather(*(ask(session, job) for job in owners))
    return served


def files_of(job: Job) -> list[FileRef]:
    """Return every file that viewers of a finished job may request."""
    if job.published is None:
        return []
    renditions = [r for scene in job.scenes for r in scene.uploaded]
    segments = [s.file for r in renditions for s in r.segments]
    videos = [v.file for v in job.published.videos]
    extras = [t.file for t in job.published.thumbnails] + [c.file for c in job.published.captions]
    extras += job.published.companions.files
    return [*videos, *extras, *(r.init for r in renditions), *segments]


async def read_files(stores: Mapping[str, ObjectStore], files: Iterable[FileRef]) -> list[str]:
    """Return a line for each file that is missing, or whose bytes don't have the recorded SHA-256."""
    slots = asyncio.Semaphore(_PARALLEL)

    async def check(ref: FileRef) -> str | None:
        async with slots:
            digest = hashlib.sha256()
            try:
                async for chunk in stores[ref.store].read(ref.key):
                    digest.update(chunk)
            except (StorageError, KeyError) as error:
                return f"{ref.store}:{ref.key}: {error}"
        return None if digest.hexdigest() == ref.sha256 else f"{ref.store}:{ref.key} has other bytes than the log says"

    return [fault for fault in await asyncio.gather(*map(check, dict.fromkeys(files))) if fault]
