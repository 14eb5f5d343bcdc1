"""`eventflow dev bench viewers`: many viewers of growing playlists on one web process.

Each viewer has its own connection and playback token; it loads its playlist repeatedly and requests the newest segment
in it, but doesn't follow the redirect to the store. Meanwhile scenes are added to every job. The baseline is a bare
aiohttp handler with answers of the same size and the same redirects, for the same viewers in interleaved rounds, while
as many scenes are added.

Two loads: viewers that load the playlist every three seconds, as often as players may (RFC 8216, 6.3.4: half a target
duration, which is six), and a rush without pauses, in which every viewer always has a request in the server. Every
playlist must begin with the one that its viewer got before.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from math import ceil
from multiprocessing.connection import Connection
from statistics import median
from time import perf_counter
from typing import Any

import aiohttp
from aiohttp import web
from attrs import frozen

from eventflow.domain import commands as cmd
from eventflow.domain.job_ids import new_job_id
from eventflow.domain.values import FileRef, SceneRendition, Segment
from eventflow.log.codec import Codec
from eventflow.log.connection import connect
from eventflow.log.event_store import JobEventStore
from eventflow.log.keys import Keyspace
from eventflow.runtime.process import allow_files
from eventflow.settings import load_settings
from eventflow.telemetry.logs import configure_logs
from ops.bench.jobs import LOCAL_CAUSE, REQUEST
from ops.bench.servers import bench_server, process, run_loop, until_stopped
from ops.bench.viewer_load import Load, watch
from ops.compose import open_parts, web_app
from web.readmodel.hls_playlists import TARGET_SECONDS
from web.server import serving

QUALITY = "720p"
#: Scenes before the first viewer: five minutes, two segments each.
SCENES_BEFORE = 30
#: Pause of a viewer outside of the rush.
LOOK_SECONDS = TARGET_SECONDS / 2
#: Pause between two scenes of a job; a scene takes 11 s, so that a video grows faster than it is watched.
GROW_SECONDS = 6.0
_SPEC = FileRef(
    store="workspace", key="jobs/bench/spec.json", sha256="0" * 64, size_bytes=2, media_type="application/json"
)
_LOCATION = "https://media.example.org/" + "x" * 420  # about as long as a signed URL of S3


@frozen(kw_only=True)
class Latencies:
    """Latencies under one load in milliseconds, medians over the rounds. `ratio`: of the 99th percentiles."""

    requests_per_s: float
    baseline_requests_per_s: float
    p50_ms: float
    baseline_p50_ms: float
    p99_ms: float
    baseline_p99_ms: float
    ratio: float


@frozen(kw_only=True)
class ViewersResult:
    """The latencies under both loads."""

    viewers: int
    jobs: int
    rounds: int
    errors: int
    scenes_added: int
    playlist_bytes: int
    watching: Latencies
    rush: Latencies


def run(viewers: int = 500, jobs: int = 100, rounds: int = 5, seconds: float = 6.0) -> ViewersResult:
    """Measure `rounds` of `seconds` under each load, with the baseline. Raises RuntimeError for a wrong answer."""
    configure_logs("WARNING", json=False)
    results: list[ViewersResult] = []

    async def measured(url: str) -> None:
        results.append(await _measure(url, viewers, jobs, rounds, seconds))

    with bench_server() as url:
        run_loop(measured(url))
    return results[0]


async def _measure(url: str, viewers: int, jobs: int, rounds: int, seconds: float) -> ViewersResult:
    redis = connect(url)
    log = JobEventStore(redis, codec=Codec(), keyspace=Keyspace(), clock=lambda: datetime.now(UTC), cache_size=2 * jobs)
    loads = (Load(LOOK_SECONDS, seconds), Load(0.0, seconds))
    # With a margin: a complete job doesn't grow.
    span = sum(2 * rounds * (load.seconds + load.coming_s) for load in loads)
    planned = SCENES_BEFORE + 2 * ceil(span / GROW_SECONDS) + 30
    ids = [new_job_id(0, secrets.token_hex(16)) for _ in range(jobs)]
    for start in range(0, jobs, 20):
        await asyncio.gather(*(_begin(log, job_id, planned) for job_id in ids[start : start + 20]))
    try:
        with process(_serve_ours, url) as ours:
            watched = await _watched(ours, ids, viewers)
            await watch(ours, watched, Load(1.0, 1.0))  # so that every job is folded before the measurement
            body = await _body_of(ours, watched[0])
            with process(_serve_bare, body) as bare:
                async with _growing(log, ids, planned) as added:
                    figures = [await _compared(ours, bare, watched, load, rounds) for load in loads]
                    scenes_added = len(added)
    finally:
        await redis.aclose()
    if not scenes_added:
        raise RuntimeError("no playlist has grown")
    return ViewersResult(
        viewers=viewers,
        jobs=jobs,
        rounds=rounds,
        errors=0,
        scenes_added=scenes_added,
        playlist_bytes=len(body),
        watching=figures[0],
        rush=figures[1],
    )


async def _compared(ours: int, bare: int, watched: list[str], load: Load, rounds: int) -> Latencies:
    mine, theirs = [], []
    for _ in range(rounds):
        theirs.append(await watch(bare, watched, load))
        mine.append(await watch(ours, watched, load))
    p99, base_p99 = median(r.p99_ms for r in mine), median(r.p99_ms for r in theirs)
    return Latencies(
        requests_per_s=round(median(r.per_s for r in mine), 1),
        baseline_requests_per_s=round(median(r.per_s for r in theirs), 1),
        p50_ms=round(median(median(r.latencies) for r in mine) * 1000, 2),
        baseline_p50_ms=round(median(median(r.latencies) for r in theirs) * 1000, 2),
        p99_ms=round(p99, 2),
        baseline_p99_ms=round(base_p99, 2),
        ratio=round(p99 / base_p99, 3),
    )


async def _watched(port: int, ids: list[str], viewers: int) -> list[str]:
    """Return the path of each viewer's playlist, with its own token."""
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:

        async def playlist(job_id: str) -> str:
            path = f"/api/v1/videos/jobs/{job_id}"
            async with session.post(f"{path}/playback-token") as answer:
                answer.raise_for_status()
                token = (await answer.json())["token"]
            return f"{path}/stream.m3u8?quality={QUALITY}&token={token}"

        return [await playlist(ids[number % len(ids)]) for number in range(viewers)]


async def _body_of(port: int, path: str) -> bytes:
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session, session.get(path) as answer:
        answer.raise_for_status()
        return await answer.read()


async def _begin(log: JobEventStore, job_id: str, planned: int) -> None:
    await log.create(job_id, REQUEST, LOCAL_CAUSE)
    plans = [
        cmd.PlanScene(
            run=1,
            scene=scene,
            title=f"Scene {scene}",
            start_cells=scene * 20,
            duration_cells=20,
            spec=_SPEC,
            narration=None,
        )
        for scene in range(planned)
    ]
    await log.execute(
        job_id,
        [cmd.StartPlanning(1), cmd.AnnounceScript(run=1, title="A talk", scene_count=planned, plan=_SPEC), *plans],
        LOCAL_CAUSE,
    )
    await log.execute(job_id, [c for scene in range(SCENES_BEFORE) for c in _made(scene)], LOCAL_CAUSE)


def _made(scene: int) -> tuple[cmd.Command, cmd.Command]:
    """Return the commands that finish a scene of two segments and its upload."""

    def file(end: str) -> FileRef:
        return FileRef(
            store="delivery",
            key=f"videos/{secrets.token_hex(16)}.{end}",
            sha256=secrets.token_hex(32),
            size_bytes=500_000,
            media_type="video/mp4",
        )

    segments = (Segment(file("m4s"), 10), Segment(file("m4s"), 10))
    made = (
        SceneRendition(
            quality=QUALITY,
            width=1280,
            height=720,
            decoder_config="config",
            init=file("mp4"),
            segments=segments,
            codecs="avc1.64001f,mp4a.40.2",
        ),
    )
    return cmd.FinishScene(scene=scene, run=1, renditions=made), cmd.FinishSceneUpload(
        scene=scene, run=1, renditions=made
    )


@asynccontextmanager
async def _growing(log: JobEventStore, ids: list[str], planned: int) -> AsyncIterator[list[str]]:
    """Add scenes to all jobs in turn; yields the list of jobs that got one."""
    added: list[str] = []

    async def grow() -> None:
        due = perf_counter()
        for turn in count():
            scene = SCENES_BEFORE + turn // len(ids)
            if scene >= planned - 1:
                raise RuntimeError("too few scenes were planned")
            await log.execute(ids[turn % len(ids)], _made(scene), LOCAL_CAUSE)
            added.append(ids[turn % len(ids)])
            due += GROW_SECONDS / len(ids)
            await asyncio.sleep(max(0.0, due - perf_counter()))

    growing = asyncio.create_task(grow())
    try:
        yield added
    finally:
        growing.cancel()
        await asyncio.wait([growing])
    if not growing.cancelled():
        growing.result()


def _serve_ours(url: str, pipe: Connection) -> None:
    configure_logs("WARNING", json=False)
    allow_files()  # like a web process: half of them may go to one address
    os.environ |= {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_REGION": "eu-central-1"}
    wanted = {"EVENTFLOW_REDIS_URL": url, "EVENTFLOW_DELIVERY_URL": "s3://media/videos", "EVENTFLOW_OPEN_ACCESS": "on"}

    async def serve() -> None:
        settings = load_settings(
            {**wanted, "EVENTFLOW_DATA_DIR": folder, "EVENTFLOW_SIGNING_KEY": f"bench:{'0123456789abcdef' * 4}"}
        )
        async with open_parts(settings) as parts, serving(web_app(parts), "127.0.0.1", 0) as address:
            await until_stopped(address.port, pipe)

    with tempfile.TemporaryDirectory() as folder:
        run_loop(serve())


def _serve_bare(body: bytes, pipe: Connection) -> None:
    async def playlist(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/vnd.apple.mpegurl")

    async def segment(_: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": _LOCATION})

    async def serve() -> None:
        app: Any = web.Application()
        app.router.add_get("/api/v1/videos/jobs/{job_id}/stream.m3u8", playlist)
        app.router.add_get("/api/v1/videos/jobs/{job_id}/stream/{quality}/{name}", segment)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        await until_stopped(runner.addresses[0][1], pipe)
        await runner.cleanup()

    run_loop(serve())
