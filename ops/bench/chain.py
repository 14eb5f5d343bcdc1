"""`eventflow dev bench chain`: three no-op steps per job in the real runtime, beside a hand-written redis-py loop.

eventflow: requested -> generation -> generated -> upload -> uploaded -> metadata -> outcome. One process with one
member of each group; the real codec, fold, decide, admission, fencing and Lua commit are in the path, and each history
is verified afterwards.

Baseline: three streams with a group each; XREADGROUP COUNT 100, and per message a MULTI of XADD (to the next stream)
and XACK, pipelined. The messages are as long as our requests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from random import Random
from statistics import median
from time import perf_counter
from typing import Any

import redis as sync_redis
import uvloop
from attrs import frozen

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.commands import Command
from eventflow.domain.state import Phase
from eventflow.domain.topics import Topic
from eventflow.domain.values import Lane
from eventflow.log.codec import Codec
from eventflow.log.connection import connect
from eventflow.log.consumer import GroupMember
from eventflow.log.event_store import JobEventStore
from eventflow.log.keys import Keyspace
from eventflow.runtime.context import Group, StepContext
from eventflow.runtime.process import tune_process
from eventflow.runtime.worker import Worker, WorkerSettings
from eventflow.telemetry.logs import configure_logs
from ops.bench.jobs import create_jobs, job_ids
from ops.bench.servers import bench_server

BASELINE_COUNT = 100
CONCURRENCY = 256
#: Jobs in progress: admission is in the path, and admits enough jobs to keep every slot busy.
IN_PROGRESS = 1_000
EXPECTED = ["VideoRequested", "VideoGenerated", "DeliverablesUploaded", "VideoUploaded", "VideoPublished"]


@frozen(kw_only=True)
class ChainResult:
    """Medians over the rounds; `ratio` is eventflow's rate by the baseline's, `verified` the checked histories."""

    jobs: int
    rounds: int
    jobs_per_s: float
    baseline_jobs_per_s: float
    ratio: float
    verified: int


async def _generate(step: StepContext) -> Sequence[Command]:
    return [cmd.FinishVideo(run=step.job.run, videos=(), thumbnails=())]


async def _upload(step: StepContext) -> Sequence[Command]:
    return [cmd.FinishUpload(run=step.job.run, videos=(), thumbnails=())]


async def _extract(step: StepContext) -> Sequence[Command]:
    return [cmd.PublishVideo(step.job.run, ())]


GROUPS = (
    Group("generation", {ev.VideoRequested: _generate}),
    Group("upload", {ev.VideoGenerated: _upload}),
    Group("metadata", {ev.VideoUploaded: _extract}),
)


async def run_ours(url: str, jobs: int, seed: int) -> tuple[float, int]:
    """Return (seconds from the start of the workers to the end of the last job, verified histories)."""
    redis = connect(url)
    await redis.flushall()
    keyspace = Keyspace()

    def clock() -> datetime:
        return datetime.now(UTC)

    random = Random(seed)  # noqa: S311 - jitter
    codec = Codec()

    def log_of(cache_size: int) -> JobEventStore:
        return JobEventStore(
            redis, codec=codec, keyspace=keyspace, clock=clock, cache_size=cache_size, most_in_progress=IN_PROGRESS
        )

    ids = job_ids(Random(seed), jobs)  # noqa: S311 - names of jobs in a benchmark
    await create_jobs(log_of(1), ids)
    log = log_of(2 * jobs)
    keys = keyspace.partition(0)
    clients = [connect(url, blocking=True, max_connections=2) for _ in GROUPS]
    settings = WorkerSettings(concurrency=CONCURRENCY)
    workers = [
        Worker(
            group,
            log,
            [
                GroupMember(
                    blocking=client,
                    redis=redis,
                    keys=keys,
                    group=group.name,
                    topics=group.topics,
                    consumer=f"bench-{group.name}",
                )
            ],
            settings,
            clock=clock,
            random=random,
        )
        for group, client in zip(GROUPS, clients, strict=True)
    ]
    stop = asyncio.Event()
    began = perf_counter()
    running = [asyncio.create_task(worker.run(stop)) for worker in workers]
    while await redis.xlen(keys.topic(Topic.OUTCOME, Lane.NORMAL)) < jobs:  # noqa: ASYNC110 - it is in Redis
        await asyncio.sleep(0.01)
    seconds = perf_counter() - began
    stop.set()
    await asyncio.gather(*running)
    verified = await _verify(log_of(1), ids)
    for client in [redis, *clients]:
        await client.aclose()
    return seconds, verified


async def _verify(log: JobEventStore, ids: list[str]) -> int:
    """Check that every history is gapless, complete and folds to a completed job; returns how many there are."""
    for job_id in ids:
        history = await log.history(job_id)
        types, seqs = [e.type for e in history], [e.seq for e in history]
        record = await log.load(job_id)
        if types != EXPECTED or seqs != [1, 2, 3, 4, 5] or record is None or record.job.phase is not Phase.COMPLETED:
            raise AssertionError(f"history of {job_id} is wrong: {types} {seqs}")
    return len(ids)


def run_baseline(url: str, jobs: int, payload: bytes) -> float:
    """Return the seconds that the hand-written loop takes for the same chain."""
    client: Any = sync_redis.Redis.from_url(url)
    client.flushall()
    streams = ["b:0", "b:1", "b:2", "b:3"]
    for stream in streams[:3]:
        client.xgroup_create(stream, "g", id="0", mkstream=True)
    with client.pipeline(transaction=False) as pipe:
        for _ in range(jobs):
            pipe.xadd(streams[0], {"e": payload})
        pipe.execute()
    began = perf_counter()
    done = 0
    while done < jobs:
        for source, target in pairwise(streams):
            answer = client.xreadgroup("g", "c", {source: ">"}, count=BASELINE_COUNT)
            entries = _entries(answer)
            if not entries:
                continue
            with client.pipeline(transaction=False) as pipe:
                for entry_id, fields in entries:
                    pipe.execute_command("MULTI")
                    pipe.xadd(target, fields)
                    pipe.xack(source, "g", entry_id)
                    pipe.execute_command("EXEC")
                pipe.execute()
            done += len(entries) if target == streams[-1] else 0
    seconds = perf_counter() - began
    client.close()
    return seconds


def _entries(answer: Any) -> list[Any]:
    if not answer:
        return []
    if isinstance(answer, dict):
        found = next(iter(answer.values()))
        return list(found[0]) if found else []
    return list(answer[0][1])


def run(jobs: int, rounds: int = 3) -> ChainResult:
    """Measure eventflow and the baseline in interleaved rounds; medians."""
    ours, base, verified = [], [], 0
    with bench_server() as url:
        payload = b"x" * 520  # as long as the encoded request
        for index in range(rounds):
            base.append(run_baseline(url, jobs, payload))
            seconds, count = _loop(run_ours(url, jobs, index))
            ours.append(seconds)
            verified += count
    mine, theirs = jobs / median(ours), jobs / median(base)
    return ChainResult(
        jobs=jobs,
        rounds=rounds,
        jobs_per_s=round(mine, 1),
        baseline_jobs_per_s=round(theirs, 1),
        ratio=round(mine / theirs, 3),
        verified=verified,
    )


def _loop(coroutine: Any) -> Any:
    """Run a coroutine as `eventflow worker` does: on uvloop, with a tuned garbage collector, logs from WARNING on."""
    configure_logs("WARNING", json=False)
    tune_process()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(coroutine)
