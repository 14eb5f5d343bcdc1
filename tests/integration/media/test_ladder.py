"""Every step of the ladder is encoded, at the level that its profile says; what is drawn is drawn for the largest."""

from pathlib import Path

import numpy as np
import pytest

from eventflow.domain.values import LADDER
from handlers.generation.aspects import ASPECTS
from handlers.generation.control import Control
from handlers.generation.encoding.assemble import assemble
from handlers.generation.encoding.fragmented_mp4 import boxes, find_boxes
from handlers.generation.encoding.profiles import profile_of
from handlers.generation.model import Brief, NarrateTask
from handlers.generation.pages.burned_captions import CaptionPainter, CaptionState
from handlers.generation.pages.draw import ScenePages
from handlers.generation.pipelines.simulation import SimulationPipeline
from handlers.generation.render_model import RenderedScene, RenderTask
from handlers.generation.script.content import Heading, Scene, Span
from tests.support.film import Film, parts_of

#: avcC: version, profile, compatibility, level times ten.
_LEVEL_AT = 3


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> RenderedScene:
    """Half a second in all qualities: three frames of each, 2160p among them."""
    folder, pipeline = tmp_path_factory.mktemp("ladder"), SimulationPipeline(scenes=1, cells=1)
    draft = pipeline.plan(Brief(qualities=tuple(LADDER)), Control()).scenes[0]
    narrated = pipeline.narrate(NarrateTask(draft=draft), folder, Control())
    return pipeline.render(
        RenderTask(scene=narrated, start_cells=0, qualities=tuple(LADDER), threads=1), folder, Control()
    )


@pytest.mark.parametrize("quality", LADDER)
def test_each_quality_has_its_size_and_level(scene: RenderedScene, tmp_path: Path, quality: str) -> None:
    profile = profile_of(quality)
    info = assemble(parts_of((scene,), quality), tmp_path / "whole.mp4")
    assert info.video is not None
    assert (info.video.width, info.video.height, info.video.codec) == (profile.width, profile.height, "h264")
    init = next(r for r in scene.renditions if r.quality == quality).init.read_bytes()
    record = init[init.index(b"avcC") + 4 :]
    assert record[_LEVEL_AT] == round(float(profile.level) * 10)


def test_the_index_of_a_whole_video_comes_before_its_bytes(film: Film) -> None:
    for path in film.files.values():
        kinds = [box.kind for box in boxes(path.read_bytes())]
        assert kinds.index(b"moov") < kinds.index(b"mdat")
        assert kinds[0] == b"ftyp"
        assert not list(find_boxes(path.read_bytes(), b"moov", b"mvex")), "no fragments: every player can seek"


def test_words_are_drawn_anew_for_a_large_quality_not_enlarged() -> None:
    page = Scene(0, 1, "A", "content", (Span("Sharp"),), (Heading((Span("Words with edges"),), 0),), ())
    plain, fine = ScenePages(page).draw(0), ScenePages(page, detail=2.0).draw(0)
    assert (plain.shape[0] * 2, plain.shape[1] * 2) == fine.shape[:2] == (2160, 3840)
    enlarged = plain.repeat(2, axis=0).repeat(2, axis=1)
    assert _edges(fine) > 1.5 * _edges(_smooth(enlarged))


def _smooth(picture: np.ndarray) -> np.ndarray:
    """As a scaler without a sharpening filter does it: every second pixel the mean of its neighbours."""
    made = picture.astype(float)
    made[:, 1:-1:2] = (made[:, :-2:2] + made[:, 2::2]) / 2
    return made


def _edges(picture: np.ndarray) -> float:
    return float((np.abs(np.diff(picture.astype(float), axis=1)) ** 2).mean())


def test_captions_keep_their_place_in_pictures_of_twice_the_size() -> None:
    state = CaptionState(start_s=0.0, end_s=1.0, rows=(("Two ", "words"),), highlighted=0)
    (x, y, strip), (far_x, far_y, large) = (
        CaptionPainter(ASPECTS["16:9"], detail=detail).paint(state) for detail in (1.0, 2.0)
    )
    assert far_x == pytest.approx(2 * x, abs=2)
    assert far_y == pytest.approx(2 * y, abs=4)
    assert large.shape[0] == pytest.approx(2 * strip.shape[0], abs=2)
