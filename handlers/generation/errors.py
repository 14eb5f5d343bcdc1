"""What can go wrong while a video is made.

::

    MediaError
    ├── RequestError            the requester's fault: another try can't help
    │   ├── ScriptError (also ValueError)
    │   │   ├── DocumentError
    │   │   └── UnknownField (merge.py)
    │   ├── UnknownVoice
    │   ├── UnknownQuality
    │   ├── UnknownAspect
    │   ├── UnknownTheme
    │   ├── UnknownAsset
    │   ├── UnknownPipeline
    │   ├── NarratorUnavailable
    │   └── PipelineUnavailable
    │       └── PipelineUnset
    ├── DrawError               typst refused a page, and would again
    ├── SpeechError             a narrator failed
    │   └── SpeechRefused       ... and would fail again
    ├── EncodeError             libav failed, or its output is not what was planned
    ├── ProfileMismatch         scenes encoded under different contracts can't be joined
    ├── CorruptArtefact         a finished file is not what was planned
    └── Stopped                 cancelled by the caller, not a fault
"""

from collections.abc import Iterable

from eventflow.requests.errors import Fault, summary_of
from handlers.media.errors import MediaError, RequestError


class ScriptError(RequestError, ValueError):
    """The script can't become a video; the message says why and, where it can, on which line."""

    code = "script"


class DocumentError(ScriptError):
    """A scene document that can't be read; `faults` are all that were found."""

    code = "scenes"

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(summary_of(self.faults))


class UnknownVoice(RequestError):
    """No such voice. `name` is what was asked for, `examples` some that exist."""

    code = "unknown_voice"

    def __init__(self, name: str, examples: Iterable[str]) -> None:
        self.name = name
        self.examples = tuple(examples)
        super().__init__(f"there is no voice {name!r}; some that exist: {', '.join(self.examples)}")


class UnknownQuality(RequestError):
    """No such quality. `name` is what was asked for, `known` are all that exist."""

    code = "unknown_quality"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        self.known = tuple(known)
        super().__init__(f"there is no quality {name!r}; known: {', '.join(self.known)}")


class UnknownAspect(RequestError):
    """No such aspect ratio. `name` is what was asked for, `known` are all that exist."""

    code = "unknown_aspect"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        self.known = tuple(known)
        super().__init__(f"there is no aspect ratio {name!r}; known: {', '.join(self.known)}")


class UnknownTheme(RequestError):
    """No such theme. `name` is what was asked for, `known` are all that exist."""

    code = "unknown_theme"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        self.known = tuple(known)
        super().__init__(f"there is no theme {name!r}; known: {', '.join(self.known)}")


class UnknownAsset(RequestError):
    """The owner has no asset of that id, or it is of another kind than is needed; the message says which."""

    code = "unknown_asset"


class UnknownPipeline(RequestError):
    """No such pipeline. `name` is what was asked for, `known` are all that are installed."""

    code = "unknown_pipeline"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        self.known = tuple(known)
        super().__init__(f"there is no pipeline {name!r}; installed: {', '.join(self.known) or 'none'}")


class PipelineUnavailable(RequestError):
    """The pipeline exists but can't run here; the message says what is missing and how to mend it."""

    code = "pipeline_unavailable"


class PipelineUnset(PipelineUnavailable):
    """It needs settings that aren't there: a choice, and no fault of the installation."""


class DrawError(MediaError):
    """typst could not draw a page. The same page can only fail again."""

    code = "draw"
    retryable = False


class NarratorUnavailable(RequestError):
    """The voice is one of a narrator that can't speak here; the message says what is missing and how to mend it."""

    code = "narrator_unavailable"


class SpeechError(MediaError):
    """A narrator could not speak a line. `retry_after_s` is what its service asked for."""

    code = "speech"

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class SpeechRefused(SpeechError):
    """A narrator's service has refused a line for good: a wrong key, model or input."""

    code = "speech_refused"
    retryable = False


class EncodeError(MediaError):
    """A scene could not be encoded, or the encoder's output breaks the contract."""

    code = "encode"


class ProfileMismatch(MediaError):
    """Scenes of one quality differ in decoder configuration and can't be joined without re-encoding."""

    code = "profile_mismatch"


class CorruptArtefact(MediaError):
    """A written file is not what was planned (streams, duration)."""

    code = "corrupt_artefact"


class Stopped(MediaError):
    """The caller asked to stop."""

    code = "stopped"
