"""An archive under test: local files for a store, members of the group, jobs that have ended."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import define, field
from msgspec.structs import replace

from eventflow.archive.archiver import Archiver, ArchiveSettings
from eventflow.archive.list_expiry import ListExpiry
from eventflow.archive.reader import ArchiveReader
from eventflow.archive.segment_store import SegmentStore
from eventflow.domain import commands as cmd
from eventflow.domain.job_ids import new_job_id
from eventflow.domain.topics import ARCHIVE_GROUP, ARCHIVE_TOPICS, GROUP_TOPICS, Topic
from eventflow.log.archive_pointers import ArchivePointers
from eventflow.log.codec import Codec
from eventflow.log.consumer import GroupMember
from eventflow.log.event_store import JobEventStore
from eventflow.log.trim import Trimmer
from eventflow.storage import LocalStore, ObjectStore
from tests.support.runtime import CAUSE, OWNER, REQUEST, Space, utc_now

#: Later than anything that was appended by now, by a hair.
SOON = timedelta(milliseconds=5)


@define
class Archived:
    """A space whose log reads through to an archive."""

    space: Space
    store: ObjectStore
    segment_store: SegmentStore
    pointers: ArchivePointers
    reader: ArchiveReader
    log: JobEventStore
    ahead: timedelta = field(default=SOON)

    def clock(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def archiver(
        self, *, segment_store: Any = None, pointers: Any = None, log: JobEventStore | None = None, **changes: Any
    ) -> Archiver:
        """Return a new member; unless `changes` say otherwise, it archives and reclaims at once."""
        settings = ArchiveSettings(**({"archive_after_s": 0.0, "lease_s": 0.0} | changes))
        redis = self.space.redis
        consumer = f"archiver-{secrets.token_hex(3)}"
        members = [
            GroupMember(
                blocking=redis, redis=redis, keys=keys, group=ARCHIVE_GROUP, topics=ARCHIVE_TOPICS, consumer=consumer
            )
            for keys in self.space.keyspace.all
        ]
        return Archiver(
            log or self.log,
            members,
            segment_store or self.segment_store,
            pointers or self.pointers,
            settings,
            clock=self.clock,
        )

    async def archive(self, **changes: Any) -> int:
        """What is due, by a member that then leaves; returns how many entries it dealt with."""
        archiver = self.archiver(**changes)
        await archiver.ensure()
        handled = 0
        while dealt := await archiver.round():
            handled += dealt
        await archiver.leave()
        return handled

    def list_expiry(self, *, listed_s: float = 0.0, **changes: Any) -> ListExpiry:
        """One that lists archived jobs for `listed_s`."""
        return ListExpiry(
            job_lists=self.log.job_lists,
            pointers=self.pointers,
            segment_store=self.segment_store,
            listed_s=listed_s,
            clock=self.clock,
            **changes,
        )

    async def unlist(self, **changes: Any) -> None:
        """One pass over all lists."""
        list_expiry = self.list_expiry(**changes)
        while await list_expiry.step():
            pass

    async def listed(self, owner: str | None = OWNER) -> list[str]:
        """The newest 1,000 jobs of a list, newest first."""
        page = await self.log.job_lists.read(owner, None, 1_000)
        return [entry.job_id for entry in page.entries]

    def trimmer(self, *, grace_s: float = 0.0, feed: bool = True) -> Trimmer:
        pointers = self.pointers if feed else None
        return Trimmer(self.space.redis, self.space.keyspace, pointers, grace_s=grace_s)

    async def finished(self, partition: int = 0, owner: str = OWNER) -> str:
        """A published job without scenes; nobody has read its events."""
        job_id = new_job_id(partition, secrets.token_hex(16))
        await self.space.log.create(job_id, REQUEST, replace(CAUSE, owner=owner))
        await self.space.do(
            job_id,
            cmd.FinishVideo(run=1, videos=(), thumbnails=()),
            cmd.FinishUpload(run=1, videos=(), thumbnails=()),
            cmd.PublishVideo(1, ()),
        )
        return job_id

    async def in_server(self, job_id: str) -> bool:
        return bool(await self.space.redis.exists(self.space.keys.events(job_id)))

    async def everybody_reads(self) -> None:
        """Every group of handlers is there, and has been given and acknowledged all that has come until now."""
        redis = self.space.redis
        for group, topics in GROUP_TOPICS.items():
            member = GroupMember(
                blocking=redis, redis=redis, keys=self.space.keys, group=group, topics=topics, consumer="reader"
            )
            await member.ensure()
            for delivery in await read_all(member):
                await redis.xack(delivery.claim.stream, group, delivery.claim.entry_id)

    async def length(self, topic: Topic) -> int:
        return int(await self.space.redis.xlen(self.space.topic(topic)))


async def read_all(member: GroupMember) -> list[Any]:
    found: list[Any] = []
    while some := await member.read(1_000):
        found += some
    return found


@asynccontextmanager
async def archived_space(space: Space, folder: Path) -> AsyncIterator[Archived]:

    store = LocalStore(folder, now=utc_now, name="archive")
    try:
        yield archive_of(space, store)
    finally:
        await store.close()


def archive_of(space: Space, store: ObjectStore) -> Archived:
    segment_store, pointers, codec = SegmentStore(store), ArchivePointers(space.redis, space.keyspace), Codec()
    reader = ArchiveReader(pointers, segment_store, codec)
    log = JobEventStore(space.redis, codec=codec, keyspace=space.keyspace, clock=utc_now, archive=reader)
    return Archived(space, store, segment_store, pointers, reader, log)


class Struck(Exception):
    """What a strike ends a member with: as good as its death, nothing of it runs on."""


Action = Callable[..., Awaitable[Any]]


class StrikesAt:
    """Passes calls on to `target`, until the call `name`: then it raises, before the call is made or after it."""

    def __init__(self, target: Any, name: str, *, after: bool) -> None:
        self._target, self._name, self._after = target, name, after

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        return self._struck(found) if name == self._name else found

    def _struck(self, action: Action) -> Action:
        async def call(*args: Any, **kwargs: Any) -> Any:
            if self._after:
                await action(*args, **kwargs)
            raise Struck(self._name)

        return call
