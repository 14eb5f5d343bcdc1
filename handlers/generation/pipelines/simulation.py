"""The simulation pipeline: test patterns and tones under the real encoder contract, in under a second a scene."""

from pathlib import Path
from typing import ClassVar, Final

import numpy as np
from attrs import frozen

from handlers.generation.audio.pcm import Samples, write_wav
from handlers.generation.control import Control
from handlers.generation.encoding.encode import SceneSource, encode_scene
from handlers.generation.encoding.overlays import Rgb
from handlers.generation.encoding.profiles import profile_of
from handlers.generation.encoding.timeline import plan_timeline
from handlers.generation.errors import EncodeError, PipelineUnavailable, Stopped
from handlers.generation.model import Brief, Cue, NarratedScene, NarrateTask, Narration, Plan, SceneDraft
from handlers.generation.model_json import from_spec, to_spec
from handlers.generation.render_model import RenderedScene, RenderTask
from handlers.generation.time_grid import SAMPLE_RATE, SAMPLES_PER_CELL, seconds_of
from handlers.media import ffmpeg

WIDTH: Final = 640
HEIGHT: Final = 360
PATTERNS: Final = ("smptehdbars", "testsrc2", "rgbtestsrc")
_LIMITS: Final = ffmpeg.Limits(seconds=20, output_bytes=3 * WIDTH * HEIGHT * 3)
#: The tone rises by a fourth from scene to scene, so that joins are audible.
_TONES_HZ: Final = (330.0, 440.0, 587.33)
_LOUDNESS: Final = 0.2
_FADE_S: Final = 0.06


@frozen
class TestScene:
    """A pattern of ffmpeg's lavfi sources over a tone; `cells` is its length on the grid."""

    #: Keeps pytest from collecting the class by its name.
    __test__: ClassVar[bool] = False

    pattern: str
    tone_hz: float
    cells: int


class SimulationPipeline:
    """Makes `scenes` scenes of `cells` each; a script is not read."""

    name: ClassVar[str] = "simulation"
    version: ClassVar[str] = "1"
    needs_script: ClassVar[bool] = False

    def __init__(self, scenes: int = 3, cells: int = 3) -> None:
        self._scenes = scenes
        self._cells = cells

    def check(self) -> None:
        """Check that ffmpeg runs. Raises PipelineUnavailable."""
        try:
            ffmpeg.run(["-version"], limits=_LIMITS)
        except ffmpeg.FfmpegError as error:
            raise PipelineUnavailable(f"ffmpeg does not run ({error}): reinstall imageio-ffmpeg") from error

    def plan(self, brief: Brief, control: Control) -> Plan:
        """Plan the same scenes for every brief."""
        for quality in brief.qualities:
            profile_of(quality, brief.style.aspect)
        drafts = []
        for index in range(self._scenes):
            pattern, tone_hz = PATTERNS[index % len(PATTERNS)], _TONES_HZ[index % len(_TONES_HZ)]
            spec = to_spec(TestScene(pattern, tone_hz, self._cells))
            drafts.append(SceneDraft(index=index, title=f"Test pattern {index + 1}", spec=spec))
        return Plan(title="Simulation", scenes=tuple(drafts), voice=brief.voice, style=brief.style)

    def narrate(self, task: NarrateTask, scratch: Path, control: Control) -> NarratedScene:
        """Write a tone with silent ends."""
        draft = task.draft
        scene = from_spec(draft.spec, TestScene)
        audio = scratch / f"tone-{draft.index}.wav"
        write_wav(_tone(scene), audio)
        length_s = seconds_of(scene.cells)
        narration = Narration(duration_cells=scene.cells, cues=tuple(Cue(n, length_s * n / 3) for n in range(3)))
        return NarratedScene(index=draft.index, title=draft.title, narration=narration, spec=draft.spec, audio=audio)

    def render(self, task: RenderTask, scratch: Path, control: Control) -> RenderedScene:
        """Encode three frames of the pattern, with hard cuts."""
        frames = _frames(from_spec(task.scene.spec, TestScene), control)
        narration = task.scene.narration
        source = SceneSource(
            draw=lambda picture: frames[max(picture, 0)],
            timeline=plan_timeline(narration.cues, narration.duration_cells, fades=False),
            audio=task.scene.audio,
            start_cells=task.start_cells,
        )
        profiles = [profile_of(quality, task.style.aspect) for quality in task.qualities]
        renditions = encode_scene(source, profiles, scratch, control, threads=task.threads)
        return RenderedScene(
            index=task.scene.index,
            start_cells=task.start_cells,
            duration_cells=narration.duration_cells,
            renditions=renditions,
        )


def _tone(scene: TestScene) -> Samples:
    """Make a sine with faded, silent ends: int16 at 48 kHz, as long as the scene."""
    time_s = np.arange(scene.cells * SAMPLES_PER_CELL) / SAMPLE_RATE
    from_end = np.minimum(time_s, time_s[-1] - time_s)
    envelope = np.clip((from_end - _FADE_S) / _FADE_S, 0, 1)
    wave = np.sin(2 * np.pi * scene.tone_hz * time_s) * envelope * _LOUDNESS
    return np.asarray(np.round(wave * 32767), dtype=np.int16)


def _frames(scene: TestScene, control: Control) -> list[Rgb]:
    """Draw three frames of the pattern by ffmpeg. Raises EncodeError, Stopped."""
    if scene.pattern not in PATTERNS:
        raise EncodeError(f"unknown test pattern {scene.pattern!r}; available: {', '.join(PATTERNS)}")
    size = f"size={WIDTH}x{HEIGHT}:rate=1:duration=3"
    command = ["-f", "lavfi", "-i", f"{scene.pattern}={size}", "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"]
    try:
        found = ffmpeg.run(command, limits=_LIMITS, should_stop=control.should_stop)
    except ffmpeg.FfmpegStopped as error:
        raise Stopped("stopped while drawing the pattern") from error
    except ffmpeg.FfmpegError as error:
        raise EncodeError(str(error)) from error
    frame_bytes = WIDTH * HEIGHT * 3
    if len(found) != 3 * frame_bytes:
        raise EncodeError(f"ffmpeg wrote {len(found)} bytes for three frames, not {3 * frame_bytes}")
    return list(np.frombuffer(found, np.uint8).reshape(3, HEIGHT, WIDTH, 3))
