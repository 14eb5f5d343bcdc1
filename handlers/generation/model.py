"""What pipelines and their callers hand each other: plain, frozen, and JSON both ways (`dump` / `load`)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from attrs import evolve, field, frozen
from cattrs.preconf.orjson import make_converter

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


@frozen
class SpokenLine:
    """A narration line with its place in the scene, in seconds (for captions), and what is heard in it, in order.

    Without `words` it isn't known when each is said.
    """

    text: str
    start_s: float
    end_s: float
    words: tuple[Word, ...] = ()


@frozen
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


@frozen
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


@frozen
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


@frozen
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


@frozen
class SceneDraft:
    """A planned scene. `spec` is a JSON object that only its pipeline understands; `assets` the ids it needs.

    `filled_by` is the one of these whose picture fills the whole frame, if there is any.
    """

    index: int
    title: str
    spec: dict[str, Any]
    assets: tuple[str, ...] = ()
    filled_by: str | None = None


@frozen
class Plan:
    """The scenes of a video, in order. `voice` and `style` are what the plan has made of those in the brief.

    `lines` is how many the pipeline's pictures have; None where it draws them at any size.
    """

    title: str
    scenes: tuple[SceneDraft, ...]
    voice: Voice = Voice()
    style: Style = Style()
    lines: int | None = None


@frozen
class NarrateTask:
    """Fix the length of `draft`, and say what there is to say. `last_try`: a failure would be the job's."""

    draft: SceneDraft
    voice: Voice = Voice()
    style: Style = Style()
    assets: AssetFiles = field(factory=dict)
    last_try: bool = False


@frozen
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


@frozen
class RenderTask:
    """Render `scene`, which starts `start_cells` after the start of the video, in each quality.

    `threads` is for each encoder; 0 lets x264 choose by the number of processors. `assets` are those of the scene, and
    the music. `remote_id` is what a service was last given to do for this scene by an attempt that was broken off, and
    `remote_orders` how often it was given something. `work_id` is the same for all attempts, and for nothing else.
    `scene_count` is that of the whole video.
    """

    scene: NarratedScene
    start_cells: int
    qualities: tuple[str, ...]
    threads: int = 0
    style: Style = Style()
    assets: AssetFiles = field(factory=dict)
    remote_id: str | None = None
    scene_count: int = 1
    remote_orders: int = 0
    work_id: str = ""


@frozen
class Segment:
    """One media segment: it starts with an IDR frame and carries absolute decode times."""

    path: Path
    start_cells: int
    duration_cells: int
    size_bytes: int


@frozen
class Rendition:
    """A scene in one quality. `decoder_config` is a digest: equal ones can be joined."""

    quality: str
    profile: str
    width: int
    height: int
    init: Path
    segments: tuple[Segment, ...]
    decoder_config: str


@frozen
class RenderedScene:
    """A scene in all asked-for qualities."""

    index: int
    start_cells: int
    duration_cells: int
    renditions: tuple[Rendition, ...]


_converter = make_converter()
_converter.register_unstructure_hook(Path, str)
_converter.register_structure_hook(Path, lambda value, _: Path(value))

T = TypeVar("T")


def dump(value: object) -> bytes:
    """Any value of this module as JSON."""
    data: bytes = _converter.dumps(value)
    return data


def load(data: bytes, kind: type[T]) -> T:
    """The value of type `kind` in `data`. Raises ValueError, or cattrs' BaseValidationError."""
    return _converter.loads(data, kind)


def to_spec(value: object) -> dict[str, Any]:
    """A value of this module as a JSON object, for `SceneDraft.spec`."""
    spec: dict[str, Any] = _converter.unstructure(value)
    return spec


def from_spec(spec: dict[str, Any], kind: type[T]) -> T:
    """The value of type `kind` that `to_spec` was given."""
    return _converter.structure(spec, kind)


def dump_narrated(scene: NarratedScene) -> bytes:
    """JSON of a narrated scene without the place of its sound file."""
    return dump(evolve(scene, audio=None))


def load_narrated(data: bytes, audio: Path | None) -> NarratedScene:
    """The scene of `dump_narrated`, its sound file being at `audio` now."""
    return evolve(load(data, NarratedScene), audio=audio)
