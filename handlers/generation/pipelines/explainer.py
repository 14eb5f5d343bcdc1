"""Script -> narrated pages: planned from Markdown, spoken by espeak, drawn by typst."""

from pathlib import Path
from typing import ClassVar

from attrs import evolve

from handlers.generation import espeak, pages, speech
from handlers.generation.content import Scene
from handlers.generation.encode import SceneSource, encode_scene
from handlers.generation.errors import PipelineUnavailable, ScriptError, SpeechError
from handlers.generation.look.fonts import font_directories
from handlers.generation.look.glyphs import describe_missing, missing_glyphs, shown_text
from handlers.generation.look.themes import DEFAULT, theme_of
from handlers.generation.model import (
    Brief,
    Control,
    NarratedScene,
    NarrateTask,
    Plan,
    RenderedScene,
    RenderTask,
    SceneDraft,
    Warned,
    from_spec,
    to_spec,
)
from handlers.generation.profiles import profile_of
from handlers.generation.script import parse_script
from handlers.generation.timeline import plan_timeline


class ExplainerPipeline:
    """The default: an explainer video from a script. `spec` is a `Scene`."""

    name: ClassVar[str] = "explainer"
    version: ClassVar[str] = "3"

    def check(self) -> None:
        """Fonts and voices must be there."""
        font_directories()
        try:
            espeak.voice_names()
        except (SpeechError, OSError) as error:
            raise PipelineUnavailable(f"espeak-ng does not start ({error}): reinstall espeakng-loader") from error

    def plan(self, brief: Brief, control: Control) -> Plan:
        """One scene per page of the script."""
        if brief.script is None:
            raise ScriptError("the explainer pipeline needs a script")
        speech.check(brief.voice)
        for quality in brief.qualities:
            profile_of(quality, brief.style.aspect)
        theme = theme_of(brief.style.theme or DEFAULT).name
        style = evolve(brief.style, theme=theme)
        script = parse_script(brief.script, brief.voice.name, style.aspect)
        if missing := missing_glyphs(shown_text(script)):
            control.note(Warned("missing_glyphs", describe_missing(missing)))
        looked = [evolve(scene, theme=theme, aspect=style.aspect) for scene in script.scenes]
        drafts = tuple(SceneDraft(scene.index, scene.title, to_spec(scene), scene.assets) for scene in looked)
        return Plan(script.title, drafts, brief.voice, style)

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
        drawn = pages.ScenePages(from_spec(task.scene.spec, Scene), task.assets)
        source = SceneSource(
            draw=drawn.draw,
            timeline=plan_timeline(narration.cues, narration.duration_cells),
            audio=task.scene.audio,
            start_cells=task.start_cells,
        )
        renditions = encode_scene(source, profiles, scratch, control, threads=task.threads)
        return RenderedScene(task.scene.index, task.start_cells, narration.duration_cells, renditions)
