"""The engine's part of `eventflow dev bench render`, a process of its own, so that its memory and time can be measured.

The real pipeline plans and narrates in order; one of `workers` threads renders each scene as soon as its start is known
(like a worker's slots), checks it, and joins the scenes for each quality. Prints one JSON object, and writes the
narrated scenes to `scenes.json`.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

import numpy as np
import orjson
from attrs import asdict, frozen
from PIL import Image

from handlers.generation.control import Control
from handlers.generation.encoding.assemble import ScenePart, assemble
from handlers.generation.encoding.encode import SceneSource, encode_scene
from handlers.generation.encoding.motion import MovingImage, Placement
from handlers.generation.encoding.overlays import Rect
from handlers.generation.encoding.profiles import profile_of
from handlers.generation.encoding.timeline import BLANK, FADE_OUT_FRAMES, plan_timeline
from handlers.generation.encoding.verify_output import check_scene
from handlers.generation.model import Brief, NarratedScene, NarrateTask
from handlers.generation.model_json import dump, from_spec
from handlers.generation.pages.draw import ScenePages
from handlers.generation.pipelines.explainer import ExplainerPipeline
from handlers.generation.render_model import RenderedScene, RenderTask
from handlers.generation.script.content import Scene
from handlers.generation.time_grid import CELL_SECONDS, cells_for, seconds_of
from ops.bench.render_script import script

QUALITIES = ("1080p", "720p")
#: The moving picture fills the page within its margins, for 8 s.
MOTION_BOX, MOTION_S = Rect(x=120, y=90, width=1680, height=900), 8.0
THREADS = 1


@frozen(kw_only=True)
class Made:
    """`seconds` of wall time, `cpu_seconds` of all threads, for `video_seconds` of video; `cells`: of each scene."""

    seconds: float
    cpu_seconds: float
    video_seconds: float
    scenes: int
    cells: tuple[int, ...]


def make(text: str, folder: Path, workers: int, *, motion: bool) -> Made:
    """Make the video of `text` in both qualities, as `folder`/QUALITY.mp4. Blocking."""
    picture = _photograph(folder) if motion else None
    began, cpu = perf_counter(), cpu_seconds()
    pipeline, control = ExplainerPipeline(), Control()
    plan = pipeline.plan(Brief(script=text, qualities=QUALITIES), control)
    start, jobs, narrated = 0, list[Future[RenderedScene]](), list[NarratedScene]()
    with ThreadPoolExecutor(workers) as pool:
        for draft in plan.scenes:
            scratch = folder / f"scene-{draft.index}"
            scratch.mkdir(parents=True)
            scene = pipeline.narrate(NarrateTask(draft=draft, voice=plan.voice, style=plan.style), scratch, control)
            task = RenderTask(
                scene=scene,
                start_cells=start,
                qualities=QUALITIES,
                threads=THREADS,
                style=plan.style,
                scene_count=len(plan.scenes),
            )
            jobs.append(pool.submit(_rendered, pipeline, task, scratch))
            narrated.append(scene)
            start += scene.duration_cells
        if picture is not None:
            jobs.append(pool.submit(_moving, picture, from_spec(narrated[0].spec, Scene), start, folder))
        scenes = [job.result() for job in jobs]
        joined = [pool.submit(assemble, _parts(scenes, quality), folder / f"{quality}.mp4") for quality in QUALITIES]
        for job in joined:
            job.result()
    lengths = tuple(scene.duration_cells for scene in scenes)
    made = Made(
        seconds=perf_counter() - began,
        cpu_seconds=cpu_seconds() - cpu,
        video_seconds=float(sum(lengths) * CELL_SECONDS),
        scenes=len(scenes),
        cells=lengths,
    )
    (folder / "scenes.json").write_bytes(dump(narrated))
    return made


def _rendered(pipeline: ExplainerPipeline, task: RenderTask, scratch: Path) -> RenderedScene:
    scene = pipeline.render(task, scratch, Control())
    check_scene(scene, task.start_cells, task.scene.duration_cells, task.qualities)
    return scene


def _moving(picture: Path, like: Scene, start_cells: int, folder: Path) -> RenderedScene:
    """Render a silent scene that zooms slowly into a picture."""
    cells, scratch = cells_for(MOTION_S), folder / "moving"
    scratch.mkdir()
    pages, length_s = ScenePages(like), seconds_of(cells)
    span = (0.0, length_s - FADE_OUT_FRAMES / 30)
    moving = MovingImage(picture, Placement(MOTION_BOX, 0, span), "zoom")
    timeline = plan_timeline([], cells, moving=[span])
    source = SceneSource(
        draw=lambda _: pages.draw(BLANK), timeline=timeline, audio=None, start_cells=start_cells, moving=(moving,)
    )
    profiles = [profile_of(quality) for quality in QUALITIES]
    scene = RenderedScene(
        index=0,
        start_cells=start_cells,
        duration_cells=cells,
        renditions=encode_scene(source, profiles, scratch, Control(), threads=THREADS),
    )
    check_scene(scene, start_cells, cells, QUALITIES)
    return scene


def _photograph(folder: Path) -> Path:
    """Write a picture of 2560x1440 with soft and hard edges and a little noise, like a camera's."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(1)
    coarse = random.integers(0, 256, (18, 32, 3), dtype=np.uint8)
    soft = Image.fromarray(coarse).resize((2560, 1440), Image.Resampling.BICUBIC)
    noisy = np.asarray(soft, dtype=np.int16) + random.integers(-6, 7, (1440, 2560, 1), dtype=np.int16)
    noisy[::90] = 255
    path = folder / "photograph.png"
    Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(path, compress_level=1)
    return path


def _parts(scenes: Sequence[RenderedScene], quality: str) -> list[ScenePart]:
    parts = []
    for scene in scenes:
        rendition = next(r for r in scene.renditions if r.quality == quality)
        paths = tuple(segment.path for segment in rendition.segments)
        cells = tuple(segment.duration_cells for segment in rendition.segments)
        parts.append(ScenePart(init=rendition.init, segments=paths, start_cells=scene.start_cells, segment_cells=cells))
    return parts


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def main() -> None:
    """Run `python -m ops.bench.render_engine FOLDER SCENES WORKERS [motion]`."""
    folder, scenes, workers = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    made = make(script(scenes), folder, workers, motion="motion" in sys.argv[4:])
    sys.stdout.write(orjson.dumps(asdict(made)).decode())


if __name__ == "__main__":
    main()
