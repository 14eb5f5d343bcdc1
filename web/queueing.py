"""A waiting job's place in the queue, for those who ask for its status."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web
from attrs import define
from redis.asyncio import Redis

from eventflow.domain.view import JobView, Status
from eventflow.log.admission import queue_position, waiting_jobs
from eventflow.log.keys import Keyspace
from web.entries import Snapshot
from web.render import render_status

#: For how long it is believed that nobody waits, in seconds: then status requests cost the log nothing.
BELIEVED_SECONDS = 1.0


@define(eq=False)
class Queueing:
    """Asks the log only while somebody waits. `monotonic` gives seconds."""

    redis: Redis
    keyspace: Keyspace
    monotonic: Callable[[], float]
    _nobody_until: float = 0.0

    def may_wait(self, view: JobView) -> bool:
        """Whether the job may have a place; no I/O."""
        return self.monotonic() >= self._nobody_until and view.status is Status.QUEUED

    async def position(self, view: JobView) -> int | None:
        """The place of a job that waits, from 1; None of any other. Raises connection errors."""
        if not self.may_wait(view):
            return None
        place = await queue_position(self.redis, self.keyspace, view.id, view.job.request.priority)
        if place is None and not await waiting_jobs(self.redis, self.keyspace):
            self._nobody_until = self.monotonic() + BELIEVED_SECONDS
        return place

    def asked(self) -> None:
        """A job was just asked for: it may wait."""
        self._nobody_until = 0.0


def placed(snapshot: Snapshot, place: int) -> Snapshot:
    """The status answer with the job's place in it."""
    body = render_status(snapshot.view, snapshot.progress, place)
    return Snapshot(snapshot.view, snapshot.progress, body, f'{snapshot.etag[:-1]}-q{place}"')


QUEUEING = web.AppKey("queueing", Queueing)
