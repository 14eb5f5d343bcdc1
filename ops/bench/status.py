"""`eventflow dev bench status`: status requests for many different jobs while events are appended.

Two server processes, both aiohttp on uvloop: the web app, and a bare handler that answers the same bytes. The same load
generator requests from one after the other, in interleaved rounds, while events are appended to random jobs at a steady
rate. Staleness is the time from an event's commit to the first status that shows it, found by polling.
"""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from random import Random
from statistics import median, quantiles
from time import perf_counter

import aiohttp
import orjson
import uvloop
from aiohttp import web
from attrs import frozen

from eventflow.domain.commands import RecordDegradation
from eventflow.domain.values import Step
from eventflow.log.codec import Codec
from eventflow.log.connection import connect
from eventflow.log.event_store import JobEventStore
from eventflow.log.keys import Keyspace
from eventflow.settings import load_settings
from eventflow.telemetry.logs import configure_logs
from ops.bench.jobs import LOCAL_CAUSE, create_jobs, job_ids
from ops.bench.load import get, requests_per_s
from ops.bench.servers import bench_server, process, run_loop, until_stopped
from ops.compose import open_parts, web_app
from web.server import serving

CONNECTIONS = 32
#: Pause between two polls for an event. It is the resolution of the delays; more polls would disturb the measurement.
POLL_SECONDS = 0.02


@frozen(kw_only=True)
class StatusResult:
    """Medians over the rounds; `ratio` is eventflow's rate by the baseline's."""

    jobs: int
    rounds: int
    requests_per_s: float
    baseline_requests_per_s: float
    ratio: float
    appended_per_s: float
    staleness_p50_ms: float
    staleness_p99_ms: float
    staleness_samples: int


def run(jobs: int = 10_000, rate: float = 100.0, rounds: int = 5, seconds: float = 3.0) -> StatusResult:
    """Measure eventflow and the baseline in interleaved rounds of `seconds` each; medians."""
    configure_logs("WARNING", json=False)
    with bench_server() as url, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_measure(url, jobs, rate, rounds, seconds))


async def _measure(url: str, jobs: int, rate: float, rounds: int, seconds: float) -> StatusResult:
    redis = connect(url)
    log = JobEventStore(redis, codec=Codec(), keyspace=Keyspace(), clock=lambda: datetime.now(UTC), cache_size=2 * jobs)
    ids = job_ids(Random(secrets.randbits(64)), jobs)  # noqa: S311 - names of jobs in a benchmark
    await create_jobs(log, ids, LOCAL_CAUSE)
    paths = [get(f"/api/v1/videos/jobs/{job_id}/status") for job_id in ids]
    Random(1).shuffle(paths)  # noqa: S311 - an order of requests
    try:
        with process(_serve_ours, url) as ours:
            body = await _body_of(ours, ids[0])
            with process(_serve_bare, body) as bare:
                await _warm(ours, paths)
                async with _appending(log, ids, rate, ours) as appended:
                    mine, theirs = [], []
                    began = perf_counter()
                    for _ in range(rounds):
                        theirs.append(await requests_per_s(bare, paths, connections=CONNECTIONS, seconds=seconds))
                        mine.append(await requests_per_s(ours, paths, connections=CONNECTIONS, seconds=seconds))
                    elapsed = perf_counter() - began
                    counted = len(appended)
    finally:
        await redis.aclose()
    delays = sorted(delay * 1000 for delay in appended)
    return StatusResult(
        jobs=jobs,
        rounds=rounds,
        requests_per_s=round(median(mine), 1),
        baseline_requests_per_s=round(median(theirs), 1),
        ratio=round(median(mine) / median(theirs), 3),
        appended_per_s=round(counted / elapsed, 1),
        staleness_p50_ms=round(median(delays), 2),
        staleness_p99_ms=round(quantiles(delays, n=100)[98], 2),
        staleness_samples=len(delays),
    )


async def _warm(port: int, paths: list[bytes]) -> None:
    """Request every job once, so that each is folded before the measurement."""
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        for start in range(0, len(paths), 100):
            await asyncio.gather(*(_read(session, p.split()[1].decode()) for p in paths[start : start + 100]))


async def _read(session: aiohttp.ClientSession, path: str) -> bytes:
    async with session.get(path) as answer:
        answer.raise_for_status()
        return await answer.read()


async def _body_of(port: int, job_id: str) -> bytes:
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        return await _read(session, f"/api/v1/videos/jobs/{job_id}/status")


@asynccontextmanager
async def _appending(log: JobEventStore, ids: list[str], rate: float, port: int) -> AsyncIterator[list[float]]:
    """Append `rate` events per second, and poll each until the status shows it; yields the delays in seconds."""
    delays: list[float] = []
    random = Random(2)  # noqa: S311 - which jobs
    following: set[asyncio.Task[None]] = set()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:

        async def follow(job_id: str) -> None:
            record = await log.execute(job_id, [RecordDegradation(1, Step.PLAN, "bench")], LOCAL_CAUSE)
            committed = perf_counter()
            wanted = record.version if record else 0
            path = f"/api/v1/videos/jobs/{job_id}/status"
            # A later event may have followed; a client polls in the same way.
            while orjson.loads(await _read(session, path))["version"] < wanted:  # noqa: ASYNC110
                await asyncio.sleep(POLL_SECONDS)
            delays.append(perf_counter() - committed)

        async def append() -> None:
            due = perf_counter()
            while True:
                task = asyncio.create_task(follow(random.choice(ids)))
                following.add(task)
                task.add_done_callback(following.discard)
                due += 1 / rate
                await asyncio.sleep(max(0.0, due - perf_counter()))

        appender = asyncio.create_task(append())
        try:
            yield delays
        finally:
            appender.cancel()
            await asyncio.gather(*following)


def _serve_ours(url: str, pipe: Connection) -> None:
    configure_logs("WARNING", json=False)

    async def serve() -> None:
        wanted = {"EVENTFLOW_REDIS_URL": url, "EVENTFLOW_DATA_DIR": folder, "EVENTFLOW_OPEN_ACCESS": "on"}
        settings = load_settings(wanted)
        async with open_parts(settings) as parts, serving(web_app(parts), "127.0.0.1", 0) as address:
            await until_stopped(address.port, pipe)

    with tempfile.TemporaryDirectory() as folder:
        run_loop(serve())


def _serve_bare(body: bytes, pipe: Connection) -> None:
    async def status(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    async def serve() -> None:
        app = web.Application()
        app.router.add_get("/api/v1/videos/jobs/{job_id}/status", status)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        await until_stopped(runner.addresses[0][1], pipe)
        await runner.cleanup()

    run_loop(serve())
