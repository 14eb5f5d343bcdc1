"""Pictures that move and clips that play inside a page, to the encoded segments."""

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve, frozen
from PIL import Image

from handlers.generation.control import Control
from handlers.generation.encoding.encode import SceneSource, encode_scene
from handlers.generation.encoding.motion import MovingClip, MovingImage, Placement, open_motions
from handlers.generation.encoding.overlays import Rect
from handlers.generation.encoding.pictures import planes
from handlers.generation.encoding.profiles import profile_of
from handlers.generation.encoding.timeline import plan_timeline
from handlers.generation.encoding.verify_output import check_scene
from handlers.generation.errors import CorruptArtefact, EncodeError, UnknownAsset
from handlers.generation.model import AssetFile, Cue, Narration
from handlers.generation.render_model import RenderedScene
from tests.support.film import Film

BOX = Rect(x=40, y=20, width=160, height=90)
PLACE = Placement(BOX, 0, (0.5, 1.5))
SIZE = (160, 90)


@pytest.fixture
def gradient(tmp_path: Path) -> Path:
    """Brighter from left to right."""
    across = np.tile(np.linspace(0, 255, 400, dtype=np.uint8), (300, 1))
    Image.fromarray(np.stack([across] * 3, axis=2)).save(tmp_path / "gradient.png")
    return tmp_path / "gradient.png"


def test_a_zoom_comes_closer_evenly_and_stands_before_and_after(gradient: Path) -> None:
    moving = MovingImage(gradient, PLACE, "zoom")
    frames = [planes(moving.frame(at_s, SIZE), SIZE)[0].astype(int) for at_s in (0.0, 0.5, 1.0, 1.5, 9.0)]
    assert (frames[0] == frames[1]).all()
    assert (frames[3] == frames[4]).all()
    left = [int(frame[45, 2]) for frame in frames]
    assert left[1] < left[2] < left[3]  # what was at the edge has left
    assert abs(int(frames[3][45, 80]) - int(frames[0][45, 80])) <= 1  # the middle stays


def test_a_pan_goes_along_the_longer_side(gradient: Path, tmp_path: Path) -> None:
    with Image.open(gradient) as image:
        image.resize((900, 300)).save(tmp_path / "wide.png")
    moving = MovingImage(tmp_path / "wide.png", PLACE, "pan")
    seen = [float(planes(moving.frame(at_s, SIZE), SIZE)[0].mean()) for at_s in (0.5, 1.0, 1.5)]
    assert seen[0] + 20 < seen[1] < seen[2] - 20


def test_a_clip_plays_in_its_time_and_its_last_frame_stands(film: Film) -> None:
    """Each scene of the film is a pattern of its own; they change after 13 cells (6.93 s)."""
    with MovingClip(film.files["360p"], Placement(BOX, 0, (1.0, 60.0))) as clip:
        first, later, last, still = (clip.frame(at_s, SIZE) for at_s in (0.0, 1.0 + 7.5, 50.0, 59.0))
    assert np.abs(first.astype(int) - later).mean() > 10
    assert (last == still).all()


@pytest.mark.parametrize("content", [b"", b"not a picture"])
def test_what_can_not_be_read_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(EncodeError):
        MovingImage(tmp_path / "x", PLACE, "zoom")
    with pytest.raises(EncodeError):
        MovingClip(tmp_path / "x", PLACE)


def test_a_moving_scene_is_encoded_frame_by_frame_in_its_span_alone(gradient: Path, tmp_path: Path) -> None:
    timeline = plan_timeline([], 5, moving=[PLACE.span_s])
    ground = np.full((360, 640, 3), 40, np.uint8)
    moving = MovingImage(gradient, PLACE, "zoom")
    source = SceneSource(draw=lambda picture: ground, timeline=timeline, audio=None, start_cells=7, moving=(moving,))
    renditions = encode_scene(source, [profile_of("360p")], tmp_path, Control(), threads=1)
    scene = RenderedScene(index=0, start_cells=7, duration_cells=5, renditions=renditions)
    check_scene(scene, 7, 5, ("360p",))
    assert len(timeline.shots) < 60
    with pytest.raises(CorruptArtefact, match="planned: from cell 6"):
        check_scene(scene, 6, 5, ("360p",))
    with pytest.raises(CorruptArtefact, match="in 360p, not in 720p"):
        check_scene(scene, 7, 5, ("720p",))
    [rendition] = renditions
    lying = evolve(scene, renditions=(evolve(rendition, width=1280),))
    with pytest.raises(CorruptArtefact, match="1280x360"):
        check_scene(lying, 7, 5, ("360p",))
    rendition.segments[0].path.write_bytes(rendition.segments[0].path.read_bytes()[:-4000])
    with pytest.raises(CorruptArtefact):
        check_scene(scene, 7, 5, ("360p",))


@frozen
class OnPage:
    asset: str
    motion: str
    step: int
    x: int = 0
    y: int = 0
    width: int = 90
    height: int = 90


def test_boxes_of_a_page_move_from_their_reveal_until_the_end(gradient: Path, film: Film) -> None:
    assets = {
        "image": AssetFile(path=gradient, kind="image", media_type="image/png"),
        "clip": AssetFile(path=film.files["360p"], kind="clip", media_type="video/mp4", duration_s=1.5),
    }
    narration = Narration(duration_cells=10, cues=(Cue(0, 0.4), Cue(1, 2.0)))
    with ExitStack() as stack:
        image, clip = open_motions([OnPage("image", "pan", 1), OnPage("clip", "none", 0)], assets, narration, stack)
        assert image.span_s == (2.0, pytest.approx(narration.duration_s - 7 / 30))
        assert clip.span_s == (0.0, 1.5)
        assert clip.frame(1.0, (90, 90)).shape == (135, 90)
    for wrong in (OnPage("image", "none", 0), OnPage("nothing", "zoom", 0)):
        with ExitStack() as stack, pytest.raises(UnknownAsset):
            open_motions([wrong], assets, narration, stack)
