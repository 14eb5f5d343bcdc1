"""The pipeline of chaos runs: many short scenes that take as long to render as the script says.

Each line of the script is a scene; a number in it is the least time in seconds that its rendering takes. Only chaos
uses this pipeline: `plugin` installs it for the processes that have `folder` in their PYTHONPATH.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import ClassVar

import numpy as np
from attrs import frozen

from handlers.generation.control import Control
from handlers.generation.encoding.encode import SceneSource, encode_scene
from handlers.generation.encoding.profiles import profile_of
from handlers.generation.encoding.timeline import plan_timeline
from handlers.generation.errors import Stopped
from handlers.generation.model import Brief, Cue, NarratedScene, NarrateTask, Narration, Plan, SceneDraft
from handlers.generation.model_json import from_spec, to_spec
from handlers.generation.render_model import RenderedScene, RenderTask

WIDTH, HEIGHT = 320, 180
_STEP_S = 0.01
_ENTRY_POINTS = "[eventflow.pipelines]\nchaos = ops.chaos.pipeline:ChaosPipeline\n"
_METADATA = "Metadata-Version: 2.1\nName: eventflow-chaos\nVersion: 1\n"


def plugin(folder: Path) -> None:
    """Install the pipeline in `folder`, with the metadata that pip would write."""
    about = folder / "eventflow_chaos-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(_METADATA)
    (about / "entry_points.txt").write_text(_ENTRY_POINTS)


@frozen
class ChaosScene:
    """A grey picture over silence, one cell long; its rendering takes at least `seconds`."""

    grey: int
    seconds: float


class ChaosPipeline:
    """Makes a grey picture of each line of the script."""

    name: ClassVar[str] = "chaos"
    version: ClassVar[str] = "1"

    def check(self) -> None:
        """Do nothing: it needs no program and no service."""

    def plan(self, brief: Brief, control: Control) -> Plan:
        """Plan a scene for each line."""
        drafts = []
        for index, line in enumerate((brief.script or "0").splitlines()):
            number = re.search(r"\d+(\.\d+)?", line)
            scene = ChaosScene(40 + 31 * index % 180, float(number[0]) if number else 0.0)
            drafts.append(SceneDraft(index=index, title=f"Scene {index + 1}", spec=to_spec(scene)))
        return Plan(title="Chaos", scenes=tuple(drafts))

    def narrate(self, task: NarrateTask, scratch: Path, control: Control) -> NarratedScene:
        """Return one cell of silence."""
        draft = task.draft
        return NarratedScene(
            index=draft.index,
            title=draft.title,
            narration=Narration(duration_cells=1, cues=(Cue(0, 0.0),)),
            spec=draft.spec,
        )

    def render(self, task: RenderTask, scratch: Path, control: Control) -> RenderedScene:
        """Wait, then encode one picture. Raises Stopped."""
        scene = from_spec(task.scene.spec, ChaosScene)
        until = time.monotonic() + scene.seconds
        while time.monotonic() < until:
            if control.should_stop():
                raise Stopped("stopped while waiting")
            time.sleep(_STEP_S)
        picture = np.full((HEIGHT, WIDTH, 3), scene.grey, np.uint8)
        narration = task.scene.narration
        source = SceneSource(
            draw=lambda _: picture,
            timeline=plan_timeline(narration.cues, narration.duration_cells, fades=False),
            audio=None,
            start_cells=task.start_cells,
        )
        profiles = [profile_of(quality) for quality in task.qualities]
        renditions = encode_scene(source, profiles, scratch, control, threads=1)
        return RenderedScene(
            index=task.scene.index,
            start_cells=task.start_cells,
            duration_cells=narration.duration_cells,
            renditions=renditions,
        )
