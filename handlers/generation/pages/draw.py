"""Draws the pages of a scene by typst, one per reveal step.

Text reaches the sheets as JSON data only. The compiler's root holds nothing but the sheets and the pictures of the
scene, re-encoded here, and there are no packages: even a mistake in a sheet could read no other file.

`drawn_pages` also draws scenes that typst refuses: it then draws every block alone to find those at fault, and shows
them as their source.
"""

import io
import tempfile
from collections.abc import Iterator
from functools import cache, partial
from importlib import resources
from math import ceil
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import orjson
from attrs import evolve, frozen
from PIL import Image

from handlers.generation.aspects import Aspect, aspect_of
from handlers.generation.control import Control, Warned
from handlers.generation.encoding.overlays import Rgb, Rgba
from handlers.generation.encoding.timeline import BLANK
from handlers.generation.errors import DrawError
from handlers.generation.model import AssetFiles
from handlers.generation.pages import images
from handlers.generation.pages.page_data import frame_of, page_data
from handlers.generation.pages.themes import theme_of
from handlers.generation.pages.typst_compiler import POINTS_PER_INCH, as_draw_errors, sealed_compiler
from handlers.generation.script.content import (
    Block,
    Bullets,
    Callout,
    Chart,
    Clip,
    Code,
    Columns,
    Diagram,
    Footnotes,
    Heading,
    Math,
    Paragraph,
    Quote,
    Scene,
    Sentence,
    Span,
    Spans,
    Table,
    backdrop_of,
    cells_of,
)
from handlers.generation.script.content import Image as Picture

Fit = Literal["contain", "cover"]
Motion = Literal["none", "zoom", "pan"]


@frozen(kw_only=True)
class MotionBox:
    """A box of the drawn page (pixels) in which a picture or clip moves from reveal step `step` on.

    The page shows the picture at rest, or a plain rectangle for a clip. Nothing lies over the box, except where it
    `fills` the whole page: then `ScenePages.overlay` belongs on top of it.
    """

    asset: str
    x: int
    y: int
    width: int
    height: int
    step: int
    fit: Fit
    motion: Motion = "none"
    fills: bool = False


class ScenePages:
    """The drawn pages of one scene, kept as PNG."""

    def __init__(
        self,
        scene: Scene,
        assets: AssetFiles | None = None,
        *,
        detail: float = 1.0,
        captioned: bool = False,
    ) -> None:
        """Draws all pages at the size of the aspect's canvas, or `detail` times as wide and high.

        `captioned`: captions are going to be drawn over them, and have the place of a title and number at the foot.

        Blocking, about 50 ms a page. Raises DrawError, UnknownTheme, UnknownAspect, UnknownAsset.
        """
        drawn = _draw(scene, assets or {}, detail, captioned=captioned)
        self._pages = drawn.pages
        self._behind = drawn.behind
        #: Where a clip is to be shown, and where pictures move.
        self.clip_box: MotionBox | None = next((box for box in drawn.boxes if box.motion == "none"), None)
        self.motion_boxes: tuple[MotionBox, ...] = tuple(box for box in drawn.boxes if box.motion != "none")

    def draw(self, picture: int) -> Rgb:
        """Reveal step `picture`, or the bare ground for BLANK."""
        page = self._open(picture)
        if picture != BLANK and self._behind is not None:
            whole = self._behind.copy()
            whole.paste(page, (0, 0), page)
            return np.asarray(whole)
        return np.asarray(page.convert("RGB"))

    def overlay(self, picture: int) -> Rgba | None:
        """Return the layer over a picture or clip that fills the page, at reveal step `picture`; None without one."""
        return None if self._behind is None else np.asarray(self._open(picture).convert("RGBA"))

    def _open(self, picture: int) -> Image.Image:
        return Image.open(io.BytesIO(self._pages[0 if picture == BLANK else picture + 1]))


@frozen
class _Drawn:
    pages: list[bytes]
    boxes: tuple[MotionBox, ...]
    behind: Image.Image | None


def draw_pages(scene: Scene, assets: AssetFiles | None = None) -> list[bytes]:
    """Draw the pages of a scene as PNGs in the size of the canvas: the bare ground, then one per reveal step.

    Raises as ScenePages does.
    """
    return _draw(scene, assets or {}, 1.0).pages


def _draw(scene: Scene, assets: AssetFiles, detail: float, *, captioned: bool = False) -> _Drawn:
    theme, frame, aspect = theme_of(scene.theme), frame_of(scene.aspect), aspect_of(scene.aspect)
    frame = frame.above_captions if captioned else frame
    with tempfile.TemporaryDirectory(prefix="typst-") as root:
        pictures = images.prepare(scene.assets, assets, Path(root), detail)
        with as_draw_errors(f"scene {scene.index}"):
            inputs = {"scene": orjson.dumps(page_data(scene, theme, frame, pictures)).decode()}
            main = Path(root) / "pages.typ"
            main.write_bytes(_sheets(theme.sheet))
            compiler = sealed_compiler(main, Path(root), inputs)
            pages = compiler.compile(format="png", ppi=POINTS_PER_INCH * detail)
            moving = any(isinstance(b, Clip) or (isinstance(b, Picture) and b.motion != "none") for b in _shown(scene))
            holes = orjson.loads(compiler.query("<hole>", field="value")) if moving else []
        behind = _behind(scene, pictures, aspect, theme.palette.card, detail)
    if not isinstance(pages, list) or len(pages) != scene.steps + 1:
        raise DrawError(f"scene {scene.index}: typst did not draw the planned {scene.steps + 1} pages")
    return _Drawn(pages, (*_filling(scene, aspect, detail), *_boxes(holes, scene.steps + 1, detail)), behind)


@cache
def _sheets(theme: str) -> bytes:
    folder = resources.files("handlers.generation.pages.sheets")
    parts = ("base.typ", "text.typ", theme, "blocks.typ", "figures.typ", "charts.typ", "diagrams.typ", "pages.typ")
    return b"\n".join(folder.joinpath(part).read_bytes() for part in parts)


def _shown(scene: Scene) -> list[Any]:
    return [
        cell for block in scene.blocks for cell in (*getattr(block, "left", ()), *getattr(block, "right", ()), block)
    ]


def _behind(
    scene: Scene, pictures: dict[str, images.Raster], aspect: Aspect, plain: str, detail: float
) -> Image.Image | None:
    """Return the picture that fills the page, cropped to its shape; a plain ground for a clip."""
    block = backdrop_of(scene)
    if block is None:
        return None
    size = _page(aspect, detail)
    file = pictures[block.asset].file
    if file is None:
        return Image.new("RGB", size, plain)
    with Image.open(file) as picture:
        ground = Image.new("RGB", picture.size, plain)
        ground.paste(picture, (0, 0), picture if picture.mode == "RGBA" else None)
    return _cover(ground, size)


def _cover(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Crop `picture` to its middle and scale it to fill `size`."""
    part = min(picture.width / size[0], picture.height / size[1])
    width, height = size[0] * part, size[1] * part
    left, top = (picture.width - width) / 2, (picture.height - height) / 2
    return picture.resize(size, Image.Resampling.LANCZOS, box=(left, top, left + width, top + height))


def _page(aspect: Aspect, detail: float) -> tuple[int, int]:
    return round(aspect.width * detail), round(aspect.height * detail)


def _filling(scene: Scene, aspect: Aspect, detail: float) -> tuple[MotionBox, ...]:
    block = backdrop_of(scene)
    if block is None or (isinstance(block, Picture) and block.motion == "none"):
        return ()
    motion = block.motion if isinstance(block, Picture) else "none"
    width, height = _page(aspect, detail)
    return (
        MotionBox(
            asset=block.asset, x=0, y=0, width=width, height=height, step=0, fit="cover", motion=motion, fills=True
        ),
    )


def _boxes(holes: list[dict[str, Any]], page: int, detail: float) -> tuple[MotionBox, ...]:
    """Make boxes from the corners that the sheets report on the last page, rounded outwards to whole pixels."""
    corners = [hole for hole in holes if hole["page"] == page]
    found = []
    for first, second in zip(corners[::2], corners[1::2], strict=True):
        x, y = int(first["x"] * detail), int(first["y"] * detail)
        width, height = ceil(second["x"] * detail) - x, ceil(second["y"] * detail) - y
        found.append(
            MotionBox(
                asset=first["asset"],
                x=x,
                y=y,
                width=width,
                height=height,
                step=first["step"],
                fit=first["fit"],
                motion=first["motion"],
            )
        )
    return tuple(found)


_NAMES: Final = {
    "bullets": "a list", "chart": "a chart", "clip": "a clip", "code": "a listing", "diagram": "a diagram",
    "heading": "a heading", "image": "a picture", "math": "a formula", "paragraph": "a paragraph",
    "quote": "a quotation", "table": "a table",
}  # fmt: skip
#: Scale of trial drawings, which only show whether a block can be drawn.
_TRIAL_DETAIL: Final = 0.1
_MESSAGE_CHARS: Final = 300


def drawn_pages(
    scene: Scene, assets: AssetFiles, control: Control, *, detail: float = 1.0, captioned: bool = False
) -> ScenePages:
    """Draw the pages of `scene`; a block that typst refuses is shown as its source, and a warning is noted.

    Raises as ScenePages does; DrawError where the sources can't be drawn either (decision 157).
    """
    draw = partial(ScenePages, assets=assets, detail=detail, captioned=captioned)
    try:
        return draw(scene)
    except DrawError as error:
        first = error
    # Second attempt if no block fails alone: show every block as its source.
    for refused in (_refused(scene, assets), dict.fromkeys(_parts(scene), str(first))):
        try:
            pages = draw(_without(scene, refused))
        except DrawError:
            continue
        for part, reason in refused.items():
            message = f"{_NAMES[part.kind]} can't be drawn and is shown as text: {reason}"
            control.note(Warned("block_as_text", message[:_MESSAGE_CHARS]))
        return pages
    raise first


def _parts(scene: Scene) -> Iterator[Block]:
    """Yield the blocks that can be replaced one by one; the page's heading as a sub-heading."""
    if scene.heading:
        yield Heading(scene.heading)
    backdrop = backdrop_of(scene)
    yield from (cell for cell in cells_of(scene.blocks) if cell is not backdrop)


def _refused(scene: Scene, assets: AssetFiles) -> dict[Block, str]:
    """Draw each block alone; return those that fail, with the reason."""
    found = {}
    for part in _parts(scene):
        alone = evolve(scene, layout="content", heading=(), blocks=(part,), lines=())
        try:
            ScenePages(alone, assets, detail=_TRIAL_DETAIL)
        except DrawError as error:
            found[part] = str(error.__cause__ or error)
    return found


def _without(scene: Scene, refused: dict[Block, str]) -> Scene:
    heading = _plain(scene.heading) if Heading(scene.heading) in refused else scene.heading
    return evolve(scene, heading=heading, blocks=tuple(_replaced(block, refused) for block in scene.blocks))


def _replaced(block: Block, refused: dict[Block, str]) -> Block:
    if isinstance(block, Columns):
        left: list[Any] = [_replaced(cell, refused) for cell in block.left]
        right: list[Any] = [_replaced(cell, refused) for cell in block.right]
        return Columns(tuple(left), tuple(right))
    if isinstance(block, Callout):
        cells: list[Any] = [_replaced(cell, refused) for cell in block.blocks]
        return evolve(block, blocks=tuple(cells))
    return _as_text(block) if block in refused else block


def _as_text(block: Block) -> Block:
    """Replace a block by its source: text without formulas, or a listing without a language."""
    match block:
        case Bullets():
            return Bullets(tuple(evolve(item, spans=_plain(item.spans)) for item in block.items))
        case Paragraph():
            return Paragraph(tuple(evolve(sentence, spans=_plain(sentence.spans)) for sentence in block.sentences))
        case Heading():
            return evolve(block, spans=_plain(block.spans))
        case Quote():
            return evolve(block, spans=_plain(block.spans), source=_plain(block.source))
        case Picture() | Clip():
            return Paragraph((Sentence((Span(block.alt),), block.step),))
        case Math():
            return Code("", block.source, block.step)
        case Code():
            return Code("", block.text, block.step)
        case Table():
            return Code("", "\n".join(" | ".join(map(_text, row)) for row in (block.header, *block.rows)), block.step)
        case Chart():
            return Code("", _chart_text(block), block.step)
        case Diagram():
            return Code("", block.source, block.step)
        case Footnotes():
            return evolve(block, notes=tuple(evolve(note, spans=_plain(note.spans)) for note in block.notes))
        case Columns() | Callout():
            return block


def _chart_text(chart: Chart) -> str:
    rows = [["", *(series.name for series in chart.series)]] if len(chart.series) > 1 else []
    for at, label in enumerate(chart.labels):
        values = [series.values[at] if at < len(series.values) else None for series in chart.series]
        rows.append([label, *("" if value is None else f"{value:g}{chart.unit}" for value in values)])
    return "\n".join([*filter(None, [_text(chart.title)]), *(" | ".join(row) for row in rows)])


def _plain(spans: Spans) -> Spans:
    return tuple(Span(span.text, "code" if span.kind == "math" else span.kind) for span in spans)


def _text(spans: Spans) -> str:
    return "".join(span.text for span in spans)
