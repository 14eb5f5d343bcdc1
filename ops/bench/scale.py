"""`eventflow dev bench scale`: throughput of two worker processes against one, and the time until a job starts.

The workers are real processes on one real server; their handlers wait 20 ms (as for an upstream) in 8 slots each and
then finish the job, all in one commit with fencing, version check and admission under the default limit.

Throughput: one process against two, in alternating rounds of the same run. The jobs exist before the workers start. The
figure is the rate of commits by the server's clock (the ids of the outcomes) between the first and the last tenth of
the jobs, while every slot of every process is busy.

Time to start: jobs arrive at random moments (Poisson), 100 a second on average, at one process with free slots. It runs
from the time in the job's first event, which is taken before the append, to the start of its handler. The jobs of the
first second don't count.
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

from eventflow.domain.topics import Topic
from eventflow.domain.values import Lane
from eventflow.log.codec import Codec
from eventflow.log.connection import connect
from eventflow.log.event_store import JobEventStore
from eventflow.log.keys import Keyspace
from ops.bench.jobs import CAUSE, REQUEST, create_jobs, job_ids
from ops.bench.scale_worker import MOST_IN_PROGRESS, utc_now
from ops.bench.servers import bench_server
from ops.local_stack.supervisor import child_setup

HANDLER_S, CONCURRENCY = 0.02, 8
_OUTCOMES = Keyspace().partition(0).topic(Topic.OUTCOME, Lane.NORMAL)
_POLL_S, _PATIENCE_S = 0.05, 120.0


@frozen
class Report:
    """The output of a worker process at its end; see `scale_worker`."""

    cpu_s: float
    waited_ms: list[float]


@frozen
class Pace:
    """Jobs per second of all processes together, and CPU time per job."""

    jobs_per_s: float
    cpu_ms_per_job: float


@frozen(kw_only=True)
class ScaleResult:
    """`of_ideal`: one process's rate by slots / handler time. `cpu_ms_per_job`: CPU time of a worker; it limits the
    jobs per second of a core. `rate` was requested, `appended_per_s` reached; `start_...`: the times to start of
    `started` jobs."""

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
    """Worker processes that wait for the start signal."""

    def __init__(self, processes: Sequence[Process]) -> None:
        self._processes = processes

    @classmethod
    async def start(cls, url: str, count: int) -> Crew:
        """Start `count` processes. Raises RuntimeError if one ends."""
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
        """Let all processes begin."""
        for process in self._processes:
            if process.stdin is not None:
                process.stdin.write(b"go\n")

    async def end(self) -> list[Report]:
        """Drain the processes and return their reports. Raises RuntimeError if one failed."""
        outputs = await asyncio.gather(*(process.communicate(b"") for process in self._processes))
        if any(process.returncode for process in self._processes):
            raise RuntimeError("a worker of the benchmark failed")
        return [Report(**orjson.loads(out)) for out, _ in outputs]

    async def kill(self) -> None:
        """Kill the processes that still run."""
        for process in self._processes:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def throughput(url: str, processes: int, jobs: int, seed: int) -> Pace:
    """Return the rate of `processes` workers in the middle eight tenths of `jobs`."""
    redis = connect(url)
    await redis.flushall()
    crew = await Crew.start(url, processes)
    try:
        log, ids = _log(redis), job_ids(Random(seed), jobs)  # noqa: S311 - names of jobs in a benchmark
        await create_jobs(log, ids)
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
    """Return (jobs appended per second, milliseconds to the start of each job after the first second)."""
    redis = connect(url)
    await redis.flushall()
    crew = await Crew.start(url, 1)
    crew.go()
    try:
        log, random = _log(redis), Random(seed)  # noqa: S311 - moments in a benchmark
        began, due, appends = perf_counter(), 0.0, list[asyncio.Task[object]]()
        while due < seconds:
            await asyncio.sleep(max(0.0, began + due - perf_counter()))
            appends.append(asyncio.create_task(log.create(job_ids(random, 1)[0], REQUEST, CAUSE)))
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


async def _until_ended(redis: Redis, jobs: int) -> None:
    began = perf_counter()
    while (ended := await redis.xlen(_OUTCOMES)) < jobs:
        if perf_counter() - began > _PATIENCE_S:
            raise AssertionError(f"{ended} of {jobs} jobs have ended within {_PATIENCE_S:g} s")
        await asyncio.sleep(_POLL_S)


def _check(log: JobEventStore, ids: Sequence[str], outcomes: Sequence[bytes], begun: Sequence[Sequence[float]]) -> None:
    """Check that every job started once and ended once, and that every process had jobs."""
    ends = [log.codec.decode(payload) for payload in outcomes]
    ended = sorted(end.job_id for end in ends if end.type == "VideoPublished")
    if ended != sorted(ids) or sum(map(len, begun)) != len(ids) or not all(begun):
        raise AssertionError(f"{len(ended)} ends and {sum(map(len, begun))} starts of {len(ids)} jobs")


def run(jobs: int, rounds: int, rate: float, seconds: float) -> ScaleResult:
    """Measure. Raises AssertionError if a job is lost or done twice, RuntimeError if a worker dies."""
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
