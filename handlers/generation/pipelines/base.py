"""What a pipeline is. To add one (a model API, say), install a package with an entry point in the group
`eventflow.pipelines` that names a class of this shape; nothing here has to change. A class that needs settings has a
classmethod `from_settings(settings)` besides, by which it is made then. A class that needs no script sets
`needs_script = False`.

All methods block (callers run them in a thread) and may be called from several threads at once. They
raise the errors of `handlers.generation.errors`: `RequestError`s fail the job, everything else is retried.
"""

from pathlib import Path
from typing import ClassVar, Protocol

from handlers.generation.control import Control
from handlers.generation.model import Brief, NarratedScene, NarrateTask, Plan, RenderedScene, RenderTask

__all__ = ["Control", "Pipeline"]


class Pipeline(Protocol):
    """Turns a brief into scenes, and each scene into segments. Instances hold no state of a job."""

    #: The name in requests.
    name: ClassVar[str]
    #: Changes when the same input gives other bytes, so that cached scenes are told apart.
    version: ClassVar[str]
    #: Whether a request needs a script, scenes or a topic. True where a class doesn't say.
    needs_script: ClassVar[bool]

    def check(self) -> None:
        """Raises PipelineUnavailable, saying what is missing and how to mend it."""

    def plan(self, brief: Brief, control: Control) -> Plan:
        """The scenes of the video. Raises ScriptError, UnknownVoice, UnknownQuality, UnknownAspect."""

    def narrate(self, task: NarrateTask, scratch: Path, control: Control) -> NarratedScene:
        """Fix the length of a scene; its sound (48 kHz s16 WAV) is written into `scratch`."""

    def render(self, task: RenderTask, scratch: Path, control: Control) -> RenderedScene:
        """Encode a scene under the contract of `profiles`; files are written into `scratch`.

        Raises Stopped soon after `control.should_stop()` is true. What costs money is begun once: its id is noted
        before it is waited for, and comes back as `task.remote_id`.
        """
