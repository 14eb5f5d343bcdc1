"""Scenes that are made once for many tests."""

import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from attrs import frozen

from handlers.generation.control import Control
from handlers.generation.encoding.assemble import ScenePart, assemble
from handlers.generation.model import Brief, NarratedScene, NarrateTask
from handlers.generation.pipelines.simulation import SimulationPipeline
from handlers.generation.render_model import RenderedScene, RenderTask
from handlers.media.probe import MediaInfo

QUALITIES = ("480p", "360p")


@frozen
class Film:
    """Three scenes of the simulation, encoded apart and joined per quality."""

    narrated: tuple[NarratedScene, ...]
    rendered: tuple[RenderedScene, ...]
    files: dict[str, Path]
    infos: dict[str, MediaInfo]

    @property
    def cells(self) -> int:
        return sum(scene.duration_cells for scene in self.rendered)

    def sound(self) -> np.ndarray:
        """The samples that went in: float, one channel."""
        parts = []
        for scene in self.narrated:
            assert scene.audio is not None
            with wave.open(str(scene.audio), "rb") as file:
                parts.append(np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768)
        return np.concatenate(parts)


def parts_of(rendered: tuple[RenderedScene, ...], quality: str) -> list[ScenePart]:
    parts = []
    for scene in rendered:
        rendition = next(r for r in scene.renditions if r.quality == quality)
        paths = tuple(segment.path for segment in rendition.segments)
        cells = tuple(segment.duration_cells for segment in rendition.segments)
        parts.append(ScenePart(init=rendition.init, segments=paths, start_cells=scene.start_cells, segment_cells=cells))
    return parts


def make_film(directory: Path, pipeline: SimulationPipeline) -> Film:
    plan = pipeline.plan(Brief(qualities=QUALITIES), Control())
    start, narrated, rendered = 0, [], []
    for draft in plan.scenes:
        scratch = directory / str(draft.index)
        scratch.mkdir(parents=True)
        narrated.append(pipeline.narrate(NarrateTask(draft=draft), scratch, Control()))
        task = RenderTask(scene=narrated[-1], start_cells=start, qualities=QUALITIES, threads=1)
        rendered.append(pipeline.render(task, scratch, Control()))
        start += rendered[-1].duration_cells
    files = {quality: directory / f"{quality}.mp4" for quality in QUALITIES}
    infos = {q: assemble(parts_of(tuple(rendered), q), files[q]) for q in QUALITIES}
    return Film(tuple(narrated), tuple(rendered), files, infos)


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Film:
    """Scenes of 13 cells: two segments each."""
    return make_film(tmp_path_factory.mktemp("film"), SimulationPipeline(scenes=3, cells=13))


@pytest.fixture
def stop_after() -> Callable[[int], Control]:
    """A control that asks to stop at the nth question."""

    def control(questions: int) -> Control:
        left = iter(range(questions))
        return Control(should_stop=lambda: next(left, None) is None)

    return control
