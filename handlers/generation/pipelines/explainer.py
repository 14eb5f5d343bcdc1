"""Script or scenes -> narrated pages: planned from Markdown or a document, spoken by espeak, drawn by typst."""

from pathlib import Path
from typing import ClassVar

import numpy as np
import orjson
from attrs import evolve

from eventflow.model_settings import PlannerSettings
from eventflow.settings import Settings
from handlers.generation import espeak, pages, speech
from handlers.generation.content import Scene
from handlers.generation.encode import SceneSource, encode_scene
from handlers.generation.errors import PipelineUnavailable, SpeechError
from handlers.generation.grid import SAMPLES_PER_CELL
from handlers.generation.model import (
    Brief,
    Control,
    NarratedScene,
    NarrateTask,
    Plan,
    RenderedScene,
    RenderTask,
    SceneDraft,
    from_spec,
    to_spec,
)
from handlers.generation.planner.plan import Document, Planner
from handlers.generation.planning import plan_brief
from handlers.generation.profiles import profile_of
from handlers.generation.reading import outlast_clips, read_scene, says_something
from handlers.generation.themelist import theme_names
from handlers.generation.timeline import plan_timeline


class ExplainerPipeline:
    """The default: an explainer video from a script. `spec` is a `Scene`."""

    name: ClassVar[str] = "explainer"
    version: ClassVar[str] = "2"

    def __init__(self, planner: Planner | None = None) -> None:
        """Without `planner`, topics are refused."""
        self._planner = planner or Planner(PlannerSettings())

    @classmethod
    def from_settings(cls, settings: Settings) -> "ExplainerPipeline":
        """With the planner of the settings."""
        return cls(Planner(settings.planner))

    def check(self) -> None:
        """Fonts and voices must be there."""
        pages.font_directories()
        try:
            espeak.voice_names()
        except (SpeechError, OSError) as error:
            raise PipelineUnavailable(f"espeak-ng does not start ({error}): reinstall espeakng-loader") from error

    def plan(self, brief: Brief, control: Control) -> Plan:
        """One scene per page; what a model makes of a topic is read as a user's own document is."""
        if brief.topic is None:
            return self._plan(brief)

        def read(document: Document) -> Plan:
            return self._plan(evolve(brief, topic=None, scenes=orjson.dumps(document).decode()))

        if brief.style.narrated:
            speech.check(brief.voice)  # before a model is paid for
        return self._planner.plan(brief.topic, brief.voice.name, read, control)

    def _plan(self, brief: Brief) -> Plan:
        planned = plan_brief(brief, theme_names())
        script, voice, style = planned.script, planned.voice, planned.style
        if style.narrated:
            speech.check(voice)
        for quality in brief.qualities:
            profile_of(quality, style.aspect)
        drafts = tuple(SceneDraft(scene.index, scene.title, to_spec(scene), scene.assets) for scene in script.scenes)
        return Plan(script.title, drafts, voice, style)

    def narrate(self, task: NarrateTask, scratch: Path, control: Control) -> NarratedScene:
        """Speak the lines of the scene, or leave time to read it; cues are the beginnings of its reveals."""
        draft = task.draft
        scene = from_spec(draft.spec, Scene)
        if not (task.style.narrated and says_something(scene)):
            shown = outlast_clips(read_scene(scene, task.voice.rate), scene, task.assets)
            return NarratedScene(draft.index, draft.title, shown, draft.spec, None, draft.assets)
        spoken = speech.speak_lines(scene.lines, task.voice)
        narration = outlast_clips(spoken.narration, scene, task.assets)
        silence = SAMPLES_PER_CELL * (narration.duration_cells - spoken.narration.duration_cells)
        audio = scratch / f"narration-{draft.index}.wav"
        speech.write_wav(np.pad(spoken.samples, (0, silence)), audio)
        return NarratedScene(draft.index, draft.title, narration, draft.spec, audio, draft.assets)

    def render(self, task: RenderTask, scratch: Path, control: Control) -> RenderedScene:
        """Draw the pages and encode them."""
        profiles = [profile_of(quality, task.style.aspect) for quality in task.qualities]
        narration = task.scene.narration
        drawn = pages.ScenePages(from_spec(task.scene.spec, Scene))
        source = SceneSource(
            draw=drawn.draw,
            timeline=plan_timeline(narration.cues, narration.duration_cells),
            audio=task.scene.audio,
            start_cells=task.start_cells,
        )
        renditions = encode_scene(source, profiles, scratch, control, threads=task.threads)
        return RenderedScene(task.scene.index, task.start_cells, narration.duration_cells, renditions)
