"""Script -> clips: planned and narrated as explainer's scenes are, filmed by a text-to-video service."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from attrs import evolve

from eventflow.settings import RemoteSettings, Settings
from handlers.generation.aspects import aspect_of
from handlers.generation.audio.music import with_music
from handlers.generation.control import Control, Warned
from handlers.generation.encoding.encode import SceneSource, encode_scene
from handlers.generation.encoding.profiles import profile_of
from handlers.generation.encoding.quality_cap import lines_of
from handlers.generation.errors import PipelineUnset
from handlers.generation.model import Brief, NarratedScene, NarrateTask, Plan, RenderedScene, RenderTask, from_spec
from handlers.generation.narration.hold import held
from handlers.generation.pipelines.explainer import ExplainerPipeline
from handlers.generation.script.content import Scene
from handlers.generation.text_to_video.client import Wanted, videos_client
from handlers.generation.text_to_video.clip import ClipInfo, clip_pictures, clip_timeline, inspect_clip
from handlers.generation.text_to_video.clip_sound import with_remote_sound
from handlers.generation.text_to_video.order import Clips, Earlier
from handlers.generation.text_to_video.prompt import prompt_of, seconds_for, size_for
from handlers.generation.time_grid import SAMPLES_PER_CELL, cells_for

#: What part of the work on a scene the service's is.
_REMOTE_PART = 0.8
#: A clip that is so much shorter than its scene is worth a word.
_SHORT_S = 1.0


class RemotePipeline:
    """Each scene is a clip by a text-to-video service, narrated here. `spec` is explainer's `Scene`."""

    name: ClassVar[str] = "remote"
    version: ClassVar[str] = "2"

    def __init__(
        self,
        settings: RemoteSettings | None = None,
        scenes: ExplainerPipeline | None = None,
        clips: Clips | None = None,
    ) -> None:
        """`scenes` plans and narrates; `clips` is by default the service of the settings."""
        self._settings = settings or RemoteSettings()
        self._scenes = scenes or ExplainerPipeline()
        self._clips = clips or Clips(videos_client(self._settings), self._settings, inspect_clip)

    @classmethod
    def from_settings(cls, settings: Settings) -> RemotePipeline:
        return cls(settings.remote, ExplainerPipeline.from_settings(settings))

    def check(self) -> None:
        """A service must be set, and what narrates must be there."""
        if not self._settings.url:
            raise PipelineUnset(
                "the remote pipeline has no text-to-video service here: set EVENTFLOW_REMOTE_URL (and "
                "EVENTFLOW_REMOTE_KEY if it needs a key), or take another pipeline"
            )
        self._scenes.check()

    def plan(self, brief: Brief, control: Control) -> Plan:
        """One scene per page of the script; all that is seen are clips, which have the service's size."""
        self.check()
        plan = self._scenes.plan(brief, control)
        aspect = aspect_of(plan.style.aspect)
        size = size_for(aspect, self._settings.sizes)
        return evolve(plan, lines=lines_of(*size, aspect, cover=self._settings.crop))

    def narrate(self, task: NarrateTask, scratch: Path, control: Control) -> NarratedScene:
        """As explainer does; the scene lasts as long as the clip that will be made for it."""
        scene = self._scenes.narrate(task, scratch, control)
        seconds = seconds_for(scene.duration_cells, self._settings.seconds)
        return held(scene, cells_for(seconds))

    def render(self, task: RenderTask, scratch: Path, control: Control) -> RenderedScene:
        """Have the clip made, or take it up where an earlier attempt has left it; then encode it."""
        self.check()
        clip = scratch / "clip"
        self._obtain(task, clip, control)
        info = inspect_clip(clip)
        narration = task.scene.narration
        if narration.duration_s - info.duration_s > _SHORT_S:
            told = (
                f"a clip of {info.duration_s:.1f} s is shown for {narration.duration_s:.1f} s: its last picture stays"
            )
            control.note(Warned("clip_short", told))
        profiles = [profile_of(quality, task.style.aspect) for quality in task.qualities]
        widest = max(profiles, key=lambda profile: profile.width * profile.height)
        with clip_pictures(clip, widest.width, widest.height, crop=self._settings.crop) as pictures:
            source = SceneSource(
                draw=pictures.draw,
                timeline=clip_timeline(info.duration_s, narration.duration_cells),
                audio=self._sound(task, clip, info, scratch),
                start_cells=task.start_cells,
            )
            later = _part(control, _REMOTE_PART, 1.0)
            renditions = encode_scene(source, profiles, scratch, later, threads=task.threads)
        return RenderedScene(task.scene.index, task.start_cells, narration.duration_cells, renditions)

    def _obtain(self, task: RenderTask, target: Path, control: Control) -> None:
        scene = from_spec(task.scene.spec, Scene)
        wanted = Wanted(
            prompt_of(scene),
            seconds_for(task.scene.duration_cells, self._settings.seconds),
            size_for(aspect_of(task.style.aspect), self._settings.sizes),
            task.work_id,
        )
        earlier = Earlier(task.remote_id, task.remote_orders)
        self._clips.obtain(wanted, earlier, target, _part(control, 0.0, _REMOTE_PART))

    def _sound(self, task: RenderTask, clip: Path, info: ClipInfo, scratch: Path) -> Path | None:
        audio = task.scene.audio
        if self._settings.sound and info.sound:
            samples = task.scene.duration_cells * SAMPLES_PER_CELL
            audio = with_remote_sound(clip, audio, samples, scratch / "clip-sound.wav")
        return with_music(evolve(task, scene=evolve(task.scene, audio=audio)), scratch)


def _part(control: Control, first: float, last: float) -> Control:
    """`control`, told of progress from `first` to `last`."""
    return evolve(control, on_progress=lambda fraction: control.on_progress(first + (last - first) * fraction))
