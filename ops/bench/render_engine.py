"""The engine's part of `eventflow bench render`, in a process of its own so that its memory and time can be told.

The real pipeline: planned, narrated in order, each scene rendered by one of `workers` threads as soon as its place is
known (as a worker's slots do), checked, joined for each quality. Prints one JSON object.
"""

from __future__ import annotations

import resource
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

import orjson
from attrs import asdict, frozen

from handlers.generation.assemble import ScenePart, assemble
from handlers.generation.model import Brief, Control, NarrateTask, RenderedScene, RenderTask
from handlers.generation.pipelines.explainer import ExplainerPipeline
from ops.bench.render_script import script

QUALITIES = ("1080p", "720p")


@frozen
class Made:
    """`seconds` on the clock, `cpu_seconds` of all threads, for `video_seconds` of video; `cells` of each scene."""

    seconds: float
    cpu_seconds: float
    video_seconds: float
    scenes: int
    cells: tuple[int, ...]


def make(text: str, folder: Path, workers: int) -> Made:
    """The video of `text` in both qualities, as `folder`/QUALITY.mp4. Blocking."""
    began, cpu = perf_counter(), cpu_seconds()
    pipeline, control = ExplainerPipeline(), Control()
    plan = pipeline.plan(Brief(script=text, qualities=QUALITIES), control)
    start, jobs = 0, list[Future[RenderedScene]]()
    with ThreadPoolExecutor(workers) as pool:
        for draft in plan.scenes:
            scratch = folder / f"scene-{draft.index}"
            scratch.mkdir(parents=True)
            scene = pipeline.narrate(NarrateTask(draft, plan.voice, plan.style), scratch, control)
            task = RenderTask(scene, start, QUALITIES, 1, plan.style, scene_count=len(plan.scenes))
            jobs.append(pool.submit(pipeline.render, task, scratch, control))
            start += scene.duration_cells
        scenes = [job.result() for job in jobs]
        joined = [pool.submit(assemble, _parts(scenes, quality), folder / f"{quality}.mp4") for quality in QUALITIES]
        video_s = [job.result().duration_s for job in joined]
    lengths = tuple(scene.duration_cells for scene in scenes)
    return Made(perf_counter() - began, cpu_seconds() - cpu, video_s[0], len(scenes), lengths)


def _parts(scenes: list[RenderedScene], quality: str) -> list[ScenePart]:
    parts = []
    for scene in scenes:
        rendition = next(r for r in scene.renditions if r.quality == quality)
        paths = tuple(segment.path for segment in rendition.segments)
        cells = tuple(segment.duration_cells for segment in rendition.segments)
        parts.append(ScenePart(rendition.init, paths, scene.start_cells, cells))
    return parts


def cpu_seconds() -> float:
    """Of this process and its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def main() -> None:
    """`python -m ops.bench.render_engine FOLDER SCENES WORKERS`."""
    folder, scenes, workers = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    sys.stdout.write(orjson.dumps(asdict(make(script(scenes), folder, workers))).decode())


if __name__ == "__main__":
    main()
