"""`eventflow bench scale`: what a second worker process brings, and how soon a job is begun.

The workers are real processes on one real server; their handlers wait 20 ms (as for an upstream) in 8 slots each and
then finish the job, all in one commit with fencing, version check and admission under the default limit.

Throughput: one process against two, in rounds of the same run, in turn. The jobs are there before the workers begin.
What counts is the pace of commits by the server's clock (the ids of the outcomes) between the first and the last
tenth of the jobs: then every slot of every process is taken, and neither the start nor the end, where there are fewer
jobs than slots, tells.

Time to start: jobs come at random moments (Poisson), 100 a second on average, to one process that has slots to spare;
the time from the moment in the job's first event, which is taken before it is appended, to the start of its handler.
The first second's jobs don't count.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from random import Random
from signal import SIGKILL
from statistics import median, quantiles
from time import perf_counter
from typing import Any

import orjson
from attrs import frozen
from redis.asyncio import Redis

from eventflow.domain.job_ids import new_job_id
from eventflow.domain.topics import Topic
from eventflow.domain.values import Lane, VideoRequest
from eventflow.log.codec import Codec
from eventflow.log.connection import connect
from eventflow.log.event_store import Cause, JobEventStore
from eventflow.log.keys import Keyspace
from ops.bench.chain import TRACEPARENT, bench_server
from ops.bench.scale_worker import MOST_IN_PROGRESS, utc_now
from ops.local_stack.supervisor import child_setup

HANDLER_S, CONCURRENCY = 0.02, 8
_OUTCOMES = Keyspace().partition(0).topic(Topic.OUTCOME, Lane.NORMAL)
_POLL_S, _PATIENCE_S = 0.05, 120.0
_REQUEST = VideoRequest(script="# A script\n\nOne line of it.")
_CAUSE = Cause(owner="bench", correlation_id="bench", causation_id="", traceparent=TRACEPARENT)


@frozen
class Report:
    """What a worker process tells at its end: see `scale_worker`."""

    cpu_s: float
    waited_ms: list[float]


@frozen
class Pace:
    """Jobs per second of all processes together, and what one job costs a process in processor time."""

    jobs_per_s: float
    cpu_ms_per_job: float


@frozen
class ScaleResult:
    """`of_ideal` is one process's pace over slots / handler time. `cpu_ms_per_job` is a worker's processor time, which
    tells what a busy machine hides: how many jobs a second would keep a core busy. `rate` is what was asked for,
    `appended_per_s` what came of it; `start_...` the times to start of `started` jobs."""

    handler_ms: float
    concurrency: int
    jobs: int
    rounds: int
    one_jobs_per_s: float
    two_jobs_per_s: float
    ratio: float
    of_ideal: float
    cpu_ms_per_job: float
    rate: float
    appended_per_s: float
    started: int
    start_p50_ms: float
    start_p99_ms: float
    start_max_ms: float


class Crew:
    """Worker processes that have started and wait for the word. Raises RuntimeError where one dies."""

    def __init__(self, processes: Sequence[Process]) -> None:
        self._processes = processes

    @classmethod
    async def start(cls, url: str, count: int) -> Crew:
        command = (sys.executable, "-m", "ops.bench.scale_worker", url, str(CONCURRENCY), str(HANDLER_S))
        processes = [
            await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, preexec_fn=child_setup(SIGKILL))
            for _ in range(count)
        ]
        crew = cls(processes)
        for process in processes:
            if process.stdout is None or await process.stdout.readline() != b"ready\n":
                await crew.kill()
                raise RuntimeError("a worker of the benchmark ended while it started")
        return crew

    def go(self) -> None:
        for process in self._processes:
            if process.stdin is not None:
                process.stdin.write(b"go\n")

    async def end(self) -> list[Report]:
        """Drain; the report of each process, its jobs in the order in which they were begun."""
        outputs = await asyncio.gather(*(process.communicate(b"") for process in self._processes))
        if any(process.returncode for process in self._processes):
            raise RuntimeError("a worker of the benchmark failed")
        return [Report(**orjson.loads(out)) for out, _ in outputs]

    async def kill(self) -> None:
        for process in self._processes:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def throughput(url: str, processes: int, jobs: int, seed: int) -> Pace:
    """The pace of `processes` workers in the middle eight tenths of `jobs`."""
    redis = connect(url)
    await redis.flushall()
    crew = await Crew.start(url, processes)
    try:
        log, random = _log(redis), Random(seed)  # noqa: S311 - names of jobs in a benchmark
        ids = [_job_id(random) for _ in range(jobs)]
        for start in range(0, jobs, 500):
            await asyncio.gather(*(log.create(job_id, _REQUEST, _CAUSE) for job_id in ids[start : start + 500]))
        crew.go()
        await _until_ended(redis, jobs)
        reports = await crew.end()
        rows: Any = await redis.xrange(_OUTCOMES)
        _check(log, ids, [fields[b"e"] for _, fields in rows], [report.waited_ms for report in reports])
    finally:
        await crew.kill()
        await redis.aclose()
    times_ms = [int(entry_id.partition(b"-")[0]) for entry_id, _ in rows]
    first, last = jobs // 10, jobs - jobs // 10 - 1
    per_s = (last - first) * 1000 / (times_ms[last] - times_ms[first])
    return Pace(per_s, sum(report.cpu_s for report in reports) * 1000 / jobs)


async def times_to_start(url: str, rate: float, seconds: float, seed: int) -> tuple[float, list[float]]:
    """(jobs appended per second, ms to the start of each job after the first second's)."""
    redis = connect(url)
    await redis.flushall()
    crew = await Crew.start(url, 1)
    crew.go()
    try:
        log, random = _log(redis), Random(seed)  # noqa: S311 - moments in a benchmark
        began, due, appends = perf_counter(), 0.0, list[asyncio.Task[object]]()
        while due < seconds:
            await asyncio.sleep(max(0.0, began + due - perf_counter()))
            appends.append(asyncio.create_task(log.create(_job_id(random), _REQUEST, _CAUSE)))
            due += random.expovariate(rate)
        await asyncio.gather(*appends)
        per_s = len(appends) / (perf_counter() - began)
        await _until_ended(redis, len(appends))
        [report] = await crew.end()
        waited_ms = report.waited_ms
    finally:
        await crew.kill()
        await redis.aclose()
    if len(waited_ms) != len(appends):
        raise AssertionError(f"{len(waited_ms)} handlers started for {len(appends)} jobs")
    return per_s, waited_ms[int(rate) :]


def _log(redis: Redis) -> JobEventStore:
    return JobEventStore(redis, codec=Codec(), keyspace=Keyspace(), clock=utc_now, most_in_progress=MOST_IN_PROGRESS)


def _job_id(random: Random) -> str:
    return new_job_id(0, f"{random.getrandbits(128):032x}")


async def _until_ended(redis: Redis, jobs: int) -> None:
    began = perf_counter()
    while (ended := await redis.xlen(_OUTCOMES)) < jobs:
        if perf_counter() - began > _PATIENCE_S:
            raise AssertionError(f"{ended} of {jobs} jobs have ended within {_PATIENCE_S:g} s")
        await asyncio.sleep(_POLL_S)


def _check(log: JobEventStore, ids: Sequence[str], outcomes: Sequence[bytes], begun: Sequence[Sequence[float]]) -> None:
    """Every job was begun once and has ended once, and every process had its part; else the figure means nothing."""
    ends = [log.codec.decode(payload) for payload in outcomes]
    ended = sorted(end.job_id for end in ends if end.type == "VideoPublished")
    if ended != sorted(ids) or sum(map(len, begun)) != len(ids) or not all(begun):
        raise AssertionError(f"{len(ended)} ends and {sum(map(len, begun))} starts of {len(ids)} jobs")


def run(jobs: int, rounds: int, rate: float, seconds: float) -> ScaleResult:
    """Raises AssertionError where a job was lost or done twice, RuntimeError where a worker dies."""
    paces: dict[int, list[Pace]] = {1: [], 2: []}
    with bench_server() as url:
        for index in range(rounds):
            for processes in (1, 2) if index % 2 == 0 else (2, 1):
                paces[processes].append(asyncio.run(throughput(url, processes, jobs, index)))
        per_s, waited_ms = asyncio.run(times_to_start(url, rate, seconds, 0))
    one, two = (median(pace.jobs_per_s for pace in paces[processes]) for processes in (1, 2))
    percentiles = quantiles(waited_ms, n=100, method="inclusive")
    return ScaleResult(
        handler_ms=HANDLER_S * 1000,
        concurrency=CONCURRENCY,
        jobs=jobs,
        rounds=rounds,
        one_jobs_per_s=round(one, 1),
        two_jobs_per_s=round(two, 1),
        ratio=round(two / one, 3),
        of_ideal=round(one * HANDLER_S / CONCURRENCY, 3),
        cpu_ms_per_job=round(median(pace.cpu_ms_per_job for pace in (*paces[1], *paces[2])), 3),
        rate=rate,
        appended_per_s=round(per_s, 1),
        started=len(waited_ms),
        start_p50_ms=round(percentiles[49], 2),
        start_p99_ms=round(percentiles[98], 2),
        start_max_ms=round(max(waited_ms), 2),
    )
