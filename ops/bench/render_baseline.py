"""The baseline of `eventflow dev bench render`, a process: one ffmpeg loops each page at 30 frames per second.

Script, narration and pages are the engine's; so are the lengths of the crossfades, and preset, crf and tuning of x264
for both renditions. Everything else has the defaults of ffmpeg and x264. Each page is decoded once. Prints one JSON
object.
"""

from __future__ import annotations

import subprocess
import sys
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

import imageio_ffmpeg
import orjson
from attrs import asdict

from handlers.generation.control import Control
from handlers.generation.encoding.profiles import Profile, profile_of
from handlers.generation.encoding.timeline import page_changes
from handlers.generation.model import Brief, NarratedScene, NarrateTask
from handlers.generation.model_json import dump, from_spec
from handlers.generation.pages.draw import draw_pages
from handlers.generation.pipelines.explainer import ExplainerPipeline
from handlers.generation.script.content import Scene
from handlers.generation.time_grid import CELL_SECONDS, FRAME_RATE, FRAMES_PER_CELL
from ops.bench.render_engine import QUALITIES, Made, cpu_seconds
from ops.bench.render_script import script

#: The usual choice; with it, ffmpeg's AAC encoder makes as many bytes as the engine.
SOUND = "128k"
#: The engine's flags of swscale, so that both encode the same pictures.
_SCALE = "flags=lanczos+accurate_rnd+full_chroma_inp:in_range=full:out_range=tv:out_color_matrix=bt709"


def make(text: str, folder: Path, workers: int) -> Made:
    """Make the video of `text` in both qualities, as `folder`/QUALITY.mp4. Blocking."""
    began, cpu = perf_counter(), cpu_seconds()
    pipeline, control = ExplainerPipeline(), Control()
    plan = pipeline.plan(Brief(script=text, qualities=QUALITIES), control)
    folder.mkdir(parents=True)
    with ThreadPoolExecutor(workers) as pool:
        scenes, drawn = [], []
        for draft in plan.scenes:
            drawn.append(pool.submit(_draw, draft.index, from_spec(draft.spec, Scene), folder))
            scenes.append(
                pipeline.narrate(NarrateTask(draft=draft, voice=plan.voice, style=plan.style), folder, control)
            )
        pages = [job.result() for job in drawn]
    _join_sound(scenes, folder / "sound.wav")
    subprocess.run(command(scenes, pages, folder), check=True, stdin=subprocess.DEVNULL)
    cells = tuple(scene.duration_cells for scene in scenes)
    made = Made(
        seconds=perf_counter() - began,
        cpu_seconds=cpu_seconds() - cpu,
        video_seconds=float(sum(cells) * CELL_SECONDS),
        scenes=len(scenes),
        cells=cells,
    )
    (folder / "scenes.json").write_bytes(dump(scenes))
    return made


def _draw(index: int, scene: Scene, folder: Path) -> list[Path]:
    paths = []
    for number, png in enumerate(draw_pages(scene)):
        paths.append(folder / f"page-{index:04}-{number:02}.png")
        paths[-1].write_bytes(png)
    return paths


def _join_sound(scenes: list[NarratedScene], target: Path) -> None:
    with wave.open(str(target), "wb") as joined:
        for number, scene in enumerate(scenes):
            with wave.open(str(scene.audio), "rb") as part:
                if number == 0:
                    joined.setparams(part.getparams())
                joined.writeframes(part.readframes(part.getnframes()))


def command(scenes: list[NarratedScene], pages: list[list[Path]], folder: Path) -> list[str]:
    """Return the command line of ffmpeg. `pages` of a scene: the empty background, then one for each reveal."""
    inputs, chains, labels = list[str](), list[str](), list[str]()
    for scene, drawn in zip(scenes, pages, strict=True):
        labels.append(_fades(_shown(scene), drawn, inputs, chains))
    sound = len(inputs) // 2
    profiles = [profile_of(quality) for quality in QUALITIES]
    split = "".join(f"[s{number}]" for number in range(len(profiles)))
    chains.append(f"{''.join(labels)}concat=n={len(labels)}:v=1:a=0,format=yuv420p,split={len(profiles)}{split}")
    for number, profile in enumerate(profiles):
        same = number == 0  # the pages are of the size of the first
        scale = "null" if same else f"scale={profile.width}:{profile.height}:flags=lanczos+accurate_rnd"
        chains.append(f"[s{number}]{scale}[v{number}]")
    outputs = [text for number, profile in enumerate(profiles) for text in _output(number, sound, profile, folder)]
    ffmpeg: str = imageio_ffmpeg.get_ffmpeg_exe()
    given = [*inputs, "-i", str(folder / "sound.wav"), "-filter_complex", ";".join(chains)]
    return [ffmpeg, "-nostdin", "-hide_banner", "-loglevel", "error", "-y", *given, *outputs]


def _fades(shown: list[tuple[int, int, int, int]], drawn: list[Path], inputs: list[str], chains: list[str]) -> str:
    """Add the pages of a scene to the inputs and their crossfades to the chains; returns the label of the scene."""
    first, label = len(inputs) // 2, ""
    for number, (page, frames, start, fade) in enumerate(shown, start=first):
        inputs += ["-i", str(drawn[page])]
        looped = f"loop=loop=-1:size=1:start=0,fps={FRAME_RATE},trim=end_frame={frames},setpts=N/{FRAME_RATE}/TB"
        chains.append(f"[{number}:v]scale={_SCALE},format=yuv420p,{looped},settb=1/{FRAME_RATE}[p{number}]")
        if number > first:
            times = f"duration={fade / FRAME_RATE:.6f}:offset={start / FRAME_RATE:.6f}"
            chains.append(f"{label}[p{number}]xfade=transition=fade:{times},format=yuv420p[x{number}]")
        label = f"[x{number}]" if number > first else f"[p{number}]"
    return label


def _shown(scene: NarratedScene) -> list[tuple[int, int, int, int]]:
    """Return (page, its frames, first frame, frames of its fade) of each page that a scene shows."""
    total = scene.duration_cells * FRAMES_PER_CELL
    steps = [
        (0, 0, 0),
        *((frame, picture + 1, fade) for frame, picture, fade in page_changes(scene.narration.cues, total)),
    ]
    shown = []
    for (start, page, fade), following in zip(steps, [*steps[1:], None], strict=True):
        end = following[0] + following[2] if following else total
        shown.append((page, end - start, start, fade))
    return shown


def _output(number: int, sound: int, profile: Profile, folder: Path) -> list[str]:
    return [
        "-map", f"[v{number}]", "-map", f"{sound}:a",
        "-c:v", "libx264", "-preset", profile.preset, "-crf", str(profile.crf), "-tune", "stillimage",
        "-profile:v", "high", "-level", profile.level, "-colorspace", "bt709", "-color_primaries", "bt709",
        "-color_trc", "bt709", "-c:a", "aac", "-b:a", SOUND, "-ac", "2",
        "-movflags", "+faststart", str(folder / f"{profile.quality}.mp4"),
    ]  # fmt: skip


def main() -> None:
    """Run `python -m ops.bench.render_baseline FOLDER SCENES WORKERS`."""
    folder, scenes, workers = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    sys.stdout.write(orjson.dumps(asdict(make(script(scenes), folder, workers))).decode())


if __name__ == "__main__":
    main()
