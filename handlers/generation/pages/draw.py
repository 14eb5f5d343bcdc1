"""The pictures of a scene: one per reveal step, drawn by typst.

Text reaches the sheets as JSON data only. The compiler's root is a directory that holds nothing but the sheets
and the pictures of this scene, encoded by us, and there are no packages, so that even a mistake in a sheet could read
no other file.
"""

import io
import tempfile
from functools import cache
from importlib import resources
from math import ceil
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import orjson
import typst
from attrs import frozen
from numpy.typing import NDArray
from PIL import Image

from handlers.generation.aspects import Aspect, aspect_of
from handlers.generation.encoding.overlays import Rgb
from handlers.generation.encoding.timeline import BLANK
from handlers.generation.errors import DrawError
from handlers.generation.model import AssetFiles
from handlers.generation.pages import images
from handlers.generation.pages.columns import backdrop_of
from handlers.generation.pages.fonts import fonts
from handlers.generation.pages.frames import frame_of
from handlers.generation.pages.page_data import page_data
from handlers.generation.pages.themes import theme_of
from handlers.generation.pages.typst_errors import typst_errors
from handlers.generation.script.content import Clip, Scene
from handlers.generation.script.content import Image as Picture

_POINTS_PER_INCH: Final = 72.0

#: rgb24 with alpha: height x width x 4, uint8, not premultiplied.
Rgba = NDArray[np.uint8]

Fit = Literal["contain", "cover"]
Motion = Literal["none", "zoom", "pan"]


@frozen
class Box:
    """Where something moves in the pages from reveal step `step` on, in pixels of the drawn page.

    The page shows the picture at rest there, or for a clip a plain rectangle. Nothing lies over the box, except where
    it `fills` the whole page: then `ScenePages.overlay` is to be laid over what moves.
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
    """The drawn pages of one scene, as PNG until they are asked for."""

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
        self.clip_box: Box | None = next((box for box in drawn.boxes if box.motion == "none"), None)
        self.motion_boxes: tuple[Box, ...] = tuple(box for box in drawn.boxes if box.motion != "none")

    def draw(self, picture: int) -> Rgb:
        """Reveal step `picture`, or the bare ground for BLANK."""
        page = self._open(picture)
        if picture != BLANK and self._behind is not None:
            whole = self._behind.copy()
            whole.paste(page, (0, 0), page)
            return np.asarray(whole)
        return np.asarray(page.convert("RGB"))

    def overlay(self, picture: int) -> Rgba | None:
        """What lies over a picture or clip that fills the page at reveal step `picture`; None where none does."""
        return None if self._behind is None else np.asarray(self._open(picture).convert("RGBA"))

    def _open(self, picture: int) -> Image.Image:
        return Image.open(io.BytesIO(self._pages[0 if picture == BLANK else picture + 1]))


@frozen
class _Drawn:
    pages: list[bytes]
    boxes: tuple[Box, ...]
    behind: Image.Image | None


def draw_pages(scene: Scene, assets: AssetFiles | None = None) -> list[bytes]:
    """PNGs in the size of the canvas: the bare ground, then one per reveal step. Raises as ScenePages does."""
    return _draw(scene, assets or {}, 1.0).pages


def _draw(scene: Scene, assets: AssetFiles, detail: float, *, captioned: bool = False) -> _Drawn:
    theme, frame, aspect = theme_of(scene.theme), frame_of(scene.aspect), aspect_of(scene.aspect)
    frame = frame.above_captions if captioned else frame
    with tempfile.TemporaryDirectory(prefix="typst-") as root:
        pictures = images.prepare(scene.assets, assets, Path(root), detail)
        with typst_errors(f"scene {scene.index}"):
            inputs = {"scene": orjson.dumps(page_data(scene, theme, frame, pictures)).decode()}
            main = Path(root) / "pages.typ"
            main.write_bytes(_sheets(theme.sheet))
            compiler = typst.Compiler(
                input=main,
                root=root,
                font_paths=fonts(),
                sys_inputs=inputs,
                package_path=root,
                package_cache_path=root,
            )
            pages = compiler.compile(format="png", ppi=_POINTS_PER_INCH * detail)
            moving = any(isinstance(b, Clip) or (isinstance(b, Picture) and b.motion != "none") for b in _shown(scene))
            holes = orjson.loads(compiler.query("<hole>", field="value")) if moving else []
        behind = _behind(scene, pictures, aspect, theme.palette.card, detail)
    if not isinstance(pages, list) or len(pages) != scene.steps + 1:
        raise DrawError(f"scene {scene.index}: {scene.steps + 1} pages planned, typst made others")
    return _Drawn(pages, (*_filling(scene, aspect, detail), *_boxes(holes, scene.steps + 1, detail)), behind)


@cache
def _sheets(theme: str) -> bytes:
    folder = resources.files("handlers.generation.pages.sheets")
    parts = ("base.typ", "text.typ", theme, "blocks.typ", "figures.typ", "charts.typ", "pages.typ")
    return b"\n".join(folder.joinpath(part).read_bytes() for part in parts)


def _shown(scene: Scene) -> list[Any]:
    return [
        cell for block in scene.blocks for cell in (*getattr(block, "left", ()), *getattr(block, "right", ()), block)
    ]


def _behind(
    scene: Scene, pictures: dict[str, images.Raster], aspect: Aspect, plain: str, detail: float
) -> Image.Image | None:
    """The picture that fills the page, cut to its shape; for a clip a plain ground."""
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
    """The middle of `picture`, so that it fills `size`."""
    part = min(picture.width / size[0], picture.height / size[1])
    width, height = size[0] * part, size[1] * part
    left, top = (picture.width - width) / 2, (picture.height - height) / 2
    return picture.resize(size, Image.Resampling.LANCZOS, box=(left, top, left + width, top + height))


def _page(aspect: Aspect, detail: float) -> tuple[int, int]:
    return round(aspect.width * detail), round(aspect.height * detail)


def _filling(scene: Scene, aspect: Aspect, detail: float) -> tuple[Box, ...]:
    block = backdrop_of(scene)
    if block is None or (isinstance(block, Picture) and block.motion == "none"):
        return ()
    motion = block.motion if isinstance(block, Picture) else "none"
    return (Box(block.asset, 0, 0, *_page(aspect, detail), 0, "cover", motion, fills=True),)


def _boxes(holes: list[dict[str, Any]], page: int, detail: float) -> tuple[Box, ...]:
    """From the corners on the last page, rounded outwards to whole pixels."""
    corners = [hole for hole in holes if hole["page"] == page]
    found = []
    for first, second in zip(corners[::2], corners[1::2], strict=True):
        x, y = int(first["x"] * detail), int(first["y"] * detail)
        width, height = ceil(second["x"] * detail) - x, ceil(second["y"] * detail) - y
        found.append(Box(first["asset"], x, y, width, height, first["step"], first["fit"], first["motion"]))
    return tuple(found)
