"""Script or scenes -> narrated pages: planned from Markdown or a document, spoken by a narrator, drawn by typst."""

from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar

import numpy as np
import orjson
from attrs import evolve

from eventflow.settings import PlannerSettings, Settings
from handlers.generation.aspects import aspect_of
from handlers.generation.audio import pcm
from handlers.generation.audio.clip_audio import with_clip_sound
from handlers.generation.audio.music import with_music
from handlers.generation.control import Control, Warned
from handlers.generation.encoding.encode import SceneSource, encode_scene
from handlers.generation.encoding.motion import staged
from handlers.generation.encoding.overlays import TimedOverlay
from handlers.generation.encoding.profiles import detail_of, profile_of
from handlers.generation.encoding.timeline import plan_timeline
from handlers.generation.errors import PipelineUnavailable, SpeechError
from handlers.generation.model import (
    Brief,
    NarratedScene,
    NarrateTask,
    Plan,
    RenderedScene,
    RenderTask,
    SceneDraft,
    from_spec,
    to_spec,
)
from handlers.generation.narration import speech
from handlers.generation.narration.narrators import espeak
from handlers.generation.narration.narrators.choice import Narrators, narrators
from handlers.generation.narration.timing import outlast_clips, read_scene, says_something
from handlers.generation.pages.burned_captions import CaptionPainter, CaptionState, caption_states, columns_of
from handlers.generation.pages.columns import backdrop_of
from handlers.generation.pages.fallback import drawn_pages
from handlers.generation.pages.fonts import font_directories
from handlers.generation.pages.glyphs import describe_missing, missing_glyphs, shown_text
from handlers.generation.pages.themes import theme_names
from handlers.generation.planner.plan import Document, Planner
from handlers.generation.script.content import Scene
from handlers.generation.script.resolve_brief import plan_brief
from handlers.generation.time_grid import SAMPLES_PER_CELL


class ExplainerPipeline:
    """The default: an explainer video from a script. `spec` is a `Scene`."""

    name: ClassVar[str] = "explainer"
    version: ClassVar[str] = "4"

    def __init__(self, narrators: Narrators | None = None, planner: Planner | None = None) -> None:
        """Without `narrators`, espeak alone; without `planner`, topics are refused."""
        self._narrators = narrators or Narrators()
        self._planner = planner or Planner(PlannerSettings())

    @classmethod
    def from_settings(cls, settings: Settings) -> "ExplainerPipeline":
        """With the narrators and the planner of the settings."""
        return cls(narrators(settings.speech), Planner(settings.planner))

    def check(self) -> None:
        """Fonts and voices must be there."""
        font_directories()
        try:
            espeak.voice_names()
        except (SpeechError, OSError) as error:
            raise PipelineUnavailable(f"espeak-ng does not start ({error}): reinstall espeakng-loader") from error

    def plan(self, brief: Brief, control: Control) -> Plan:
        """One scene per page; what a model makes of a topic is read as a user's own document is."""
        if brief.topic is None:
            return self._plan(brief, control)

        def read(document: Document) -> Plan:
            return self._plan(evolve(brief, topic=None, scenes=orjson.dumps(document).decode()), control)

        if brief.style.narrated:
            speech.check(brief.voice, self._narrators)  # before a model is paid for
        return self._planner.plan(brief.topic, brief.voice.name, read, control)

    def _plan(self, brief: Brief, control: Control) -> Plan:
        planned = plan_brief(brief, theme_names(), self._narrators.language, control.should_stop)
        script, voice, style = planned.script, planned.voice, planned.style
        for warning in planned.warnings:
            control.note(warning)
        if style.narrated:
            speech.check(voice, self._narrators)
        for quality in brief.qualities:
            profile_of(quality, style.aspect)
        if missing := missing_glyphs(shown_text(script)):
            control.note(Warned("missing_glyphs", describe_missing(missing)))
        return Plan(script.title, tuple(map(_draft, script.scenes)), voice, style)

    def narrate(self, task: NarrateTask, scratch: Path, control: Control) -> NarratedScene:
        """Speak the lines of the scene, or leave time to read it; cues are the beginnings of its reveals."""
        draft = task.draft
        scene = from_spec(draft.spec, Scene)
        if task.style.narrated and says_something(scene):
            spoken = speech.narrate(scene.lines, task.voice, self._narrators, control, last_try=task.last_try)
            told, said = spoken.narration, spoken.samples
        else:
            told, said = read_scene(scene, task.voice.rate), np.zeros(0, np.int16)
        narration = outlast_clips(told, scene, task.assets)
        samples = np.pad(said, (0, SAMPLES_PER_CELL * narration.duration_cells - len(said)))
        samples = with_clip_sound(samples, scene, narration, task.assets)
        audio: Path | None = None
        if samples.any():
            audio = scratch / f"narration-{draft.index}.wav"
            pcm.write_wav(samples, audio)
        return NarratedScene(draft.index, draft.title, narration, draft.spec, audio, draft.assets)

    def render(self, task: RenderTask, scratch: Path, control: Control) -> RenderedScene:
        """Draw the pages and encode them."""
        profiles = [profile_of(quality, task.style.aspect) for quality in task.qualities]
        narration = task.scene.narration
        with ExitStack() as stack:
            detail, burned = detail_of(profiles, aspect_of(task.style.aspect)), task.style.burned
            scene = from_spec(task.scene.spec, Scene)
            drawn = drawn_pages(scene, task.assets, control, detail=detail, captioned=burned)
            boxes = (*drawn.motion_boxes, *((drawn.clip_box,) if drawn.clip_box else ()))
            moving = staged(boxes, task.assets, narration, stack)
            captions = _captions(task, detail)
            source = SceneSource(
                draw=drawn.draw,
                timeline=plan_timeline(
                    narration.cues,
                    narration.duration_cells,
                    moving=[each.span_s for each in moving],
                    cuts_s=captions.cuts_s if captions else (),
                ),
                audio=with_music(task, scratch),
                start_cells=task.start_cells,
                moving=moving,
                overlay=captions,
                layer=drawn.overlay,
            )
            renditions = encode_scene(source, profiles, scratch, control, threads=task.threads)
        return RenderedScene(task.scene.index, task.start_cells, narration.duration_cells, renditions)


def _draft(scene: Scene) -> SceneDraft:
    backdrop = backdrop_of(scene)
    return SceneDraft(scene.index, scene.title, to_spec(scene), scene.assets, backdrop.asset if backdrop else None)


def _captions(task: RenderTask, detail: float) -> TimedOverlay[CaptionState] | None:
    """Captions that are drawn into the pictures, where these are wanted."""
    if not task.style.burned:
        return None
    aspect = aspect_of(task.style.aspect)
    painter = CaptionPainter(aspect, task.style.theme, detail=detail)
    return TimedOverlay(caption_states(task.scene.narration, columns_of(aspect)), painter.paint)
