"""The cache of folded jobs, kept fresh by one tail of the feed per process.

Rule 1: a cached view counts as fresh only while the tail follows the feed without a gap since before the view was
read (the epoch), and while the tail has noted nothing newer. Otherwise the job's stream is read on access.
Rule 2: an entry is registered before its stream is read, so that no note falls between the two.
Rule 3: events are applied by version: never twice, never out of order.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

import structlog
from aiohttp import web
from redis.exceptions import RedisError

from eventflow.domain.envelope import Envelope
from eventflow.domain.errors import DomainError
from eventflow.domain.job_ids import partition_of
from eventflow.domain.view import JobView, progress
from eventflow.log.codec import DecodeError
from eventflow.log.deadline import WithinDeadline
from eventflow.log.errors import PositionLost
from eventflow.log.event_store import JobEventStore
from eventflow.log.feed import Appended, Dropped, FeedTail, Note
from web.readmodel.cache_entry import Entry, Snapshot, VersionPending, wait
from web.readmodel.load_views import HistoryGap, Reading, Wanted, fold_on, read_jobs

_log = structlog.get_logger()

TAIL_BLOCK_MS = 1_000
#: A tail that has been silent for longer may hang on a dead connection: its views aren't believed.
TAIL_SILENCE_SECONDS = 3.0
#: The feed is read at most so often, in seconds: what comes within is folded in one go.
TAIL_SPACING_SECONDS = 0.05
#: How often a wait for a version looks for itself, should the tail be down.
POLL_SECONDS = 0.5
_BATCH = 200
_PAUSE_SECONDS = (0.05, 2.0)

Render = Callable[[JobView, float], bytes]
Hear = Callable[[Sequence[Envelope]], None]


class Projection:
    """Job views by id. At most `capacity` are kept, those go that weren't asked for lately; `render` makes the answer.

    `hear` gets the events of a job that were read, so that nobody has to read them again: all of them, or those that
    go on from what it got before.
    """

    def __init__(
        self, log: JobEventStore, tail: FeedTail, *, capacity: int, render: Render, hear: Hear = lambda _: None
    ) -> None:
        self._log, self._tail, self._capacity, self._render, self._hear = log, tail, capacity, render, hear
        self._cache: OrderedDict[str, Entry] = OrderedDict()
        self._loading: dict[str, Entry] = {}
        self._epoch, self._following, self._heard = 0, False, 0.0
        self._now = asyncio.get_running_loop().time

    @property
    def following(self) -> bool:
        """Whether the tail has the feed, and cached views are believed."""
        return self._following and self._now() - self._heard < TAIL_SILENCE_SECONDS

    def peek(self, job_id: str) -> Snapshot | None:
        """The job if it is cached and fresh; no I/O."""
        entry = self._cache.get(job_id)
        if entry is None or not self._fresh(entry):
            return None
        entry.asked = True
        return entry.snapshot or self._snapshot(entry)

    async def get(self, job_id: str, *, min_version: int = 0, timeout_s: float = 10.0) -> Snapshot | None:
        """The job at `min_version` or later; waits for that up to `timeout_s` seconds. None if there is no such job.

        Raises VersionPending, DecodeError, IllegalTransition and connection errors.
        """
        entry = await self._fetch(job_id)
        if entry is None:
            return None
        deadline = self._now() + timeout_s
        look = first = True
        while entry.version < min_version:
            if look:  # the first time whatever the tail says: it may not have come to the write that is waited for
                entry = await self._fetch(job_id, force=first)
                if entry is None:
                    return None
            first, remaining = False, deadline - self._now()
            if entry.version < min_version and remaining <= 0:
                raise VersionPending(entry.version)
            look = entry.version < min_version and not await wait(entry, min(remaining, POLL_SECONDS))
        return self._snapshot(entry)

    async def get_many(self, job_ids: Sequence[str]) -> dict[str, Snapshot]:
        """Those of the jobs that there are, read in one round trip where they aren't fresh.

        Raises as `get` does, for all of them together.
        """
        entries = [self._known(job_id) for job_id in job_ids]
        try:
            await self._advance([entry for entry in entries if not self._fresh(entry)], live=True)
        finally:
            for entry in entries:
                if entry.view is not None:
                    self._keep(entry)
                elif self._loading.get(entry.job_id) is entry and not entry.lock.locked():
                    del self._loading[entry.job_id]
        return {entry.job_id: self._snapshot(entry) for entry in entries if entry.view is not None}

    def _known(self, job_id: str) -> Entry:
        """The job's entry, registered before anything is read for it."""
        entry = self._cache.get(job_id)
        if entry is None:
            tailed = partition_of(job_id) < self._log.keyspace.partitions
            entry = self._loading.setdefault(job_id, Entry(job_id, tailed))
        return entry

    def _fresh(self, entry: Entry) -> bool:
        return (
            entry.view is not None
            and (entry.view.version >= entry.noted or entry.coming)
            and entry.epoch == self._epoch
            and entry.tailed
            and self.following
        )

    async def _fetch(self, job_id: str, *, force: bool = False) -> Entry | None:
        entry = self._known(job_id)
        async with WithinDeadline(), entry.lock:
            if force or not self._fresh(entry):
                try:
                    await self._advance([entry], live=True)
                finally:
                    if entry.view is None and self._loading.get(job_id) is entry:
                        del self._loading[job_id]
        if entry.view is None:
            return None
        self._keep(entry)
        return entry

    def _keep(self, entry: Entry) -> None:
        if entry.job_id in self._cache:
            entry.asked = True
            return
        if self._loading.pop(entry.job_id, None) is not entry:
            entry.epoch = -1  # it wasn't registered all the time: a note may have passed it by
        if len(self._cache) >= self._capacity:
            self._evict()
        self._cache[entry.job_id] = entry

    def _evict(self) -> None:
        """Let go of the oldest entry that wasn't asked for since it last was the oldest one.

        This is the CLOCK approximation of LRU: a hit sets a flag, where moving the entry would touch its neighbours.
        """
        while True:
            job_id, entry = self._cache.popitem(last=False)
            if not entry.asked:
                return
            entry.asked = False
            self._cache[job_id] = entry

    def _snapshot(self, entry: Entry) -> Snapshot:
        if entry.snapshot is None:
            view = entry.view
            if view is None:
                raise LookupError(entry.job_id)
            if entry.run != view.job.last_run:
                entry.run, entry.floor = view.job.last_run, 0.0
            entry.floor = max(entry.floor, progress(view.job, entry.live))
            shown = round(entry.floor, 1)
            entry.snapshot = Snapshot(view, shown, self._render(view, shown), f'"{view.version}-{shown:g}"')
        return entry.snapshot

    async def _advance(self, entries: Sequence[Entry], *, live: bool) -> None:
        """Read what is new of `entries` and apply it. A view of an earlier epoch is folded from its beginning."""
        epoch = self._epoch
        bases = [entry.view if entry.epoch == epoch else None for entry in entries]
        wanted = [Wanted(e.job_id, b.version if b else 0) for e, b in zip(entries, bases, strict=True)]
        readings = await read_jobs(self._log, wanted, live=live)
        for entry, base, reading in zip(entries, bases, readings, strict=True):
            try:
                view = fold_on(base, reading.envelopes)
            except HistoryGap:
                if base is None:
                    raise
                reading = (await read_jobs(self._log, [Wanted(entry.job_id, 0)], live=live))[0]
                view = fold_on(None, reading.envelopes)
            self._settle(entry, view, reading, epoch)
            if reading.envelopes:
                self._hear(reading.envelopes)

    def _settle(self, entry: Entry, view: JobView | None, reading: Reading, epoch: int) -> None:
        if view is None:
            if entry.view is not None:  # the log has lost the job
                entry.view, entry.snapshot = None, None
                self._cache.pop(entry.job_id, None)
            return
        for name, fraction in reading.live.items():
            entry.live[name] = max(entry.live.get(name, 0.0), fraction)
        older = entry.view is not None and entry.epoch == epoch and entry.view.version > view.version
        if not older and entry.epoch <= epoch:
            entry.view, entry.epoch = view, epoch
        if view.job.finished:
            entry.live = {}
        entry.snapshot = None
        for waiter in entry.waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _take(self, notes: Iterable[Note]) -> list[Entry]:
        """Note what the tail has told; the entries that now lag behind."""
        stale: dict[str, Entry] = {}
        for note in notes:
            entry = self._cache.get(note.job_id) or self._loading.get(note.job_id)
            if entry is None:
                continue
            if isinstance(note, Dropped):  # a read that is under way finds it unregistered, and isn't believed
                _ = self._cache.pop(note.job_id, None), self._loading.pop(note.job_id, None)
            elif isinstance(note, Appended):
                entry.noted = max(entry.noted, note.version)
                if entry.view is not None and entry.view.version < note.version:
                    stale[note.job_id] = entry
            elif entry.view is None or not entry.view.job.finished:
                entry.live[note.field] = max(entry.live.get(note.field, 0.0), note.fraction)
                entry.snapshot = None
        return list(stale.values())

    async def _refresh(self, stale: Sequence[Entry]) -> None:
        """Bring `stale` up to date, in batches. An unreadable job is dropped: whoever asks for it gets the error.

        Who asks meanwhile gets what there is, as if the note had come a moment later: many do, and would each read.
        """
        for entry in stale:
            entry.coming = True
        try:
            for start in range(0, len(stale), _BATCH):
                await self._refresh_batch(stale[start : start + _BATCH])
        finally:
            for entry in stale:
                entry.coming = False

    async def _refresh_batch(self, batch: Sequence[Entry]) -> None:
        behind = [entry for entry in batch if entry.version < entry.noted]
        try:
            await self._advance(behind, live=False)
        except (DecodeError, DomainError, HistoryGap):
            for entry in behind:
                self._cache.pop(entry.job_id, None)

    def _begin_epoch(self) -> None:
        self._epoch += 1
        self._following, self._heard = True, self._now()
        for entry in (*self._cache.values(), *self._loading.values()):
            entry.noted = 0  # told of a log that may since have lost its last events

    async def follow(self) -> None:
        """Follow the feed until cancelled, over lost connections."""
        least, longest = _PAUSE_SECONDS
        pause = least
        while True:
            try:
                await self._tail.start_at_end()
                self._begin_epoch()
                pause = least
                while True:
                    notes = await self._tail.read(block_ms=TAIL_BLOCK_MS)
                    self._heard = self._now()
                    await self._refresh(self._take(notes))
                    await asyncio.sleep(self._heard + TAIL_SPACING_SECONDS - self._now())
            except (RedisError, OSError, PositionLost) as error:
                _log.warning("feed lost", action="tail", error=str(error), retry_in_s=pause)
            except Exception:
                _log.exception("feed failed", action="tail", retry_in_s=pause)
            finally:
                self._following = False
            await asyncio.sleep(pause)
            pause = min(2 * pause, longest)


@asynccontextmanager
async def running(projection: Projection) -> AsyncIterator[None]:
    """The projection with its tail following in the background."""
    task = asyncio.create_task(projection.follow(), name="feed tail")
    try:
        yield
    finally:
        while not task.done():  # a client that isn't ours may swallow a cancellation on Python 3.11
            task.cancel()
            await asyncio.wait([task], timeout=1.0)


PROJECTION = web.AppKey("projection", Projection)
