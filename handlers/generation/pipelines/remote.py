"""The remote pipeline: scenes planned and narrated as explainer's, filmed by a text-to-video service."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from attrs import evolve

from eventflow.settings import RemoteSettings, Settings
from handlers.generation.aspects import aspect_of
from handlers.generation.audio.clip_audio import with_remote_sound
from handlers.generation.audio.music import with_music
from handlers.generation.control import Control, Warned
from handlers.generation.encoding.encode import SceneSource, encode_scene
from handlers.generation.encoding.profiles import profile_of
from handlers.generation.encoding.quality_cap import lines_filled_by
from handlers.generation.errors import PipelineUnset
from handlers.generation.model import Brief, NarratedScene, NarrateTask, Plan, SceneDraft, Voice
from handlers.generation.model_json import from_spec
from handlers.generation.narration.timing import hold_scene
from handlers.generation.pipelines.explainer import ExplainerPipeline
from handlers.generation.render_model import RenderedScene, RenderTask
from handlers.generation.script.content import Scene
from handlers.generation.text_to_video.client import videos_client
from handlers.generation.text_to_video.clip import ClipInfo, clip_pictures, clip_timeline, inspect_clip
from handlers.generation.text_to_video.clip_request import ClipRequest
from handlers.generation.text_to_video.dialects import DIALECTS
from handlers.generation.text_to_video.model_limits import known_limits
from handlers.generation.text_to_video.order import ClipOrders, EarlierOrders
from handlers.generation.text_to_video.prompt import prompt_of, seconds_for, size_for
from handlers.generation.time_grid import SAMPLES_PER_CELL, cells_for

#: Share of the service in the progress of a scene.
_REMOTE_PART = 0.8
#: Seconds that a clip may be shorter than its scene without a warning.
_SHORT_S = 1.0
#: Seconds by which a clip may differ from its order without a warning.
_OTHER_LENGTH_S = 0.5


class RemotePipeline:
    """Each scene is a clip by a text-to-video service, narrated here. `spec` is explainer's `Scene`."""

    name: ClassVar[str] = "remote"
    version: ClassVar[str] = "3"
    needs_script: ClassVar[bool] = True

    def __init__(
        self,
        settings: RemoteSettings | None = None,
        scenes: ExplainerPipeline | None = None,
        clips: ClipOrders | None = None,
    ) -> None:
        """`scenes` plans and narrates. `clips` orders clips; by default from the service of the settings."""
        self._settings = settings or RemoteSettings()
        self._scenes = scenes or ExplainerPipeline()
        self._clips = clips or ClipOrders(
            client=videos_client(self._settings), settings=self._settings, check=inspect_clip
        )
        self._limits = known_limits(self._clips.client)

    @classmethod
    def from_settings(cls, settings: Settings) -> RemotePipeline:
        """Make a pipeline with the service, the narrators and the planner of the settings."""
        return cls(settings.remote, ExplainerPipeline.from_settings(settings))

    def check(self) -> None:
        """Check that a service is configured and narration works. Raises PipelineUnset, PipelineUnavailable."""
        if not self._settings.url:
            raise PipelineUnset(
                "no text-to-video service is configured for the remote pipeline: set EVENTFLOW_REMOTE_URL (and "
                "EVENTFLOW_REMOTE_KEY if it needs a key), or choose another pipeline"
            )
        if self._settings.dialect == "none":
            raise PipelineUnset(
                "the remote pipeline does not know how its service is spoken to: set EVENTFLOW_REMOTE_DIALECT to one "
                f"of {', '.join(DIALECTS)}; ops/docs/models.md tells which services speak them"
            )
        self._scenes.check()

    def plan(self, brief: Brief, control: Control) -> Plan:
        """Plan one scene per page of the script; the service's clips have the lines of one of its sizes."""
        self.check()
        plan = self._scenes.plan(brief, control)
        aspect = aspect_of(plan.style.aspect)
        size = size_for(aspect, self._sizes())
        return evolve(plan, lines=lines_filled_by(*size, aspect, cover=self._settings.crop))

    def heard(self, draft: SceneDraft, voice: Voice) -> tuple[str, ...]:
        """Return what the narrator hears of the scene, as explainer does."""
        return self._scenes.heard(draft, voice)

    def narrate(self, task: NarrateTask, scratch: Path, control: Control) -> NarratedScene:
        """Narrate as explainer does; the scene lasts as long as the clip that will be ordered for it."""
        scene = self._scenes.narrate(task, scratch, control)
        seconds = seconds_for(scene.duration_cells, self._seconds())
        return hold_scene(scene, cells_for(seconds))

    def render(self, task: RenderTask, scratch: Path, control: Control) -> RenderedScene:
        """Order the clip, or resume waiting for the one of an earlier attempt; then encode it."""
        self.check()
        clip = scratch / "clip"
        wanted = self._wanted(task)
        self._obtain(task, wanted, clip, control)
        info = inspect_clip(clip)
        narration = task.scene.narration
        if abs(info.duration_s - wanted.seconds) > _OTHER_LENGTH_S:
            lengths = f"a clip of {info.duration_s:.1f} s was made for the {wanted.seconds} s that were ordered"
            control.note(Warned("clip_length", lengths))
        if narration.duration_s - info.duration_s > _SHORT_S:
            lengths = f"a clip of {info.duration_s:.1f} s is shown for {narration.duration_s:.1f} s"
            control.note(Warned("clip_short", f"{lengths}: its last picture stays"))
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
        return RenderedScene(
            index=task.scene.index,
            start_cells=task.start_cells,
            duration_cells=narration.duration_cells,
            renditions=renditions,
        )

    def _wanted(self, task: RenderTask) -> ClipRequest:
        return ClipRequest(
            prompt=prompt_of(from_spec(task.scene.spec, Scene)),
            seconds=seconds_for(task.scene.duration_cells, self._seconds()),
            size=size_for(aspect_of(task.style.aspect), self._sizes()),
            idempotency_key=task.work_id,
        )

    def _obtain(self, task: RenderTask, wanted: ClipRequest, target: Path, control: Control) -> None:
        earlier = EarlierOrders(task.earlier, task.remote_orders, task.run)
        self._clips.obtain(wanted, earlier, target, _part(control, 0.0, _REMOTE_PART))

    def _seconds(self) -> tuple[int, ...]:
        """Return the lengths that may be ordered: those of the settings, or the nearest that the model allows."""
        return self._limits.get().seconds_for(self._settings.seconds)

    def _sizes(self) -> tuple[tuple[int, int], ...]:
        return self._limits.get().sizes_for(self._settings.sizes)

    def _sound(self, task: RenderTask, clip: Path, info: ClipInfo, scratch: Path) -> Path | None:
        audio = task.scene.audio
        if self._settings.sound and info.sound:
            samples = task.scene.duration_cells * SAMPLES_PER_CELL
            audio = with_remote_sound(clip, audio, samples, scratch / "clip-sound.wav")
        return with_music(evolve(task, scene=evolve(task.scene, audio=audio)), scratch)


def _part(control: Control, first: float, last: float) -> Control:
    """Return `control` with progress 0..1 mapped to `first`..`last`."""
    return evolve(control, on_progress=lambda fraction: control.on_progress(first + (last - first) * fraction))
