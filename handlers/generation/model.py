"""Records of planning: what a pipeline plans and narrates from, and its results. JSON by `model_json`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from eventflow.domain.values import PictureAsset
from handlers.generation.time_grid import seconds_of


@frozen
class Cue:
    """The start of reveal step `step`, `start_s` seconds after the start of its scene."""

    step: int
    start_s: float


@frozen
class Word:
    """A spoken word: `length` characters of its line from `position` on, which may overlap with other words'.

    `start_s` in seconds from the start of the scene.
    """

    position: int
    length: int
    start_s: float


@frozen(kw_only=True)
class SpokenLine:
    """A line of narration with its time in the scene (seconds) and its spoken words in order.

    `words` is empty where their times are unknown, `speaker` where the video has one narrator.
    """

    text: str
    start_s: float
    end_s: float
    words: tuple[Word, ...] = ()
    speaker: str = ""


@frozen(kw_only=True)
class Narration:
    """The times of a scene: its length on the grid, the starts of its reveals, its spoken lines.

    `language` is the BCP 47 tag of the speech ("und": unknown); `estimated`: the times of words are estimates.
    """

    duration_cells: int
    cues: tuple[Cue, ...]
    lines: tuple[SpokenLine, ...] = ()
    language: str = "und"
    estimated: bool = False

    @property
    def duration_s(self) -> float:
        """Length of the scene in seconds."""
        return seconds_of(self.duration_cells)


@frozen
class Voice:
    """A voice by name (espeak's, or one with its narrator's prefix) and a rate factor, 0.5 (slow) to 2.0 (fast)."""

    name: str = "en-us"
    rate: float = 1.0


@frozen(kw_only=True)
class TextLanguage:
    """The language of a text, a BCP 47 tag ("und" in doubt), whether that is sure, and why."""

    tag: str
    sure: bool
    because: str


@frozen(kw_only=True)
class Style:
    """The look and sound of a video. `theme` None: the pipeline chooses; `aspect` is a name in `aspects`.

    `captions`: the video has captions; `burned`: they are drawn into the pictures. `music` is the id of an audio asset.
    """

    theme: str | None = None
    aspect: str = "16:9"
    burned: bool = False
    narrated: bool = True
    music: str | None = None
    captions: bool = True


@frozen(kw_only=True)
class AssetFile:
    """A local file of an owner's asset. `kind` is "image", "clip" or "audio"; sizes in pixels, duration in seconds."""

    path: Path
    kind: str
    media_type: str
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None


#: Assets by id.
AssetFiles = Mapping[str, AssetFile]


@frozen(kw_only=True)
class Brief:
    """The input of planning: one of `script` (Markdown, plain text), `scenes` (a scene document as JSON) and `topic`.

    Some pipelines need none. `merge` maps the names of merge fields to their values. `explicit_defaults` are fields of
    the request that were given their default on purpose: front matter doesn't change them (decision 86). `pictures` are
    the assets of a script's pictures by address. `format` is the shape to read a script as; `voices` are those of
    speakers by name; `keep` names what isn't to be left out. `language` is that of a voice that nobody names; empty:
    that of the text.
    """

    script: str | None = None
    voice: Voice = Voice()
    qualities: tuple[str, ...] = ("1080p", "720p")
    scenes: str | None = None
    topic: str | None = None
    merge: Mapping[str, str] = field(factory=dict)
    style: Style = Style()
    explicit_defaults: frozenset[str] = frozenset()
    pictures: Mapping[str, PictureAsset] = field(factory=dict)
    format: str = "auto"
    voices: Mapping[str, str] = field(factory=dict)
    keep: frozenset[str] = frozenset()
    language: str = ""

    @property
    def names_voice(self) -> bool:
        """Whether the request names the narrator's voice."""
        return self.voice.name != Voice().name or "voice.name" in self.explicit_defaults


@frozen(kw_only=True)
class SceneDraft:
    """A planned scene. `spec` is a JSON object that only its pipeline reads; `assets` are the ids it needs.

    `filled_by` is the asset whose picture fills the whole frame, if there is one.
    """

    index: int
    title: str
    spec: dict[str, Any]
    assets: tuple[str, ...] = ()
    filled_by: str | None = None


@frozen
class Omitted:
    """A line of a script that is neither shown nor said, and why."""

    line: int
    text: str
    why: str


@frozen(kw_only=True)
class ReadAs:
    """How a script was read: as what, why, and what was left out. `facts` are those that it has of the video."""

    shape: str
    sure: bool = True
    because: tuple[str, ...] = ()
    left_out: tuple[Omitted, ...] = ()
    facts: Mapping[str, str] = field(factory=dict)


@frozen(kw_only=True)
class Plan:
    """The scenes of a video in order, with the `voice` and `style` that the brief and the script result in.

    `lines` is the number of lines of the pipeline's pictures; None where it draws them at any size. `read_as` is how a
    script was read, `language` that of its text.
    """

    title: str
    scenes: tuple[SceneDraft, ...]
    voice: Voice = Voice()
    style: Style = Style()
    lines: int | None = None
    read_as: ReadAs | None = None
    language: TextLanguage | None = None


@frozen(kw_only=True)
class NarrateTask:
    """The task to narrate `draft`, which fixes its length. `last_try`: a failure would fail the job.

    `alone`: `voice` speaks every line, as another narrator has failed.
    """

    draft: SceneDraft
    voice: Voice = Voice()
    style: Style = Style()
    assets: AssetFiles = field(factory=dict)
    last_try: bool = False
    alone: bool = False


@frozen(kw_only=True)
class NarratedScene:
    """A scene of known length. `audio` is a 48 kHz mono s16 WAV file of exactly that length, or None.

    `audio` is not part of the JSON: the caller places the file, on whatever machine.
    """

    index: int
    title: str
    narration: Narration
    spec: dict[str, Any]
    audio: Path | None = None
    assets: tuple[str, ...] = ()

    @property
    def duration_cells(self) -> int:
        """The length of the scene in cells."""
        return self.narration.duration_cells
