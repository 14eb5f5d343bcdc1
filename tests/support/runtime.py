"""The consumer runtime under test: a log under a name of its own, workers in this process, jobs to feed them with."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from random import Random
from typing import Any

import structlog
from attrs import define, field, frozen
from redis.exceptions import ResponseError

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.commands import Command
from eventflow.domain.envelope import Envelope
from eventflow.domain.job_ids import new_job_id
from eventflow.domain.state import Job
from eventflow.domain.topics import Topic
from eventflow.domain.values import FileRef, Lane, VideoRequest
from eventflow.log.archive_pointers import Archive
from eventflow.log.codec import Codec
from eventflow.log.connection import connect
from eventflow.log.consumer import GroupMember
from eventflow.log.event_store import Cause, JobEventStore
from eventflow.log.keys import Keyspace, PartitionKeys
from eventflow.log.members import LiveMembers
from eventflow.runtime.context import Group, StepContext
from eventflow.runtime.leases import StepLimits
from eventflow.runtime.partition_assignment import PartitionAssignment
from eventflow.runtime.pressure import PressureGate
from eventflow.runtime.retry_policy import RetryPolicy
from eventflow.runtime.watchdog import Pulse
from eventflow.runtime.worker import Worker, WorkerSettings
from eventflow.telemetry.tracing import Tracing

#: A client whose answers tests take as they are: its types allow for strings, None and RESP2 in each of them.
RawRedis = Any
OWNER = "tester"
TRACEPARENT = f"00-{'1' * 32}-{'2' * 16}-01"
CAUSE = Cause(owner=OWNER, correlation_id="request-1", causation_id="", traceparent=TRACEPARENT)
REQUEST = VideoRequest(script="# A script\n\nOne line of it.")
CHAIN = ["VideoRequested", "VideoGenerated", "DeliverablesUploaded", "VideoUploaded", "VideoPublished"]
#: Retries that tests can wait for.
QUICK = RetryPolicy(base_s=0.02, cap_s=0.05)
GENEROUS_S = 30.0


def utc_now() -> datetime:
    return datetime.now(UTC)


def quiet_logs() -> None:
    """No lines in this process: with structlog's own defaults, a traceback takes a second to draw."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def a_file(name: str = "plan.json") -> FileRef:
    return FileRef(
        store="workspace", key=f"jobs/x/{name}", sha256="0" * 64, size_bytes=1, media_type="application/json"
    )


@define
class Space:
    """One log under a prefix that no other test has."""

    url: str
    redis: RawRedis
    log: JobEventStore
    keyspace: Keyspace

    @property
    def keys(self) -> PartitionKeys:
        return self.keyspace.partition(0)

    def topic(self, topic: Topic) -> str:
        return self.keys.topic(topic, Lane.NORMAL)

    async def submit(self, request: VideoRequest = REQUEST, **options: Any) -> str:
        """A requested job; returns its id."""
        random = secrets.token_hex(16)
        job_id = new_job_id(int(random[:8], 16) % self.keyspace.partitions, random)
        await self.log.create(job_id, request, CAUSE, **options)
        return job_id

    async def submit_scenes(self, count: int, request: VideoRequest = REQUEST) -> str:
        """A job with `count` planned scenes that wait to be rendered; its planning is settled."""
        job_id = await self.submit(request)
        await self.do(
            job_id, cmd.StartPlanning(1), cmd.AnnounceScript(run=1, title="t", scene_count=count, plan=a_file())
        )
        await self.do(
            job_id,
            *(
                cmd.PlanScene(
                    run=1,
                    scene=i,
                    title=f"scene {i}",
                    start_cells=3 * i,
                    duration_cells=3,
                    spec=a_file(),
                    narration=None,
                )
                for i in range(count)
            ),
        )
        return job_id

    async def do(self, job_id: str, *commands: Command) -> None:
        await self.log.execute(job_id, commands, CAUSE)

    async def job(self, job_id: str) -> Job:
        """As folded from the log, not from a cache."""
        self.log.forget(job_id)
        record = await self.log.load(job_id)
        assert record is not None
        return record.job

    async def history(self, job_id: str) -> list[Envelope]:
        return await self.log.history(job_id)

    async def types(self, job_id: str) -> list[str]:
        return [envelope.type for envelope in await self.history(job_id)]

    async def ended(self, *job_ids: str) -> bool:
        return all([(await self.job(job_id)).finished for job_id in job_ids])

    async def pending(self, stream: str, group: str) -> list[dict[str, Any]]:
        """Entries that are delivered and not settled: message_id, consumer, time_since_delivered, times_delivered."""
        try:
            rows: list[dict[str, Any]] = await self.redis.xpending_range(stream, group, "-", "+", 100)
        except ResponseError:  # the worker hasn't created the group yet
            return []
        return rows

    async def synced(self) -> None:
        """Until all that was written so far is on disk. WAITAOF waits for writes of its own connection only, and the
        file is in order."""
        async with self.redis.pipeline(transaction=False) as pipe:
            pipe.set(self.keys.sync, "test")
            pipe.execute_command("WAITAOF", 1, 0, int(GENEROUS_S * 1000))
            _, (local, _) = await pipe.execute()
        assert local == 1

    async def parked(self) -> list[dict[bytes, bytes]]:
        return [fields for _, fields in await self.redis.xrange(self.keys.dead_letters)]


@asynccontextmanager
async def open_space(
    url: str, prefix: str | None = None, partitions: int = 1, *, most_in_progress: int = 0
) -> AsyncIterator[Space]:
    redis = connect(url)
    keyspace = Keyspace(prefix or f"t{secrets.token_hex(4)}", partitions)
    log = JobEventStore(redis, codec=Codec(), keyspace=keyspace, clock=utc_now, most_in_progress=most_in_progress)
    try:
        yield Space(url, redis, log, keyspace)
    finally:
        await redis.aclose()


@define
class Running:
    """`member` is that of the first partition."""

    worker: Worker
    member: GroupMember
    task: asyncio.Task[None]
    stopping: asyncio.Event
    redis: RawRedis
    log: JobEventStore
    assignment: PartitionAssignment | None

    async def stop(self) -> None:
        """Drain, as SIGTERM does."""
        self.stopping.set()
        async with asyncio.timeout(GENEROUS_S):
            await self.task


@asynccontextmanager
async def working(
    space: Space,
    group: Group,
    *,
    concurrency: int = 4,
    lease_s: float = 1.0,
    drain_s: float = 5.0,
    retry: RetryPolicy = QUICK,
    tracing: Tracing | None = None,
    max_connections: int = 16,
    limits: StepLimits | None = None,
    pulse: Pulse | None = None,
    gate: PressureGate | None = None,
    rest_s: float = 30.0,
    archive: Archive | None = None,
    most_in_progress: int = 0,
    shared: bool = False,
) -> AsyncIterator[Running]:
    """A worker with connections, cache and consumer name of its own; drained at the end.

    `shared`: it waits at its share of the partitions only.
    """
    redis = connect(space.url, max_connections=max_connections)
    blocking = connect(space.url, blocking=True, max_connections=space.keyspace.partitions + 1)
    log = JobEventStore(
        redis,
        codec=Codec(),
        keyspace=space.keyspace,
        clock=utc_now,
        archive=archive,
        most_in_progress=most_in_progress,
    )
    consumer = f"w-{secrets.token_hex(4)}"
    members = [
        GroupMember(blocking=blocking, redis=redis, keys=k, group=group.name, topics=group.topics, consumer=consumer)
        for k in space.keyspace.all
    ]
    settings = WorkerSettings(
        concurrency=concurrency,
        lease_s=lease_s,
        drain_s=drain_s,
        retry=retry,
        limits=limits or StepLimits(),
        rest_s=rest_s,
    )
    alive = LiveMembers(redis, space.keyspace, group.name, clock=utc_now)
    assignment = PartitionAssignment(alive, consumer, range(space.keyspace.partitions)) if shared else None
    parts: dict[str, Any] = {"tracing": tracing, "pulse": pulse, "gate": gate, "assignment": assignment}
    worker = Worker(group, log, members, settings, clock=utc_now, random=Random(), **parts)
    stop = asyncio.Event()
    task = asyncio.create_task(worker.run(stop))
    running = Running(worker, members[0], task, stop, redis, log, assignment)
    try:
        yield running
        if not task.done():
            await running.stop()
        task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await blocking.aclose()
        await redis.aclose()


@define
class Runs:
    """Counts how often a handler began and ended, by whatever key."""

    began: Counter[object] = field(factory=Counter)
    ended: Counter[object] = field(factory=Counter)


Render = Callable[[StepContext], Awaitable[None]]


def scenes_group(render: Render) -> Group:
    """The generation group without planning: `render` stands for the work on a scene."""

    async def plan(reaction: StepContext) -> Sequence[Command]:
        return []

    async def on_planned(reaction: StepContext) -> Sequence[Command]:
        await render(reaction)
        return [cmd.FinishScene(scene=reaction.event.scene, run=reaction.event.run, renditions=())]

    return Group("generation", {ev.VideoRequested: plan, ev.ScenePlanned: on_planned})


@frozen
class Chain:
    """Three groups whose handlers do nothing but what `before` does."""

    before: Render | None = None

    @property
    def groups(self) -> tuple[Group, Group, Group]:
        return (
            Group("generation", {ev.VideoRequested: self._generate}),
            Group("upload", {ev.VideoGenerated: self._upload}),
            Group("metadata", {ev.VideoUploaded: self._extract}),
        )

    async def _before(self, reaction: StepContext) -> None:
        if self.before is not None:
            await self.before(reaction)

    async def _generate(self, reaction: StepContext) -> Sequence[Command]:
        await self._before(reaction)
        return [cmd.FinishVideo(run=reaction.job.run, videos=(), thumbnails=())]

    async def _upload(self, reaction: StepContext) -> Sequence[Command]:
        await self._before(reaction)
        return [cmd.FinishUpload(run=reaction.job.run, videos=(), thumbnails=())]

    async def _extract(self, reaction: StepContext) -> Sequence[Command]:
        await self._before(reaction)
        return [cmd.PublishVideo(reaction.job.run, ())]


def gapless(history: Sequence[Envelope]) -> bool:
    return [envelope.seq for envelope in history] == list(range(1, len(history) + 1))


@asynccontextmanager
async def running_until_left(workers: Sequence[Worker]) -> AsyncIterator[None]:
    """Workers that drain at the end; cancelled if the block fails."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(worker.run(stop)) for worker in workers]
    try:
        yield
        stop.set()
        async with asyncio.timeout(GENEROUS_S):
            await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
