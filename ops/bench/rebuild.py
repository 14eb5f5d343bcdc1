"""`eventflow dev bench rebuild`: the reading and folding of a rebuild, beside a bare loop over the same streams.

eventflow: the first pass of `eventflow projections rebuild` over all jobs: SCAN, pages of XRANGE, decoding, the fold,
and the comparison with the feed and the outstanding work. The walk over the feed before it isn't timed.

Baseline: XRANGE of the same streams, as many in a pipeline, and `orjson.loads` of each entry; the keys are known.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import median
from time import perf_counter, process_time
from typing import Any

import orjson
import uvloop
from attrs import frozen
from redis.asyncio import Redis

from eventflow.domain import commands as cmd
from eventflow.domain.commands import Command
from eventflow.domain.values import FileRef, SceneRendition, Segment, VideoFile
from eventflow.log.codec import Codec
from eventflow.log.connection import connect
from eventflow.log.event_store import JobEventStore
from eventflow.log.keys import Keyspace
from eventflow.runtime.process import tune_process
from ops.bench.jobs import CAUSE, REQUEST, job_ids
from ops.bench.servers import bench_server
from ops.replay.inspect import Inspector
from ops.replay.rebuild import Rebuild, RebuildReport
from ops.replay.scan import BATCH

_SCENES = 3
_CREATING = 500


@frozen(kw_only=True)
class RebuildResult:
    """Rates in events per second. `cpu_ratio` compares the CPU time of this process, without the server's."""

    jobs: int
    events: int
    rounds: int
    events_per_s: float
    baseline_events_per_s: float
    ratio: float
    cpu_ratio: float
    whole_rebuild_s: float


def _file(store: Any, name: str, index: int) -> FileRef:
    digest = f"{index:064x}"
    return FileRef(
        store=store,
        key=f"jobs/00-{index:032x}/{digest}{name}",
        sha256=digest,
        size_bytes=1_048_576 + index,
        media_type="video/mp4",
    )


def _commands(index: int) -> list[Command]:
    """Return the commands of a narrated video of three scenes in two renditions, from planning to its end."""
    spec, work, out = (
        _file("workspace", ".json", index),
        _file("workspace", ".mp4", index),
        _file("delivery", ".mp4", index),
    )
    sizes = (("1080p", 1920, 1080), ("720p", 1280, 720))

    def renditions(file: FileRef) -> tuple[SceneRendition, ...]:
        return tuple(
            SceneRendition(
                quality=q,
                width=w,
                height=h,
                decoder_config="c0ffee",
                init=file,
                segments=(Segment(file, 11), Segment(file, 2)),
            )
            for q, w, h in sizes
        )

    def videos(file: FileRef) -> tuple[VideoFile, ...]:
        return tuple(VideoFile(quality=q, width=w, height=h, duration_s=20.8, file=file) for q, w, h in sizes)

    scenes = range(_SCENES)
    return [
        cmd.StartPlanning(1),
        cmd.AnnounceScript(run=1, title=f"Video {index}", scene_count=_SCENES, plan=spec),
        *(
            cmd.PlanScene(
                run=1,
                scene=scene,
                title=f"Scene {scene}",
                start_cells=13 * scene,
                duration_cells=13,
                spec=spec,
                narration=spec,
            )
            for scene in scenes
        ),
        *(cmd.FinishScene(scene=scene, run=1, renditions=renditions(work)) for scene in scenes),
        *(cmd.FinishSceneUpload(scene=scene, run=1, renditions=renditions(out)) for scene in scenes),
        cmd.FinishVideo(run=1, videos=videos(work), thumbnails=()),
        cmd.FinishUpload(run=1, videos=videos(out), thumbnails=()),
        cmd.PublishVideo(1, ()),
    ]


async def fill(redis: Redis, jobs: int, keyspace: Keyspace) -> list[str]:
    """Fill the log with finished jobs of 18 events each; returns their ids."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    ticks = iter(range(100 * jobs))
    log = JobEventStore(
        redis,
        codec=Codec(),
        keyspace=keyspace,
        clock=lambda: start + timedelta(milliseconds=next(ticks)),
        cache_size=_CREATING,
    )
    ids = job_ids(Random(7), jobs)  # noqa: S311 - names of jobs in a benchmark

    async def one(index: int) -> None:
        await log.create(ids[index], REQUEST, CAUSE)
        await log.execute(ids[index], _commands(index), CAUSE)

    for begin in range(0, jobs, _CREATING):
        await asyncio.gather(*map(one, range(begin, min(begin + _CREATING, jobs))))
    return ids


@frozen
class Took:
    """Seconds of wall time, and of CPU time of this process."""

    seconds: float
    cpu_s: float


class _Watch:
    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        self._began, self._cpu_began = perf_counter(), process_time()

    def read(self) -> Took:
        return Took(perf_counter() - self._began, process_time() - self._cpu_began)


async def run_baseline(redis: Redis, keyspace: Keyspace, ids: list[str]) -> tuple[Took, int]:
    """Run the bare loop; returns (time, events)."""
    watch, events = _Watch(), 0
    for start in range(0, len(ids), BATCH):
        async with redis.pipeline(transaction=False) as pipe:
            for job_id in ids[start : start + BATCH]:
                pipe.xrange(keyspace.of_job(job_id).events(job_id))
            for rows in await pipe.execute():
                for _, fields in rows:
                    orjson.loads(fields[b"e"])
                events += len(rows)
    return watch.read(), events


async def run_ours(redis: Redis, keyspace: Keyspace) -> tuple[Took, Took, RebuildReport]:
    """Run a rebuild; returns (time from the first batch to the last, time of the whole rebuild, its report)."""
    inspector = Inspector(redis=redis, codec=Codec(), keyspace=keyspace)
    folding, whole = _Watch(), _Watch()
    report = await Rebuild(inspector=inspector, repairer=None, on_begin=folding.start).all()
    if report.left:
        raise AssertionError(f"the rebuild finds differences: {report.found}")
    return folding.read(), whole.read(), report


async def _rounds(url: str, jobs: int, rounds: int) -> RebuildResult:
    redis, keyspace = connect(url), Keyspace()
    ids = await fill(redis, jobs, keyspace)
    ours: list[Took] = []
    whole: list[Took] = []
    base: list[Took] = []
    events = 0
    for _ in range(rounds):
        took, events = await run_baseline(redis, keyspace, ids)
        base.append(took)
        folding, total, report = await run_ours(redis, keyspace)
        if (report.jobs, report.events) != (jobs, events):
            raise AssertionError(
                f"the rebuild read {report.events} events of {report.jobs} jobs, not {events} of {jobs}"
            )
        ours.append(folding)
        whole.append(total)
    await redis.aclose()
    mine, theirs = (median(took.seconds for took in all_) for all_ in (ours, base))
    cpu, their_cpu = (median(took.cpu_s for took in all_) for all_ in (ours, base))
    return RebuildResult(
        jobs=jobs,
        events=events,
        rounds=rounds,
        events_per_s=round(events / mine, 1),
        baseline_events_per_s=round(events / theirs, 1),
        ratio=round(theirs / mine, 3),
        cpu_ratio=round(their_cpu / cpu, 3),
        whole_rebuild_s=round(median(took.seconds for took in whole), 3),
    )


def run(jobs: int, rounds: int = 3) -> RebuildResult:
    """Measure the baseline and eventflow in interleaved rounds; medians."""
    tune_process()
    with bench_server() as url, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_rounds(url, jobs, rounds))
