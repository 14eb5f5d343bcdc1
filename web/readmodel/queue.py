"""The queue of waiting jobs as the API shows it: when it refuses new jobs, and a job's position in it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable

from aiohttp import web
from attrs import define, field
from redis.asyncio import Redis

from eventflow.domain.view import JobView, Status
from eventflow.log.keys import Keyspace
from eventflow.log.queue_position import Queue, count_queue, queue_position, waiting_jobs
from web.http.errors import Problem
from web.readmodel.job_status import render_status
from web.readmodel.projection import Snapshot

#: Bounds of Retry-After, and its value while the pace of the queue is unknown; in seconds.
RETRY_AFTER = (1, 300)
RETRY_AFTER_UNKNOWN = 10
#: The pace is that of the last minute, sampled at most once a second.
WINDOW_SECONDS = 60.0
SAMPLE_SECONDS = 1.0


@define(eq=False, kw_only=True)
class Backpressure:
    """Refuses new jobs while `limit` jobs wait (0: never). `monotonic` gives seconds.

    The script that writes a job counts once more, but sees its own partition only. So the limit is exceeded at most by
    jobs that are written to different partitions at the same moment.
    """

    redis: Redis
    keyspace: Keyspace
    limit: int
    monotonic: Callable[[], float]
    _samples: deque[tuple[float, int]] = field(factory=deque)

    async def count(self) -> Queue | None:
        """The queue as it is now; None where there is no limit. Raises connection errors."""
        if not self.limit:
            return None
        queue = await count_queue(self.redis, self.keyspace)
        self._sample(queue.begun)
        return queue

    def refusal(self, waiting: int | None) -> Problem | None:
        """429 with Retry-After where `waiting` jobs reach the limit; None below it, or where the count is unknown."""
        return None if waiting is None or waiting < self.limit else self.full(waiting)

    def full(self, waiting: int) -> Problem:
        """The 429 for a queue of `waiting` jobs."""
        seconds = self._retry_after(max(1, waiting - self.limit + 1))
        return Problem(
            429,
            "queue_full",
            f"{waiting} jobs wait already; at most {self.limit} may. Try again in {seconds} s.",
            headers={"Retry-After": str(seconds)},
        )

    def elsewhere(self, queue: Queue, partition: int) -> int | None:
        """How many jobs wait in other partitions than `partition`; None where the server can't tell."""
        if queue.waiting is None or partition >= len(queue.partitions):
            return queue.waiting
        return queue.waiting - (queue.partitions[partition] or 0)

    def _sample(self, begun: int | None) -> None:
        now, samples = self.monotonic(), self._samples
        if begun is None or (samples and begun < samples[-1][1]):
            samples.clear()  # the group was created again: its count began at 0
        if begun is not None and (not samples or now - samples[-1][0] >= SAMPLE_SECONDS):
            samples.append((now, begun))
        while samples and now - samples[0][0] > WINDOW_SECONDS:
            samples.popleft()

    def _retry_after(self, excess: int) -> int:
        """Whole seconds until `excess` more jobs are started, at the pace of the samples."""
        if len(self._samples) < 2:
            return RETRY_AFTER_UNKNOWN
        (since, first), (until, last) = self._samples[0], self._samples[-1]
        least, most = RETRY_AFTER
        pace = (last - first) / (until - since)
        return min(most, max(least, math.ceil(excess / pace))) if pace else most


BACKPRESSURE = web.AppKey("backpressure", Backpressure)

#: How long an empty queue is taken for granted, in seconds: status requests then cost the log nothing.
EMPTY_FOR_SECONDS = 1.0


@define(eq=False, kw_only=True)
class QueuePositions:
    """Positions of waiting jobs. Asks the log only while some job waits. `monotonic` gives seconds."""

    redis: Redis
    keyspace: Keyspace
    monotonic: Callable[[], float]
    _empty_until: float = 0.0

    def may_wait(self, view: JobView) -> bool:
        """Whether the job may have a position; no I/O."""
        return self.monotonic() >= self._empty_until and view.status is Status.QUEUED

    async def position(self, view: JobView) -> int | None:
        """The position of a waiting job, from 1; None of any other. Raises connection errors."""
        if not self.may_wait(view):
            return None
        position = await queue_position(self.redis, self.keyspace, view.id, view.job.request.priority)
        if position is None and not await waiting_jobs(self.redis, self.keyspace):
            self._empty_until = self.monotonic() + EMPTY_FOR_SECONDS
        return position

    def requested(self) -> None:
        """A job was just requested: it may wait."""
        self._empty_until = 0.0


def with_position(snapshot: Snapshot, position: int) -> Snapshot:
    """The status answer with the job's position in it."""
    body = render_status(snapshot.view, snapshot.progress, position)
    etag = f'{snapshot.etag[:-1]}-q{position}"'
    return Snapshot(view=snapshot.view, progress=snapshot.progress, body=body, etag=etag)


QUEUE_POSITIONS = web.AppKey("queue_positions", QueuePositions)
