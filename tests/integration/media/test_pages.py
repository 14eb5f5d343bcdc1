"""Every layout and block draws in every theme and aspect, inside the frame; pictures come as they should."""

import io
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve
from PIL import Image as Pillow

from handlers.generation.aspects import ASPECTS, aspect_of
from handlers.generation.control import Control, Note, Warned
from handlers.generation.encoding.overlays import Rgb
from handlers.generation.errors import UnknownAspect, UnknownAsset, UnknownTheme
from handlers.generation.model import AssetFile, Brief, Style
from handlers.generation.pages.draw import MotionBox, ScenePages
from handlers.generation.pages.fonts import describe_missing, missing_glyphs, shown_text
from handlers.generation.pages.page_data import frame_of
from handlers.generation.pages.themes import THEMES
from handlers.generation.pipelines.explainer import ExplainerPipeline
from handlers.generation.script.content import (
    Bullet,
    Bullets,
    Chart,
    Clip,
    Columns,
    Image,
    Line,
    Paragraph,
    Scene,
    Sentence,
    Series,
    Span,
)
from handlers.generation.script.script import parse_script
from ops.gallery.pictures import CLIP, UPRIGHT, WIDE, paint
from ops.gallery.scenes import Sample, samples

PPI = 12.0


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, AssetFile]:
    return paint(tmp_path_factory.mktemp("painted"))


def last(scene: Scene, assets: dict[str, AssetFile] | None = None, ppi: float = PPI) -> Rgb:
    return ScenePages(scene, assets, detail=ppi / 72).draw(scene.steps - 1)


def drawn(sample: Sample, assets: dict[str, AssetFile]) -> None:
    canvas = aspect_of(sample.scene.aspect)
    page = last(sample.scene, assets)
    assert page.shape == (canvas.height * PPI / 72, canvas.width * PPI / 72, 3), sample.name
    assert len(np.unique(page.reshape(-1, 3), axis=0)) > 8, f"{sample.name} is empty"


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("aspect", ASPECTS)
def test_every_layout_draws_in_every_theme_and_aspect(theme: str, aspect: str, assets: dict[str, AssetFile]) -> None:
    layouts = {sample.scene.layout: sample for sample in samples(theme, aspect)}
    assert len(layouts) == 6
    for sample in layouts.values():
        drawn(sample, assets)


@pytest.mark.parametrize("aspect", ASPECTS)
def test_every_block_draws_in_every_aspect(aspect: str, assets: dict[str, AssetFile]) -> None:
    for row in zip(*(samples(theme, aspect) for theme in THEMES), strict=True):
        drawn(row[row[0].scene.index % len(row)], assets)


TEXT_ONLY = (
    "bullets, nested",
    "paragraph",
    "quote among text",
    "code",
    "table",
    "math",
    "columns",
    "much text",
    "Arabic",
)


@pytest.mark.parametrize("aspect", ASPECTS)
def test_text_stays_within_the_safe_margins(aspect: str, assets: dict[str, AssetFile]) -> None:
    """The theme "midnight", whose backdrop is faint, shows it; what is drawn at the rim otherwise is the progress."""
    frame = frame_of(aspect)
    scale = 24.0 / 72
    for sample in [s for s in samples("midnight", aspect) if s.name in TEXT_ONLY]:
        page = last(sample.scene, assets, ppi=24.0).astype(int)
        inked = np.abs(page - page[int(frame.height * scale * 0.9), 2]).max(axis=2) > 60
        rows, columns = np.flatnonzero(inked[:-4].any(axis=1)), np.flatnonzero(inked[:-4].any(axis=0))
        assert columns[0] >= 0.05 * frame.width * scale - 1, sample.name
        assert columns[-1] <= 0.95 * frame.width * scale + 1, sample.name
        assert rows[0] >= 0.05 * frame.height * scale - 1, sample.name
        assert rows[-1] <= (0.82 if aspect == "9:16" else 0.95) * frame.height * scale + 1, sample.name


HOSTILE = ('#read("/etc/passwd") $x$ \\ ` * _ <a> @b', "W" * 400, "\u202e\u200bevil\u2066", "ﷺ" * 40)


@pytest.mark.parametrize(("theme", "text"), list(zip(THEMES, HOSTILE, strict=True)))
def test_hostile_text_stays_text(theme: str, text: str) -> None:
    spans = (Span(text),)
    body = (Paragraph((Sentence(spans),)), Columns((Bullets((Bullet(spans),)),), (Bullets((Bullet(spans),)),)))
    for aspect in ASPECTS:
        scene = Scene(0, 1, text, "content", spans, body, (Line(0, ""),), theme=theme, aspect=aspect)
        page = last(scene, ppi=24.0).astype(int)
        frame = frame_of(aspect)
        right = page[
            int(frame.top / 3) + 40 : int(frame.bottom / 3) - 20, int((frame.width - frame.right) / 3) + 8 : -8
        ]
        assert theme in ("paper", "playful") or right.std() < 12  # the others have toys and cards there
    title = Scene(0, 1, text, "title", spans, (), (Line(0, ""),), theme=theme, aspect="1:1")
    assert last(title).std() > 0


MANY = tuple(f"Label number {n}" for n in range(40))
CHARTS = (
    Chart("pie", MANY[:24], (Series("", tuple(float(n) for n in range(24))),), unit="million tonnes"),
    Chart("bar", MANY, (Series("a", tuple(float(n) for n in range(40))),)),
    Chart("line", MANY, tuple(Series(f"Series {n}", (1.0, -float(n))) for n in range(6))),
    Chart("bar", ("goes on and on " * 6, "b" * 60), (Series("a", (1e9, -2e9)), Series("b", (None, 5e8)))),
    Chart("bar", (), ()),
    Chart("line", ("a",), (Series("none", (None,)),)),
)


@pytest.mark.parametrize("aspect", ASPECTS)
def test_charts_of_all_sizes_stay_within(aspect: str) -> None:
    frame, scale = frame_of(aspect), 24.0 / 72
    for chart in CHARTS:
        page = last(Scene(0, 1, "", "content", (Span("Chart"),), (chart,), (Line(0, ""),), aspect=aspect), ppi=24.0)
        inked = np.abs(page.astype(int) - page[page.shape[0] - 8, 2]).max(axis=2) > 60
        inked[int((frame.height - 90) * scale) :] = False  # the footer
        assert not inked[:, : int((frame.left - 6) * scale)].any()
        assert not inked[int(200 * scale) :, int((frame.width - frame.right + 8) * scale) :].any()
        assert not inked[int((frame.bottom + 8) * scale) :].any()


def test_unknown_looks() -> None:
    scene = parse_script("# A").scenes[0]
    with pytest.raises(UnknownTheme):
        ScenePages(evolve(scene, theme="../midnight"))
    with pytest.raises(UnknownAspect):
        ScenePages(evolve(scene, aspect="4:3"))


def picture_scene(*blocks: Image | Clip, layout: str = "content", aspect: str = "16:9") -> Scene:
    return Scene(0, 1, "Deck", layout, (Span("Head"),), blocks, (Line(0, ""),), aspect=aspect)  # type: ignore[arg-type]


@pytest.mark.parametrize("aspect", ASPECTS)
def test_where_a_clip_goes(aspect: str, assets: dict[str, AssetFile]) -> None:
    pages = ScenePages(picture_scene(Clip(CLIP, "What it shows"), aspect=aspect), assets)
    box = pages.clip_box
    assert box is not None
    assert box.width / box.height == pytest.approx(16 / 9, abs=0.02)
    inside = pages.draw(0)[box.y + 2 : box.y + box.height - 2, box.x + 2 : box.x + box.width - 2]
    assert len(np.unique(inside.reshape(-1, 3), axis=0)) == 1
    outside = pages.draw(0)[box.y + box.height // 2, box.x - 3]
    assert tuple(outside) != tuple(inside[0, 0])
    assert pages.motion_boxes == ()
    assert pages.overlay(0) is None


def test_where_a_picture_moves(assets: dict[str, AssetFile]) -> None:
    pages = ScenePages(picture_scene(Image(UPRIGHT, motion="zoom"), Image(WIDE, motion="pan", fit="cover")), assets)
    first, second = pages.motion_boxes
    assert (first.asset, first.motion, first.fit) == (UPRIGHT, "zoom", "contain")
    assert (second.asset, second.motion, second.fit) == (WIDE, "pan", "cover")
    assert first.y + first.height <= second.y
    assert pages.clip_box is None


def test_a_picture_that_fills_the_page_lies_behind_the_text(assets: dict[str, AssetFile]) -> None:
    pages = ScenePages(picture_scene(Image(WIDE, motion="zoom"), layout="image", aspect="9:16"), assets)
    assert pages.motion_boxes == (
        MotionBox(asset=WIDE, x=0, y=0, width=1080, height=1920, step=0, fit="cover", motion="zoom", fills=True),
    )
    over = pages.overlay(0)
    assert over is not None
    assert over.shape == (1920, 1080, 4)
    assert (over[:600, :, 3] == 0).all()
    assert over[1500:, :, 3].min() >= 0.7 * 255
    page = pages.draw(0)
    assert page.shape == (1920, 1080, 3)
    assert page[100].std() > 0


@pytest.mark.parametrize(
    "content",
    [b"", b"GIF89a" + b"0" * 40, b"<svg xmlns='http://www.w3.org/2000/svg'><image href='/etc/passwd'/></svg>"],
)
def test_files_that_are_no_pictures(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(content)
    with pytest.raises(UnknownAsset, match="not a readable PNG, JPEG or WebP"):
        ScenePages(picture_scene(Image(WIDE)), {WIDE: AssetFile(path=path, kind="image", media_type="image/png")})


def test_a_bomb_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    Pillow.new("1", (12_000, 12_000)).save(path)
    with pytest.raises(UnknownAsset, match="make it smaller"):
        ScenePages(picture_scene(Image(WIDE)), {WIDE: AssetFile(path=path, kind="image", media_type="image/png")})
    with pytest.raises(UnknownAsset, match="unknown asset"):
        ScenePages(picture_scene(Image(WIDE)), {})


def test_a_picture_is_shown_upright(tmp_path: Path) -> None:
    path = tmp_path / "x.jpg"
    turned = Pillow.new("RGB", (400, 200), "red")
    exif = Pillow.Exif()
    exif[0x0112] = 6
    turned.save(path, exif=exif)
    pages = ScenePages(
        picture_scene(Image(WIDE, motion="zoom")), {WIDE: AssetFile(path=path, kind="image", media_type="image/jpeg")}
    )
    assert pages.motion_boxes[0].height > pages.motion_boxes[0].width


def test_missing_glyphs_are_named() -> None:
    assert (
        missing_glyphs("Plain, Ünïcödé, Привет, Ελλάδα, مرحبا, → ∑, ❌ 📦 👍 🐛 🫠, שלום, हिन्दी, বাংলা, ไทย, ქართ") == ()
    )
    unassigned_by_fonts = "\U00016f00"  # Miao: in no font that is installed by chance
    assert missing_glyphs(f"a{unassigned_by_fonts}b") == (unassigned_by_fonts,)
    assert "U+16F00" in describe_missing((unassigned_by_fonts,))
    assert "fonts-noto-cjk" in describe_missing(("漢",))
    for emoji in "❌📦👍🐛❤⚙":  # by what they are, not by their names: CROSS MARK, PACKAGE, THUMBS UP SIGN, BUG
        assert "fonts-noto-color-emoji" in describe_missing((emoji,))
    assert "ひ" in shown_text(parse_script("# Title\n\n- ひ"))


def test_the_pipeline_tells_of_missing_glyphs_and_sets_the_look() -> None:
    notes: list[Note] = []
    brief = Brief(script="# A\n\n## B\n\n- \U00016f00", style=Style(theme="paper", aspect="9:16"))
    plan = ExplainerPipeline().plan(brief, Control(note=notes.append))
    assert [(note.code, "U+16F00" in note.message) for note in notes if isinstance(note, Warned)] == [
        ("missing_glyphs", True)
    ]
    assert {(draft.spec["theme"], draft.spec["aspect"]) for draft in plan.scenes} == {("paper", "9:16")}
    assert plan.style.theme == "paper"
    with pytest.raises(UnknownTheme):
        ExplainerPipeline().plan(evolve(brief, style=Style(theme="neon")), Control())


def test_right_to_left_text_stands_at_the_right() -> None:
    scene = parse_script("# م\n\n## مرحبا\n\n- نعم").scenes[1]
    page = last(scene, ppi=24.0).astype(int)
    inked = np.abs(page - page[200, 2]).max(axis=2) > 60
    rows, width = slice(30, 290), page.shape[1]
    assert not inked[rows, : width // 2].any()
    assert inked[rows, width // 2 :].any()


def test_pages_are_pngs_of_the_canvas() -> None:
    from handlers.generation.pages.draw import draw_pages

    first, *others = draw_pages(evolve(parse_script("# A\n\n- one\n- two").scenes[0], aspect="1:1"))
    assert Pillow.open(io.BytesIO(first)).size == (1080, 1080)
    assert len(others) == parse_script("# A\n\n- one\n- two").scenes[0].steps
