"""The explainer pipeline: pages from a script or scenes, spoken by a narrator, drawn by typst."""

from collections.abc import Mapping
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
from handlers.generation.encoding.motion import open_motions
from handlers.generation.encoding.overlays import TimedOverlay
from handlers.generation.encoding.profiles import detail_of, profile_of
from handlers.generation.encoding.timeline import plan_timeline
from handlers.generation.errors import PipelineUnavailable, SpeechError
from handlers.generation.model import Brief, NarratedScene, NarrateTask, Omitted, Plan, ReadAs, SceneDraft, Voice
from handlers.generation.model_json import from_spec, to_spec
from handlers.generation.narration import speech
from handlers.generation.narration.cast import cast_voices
from handlers.generation.narration.narrators import espeak
from handlers.generation.narration.narrators.choice import Narrators, narrators
from handlers.generation.narration.readable import Reader, describe_unread, unread
from handlers.generation.narration.timing import fill_wish, has_speech, outlast_clips, over_wish, reading_narration
from handlers.generation.pages.burned_captions import CaptionPainter, CaptionState, caption_states, columns_of
from handlers.generation.pages.diagram_sizes import small_diagrams
from handlers.generation.pages.draw import drawn_pages
from handlers.generation.pages.fonts import describe_missing, font_directories, missing_glyphs, shown_text
from handlers.generation.pages.themes import theme_names
from handlers.generation.planner.plan import Document, Planner
from handlers.generation.render_model import RenderedScene, RenderTask
from handlers.generation.script.content import Scene, Script, backdrop_of
from handlers.generation.script.languages import language_of
from handlers.generation.script.script import plan_brief
from handlers.generation.script.shapes.reading import Reading
from handlers.generation.time_grid import SAMPLES_PER_CELL


class ExplainerPipeline:
    """The default: an explainer video from a script. `spec` is a `Scene`."""

    name: ClassVar[str] = "explainer"
    version: ClassVar[str] = "5"
    needs_script: ClassVar[bool] = True

    def __init__(self, narrators: Narrators | None = None, planner: Planner | None = None) -> None:
        """Without `narrators` espeak speaks; without `planner` topics are refused."""
        self._narrators = narrators or Narrators()
        self._planner = planner or Planner(PlannerSettings())

    @classmethod
    def from_settings(cls, settings: Settings) -> "ExplainerPipeline":
        """Make a pipeline with the narrators and the planner of the settings."""
        return cls(narrators(settings.speech), Planner(settings.planner))

    def check(self) -> None:
        """Check that fonts and voices are installed. Raises PipelineUnavailable."""
        font_directories()
        try:
            espeak.voice_names()
        except (SpeechError, OSError) as error:
            raise PipelineUnavailable(f"espeak-ng does not start ({error}): reinstall espeakng-loader") from error

    def plan(self, brief: Brief, control: Control) -> Plan:
        """Plan one scene per page; a model's answer to a topic is read like a user's document (decision 110)."""
        if brief.topic is None:
            return self._plan(brief, control)

        def read(document: Document) -> Plan:
            return self._plan(evolve(brief, topic=None, scenes=orjson.dumps(document).decode()), control)

        topic, brief = brief.topic, self._in_language(brief, brief.topic)
        if brief.style.narrated:
            speech.check_voice(brief.voice, self._narrators)  # before the model costs money
        return self._planner.plan(topic, brief.voice.name, read, control)

    def _in_language(self, brief: Brief, topic: str) -> Brief:
        """Choose a voice of the language of the topic where nobody names one."""
        tag = brief.language or language_of([topic]).tag
        if brief.names_voice or (name := self._narrators.voice_of(tag)) is None:
            return brief
        named = brief.explicit_defaults | {"voice.name"}
        return evolve(brief, voice=evolve(brief.voice, name=name), explicit_defaults=named)

    def _plan(self, brief: Brief, control: Control) -> Plan:
        planned = plan_brief(brief, theme_names(), self._narrators, control.should_stop)
        script, voice, style = planned.script, planned.voice, planned.style
        for warning in planned.warnings:
            control.note(warning)
        if style.narrated:
            speech.check_voice(voice, self._narrators)
            script = self._cast(script, voice.name, planned.voices, control)
            for letters in unread(script.scenes, Reader(voice.name, self._narrators.language(voice.name))):
                control.note(Warned("unreadable_text", describe_unread(letters, voice.name)))
        for quality in brief.qualities:
            profile_of(quality, style.aspect)
        for warning in small_diagrams(script):
            control.note(warning)
        if missing := missing_glyphs(shown_text(script)):
            control.note(Warned("missing_glyphs", describe_missing(missing)))
        scenes = tuple(map(_draft, script.scenes))
        read_as, language = _read_as(planned.reading), planned.language
        return Plan(title=script.title, scenes=scenes, voice=voice, style=style, read_as=read_as, language=language)

    def _cast(self, script: Script, voice: str, wanted: Mapping[str, str], control: Control) -> Script:
        """Give each speaker a voice. Raises UnknownVoice for one that was asked for."""
        if not any(line.speaker and not line.voice for scene in script.scenes for line in scene.lines):
            return script
        for name in wanted.values():
            self._narrators.check(name)
        cast = cast_voices(script, voice, wanted, self._narrators.voices())
        if cast.warning is not None:
            control.note(cast.warning)
        return cast.script

    def heard(self, draft: SceneDraft, voice: Voice) -> tuple[str, ...]:
        """Return what the narrator hears of the scene: rules that say a line otherwise make it another scene."""
        return speech.heard(from_spec(draft.spec, Scene).lines, voice, self._narrators)

    def narrate(self, task: NarrateTask, scratch: Path, control: Control) -> NarratedScene:
        """Speak the lines of the scene, or leave time to read it; cues are the starts of its reveals."""
        draft = task.draft
        scene = from_spec(draft.spec, Scene)
        if task.style.narrated and has_speech(scene):
            lines = speech.in_one_voice(scene.lines) if task.alone else scene.lines
            spoken = speech.narrate(lines, task.voice, self._narrators, control, last_try=task.last_try)
            narration, speech_samples = spoken.narration, spoken.samples
        else:
            narration, speech_samples = reading_narration(scene, task.voice.rate), np.zeros(0, np.int16)
        if longer := over_wish(narration, scene):
            control.note(Warned("longer_than_wished", longer))
        narration = outlast_clips(fill_wish(narration, scene), scene, task.assets)
        samples = np.pad(speech_samples, (0, SAMPLES_PER_CELL * narration.duration_cells - len(speech_samples)))
        samples = with_clip_sound(samples, scene, narration, task.assets)
        audio: Path | None = None
        if samples.any():
            audio = scratch / f"narration-{draft.index}.wav"
            pcm.write_wav(samples, audio)
        return NarratedScene(
            index=draft.index, title=draft.title, narration=narration, spec=draft.spec, audio=audio, assets=draft.assets
        )

    def render(self, task: RenderTask, scratch: Path, control: Control) -> RenderedScene:
        """Draw the pages and encode them."""
        profiles = [profile_of(quality, task.style.aspect) for quality in task.qualities]
        narration = task.scene.narration
        with ExitStack() as stack:
            detail, burned = detail_of(profiles, aspect_of(task.style.aspect)), task.style.burned
            scene = from_spec(task.scene.spec, Scene)
            drawn = drawn_pages(scene, task.assets, control, detail=detail, captioned=burned)
            boxes = (*drawn.motion_boxes, *((drawn.clip_box,) if drawn.clip_box else ()))
            moving = open_motions(boxes, task.assets, narration, stack)
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
        return RenderedScene(
            index=task.scene.index,
            start_cells=task.start_cells,
            duration_cells=narration.duration_cells,
            renditions=renditions,
        )


def _draft(scene: Scene) -> SceneDraft:
    backdrop = backdrop_of(scene)
    return SceneDraft(
        index=scene.index,
        title=scene.title,
        spec=to_spec(scene),
        assets=scene.assets,
        filled_by=backdrop.asset if backdrop else None,
    )


def _read_as(reading: Reading | None) -> ReadAs | None:
    if reading is None:
        return None
    left_out = tuple(Omitted(each.line, each.text, each.why) for each in reading.left_out)
    return ReadAs(
        shape=reading.shape, sure=reading.sure, because=reading.because, left_out=left_out, facts=reading.facts
    )


def _captions(task: RenderTask, detail: float) -> TimedOverlay[CaptionState] | None:
    """Prepare captions to be drawn into the pictures; None where the style has none."""
    if not task.style.burned:
        return None
    aspect = aspect_of(task.style.aspect)
    painter = CaptionPainter(aspect, task.style.theme, detail=detail)
    return TimedOverlay(caption_states(task.scene.narration, columns_of(aspect)), painter.paint)
