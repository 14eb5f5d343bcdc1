"""The queue of jobs that wait for admission: its length, a job's position in it, and when to refuse new jobs.

How many jobs wait to be begun, and when to ask again where they are too many.

A waiting job's place in the queue, for those who ask for its status.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import web
from attrs import define, field, frozen
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from eventflow.domain.topics import LANES, Topic
from eventflow.domain.view import JobView, Status
from eventflow.log.keys import Keyspace
from eventflow.log.queue_position import queue_position, waiting_jobs
from web.http.errors import Problem
from web.readmodel.projection import Snapshot
from web.readmodel.status_json import render_status

#: Bounds of Retry-After, in seconds, and what is told where nothing is known of the pace.
RETRY_AFTER = (1, 300)
RETRY_AFTER_UNKNOWN = 10
#: The pace is that of the last minute, sampled at most once a second.
WINDOW_SECONDS = 60.0
SAMPLE_SECONDS = 1.0
_GROUP = "generation"


@frozen
class Queue:
    """`waiting` jobs have not been begun; `begun` counts up with each that is, from an arbitrary start.

    None where the server can't tell. `lines` are those that wait by partition.
    """

    waiting: int | None
    begun: int | None
    lines: tuple[int | None, ...] = ()


async def look(redis: Redis, keyspace: Keyspace) -> Queue:
    """The queue of all partitions, in one round trip. Raises connection errors."""
    waiting = [keys.waiting(lane) for keys in keyspace.all for lane in LANES]  # not admitted yet
    streams = [keys.topic(Topic.REQUESTED, lane) for keys in keyspace.all for lane in LANES]
    async with redis.pipeline(transaction=False) as pipe:
        for stream in streams:
            pipe.xlen(stream)
            pipe.xinfo_groups(stream)
        for line in waiting:
            pipe.zcard(line)
        answers: list[Any] = await pipe.execute(raise_on_error=False)
    of_streams, of_lines = answers[: 2 * len(streams)], answers[2 * len(streams) :]
    for answer in of_lines:
        if isinstance(answer, Exception):
            raise answer
    found = [_of_stream(*answer) for answer in zip(of_streams[::2], of_streams[1::2], strict=True)]
    counts = [None if lag is None else lag + line for (lag, _), line in zip(found, of_lines, strict=True)]
    lines = tuple(_sum(counts[at : at + len(LANES)]) for at in range(0, len(counts), len(LANES)))
    return Queue(_sum(lines), _sum([read for _, read in found]), lines)


def _sum(counts: Sequence[int | None]) -> int | None:
    return None if None in counts else sum(count or 0 for count in counts)


async def waiting(redis: Redis, keyspace: Keyspace) -> int | None:
    """How many jobs wait to be begun; None where the server can't tell. Raises connection errors."""
    return (await look(redis, keyspace)).waiting


def _of_stream(length: Any, groups: Any) -> tuple[int | None, int | None]:
    """(lag, entries read) of the generation group. What no worker has ever asked for waits as a whole."""
    if isinstance(length, Exception):
        raise length
    if isinstance(groups, ResponseError) and "no such key" in str(groups):
        return 0, 0
    if isinstance(groups, Exception):
        raise groups
    found = next((group for group in groups if group["name"] == _GROUP.encode()), None)
    if found is None:
        return length, 0
    lag, read = found["lag"], found["entries-read"]
    return lag, (0 if read is None and lag == length else read)  # null as long as nothing was read


@define(eq=False)
class Backpressure:
    """Says no while more than `limit` jobs would wait (0: never). `monotonic` gives seconds.

    The script that writes a job counts once more, but only what it can see: the job's own partition. So a burst passes
    the limit by those at most who come to different partitions at the same moment.
    """

    redis: Redis
    keyspace: Keyspace
    limit: int
    monotonic: Callable[[], float]
    _samples: deque[tuple[float, int]] = field(factory=deque)

    async def look(self) -> Queue | None:
        """The queue as it is; None where there is no limit."""
        if not self.limit:
            return None
        queue = await look(self.redis, self.keyspace)
        self._note(queue.begun)
        return queue

    def refusal(self, waiting: int | None) -> Problem | None:
        """429 with Retry-After where so many are too many; None where there is room, or nobody can tell."""
        return None if waiting is None or waiting < self.limit else self.full(waiting)

    def full(self, waiting: int) -> Problem:
        """The 429 where so many wait."""
        seconds = self._retry_after(max(1, waiting - self.limit + 1))
        return Problem(
            429,
            "queue_full",
            f"{waiting} jobs wait already; at most {self.limit} may. Try again in {seconds} s.",
            headers={"Retry-After": str(seconds)},
        )

    def elsewhere(self, queue: Queue, partition: int) -> int | None:
        """How many of those that wait do so in other partitions than `partition`; None where nobody can tell."""
        if queue.waiting is None or partition >= len(queue.lines):
            return queue.waiting
        return queue.waiting - (queue.lines[partition] or 0)

    def _note(self, begun: int | None) -> None:
        now, samples = self.monotonic(), self._samples
        if begun is None or (samples and begun < samples[-1][1]):
            samples.clear()  # the group was made anew
        if begun is not None and (not samples or now - samples[-1][0] >= SAMPLE_SECONDS):
            samples.append((now, begun))
        while samples and now - samples[0][0] > WINDOW_SECONDS:
            samples.popleft()

    def _retry_after(self, excess: int) -> int:
        """Whole seconds until `excess` jobs more are begun, at the pace of late."""
        if len(self._samples) < 2:
            return RETRY_AFTER_UNKNOWN
        (since, first), (until, last) = self._samples[0], self._samples[-1]
        least, most = RETRY_AFTER
        pace = (last - first) / (until - since)
        return min(most, max(least, math.ceil(excess / pace))) if pace else most


BACKPRESSURE = web.AppKey("backpressure", Backpressure)

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
    etag = f'{snapshot.etag[:-1]}-q{place}"'
    return Snapshot(view=snapshot.view, progress=snapshot.progress, body=body, etag=etag)


QUEUEING = web.AppKey("queueing", Queueing)
