from pathlib import Path

from attrs import field, frozen

from handlers.generation.model import AssetFiles, NarratedScene, Style


@frozen(kw_only=True)
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


@frozen(kw_only=True)
class Segment:
    """One media segment: it starts with an IDR frame and carries absolute decode times."""

    path: Path
    start_cells: int
    duration_cells: int
    size_bytes: int


@frozen(kw_only=True)
class Rendition:
    """A scene in one quality. `decoder_config` is a digest: equal ones can be joined."""

    quality: str
    profile: str
    width: int
    height: int
    init: Path
    segments: tuple[Segment, ...]
    decoder_config: str


@frozen(kw_only=True)
class RenderedScene:
    """A scene in all asked-for qualities."""

    index: int
    start_cells: int
    duration_cells: int
    renditions: tuple[Rendition, ...]
