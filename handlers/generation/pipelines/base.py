"""The interface of a pipeline, and all that a pipeline's package needs to import.

To add a pipeline, install a package with an entry point in the group `eventflow.pipelines` that names a class of this
shape. A class with a classmethod `from_settings(settings)` is made by it, others without arguments. A
class that needs no script, scenes or topic sets `needs_script = False`.

A class whose narrators hear another text than its drafts hold has a method `heard(draft, voice)`, which returns the
texts that they hear: cached scenes are reused only for the same texts. It is asked of narrated videos alone.

All methods block (callers run them in threads) and may be called from several threads at once. They raise the errors
of `handlers.generation.errors`: a `RequestError` fails the job, other retryable errors are retried.
"""

from pathlib import Path
from typing import ClassVar, Protocol

from handlers.generation.control import Charged, Control, RemoteEnded, RemoteOrdered, RemoteStarted, Warned
from handlers.generation.model import (
    AssetFile,
    Brief,
    Cue,
    NarratedScene,
    NarrateTask,
    Narration,
    Plan,
    SceneDraft,
    SpokenLine,
    Style,
    Voice,
    Word,
)
from handlers.generation.render_model import RenderedScene, RenderTask, Rendition, Segment

__all__ = [
    "AssetFile",
    "Brief",
    "Charged",
    "Control",
    "Cue",
    "NarrateTask",
    "NarratedScene",
    "Narration",
    "Pipeline",
    "Plan",
    "RemoteEnded",
    "RemoteOrdered",
    "RemoteStarted",
    "RenderTask",
    "RenderedScene",
    "Rendition",
    "SceneDraft",
    "Segment",
    "SpokenLine",
    "Style",
    "Voice",
    "Warned",
    "Word",
]


class Pipeline(Protocol):
    """Turns a brief into scenes, and each scene into segments. Instances hold no state of jobs."""

    #: The pipeline's name in requests.
    name: ClassVar[str]
    #: To be changed when the same input gives other bytes: cached scenes of other versions are not reused.
    version: ClassVar[str]
    #: Whether a request needs a script, scenes or a topic. True where a class doesn't say.
    needs_script: ClassVar[bool]

    def check(self) -> None:
        """Check that the pipeline can run here. Raises PipelineUnavailable with the cause and the remedy."""

    def plan(self, brief: Brief, control: Control) -> Plan:
        """Plan the scenes of a video. Raises ScriptError, UnknownVoice, UnknownQuality, UnknownAspect."""

    def narrate(self, task: NarrateTask, scratch: Path, control: Control) -> NarratedScene:
        """Narrate a scene, which fixes its length; its sound (48 kHz mono s16 WAV) is written into `scratch`.

        Raises NarratorLost where another voice is to speak the whole video, which is narrated anew by it, `task.alone`.
        """

    def render(self, task: RenderTask, scratch: Path, control: Control) -> RenderedScene:
        """Encode a scene under the contract of `profiles`; files are written into `scratch`.

        Raises Stopped soon after `control.should_stop()` is true. Work that costs money is ordered once: the order is
        noted before it is sent, its id before the pipeline waits for it; both come back as `task.earlier`, the id as
        `task.remote_id`, too (decisions 107 and 228).
        """
