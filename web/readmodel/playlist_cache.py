"""The cache of playlists of watched jobs, rewritten only when a job has changed.

The projection keeps many jobs but no segments, and few jobs are watched. Those are folded here, from the events that
the projection reads; where it knows a later version than this cache, the missing events are read.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress

from aiohttp import web
from attrs import define, field, frozen
from cachetools import LRUCache

from eventflow.domain.envelope import Envelope
from eventflow.domain.errors import DomainError
from eventflow.log.deadline import WithinDeadline
from eventflow.log.event_store import JobEventStore
from web.readmodel.hls_editions import Editions

#: Jobs that are kept; each takes about 900 bytes per segment (measured).
CAPACITY = 500
#: Stands for the token in the text that all viewers share.
_PLACEHOLDER = "{token}"

#: (token) -> the text of a playlist whose URIs carry the token.
Write = Callable[[str], str]


@frozen
class Playlist:
    """A playlist, to be filled with each viewer's token. `etag` is strong and quoted; `plain` is without a token."""

    plain: bytes
    etag: str
    _parts: tuple[bytes, ...]

    @classmethod
    def of(cls, write: Write) -> Playlist:
        """The playlist that `write` makes."""
        template = write(_PLACEHOLDER)
        plain = template.replace(f"?token={_PLACEHOLDER}", "").replace(f"&token={_PLACEHOLDER}", "").encode()
        etag = f'"{hashlib.sha256(plain).hexdigest()[:32]}"'
        return cls(plain, etag, tuple(template.encode().split(_PLACEHOLDER.encode())))

    def body(self, token: str) -> bytes:
        """The text with `token` in every URI; empty: without."""
        return token.encode().join(self._parts) if token else self.plain


@define(eq=False, kw_only=True)
class JobPlaylists:
    """A watched job: its editions at `version` (its last event's mark is `mark`), and the playlists written of them."""

    editions: Editions = field(factory=Editions)
    version: int = 0
    mark: str = ""
    written: dict[tuple[str, str, int], Playlist] = field(factory=dict)
    lock: asyncio.Lock = field(factory=asyncio.Lock)

    def playlist(self, key: tuple[str, str, int], write: Write) -> Playlist:
        """The playlist under `key`, made by `write` if it is the first request for it."""
        found = self.written.get(key)
        if found is None:
            found = self.written[key] = Playlist.of(write)
        return found


class PlaylistCache:
    """Playlists of the `capacity` most recently used jobs; requests and a job's own events count as use."""

    def __init__(self, log: JobEventStore, capacity: int = CAPACITY) -> None:
        self._log = log
        self._jobs = LRUCache[str, JobPlaylists](capacity)

    def cached(self, job_id: str) -> JobPlaylists | None:
        """The job at whatever version is cached; no I/O."""
        return self._jobs.get(job_id)

    async def at(self, job_id: str, version: int) -> JobPlaylists:
        """The job at `version` or later. Raises DecodeError, IllegalTransition, connection and storage errors."""
        job = self._jobs.get(job_id)
        if job is None:
            job = self._jobs[job_id] = JobPlaylists()
        if job.version < version:
            async with WithinDeadline(), job.lock:
                if job.version < version:
                    await self._catch_up(job_id, job)
        return job

    def feed(self, envelopes: Sequence[Envelope]) -> None:
        """Feed consecutive events of one job; ignored unless they continue what is cached."""
        job_id = envelopes[0].job_id
        job = self._jobs.get(job_id)
        if job is None:
            return
        if job.lock.locked():  # the read in progress may end before these events: the next request reads again
            del self._jobs[job_id]
            return
        first = envelopes[0].seq
        if first > job.version + 1 or envelopes[-1].seq < job.version:
            return  # the next request reads the events between
        if first <= job.version and envelopes[job.version - first].mark != job.mark:
            del self._jobs[job_id]  # the log has lost events that are folded here
            return
        with suppress(DomainError):  # the next request for the job raises it
            self._apply(job_id, job, job.editions, envelopes[job.version + 1 - first :])

    async def _catch_up(self, job_id: str, job: JobPlaylists) -> None:
        """Read the missing events, and the last folded one: a server that lost it may have another in its place."""
        editions = job.editions if job.version else Editions()
        envelopes = await self._log.history(job_id, after=max(0, job.version - 1))
        if job.version and envelopes and envelopes[0].mark == job.mark:
            del envelopes[0]
        elif job.version:
            editions, envelopes = Editions(), await self._log.history(job_id)
        self._apply(job_id, job, editions, envelopes)

    def _apply(self, job_id: str, job: JobPlaylists, editions: Editions, envelopes: Sequence[Envelope]) -> None:
        try:
            for envelope in envelopes:
                editions.apply(envelope.event)
                job.version, job.mark = envelope.seq, envelope.mark
        except DomainError:  # folded in part: the next request reads again
            self._jobs.pop(job_id, None)
            raise
        job.editions = editions
        job.written.clear()


PLAYLISTS = web.AppKey("playlists", PlaylistCache)
