"""`eventflow dev bench render`: a narrated script at 1080p and 720p by the engine, beside one ffmpeg.

Both start cold, in processes of their own and one after the other, from the script to the finished files. Times are
wall time; `cpu_ratio` compares CPU time, which varies less on a shared machine. SSIM compares each video with the
pictures that went into its encoder (fades included), over every 13th frame.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import orjson
from attrs import frozen

from handlers.generation.model import NarratedScene
from handlers.generation.model_json import load
from ops.bench.fidelity import mean_ssim
from ops.bench.render_engine import QUALITIES, Made
from ops.bench.render_reference import meant_by_engine, meant_by_plain

_SAMPLE_S = 0.05
_MIB = 1 << 20


class RenderFailed(RuntimeError):
    """A process of the benchmark failed; the message has the end of its output."""


@frozen(kw_only=True)
class RenderResult:
    """`realtime_factor`: seconds of video per second. Memory in MiB, children included. None: not measured.

    By rendition: `ssim_difference` is the baseline's SSIM less the engine's, `size_ratio` the size of the engine's file
    by the baseline's. `memory_growth_mib`: median of the last quarter of the run less that of the second quarter.
    """

    video_seconds: float
    scenes: int
    workers: int
    realtime_factor: float
    cpu_seconds: float
    peak_memory_mib: float
    memory_growth_mib: float
    baseline_realtime_factor: float | None = None
    baseline_cpu_seconds: float | None = None
    ratio: float | None = None
    cpu_ratio: float | None = None
    ssim: dict[str, float] | None = None
    ssim_difference: dict[str, float] | None = None
    size_ratio: dict[str, float] | None = None
    with_motion: dict[str, float] | None = None


@frozen
class _Run:
    """A result, and the samples of resident bytes of the process and its children."""

    made: Made
    memory: tuple[int, ...]

    @property
    def factor(self) -> float:
        return self.made.video_seconds / self.made.seconds


def run(scenes: int, *, baseline: bool = True, motion: bool = True) -> RenderResult:
    """Measure a script of `scenes` scenes. Raises RenderFailed."""
    workers = os.cpu_count() or 1
    with tempfile.TemporaryDirectory(prefix="eventflow-bench-") as name:
        folder = Path(name)
        plain = _program("ops.bench.render_baseline", folder / "plain", scenes, workers) if baseline else None
        engine = _program("ops.bench.render_engine", folder / "engine", scenes, workers)
        moved = _program("ops.bench.render_engine", folder / "moved", scenes, workers, "motion") if motion else None
        compared = _compared(folder, engine, plain) if plain else {}
    later, earlier = (engine.memory[-len(engine.memory) // 4 :], engine.memory[len(engine.memory) // 4 :])
    return RenderResult(
        video_seconds=round(engine.made.video_seconds, 2),
        scenes=engine.made.scenes,
        workers=workers,
        realtime_factor=round(engine.factor, 2),
        cpu_seconds=round(engine.made.cpu_seconds, 2),
        peak_memory_mib=round(max(engine.memory) / _MIB, 1),
        memory_growth_mib=round((median(later) - median(earlier[: len(later)])) / _MIB, 1),
        with_motion=_motion(moved) if moved else None,
        **compared,
    )


def _motion(moved: _Run) -> dict[str, float]:
    return {
        "video_seconds": round(moved.made.video_seconds, 2),
        "realtime_factor": round(moved.factor, 2),
        "cpu_seconds": round(moved.made.cpu_seconds, 2),
        "peak_memory_mib": round(max(moved.memory) / _MIB, 1),
    }


def _compared(folder: Path, engine: _Run, plain: _Run) -> dict[str, Any]:
    ssim, difference, size = dict[str, float](), dict[str, float](), dict[str, float]()
    for quality in QUALITIES:
        ours, theirs = folder / "engine" / f"{quality}.mp4", folder / "plain" / f"{quality}.mp4"
        found = [
            mean_ssim(
                video, meant(load((video.parent / "scenes.json").read_bytes(), tuple[NarratedScene, ...]), quality)
            )
            for video, meant in ((ours, meant_by_engine), (theirs, meant_by_plain))
        ]
        ssim[quality], difference[quality] = round(found[0], 5), round(found[1] - found[0], 5)
        size[quality] = round(ours.stat().st_size / theirs.stat().st_size, 4)
    return {
        "baseline_realtime_factor": round(plain.factor, 2),
        "baseline_cpu_seconds": round(plain.made.cpu_seconds, 2),
        "ratio": round(engine.factor / plain.factor, 2),
        "cpu_ratio": round(plain.made.cpu_seconds / engine.made.cpu_seconds, 2),
        "ssim": ssim,
        "ssim_difference": difference,
        "size_ratio": size,
    }


def _program(module: str, folder: Path, scenes: int, workers: int, *more: str) -> _Run:
    command = [sys.executable, "-m", module, str(folder), str(scenes), str(workers), *more]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdout=out, stderr=errors, stdin=subprocess.DEVNULL)
        memory = tuple(_memory_of(process.pid, lambda: process.poll() is None))
        out.seek(0)
        errors.seek(0)
        if process.wait():
            raise RenderFailed(f"{module} ended with {process.returncode}: {errors.read()[-2000:].decode()}")
        answer = orjson.loads(out.read())
    return _Run(Made(**{**answer, "cells": tuple(answer["cells"])}), memory or (0,))


def _memory_of(pid: int, running: Callable[[], bool]) -> Iterator[int]:
    """Yield the resident bytes of a process and its children every 50 ms while it runs."""
    page = os.sysconf("SC_PAGE_SIZE")
    while running():
        if total := sum(_resident(each) * page for each in _family(pid)):
            yield total
        time.sleep(_SAMPLE_S)


def _family(pid: int) -> Iterator[int]:
    yield pid
    for task in _texts(Path(f"/proc/{pid}/task"), "children"):
        for child in task.split():
            yield from _family(int(child))


def _texts(folder: Path, name: str) -> Iterator[str]:
    try:
        for entry in list(folder.iterdir()):
            yield (entry / name).read_text()
    except OSError:
        return  # the process has ended


def _resident(pid: int) -> int:
    """Return the resident pages of a process, 0 if it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
