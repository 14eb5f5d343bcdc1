"""Script -> narrated pages: planned from Markdown, spoken by espeak, drawn by typst."""

from pathlib import Path
from typing import ClassVar

import orjson
from attrs import evolve

from eventflow.model_settings import PlannerSettings
from eventflow.settings import Settings
from handlers.generation import espeak, pages, speech
from handlers.generation.content import Scene
from handlers.generation.encode import SceneSource, encode_scene
from handlers.generation.errors import PipelineUnavailable, ScriptError, SpeechError
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
from handlers.generation.profiles import profile_of
from handlers.generation.script import parse_script
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
        """One scene per page of the script; what a model makes of a topic is checked as a user's own scenes are."""
        if brief.topic is None:
            return self._plan(brief)

        def read(document: Document) -> Plan:
            return self._plan(evolve(brief, topic=None, scenes=orjson.dumps(document).decode()))

        speech.check(brief.voice)  # before a model is paid for
        return self._planner.plan(brief.topic, brief.voice.name, read, control)

    def _plan(self, brief: Brief) -> Plan:
        if brief.script is None:
            raise ScriptError("the explainer pipeline needs a script")
        speech.check(brief.voice)
        for quality in brief.qualities:
            profile_of(quality, brief.style.aspect)
        script = parse_script(brief.script, brief.voice.name)
        drafts = tuple(SceneDraft(scene.index, scene.title, to_spec(scene), scene.assets) for scene in script.scenes)
        return Plan(script.title, drafts, brief.voice, brief.style)

    def narrate(self, task: NarrateTask, scratch: Path, control: Control) -> NarratedScene:
        """Speak the lines of the scene; cues are the beginnings of its reveals."""
        draft = task.draft
        scene = from_spec(draft.spec, Scene)
        spoken = speech.speak_lines(scene.lines, task.voice)
        audio = scratch / f"narration-{draft.index}.wav"
        speech.write_wav(spoken.samples, audio)
        return NarratedScene(draft.index, draft.title, spoken.narration, draft.spec, audio, draft.assets)

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
