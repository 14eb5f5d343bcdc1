"""Records of rendering: the task of a pipeline, and the files that it makes. JSON by `model_json`."""

from pathlib import Path

from attrs import field, frozen

from eventflow.domain.remote_orders import RemoteOrder
from handlers.generation.model import AssetFiles, NarratedScene, Style


@frozen(kw_only=True)
class RenderTask:
    """The task to render `scene`, which starts `start_cells` after the start of the video, in each quality.

    `threads` per encoder; 0: x264 chooses by the number of processors. `assets` are those of the scene, and the music.
    `earlier` is the order at a service to go on with, of an attempt before this one or of an earlier run than `run`;
    `remote_id` is its id, and `remote_orders` the number of orders that services took in this run. `work_id` is the
    same for all attempts at this scene, and unique to them. `scene_count` is that of the whole video.
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
    earlier: RemoteOrder | None = None
    run: int = 1
    work_id: str = ""


@frozen(kw_only=True)
class Segment:
    """A media segment, which starts with an IDR frame and has absolute decode times."""

    path: Path
    start_cells: int
    duration_cells: int
    size_bytes: int


@frozen(kw_only=True)
class Rendition:
    """A scene in one quality. `decoder_config` is a digest: renditions with equal ones can be joined."""

    quality: str
    profile: str
    width: int
    height: int
    init: Path
    segments: tuple[Segment, ...]
    decoder_config: str


@frozen(kw_only=True)
class RenderedScene:
    """A scene in all requested qualities."""

    index: int
    start_cells: int
    duration_cells: int
    renditions: tuple[Rendition, ...]
