"""What pipelines and their callers hand each other: plain, frozen, and JSON both ways (`dump` / `load`)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from handlers.generation.time_grid import seconds_of


@frozen
class Cue:
    """Reveal step `step` begins at `start_s` seconds after the start of its scene."""

    step: int
    start_s: float


@frozen
class Word:
    """What is heard as one word: `length` characters of its line from `position` on (they may overlap with others'),
    from `start_s` on, in seconds from the start of the scene."""

    position: int
    length: int
    start_s: float


@frozen(kw_only=True)
class SpokenLine:
    """A narration line with its place in the scene, in seconds (for captions), and what is heard in it, in order.

    Without `words` it isn't known when each is said.
    """

    text: str
    start_s: float
    end_s: float
    words: tuple[Word, ...] = ()


@frozen(kw_only=True)
class Narration:
    """When things are said; `duration_cells` is the length of the whole scene on the grid.

    `language` is the BCP 47 tag of what is said ("und": not known); `estimated` whether the times of the words are.
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
class Style:
    """How a video looks and sounds. `theme` None is the pipeline's own choice; `aspect` a name of `aspects`.

    `burned`: captions are drawn into the pictures; `captions`: whether there are any. `music` is the id of an audio
    asset.
    """

    theme: str | None = None
    aspect: str = "16:9"
    burned: bool = False
    narrated: bool = True
    music: str | None = None
    captions: bool = True


@frozen(kw_only=True)
class AssetFile:
    """An asset of the owner's at hand. `kind` is "image", "clip" or "audio"; sizes in pixels, durations in seconds."""

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
    """What a pipeline plans from: one of `script` (Markdown or plain text), `scenes` (a scene document as JSON text)
    and `topic`; some pipelines need none. `merge` are the merge fields, what is found by what takes its place.
    `insisted` are the fields of a request that a script's front matter doesn't change, though they say the default."""

    script: str | None = None
    voice: Voice = Voice()
    qualities: tuple[str, ...] = ("1080p", "720p")
    scenes: str | None = None
    topic: str | None = None
    merge: Mapping[str, str] = field(factory=dict)
    style: Style = Style()
    insisted: frozenset[str] = frozenset()


@frozen(kw_only=True)
class SceneDraft:
    """A planned scene. `spec` is a JSON object that only its pipeline understands; `assets` the ids it needs.

    `filled_by` is the one of these whose picture fills the whole frame, if there is any.
    """

    index: int
    title: str
    spec: dict[str, Any]
    assets: tuple[str, ...] = ()
    filled_by: str | None = None


@frozen(kw_only=True)
class Plan:
    """The scenes of a video, in order. `voice` and `style` are what the plan has made of those in the brief.

    `lines` is how many the pipeline's pictures have; None where it draws them at any size.
    """

    title: str
    scenes: tuple[SceneDraft, ...]
    voice: Voice = Voice()
    style: Style = Style()
    lines: int | None = None


@frozen(kw_only=True)
class NarrateTask:
    """Fix the length of `draft`, and say what there is to say. `last_try`: a failure would be the job's."""

    draft: SceneDraft
    voice: Voice = Voice()
    style: Style = Style()
    assets: AssetFiles = field(factory=dict)
    last_try: bool = False


@frozen(kw_only=True)
class NarratedScene:
    """A scene whose length is known. `audio` is a 48 kHz mono s16 WAV file of exactly its length, or None.

    `audio` is not part of the JSON: files move between machines, the caller knows where they are.
    """

    index: int
    title: str
    narration: Narration
    spec: dict[str, Any]
    audio: Path | None = None
    assets: tuple[str, ...] = ()

    @property
    def duration_cells(self) -> int:
        """Length on the grid."""
        return self.narration.duration_cells
