"""`eventflow bench viewers`: many viewers of playlists that grow, on one web process.

Each viewer has a connection and a playback token of its own; it loads its playlist again and again, and asks for the
newest segment in it, whose bytes it doesn't fetch: they don't come from us. Meanwhile scenes are added to every job.
The baseline is a bare aiohttp handler that answers as many bytes and redirects alike, asked by the same viewers in
interleaved rounds, while as many scenes are added.

Two loads: viewers that look every second, and a rush in which none pauses, so that all have a request in the server at
a time. Every playlist has to begin with what its viewer was told before.
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
from multiprocessing.connection import Connection as Pipe
from statistics import median, quantiles
from time import perf_counter
from typing import Any

import aiohttp
from aiohttp import web
from attrs import frozen

from eventflow.codec import Codec
from eventflow.domain import commands as cmd
from eventflow.domain.values import FileRef, SceneRendition, Segment, VideoRequest
from eventflow.envelope import new_job_id
from eventflow.log.connection import connect
from eventflow.log.jobs import JobLog
from eventflow.log.keys import Keyspace
from eventflow.log.records import Cause
from eventflow.settings import load_settings
from eventflow.telemetry.logs import configure_logs
from ops.bench.chain import TRACEPARENT, bench_server
from ops.bench.load import Connection, get
from ops.bench.servers import process, run_loop, until_told
from ops.compose import open_parts, web_app
from web.serve import serving

QUALITY = "720p"
#: What is there when the first viewer comes: five minutes of scenes of two segments.
SCENES_BEFORE = 30
#: How often a scene is added to each job.
GROW_SECONDS = 2.0
_CAUSE = Cause("local", "bench", "", TRACEPARENT)
_SPEC = FileRef("workspace", "jobs/bench/spec.json", "0" * 64, 2, "application/json")
_LOCATION = "https://media.example.org/" + "x" * 420  # about as long as a signed URL of S3


@frozen
class Latencies:
    """Of one load; milliseconds. `ratio` is that of the 99th percentiles, medians over the rounds."""

    requests_per_s: float
    baseline_requests_per_s: float
    p50_ms: float
    baseline_p50_ms: float
    p99_ms: float
    baseline_p99_ms: float
    ratio: float


@frozen
class ViewersResult:
    viewers: int
    jobs: int
    rounds: int
    errors: int
    scenes_added: int
    playlist_bytes: int
    watching: Latencies
    rush: Latencies


@frozen
class _Load:
    """How the viewers go about it: seconds between two looks, and for how long."""

    pause_s: float
    seconds: float


@frozen
class _Round:
    """What the viewers of one round saw; latencies in seconds."""

    latencies: list[float]
    seconds: float

    @property
    def per_s(self) -> float:
        return len(self.latencies) / self.seconds

    @property
    def p99_ms(self) -> float:
        return quantiles(self.latencies, n=100)[98] * 1000


def run(viewers: int = 500, jobs: int = 100, rounds: int = 5, seconds: float = 5.0) -> ViewersResult:
    """`rounds` of `seconds` under each load, for ours and for the baseline. Raises RuntimeError on a wrong answer."""
    configure_logs("WARNING", json=False)
    results: list[ViewersResult] = []

    async def measured(url: str) -> None:
        results.append(await _measure(url, viewers, jobs, rounds, seconds))

    with bench_server() as url:
        run_loop(measured(url))
    return results[0]


async def _measure(url: str, viewers: int, jobs: int, rounds: int, seconds: float) -> ViewersResult:
    redis = connect(url)
    log = JobLog(redis, codec=Codec(), keyspace=Keyspace(), clock=lambda: datetime.now(UTC), cache_size=2 * jobs)
    loads = (_Load(1.0, seconds), _Load(0.0, seconds))
    # With time to spare: a job that is complete grows no more.
    planned = SCENES_BEFORE + 2 * ceil(len(loads) * 2 * rounds * seconds / GROW_SECONDS) + 60
    ids = [new_job_id(0, secrets.token_hex(16)) for _ in range(jobs)]
    for start in range(0, jobs, 20):
        await asyncio.gather(*(_begin(log, job_id, planned) for job_id in ids[start : start + 20]))
    try:
        with process(_serve_ours, url) as ours:
            watched = await _watched(ours, ids, viewers)
            body = await _body_of(ours, watched[0])
            with process(_serve_bare, body) as bare:
                async with _growing(log, ids, planned) as added:
                    figures = [await _compared(ours, bare, watched, load, rounds) for load in loads]
                    scenes_added = len(added)
    finally:
        await redis.aclose()
    if not scenes_added:
        raise RuntimeError("no playlist has grown")
    return ViewersResult(viewers, jobs, rounds, 0, scenes_added, len(body), *figures)


async def _compared(ours: int, bare: int, watched: list[str], load: _Load, rounds: int) -> Latencies:
    mine, theirs = [], []
    for _ in range(rounds):
        theirs.append(await _watch(bare, watched, load))
        mine.append(await _watch(ours, watched, load))
    p99, base_p99 = median(r.p99_ms for r in mine), median(r.p99_ms for r in theirs)
    return Latencies(
        round(median(r.per_s for r in mine), 1),
        round(median(r.per_s for r in theirs), 1),
        round(median(median(r.latencies) for r in mine) * 1000, 2),
        round(median(median(r.latencies) for r in theirs) * 1000, 2),
        round(p99, 2),
        round(base_p99, 2),
        round(p99 / base_p99, 3),
    )


class _Viewer(Connection):
    """Looks at a playlist every `pause_s` and asks for its last segment, until `until` (of `perf_counter`)."""

    def __init__(self, path: str, pause_s: float, until: float, latencies: list[float]) -> None:
        super().__init__()
        self._request, self._folder = get(path), path.split("stream?")[0].encode()
        self._pause_s, self._until, self._latencies = pause_s, until, latencies
        self._known = b""
        self._of_segment = False
        self._due = self._asked = perf_counter()
        self.wrong = ""

    def look(self) -> None:
        now = perf_counter()
        if now >= self._until:
            self.close()
        else:
            self._due, self._of_segment = max(now, self._due + self._pause_s), False
            self._send(self._request)

    def _send(self, request: bytes) -> None:
        self._asked = perf_counter()
        self.ask(request)

    def answered(self, head: bytes, body: bytes) -> None:
        self._latencies.append(perf_counter() - self._asked)
        if self._of_segment:
            if not head.startswith(b"HTTP/1.1 307"):
                self._fail(head)
            elif self._pause_s:
                asyncio.get_running_loop().call_later(max(0.0, self._due - perf_counter()), self.look)
            else:
                self.look()
        elif not head.startswith(b"HTTP/1.1 200") or not body.startswith(self._known) or b"ENDLIST" in body:
            self._fail(head)
        else:
            self._known, self._of_segment = body, True
            line = body[body.rindex(b"\n", 0, -1) + 1 : -1]
            self._send(b"GET " + self._folder + line + b" HTTP/1.1\r\nHost: bench\r\n\r\n")

    def _fail(self, head: bytes) -> None:
        self.wrong = head.split(b"\r\n")[0].decode()
        self.close()


async def _watch(port: int, watched: list[str], load: _Load) -> _Round:
    """One round of all viewers, who begin spread over a pause. Raises RuntimeError if one got a wrong answer."""
    latencies: list[float] = []
    began = perf_counter()
    viewers = [_Viewer(path, load.pause_s, began + load.seconds, latencies) for path in watched]
    for viewer in viewers:
        await viewer.open(port)
    began = perf_counter()
    for place, viewer in enumerate(viewers):
        asyncio.get_running_loop().call_later(place * load.pause_s / len(viewers), viewer.look)
    await asyncio.gather(*(viewer.ended for viewer in viewers))
    if wrong := [viewer.wrong for viewer in viewers if viewer.wrong]:
        raise RuntimeError(f"{len(wrong)} viewers got a wrong answer, one of them: {wrong[0]}")
    return _Round(latencies, perf_counter() - began)


async def _watched(port: int, ids: list[str], viewers: int) -> list[str]:
    """The playlist of each viewer, with a token of its own."""
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:

        async def playlist(job_id: str) -> str:
            path = f"/api/v1/videos/jobs/{job_id}"
            async with session.post(f"{path}/playback-token") as answer:
                answer.raise_for_status()
                token = (await answer.json())["token"]
            return f"{path}/stream?quality={QUALITY}&token={token}"

        return [await playlist(ids[number % len(ids)]) for number in range(viewers)]


async def _body_of(port: int, path: str) -> bytes:
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session, session.get(path) as answer:
        answer.raise_for_status()
        return await answer.read()


async def _begin(log: JobLog, job_id: str, planned: int) -> None:
    await log.create(job_id, VideoRequest(script="# A script\n\nOne line of it."), _CAUSE)
    plans = [cmd.PlanScene(1, scene, f"Scene {scene}", scene * 20, 20, _SPEC, None) for scene in range(planned)]
    await log.execute(job_id, [cmd.StartPlanning(1), cmd.AnnounceScript(1, "A talk", planned, _SPEC), *plans], _CAUSE)
    await log.execute(job_id, [c for scene in range(SCENES_BEFORE) for c in _made(scene)], _CAUSE)


def _made(scene: int) -> tuple[cmd.Command, cmd.Command]:
    """A scene of two segments is rendered and uploaded."""

    def file(end: str) -> FileRef:
        return FileRef("delivery", f"videos/{secrets.token_hex(16)}.{end}", secrets.token_hex(32), 500_000, "video/mp4")

    segments = (Segment(file("m4s"), 10), Segment(file("m4s"), 10))
    made = (SceneRendition(QUALITY, 1280, 720, "config", file("mp4"), segments, "avc1.64001f,mp4a.40.2"),)
    return cmd.FinishScene(scene, 1, made), cmd.FinishSceneUpload(scene, 1, made)


@asynccontextmanager
async def _growing(log: JobLog, ids: list[str], planned: int) -> AsyncIterator[list[str]]:
    """Adds scenes to all jobs, one after the other, until left; yields the jobs that were added to."""
    added: list[str] = []

    async def grow() -> None:
        due = perf_counter()
        for turn in count():
            scene = SCENES_BEFORE + turn // len(ids)
            if scene >= planned - 1:
                raise RuntimeError("too few scenes were planned")
            await log.execute(ids[turn % len(ids)], _made(scene), _CAUSE)
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


def _serve_ours(url: str, pipe: Pipe) -> None:
    configure_logs("WARNING", json=False)
    os.environ |= {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_REGION": "eu-central-1"}
    wanted = {"EVENTFLOW_REDIS_URL": url, "EVENTFLOW_DELIVERY_URL": "s3://media/videos"}

    async def serve() -> None:
        settings = load_settings(
            {**wanted, "EVENTFLOW_DATA_DIR": folder, "EVENTFLOW_SIGNING_KEY": f"bench:{'0123456789abcdef' * 4}"}
        )
        async with open_parts(settings) as parts, serving(web_app(parts), "127.0.0.1", 0) as address:
            await until_told(address.port, pipe)

    with tempfile.TemporaryDirectory() as folder:
        run_loop(serve())


def _serve_bare(body: bytes, pipe: Pipe) -> None:
    async def playlist(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/vnd.apple.mpegurl")

    async def segment(_: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": _LOCATION})

    async def serve() -> None:
        app: Any = web.Application()
        app.router.add_get("/api/v1/videos/jobs/{job_id}/stream", playlist)
        app.router.add_get("/api/v1/videos/jobs/{job_id}/stream/{quality}/{name}", segment)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        await until_told(runner.addresses[0][1], pipe)
        await runner.cleanup()

    run_loop(serve())
