"""Script -> narrated pages: planned from Markdown, spoken by a narrator, drawn by typst."""

from pathlib import Path
from typing import ClassVar

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
from handlers.generation.music import with_music
from handlers.generation.narrators.choice import Narrators, narrators
from handlers.generation.profiles import profile_of
from handlers.generation.script import parse_script
from handlers.generation.timeline import plan_timeline


class ExplainerPipeline:
    """The default: an explainer video from a script. `spec` is a `Scene`."""

    name: ClassVar[str] = "explainer"
    version: ClassVar[str] = "3"

    def __init__(self, narrators: Narrators | None = None) -> None:
        """Without `narrators`, espeak alone."""
        self._narrators = narrators or Narrators()

    @classmethod
    def from_settings(cls, settings: Settings) -> "ExplainerPipeline":
        """With the narrators of the settings."""
        return cls(narrators(settings.speech))

    def check(self) -> None:
        """Fonts and voices must be there."""
        pages.font_directories()
        try:
            espeak.voice_names()
        except (SpeechError, OSError) as error:
            raise PipelineUnavailable(f"espeak-ng does not start ({error}): reinstall espeakng-loader") from error

    def plan(self, brief: Brief, control: Control) -> Plan:
        """One scene per page of the script."""
        if brief.script is None:
            raise ScriptError("the explainer pipeline needs a script")
        speech.check(brief.voice, self._narrators)
        for quality in brief.qualities:
            profile_of(quality, brief.style.aspect)
        script = parse_script(brief.script, self._narrators.language(brief.voice.name))
        drafts = tuple(SceneDraft(scene.index, scene.title, to_spec(scene), scene.assets) for scene in script.scenes)
        return Plan(script.title, drafts, brief.voice, brief.style)

    def narrate(self, task: NarrateTask, scratch: Path, control: Control) -> NarratedScene:
        """Speak the lines of the scene, or time them; cues are the beginnings of its reveals."""
        draft = task.draft
        scene = from_spec(draft.spec, Scene)
        if not task.style.narrated:
            silent = speech.time_lines(scene.lines, task.voice.rate)
            return NarratedScene(draft.index, draft.title, silent, draft.spec, None, draft.assets)
        spoken = speech.narrate(scene.lines, task.voice, self._narrators, control, last_try=task.last_try)
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
            audio=with_music(task, scratch),
            start_cells=task.start_cells,
        )
        renditions = encode_scene(source, profiles, scratch, control, threads=task.threads)
        return RenderedScene(task.scene.index, task.start_cells, narration.duration_cells, renditions)
