"""Errors of making a video.

::

    MediaError
    ├── RequestError            the requester's fault: a retry can't help
    │   ├── ScriptError (also ValueError)
    │   │   ├── DocumentError
    │   │   ├── PicturesMissing
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
    ├── BadClip                 (media/errors.py) a service's clip is not a complete video
    ├── DrawError               typst refused a page, and would again
    ├── SpeechError             a narrator failed
    │   └── SpeechRefused       ... permanently
    ├── EncodeError             libav failed, or its output differs from the plan
    ├── ProfileMismatch         scenes encoded under different contracts can't be joined
    ├── CorruptArtefact         a finished file differs from the plan
    └── Stopped                 cancelled by the caller: not a fault
"""

from collections.abc import Iterable

from eventflow.requests.errors import Fault, summary_of
from handlers.media.errors import MediaError, RequestError

#: Pictures that a message names, and the characters of an address in it.
_MOST_PICTURES, _ADDRESS_CHARS = 50, 120


class ScriptError(RequestError, ValueError):
    """The script can't become a video; the message tells why and, if possible, the line."""

    code = "script"


class DocumentError(ScriptError):
    """A scene document that can't be read; `faults` are all that were found."""

    code = "scenes"

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(summary_of(self.faults))


class PicturesMissing(ScriptError):
    """The script names pictures that no asset is known for; `missing` are (line, address, reason), which may be ""."""

    code = "pictures_missing"

    def __init__(self, missing: Iterable[tuple[int, str, str]]) -> None:
        self.missing = tuple(missing)
        named = [
            f"line {line}: {address[:_ADDRESS_CHARS]!r}{f' ({reason})' if reason else ''}"
            for line, address, reason in self.missing[:_MOST_PICTURES]
        ]
        more = len(self.missing) - len(named)
        super().__init__(
            f"pictures that can't be shown: {'; '.join(named)}{f'; and {more} more' if more else ''}. `eventflow "
            "generate` and `eventflow plan` upload files that lie beside the script; otherwise send each one to POST "
            "/api/v1/assets, and name its asset in `pictures` or as ![...](asset:ID)"
        )


class UnknownVoice(RequestError):
    """The requested voice `name` is unknown; `examples` are some that exist."""

    code = "unknown_voice"

    def __init__(self, name: str, examples: Iterable[str]) -> None:
        self.name = name
        self.examples = tuple(examples)
        super().__init__(f"unknown voice {name!r}; available are, for example: {', '.join(self.examples)}")


class UnknownQuality(RequestError):
    """The requested quality `name` is unknown; `known` are all that exist."""

    code = "unknown_quality"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        self.known = tuple(known)
        super().__init__(f"unknown quality {name!r}; available: {', '.join(self.known)}")


class UnknownAspect(RequestError):
    """The requested aspect ratio `name` is unknown; `known` are all that exist."""

    code = "unknown_aspect"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        self.known = tuple(known)
        super().__init__(f"unknown aspect ratio {name!r}; available: {', '.join(self.known)}")


class UnknownTheme(RequestError):
    """The requested theme `name` is unknown; `known` are all that exist."""

    code = "unknown_theme"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        self.known = tuple(known)
        super().__init__(f"unknown theme {name!r}; available: {', '.join(self.known)}")


class UnknownAsset(RequestError):
    """The owner lacks an asset, or it is of the wrong kind; the message names it."""

    code = "unknown_asset"


class UnknownPipeline(RequestError):
    """The requested pipeline `name` is unknown; `known` are all installed ones."""

    code = "unknown_pipeline"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        self.known = tuple(known)
        super().__init__(f"unknown pipeline {name!r}; available: {', '.join(self.known) or 'none'}")


class PipelineUnavailable(RequestError):
    """The pipeline is installed but can't run here; the message tells the cause and the remedy."""

    code = "pipeline_unavailable"


class PipelineUnset(PipelineUnavailable):
    """The pipeline is not configured: a choice, not a fault of the installation."""


class DrawError(MediaError):
    """typst could not draw a page. The same page would fail again (decision 157)."""

    code = "draw"
    retryable = False


class NarratorUnavailable(RequestError):
    """The voice belongs to a narrator that can't speak here; the message tells the cause and the remedy."""

    code = "narrator_unavailable"


class SpeechError(MediaError):
    """A narrator could not speak a line. `retry_after_s` is the wait that its service asked for."""

    code = "speech"

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class SpeechRefused(SpeechError):
    """A narrator's service refuses a line for good: a wrong key, model or input."""

    code = "speech_refused"
    retryable = False


class NarratorLost(Exception):
    """The narrator of the voice `voice` failed for good: the voice `instead` is to speak the whole video.

    No fault of the job: whoever narrates the video begins again with that voice. `reason` is what failed.
    """

    def __init__(self, voice: str, instead: str, reason: str) -> None:
        self.voice = voice
        self.instead = instead
        self.reason = reason
        super().__init__(f"{voice} failed, {instead} is to speak the whole video: {reason}")


class EncodeError(MediaError):
    """A scene could not be encoded, or the encoder's output breaks the encoder contract."""

    code = "encode"


class ProfileMismatch(MediaError):
    """Scenes of one quality differ in decoder configuration, so that joining would need re-encoding."""

    code = "profile_mismatch"


class CorruptArtefact(MediaError):
    """A written file differs from the plan in streams or duration."""

    code = "corrupt_artefact"


class Stopped(MediaError):
    """The caller asked to stop."""

    code = "stopped"
