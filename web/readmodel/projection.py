"""The cache of folded jobs, kept fresh by one tail of the feed per process.

Rule 1: a cached view is fresh while the tail has followed the feed without a gap since before the view was read (the
epoch), and has announced no newer version. Otherwise the job's stream is read on access.
Rule 2: an entry is registered before its stream is read, so that no announcement falls between the two.
Rule 3: events are applied by version: never twice, never out of order.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import structlog
from aiohttp import hdrs, web
from attrs import define, field, frozen
from multidict import CIMultiDict
from redis.exceptions import RedisError

from eventflow.backoff import Backoff
from eventflow.domain.envelope import Envelope
from eventflow.domain.errors import DomainError
from eventflow.domain.job_ids import partition_of
from eventflow.domain.progress import progress
from eventflow.domain.view import JobView
from eventflow.log.codec import DecodeError
from eventflow.log.deadline import WithinDeadline
from eventflow.log.errors import PositionLost
from eventflow.log.event_store import JobEventStore
from eventflow.log.feed import Appended, Dropped, FeedTail, Note
from web.http.ranges import REVALIDATE
from web.readmodel.job_status import HistoryGap, fold_on

_log = structlog.get_logger()

TAIL_BLOCK_MS = 1_000
#: A tail that was silent for longer may hang on a dead connection: its views no longer count as fresh.
TAIL_SILENCE_SECONDS = 3.0
#: Shortest time between two reads of the feed: events that arrive within it are folded together (decision 111).
TAIL_SPACING_SECONDS = 0.05
#: How often a wait for a version reads the job itself, in case the tail is down.
POLL_SECONDS = 0.5
#: Jobs that one pipeline reads after an announcement.
_BATCH = 200
#: After a lost feed: at first 50 ms (the server was restarted), later every 2 s.
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 2.0
#: Events of a job that the first read takes; the others follow from `JobEventStore.history`.
_PAGE = 1_000

#: (view, progress in percent) -> the body of the status answer.
Render = Callable[[JobView, float], bytes]
OnEvents = Callable[[Sequence[Envelope]], None]


@frozen(kw_only=True)
class Snapshot:
    """A job at one moment: its view, its progress (0 to 100), and the status answer made of the two.

    `etag` holds the version and the progress (decision 21). `headers` are those of the answer, to be copied before use.
    """

    view: JobView
    progress: float
    body: bytes
    etag: str
    headers: CIMultiDict[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        headers = {hdrs.CONTENT_TYPE: "application/json", hdrs.ETAG: self.etag, hdrs.CACHE_CONTROL: REVALIDATE}
        object.__setattr__(self, "headers", CIMultiDict(headers))


class VersionPending(Exception):
    """The awaited version wasn't written in time; the job is at `version`."""

    def __init__(self, version: int) -> None:
        super().__init__(f"the job is at version {version}")
        self.version = version


@frozen
class Wanted:
    """The events of `job_id` after `version` are to be read."""

    job_id: str
    version: int


@frozen
class Reading:
    """The events that were read, oldest first, and the fractions of running steps by progress field."""

    envelopes: tuple[Envelope, ...]
    live: Mapping[str, float]


async def read_jobs(log: JobEventStore, wanted: Sequence[Wanted], *, live: bool) -> list[Reading]:
    """Read the events of several jobs in one pipeline; one reading for each of `wanted`, in order.

    Without `live` the fractions are empty. Raises DecodeError and connection errors.
    """
    async with log.redis.pipeline(transaction=False) as pipe:
        for want in wanted:
            keys = log.keyspace.of_job(want.job_id)
            pipe.xrange(keys.events(want.job_id), min=f"{want.version + 1}-0", count=_PAGE)
            if live:
                pipe.hgetall(keys.live(want.job_id))
        answers: list[Any] = await pipe.execute()
    readings = []
    step = 2 if live else 1
    for number, want in enumerate(wanted):
        rows = answers[number * step]
        envelopes = [log.codec.decode(fields[b"e"]) for _, fields in rows]
        if not rows and log.archive is not None:
            envelopes = await log.history(want.job_id, after=want.version)
        if len(rows) == _PAGE:
            envelopes += await log.history(want.job_id, after=envelopes[-1].seq)
        live_fractions = fractions(answers[number * step + 1]) if live else {}
        readings.append(Reading(tuple(envelopes), live_fractions))
    return readings


def fractions(fields: Mapping[bytes, bytes]) -> dict[str, float]:
    """The progress fields of a job's live hash, whose names have colons; other fields are left out."""
    return {name.decode(): float(value) for name, value in fields.items() if b":" in name}


@define(eq=False, kw_only=True)
class _Entry:
    """A cached job. `announced` is the newest version that the tail has read of.

    `in_feed`: the tail reads the job's partition. `refreshing`: an announced version is being read. `referenced`: the
    job was requested since eviction last passed over it. `floor` is the progress shown in `run`, which never falls.
    """

    job_id: str
    in_feed: bool
    view: JobView | None = None
    epoch: int = -1
    announced: int = 0
    refreshing: bool = False
    referenced: bool = False
    live: dict[str, float] = field(factory=dict)
    run: int = 0
    floor: float = 0.0
    snapshot: Snapshot | None = None
    lock: asyncio.Lock = field(factory=asyncio.Lock)
    waiters: list[asyncio.Future[None]] = field(factory=list)

    @property
    def version(self) -> int:
        return self.view.version if self.view else 0

    async def wait(self, seconds: float) -> bool:
        """Wait until the entry changes; whether it did within `seconds`."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiters.append(waiter)
        try:
            done, _ = await asyncio.wait([waiter], timeout=seconds)
        finally:
            self.waiters.remove(waiter)
        return bool(done)


class Projection:
    """Snapshots of jobs by id. Keeps the `capacity` jobs that were requested most recently.

    `render` makes the status answer. `on_events` receives the events that were read of a job: all of them, or those
    that continue the ones received before (decision 137).
    """

    def __init__(
        self,
        log: JobEventStore,
        tail: FeedTail,
        *,
        capacity: int,
        render: Render,
        on_events: OnEvents = lambda _: None,
    ) -> None:
        self._log, self._tail, self._capacity, self._render, self._on_events = log, tail, capacity, render, on_events
        self._cache: OrderedDict[str, _Entry] = OrderedDict()
        self._loading: dict[str, _Entry] = {}
        self._epoch, self._following, self._last_read = 0, False, 0.0
        self._now = asyncio.get_running_loop().time

    @property
    def following(self) -> bool:
        """Whether the tail follows the feed, so that cached views may be fresh."""
        return self._following and self._now() - self._last_read < TAIL_SILENCE_SECONDS

    def cached(self, job_id: str) -> Snapshot | None:
        """The job if it is cached and fresh, else None; no I/O."""
        entry = self._cache.get(job_id)
        if entry is None or not self._is_fresh(entry):
            return None
        entry.referenced = True
        return entry.snapshot or self._snapshot(entry)

    async def get(self, job_id: str, *, min_version: int = 0, timeout_s: float = 10.0) -> Snapshot | None:
        """The job at `min_version` or later, after a wait of at most `timeout_s`; None for an unknown job.

        Raises VersionPending, DecodeError, IllegalTransition and connection errors.
        """
        entry = await self._fetch(job_id)
        if entry is None:
            return None
        deadline = self._now() + timeout_s
        read = first = True
        while entry.version < min_version:
            if read:  # at first even if the entry is fresh: the tail may be behind the awaited write (decision 63)
                entry = await self._fetch(job_id, force=first)
                if entry is None:
                    return None
            first, remaining = False, deadline - self._now()
            if entry.version < min_version and remaining <= 0:
                raise VersionPending(entry.version)
            read = entry.version < min_version and not await entry.wait(min(remaining, POLL_SECONDS))
        return self._snapshot(entry)

    async def get_many(self, job_ids: Sequence[str]) -> dict[str, Snapshot]:
        """The known ones of the jobs; those that aren't fresh are read in one round trip.

        Raises as `get` does, for all of them together.
        """
        entries = [self._entry(job_id) for job_id in job_ids]
        try:
            await self._catch_up([entry for entry in entries if not self._is_fresh(entry)], live=True)
        finally:
            for entry in entries:
                if entry.view is not None:
                    self._store(entry)
                elif self._loading.get(entry.job_id) is entry and not entry.lock.locked():
                    del self._loading[entry.job_id]
        return {entry.job_id: self._snapshot(entry) for entry in entries if entry.view is not None}

    def _entry(self, job_id: str) -> _Entry:
        """The job's entry, registered before its stream is read."""
        entry = self._cache.get(job_id)
        if entry is None:
            in_feed = partition_of(job_id) < self._log.keyspace.partitions
            entry = self._loading.setdefault(job_id, _Entry(job_id=job_id, in_feed=in_feed))
        return entry

    def _is_fresh(self, entry: _Entry) -> bool:
        return (
            entry.view is not None
            and (entry.view.version >= entry.announced or entry.refreshing)
            and entry.epoch == self._epoch
            and entry.in_feed
            and self.following
        )

    async def _fetch(self, job_id: str, *, force: bool = False) -> _Entry | None:
        entry = self._entry(job_id)
        async with WithinDeadline(), entry.lock:
            if force or not self._is_fresh(entry):
                try:
                    await self._catch_up([entry], live=True)
                finally:
                    if entry.view is None and self._loading.get(job_id) is entry:
                        del self._loading[job_id]
        if entry.view is None:
            return None
        self._store(entry)
        return entry

    def _store(self, entry: _Entry) -> None:
        if entry.job_id in self._cache:
            entry.referenced = True
            return
        if self._loading.pop(entry.job_id, None) is not entry:
            entry.epoch = -1  # it wasn't registered all the time: an announcement may have been missed
        if len(self._cache) >= self._capacity:
            self._evict()
        self._cache[entry.job_id] = entry

    def _evict(self) -> None:
        """Remove the oldest entry that wasn't requested since eviction last passed over it.

        CLOCK, not LRU: a hit sets a flag, where moving the entry would touch its neighbours' memory (decision 198).
        """
        while True:
            job_id, entry = self._cache.popitem(last=False)
            if not entry.referenced:
                return
            entry.referenced = False
            self._cache[job_id] = entry

    def _snapshot(self, entry: _Entry) -> Snapshot:
        if entry.snapshot is None:
            view = entry.view
            if view is None:
                raise LookupError(entry.job_id)
            if entry.run != view.job.last_run:
                entry.run, entry.floor = view.job.last_run, 0.0
            entry.floor = max(entry.floor, progress(view.job, entry.live))
            shown = round(entry.floor, 1)
            body, etag = self._render(view, shown), f'"{view.version}-{shown:g}"'
            entry.snapshot = Snapshot(view=view, progress=shown, body=body, etag=etag)
        return entry.snapshot

    async def _catch_up(self, entries: Sequence[_Entry], *, live: bool) -> None:
        """Read and apply the new events of `entries`. A view of an earlier epoch is folded from the first event."""
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
            self._update(entry, view, reading, epoch)
            if reading.envelopes:
                self._on_events(reading.envelopes)

    def _update(self, entry: _Entry, view: JobView | None, reading: Reading, epoch: int) -> None:
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

    def _announce(self, notes: Iterable[Note]) -> list[_Entry]:
        """Apply what the tail has read; returns the entries that are now behind."""
        stale: dict[str, _Entry] = {}
        for note in notes:
            entry = self._cache.get(note.job_id) or self._loading.get(note.job_id)
            if entry is None:
                continue
            if isinstance(note, Dropped):  # decision 38; a read in progress finds its entry unregistered: not fresh
                _ = self._cache.pop(note.job_id, None), self._loading.pop(note.job_id, None)
            elif isinstance(note, Appended):
                entry.announced = max(entry.announced, note.version)
                if entry.view is not None and entry.view.version < note.version:
                    stale[note.job_id] = entry
            elif entry.view is None or not entry.view.job.finished:
                entry.live[note.field] = max(entry.live.get(note.field, 0.0), note.fraction)
                entry.snapshot = None
        return list(stale.values())

    async def _refresh(self, stale: Sequence[_Entry]) -> None:
        """Bring `stale` up to date, in batches. An unreadable job is removed: the next request for it gets the error.

        Meanwhile requests get the view from before the announcement: they would all read the same events otherwise.
        """
        for entry in stale:
            entry.refreshing = True
        try:
            for start in range(0, len(stale), _BATCH):
                await self._refresh_batch(stale[start : start + _BATCH])
        finally:
            for entry in stale:
                entry.refreshing = False

    async def _refresh_batch(self, batch: Sequence[_Entry]) -> None:
        behind = [entry for entry in batch if entry.version < entry.announced]
        try:
            await self._catch_up(behind, live=False)
        except (DecodeError, DomainError, HistoryGap):
            for entry in behind:
                self._cache.pop(entry.job_id, None)

    def _begin_epoch(self) -> None:
        self._epoch += 1
        self._following, self._last_read = True, self._now()
        for entry in (*self._cache.values(), *self._loading.values()):
            entry.announced = 0  # the server may have lost the announced events since

    async def follow(self) -> None:
        """Follow the feed until cancelled, over lost connections."""
        backoff = Backoff(first_s=_FIRST_PAUSE_S, longest_s=_LONGEST_PAUSE_S, random=Random())  # noqa: S311 - jitter
        while True:
            try:
                await self._tail.start_at_end()
                self._begin_epoch()
                backoff.reset()
                while True:
                    notes = await self._tail.read(block_ms=TAIL_BLOCK_MS)
                    self._last_read = self._now()
                    await self._refresh(self._announce(notes))
                    await asyncio.sleep(self._last_read + TAIL_SPACING_SECONDS - self._now())
            except (RedisError, OSError, PositionLost) as error:
                pause_s = backoff.next_s()
                _log.warning("feed lost", action="tail", error=str(error), retry_in_s=round(pause_s, 3))
            except Exception:
                pause_s = backoff.next_s()
                _log.exception("feed failed", action="tail", retry_in_s=round(pause_s, 3))
            finally:
                self._following = False
            await asyncio.sleep(pause_s)


@asynccontextmanager
async def running(projection: Projection) -> AsyncIterator[None]:
    """Inside the block, the projection's tail follows the feed in the background."""
    task = asyncio.create_task(projection.follow(), name="feed tail")
    try:
        yield
    finally:
        while not task.done():  # the Redis client may swallow a cancellation on Python 3.11
            task.cancel()
            await asyncio.wait([task], timeout=1.0)


PROJECTION = web.AppKey("projection", Projection)
