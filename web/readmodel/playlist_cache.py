"""Playlists of the jobs that are being watched, made anew only when a job has moved on.

The cache of folded jobs keeps no segments: it holds many jobs, of which few are watched. Those are folded here, by the
events that the cache reads; where it knows a version that they haven't come to, they are read.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress

from aiohttp import web
from attrs import define, field, frozen

from eventflow.domain.envelope import Envelope
from eventflow.domain.errors import DomainError
from eventflow.log.deadline import WithinDeadline
from eventflow.log.event_store import JobEventStore
from web.readmodel.hls_editions import Editions

#: Jobs that are kept; one takes some 900 bytes for each segment.
CAPACITY = 500
#: Stands for the token in a text that is kept for all who have one.
_HERE = "{token}"

#: Makes a playlist whose URIs carry the given token.
Write = Callable[[str], str]


@frozen
class Playlist:
    """Its text without a token, and what is between its places for one. `etag` is strong, and quoted."""

    plain: bytes
    etag: str
    _between: tuple[bytes, ...]

    @classmethod
    def of(cls, write: Write) -> Playlist:
        template = write(_HERE)
        plain = template.replace(f"?token={_HERE}", "").replace(f"&token={_HERE}", "").encode()
        return cls(plain, f'"{hashlib.sha256(plain).hexdigest()[:32]}"', tuple(template.encode().split(_HERE.encode())))

    def body(self, token: str) -> bytes:
        return token.encode().join(self._between) if token else self.plain


@define(eq=False)
class CachedPlaylists:
    """A watched job: its editions at `version`, and the playlists that were asked for since."""

    editions: Editions = field(factory=Editions)
    version: int = 0
    mark: str = ""
    written: dict[tuple[str, str, int], Playlist] = field(factory=dict)
    lock: asyncio.Lock = field(factory=asyncio.Lock)

    def playlist(self, key: tuple[str, str, int], write: Write) -> Playlist:
        """The playlist under `key`, written if it isn't yet."""
        found = self.written.get(key)
        if found is None:
            found = self.written[key] = Playlist.of(write)
        return found


class PlaylistCache:
    """The watched jobs, by id; the least recently asked for go."""

    def __init__(self, log: JobEventStore, capacity: int = CAPACITY) -> None:
        self._log, self._capacity = log, capacity
        self._kept: OrderedDict[str, CachedPlaylists] = OrderedDict()

    def known(self, job_id: str) -> CachedPlaylists | None:
        """The job as of some version; no I/O."""
        return self._kept.get(job_id)

    async def at(self, job_id: str, version: int) -> CachedPlaylists:
        """The job at `version` or later. Raises DecodeError, IllegalTransition, connection and storage errors."""
        stream = self._kept.get(job_id)
        if stream is None:
            stream = self._kept[job_id] = CachedPlaylists()
            if len(self._kept) > self._capacity:
                self._kept.popitem(last=False)
        self._kept.move_to_end(job_id)
        if stream.version < version:
            async with WithinDeadline(), stream.lock:
                if stream.version < version:
                    await self._read_on(job_id, stream)
        return stream

    def hear(self, envelopes: Sequence[Envelope]) -> None:
        """Events of one job, in order and without a gap, that somebody has read: all, or those that go on from what
        was heard before."""
        job_id = envelopes[0].job_id
        stream = self._kept.get(job_id)
        if stream is None:
            return
        if stream.lock.locked():  # whoever reads it may not come as far; whoever asks next begins again
            del self._kept[job_id]
            return
        first = envelopes[0].seq
        if first > stream.version + 1 or envelopes[-1].seq < stream.version:
            return  # `at` closes the gap
        if first <= stream.version and envelopes[stream.version - first].mark != stream.mark:
            del self._kept[job_id]  # the log has lost what is folded here
            return
        with suppress(DomainError):  # whoever asks next gets it
            self._take(job_id, stream, stream.editions, envelopes[stream.version + 1 - first :])

    async def _read_on(self, job_id: str, stream: CachedPlaylists) -> None:
        """The last event that is folded is read again: a server that has lost some may have others in their place."""
        editions = stream.editions if stream.version else Editions()
        envelopes = await self._log.history(job_id, after=max(0, stream.version - 1))
        if stream.version and envelopes and envelopes[0].mark == stream.mark:
            del envelopes[0]
        elif stream.version:
            editions, envelopes = Editions(), await self._log.history(job_id)
        self._take(job_id, stream, editions, envelopes)

    def _take(self, job_id: str, stream: CachedPlaylists, editions: Editions, envelopes: Sequence[Envelope]) -> None:
        try:
            for envelope in envelopes:
                editions.take(envelope.event)
                stream.version, stream.mark = envelope.seq, envelope.mark
        except DomainError:  # half folded: whoever asks next begins again
            self._kept.pop(job_id, None)
            raise
        stream.editions = editions
        stream.written.clear()


STREAMS = web.AppKey("streams", PlaylistCache)
