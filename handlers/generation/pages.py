"""The pictures of a scene: one per reveal step, drawn by typst.

Text reaches the theme as JSON data only. The compiler's root is an empty directory and there are no
packages, so that even a mistake in the theme could not read a file.
"""

import importlib.util
import io
import re
import tempfile
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import typst
from PIL import Image

from handlers.generation.content import Block, Bullets, Code, Heading, Math, Paragraph, Quote, Scene, Span, Table
from handlers.generation.errors import DrawError, PipelineUnavailable
from handlers.generation.mathtree import MathError, Node, parse_math
from handlers.generation.model import to_spec
from handlers.generation.pictures import Rgb
from handlers.generation.timeline import BLANK

WIDTH: Final = 1920
HEIGHT: Final = 1080
_POINTS_PER_INCH: Final = 72.0

_FONT_PACKAGES: Final = ("fontpkg_inter", "fontpkg_jetbrains_mono")

#: Without a place to break, a word longer than this would leave the page.
_LONGEST_WORD: Final = 32
#: The same for a table of one column.
_TABLE_CHARS: Final = 66
_APOSTROPHE: Final = re.compile(r"(?<=\w)'(?=\w)")

#: A listing at most this wide stands beside text.
_NARROW_COLUMNS: Final = 46


class ScenePages:
    """The drawn pages of one scene, as PNG until they are asked for."""

    def __init__(self, scene: Scene) -> None:
        """Draws all pages. Blocking, about 50 ms a page. Raises DrawError."""
        self._pages = draw_pages(scene)

    def draw(self, picture: int) -> Rgb:
        """Reveal step `picture`, or the bare ground for BLANK."""
        page = self._pages[0 if picture == BLANK else picture + 1]
        return np.asarray(Image.open(io.BytesIO(page)).convert("RGB"))


def draw_pages(scene: Scene) -> list[bytes]:
    """PNGs of 1920x1080: the bare ground, then one per reveal step. Raises DrawError."""
    data = orjson.dumps(page_data(scene)).decode()
    try:
        with tempfile.TemporaryDirectory(prefix="typst-") as empty:
            compiler = typst.Compiler(root=empty, font_paths=_fonts(), package_path=empty, package_cache_path=empty)
            pages = compiler.compile(input=_theme(), format="png", ppi=_POINTS_PER_INCH, sys_inputs={"scene": data})
    except RuntimeError as error:
        raise DrawError(f"scene {scene.index} can't be drawn: {error}") from error
    if not isinstance(pages, list) or len(pages) != scene.steps + 1:
        raise DrawError(f"scene {scene.index}: {scene.steps + 1} pages planned, typst made others")
    return pages


def font_directories() -> tuple[Path, ...]:
    """Where the theme's fonts are. Raises PipelineUnavailable when a font package is missing."""
    found = []
    for package in _FONT_PACKAGES:
        if importlib.util.find_spec(package) is None:
            name = package.replace("_", "-")
            raise PipelineUnavailable(f"the font package {name} is missing: pip install {name}")
        found.append(Path(str(resources.files(package))) / "files")
    return tuple(found)


def page_data(scene: Scene) -> dict[str, Any]:
    """What the theme draws from: the scene with formulas as trees and long words breakable."""
    return {
        "layout": scene.layout,
        "steps": scene.steps,
        "heading": _spans(scene.heading, 20),
        "blocks": [_block(block) for block in scene.blocks],
        "short": all(len(word) <= 14 for word in scene.title.split()) and len(scene.title) <= 44,
        "beside": _beside(scene.blocks),
        "number": f"{scene.index + 1:02}",
        "part": scene.part,
        "parts": scene.parts,
        "position": f"{scene.index + 1} / {scene.count}",
        "done": (scene.index + 1) / scene.count,
        "footer": scene.deck if len(scene.deck) <= 90 else scene.deck[:89] + "…",
    }


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(font_paths=list(font_directories()))


@cache
def _theme() -> bytes:
    return resources.files("handlers.generation").joinpath("theme.typ").read_bytes()


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Code():
            columns = max(map(len, block.text.split("\n")))
            return {**to_spec(block), "columns": columns}
        case Math():
            return {**to_spec(block), "tree": _tree(block.source), "source": _breakable(block.source)}
        case Table():
            width = max(1, len(block.header), *(len(row) for row in block.rows))
            rows = [_cells(row, width) for row in block.rows]
            return {**to_spec(block), "header": _cells(block.header, width), "rows": rows}
        case Bullets():
            items = [{**to_spec(item), "spans": _spans(item.spans)} for item in block.items]
            return {"kind": block.kind, "items": items}
        case Paragraph():
            sentences = [{"step": s.step, "spans": _spans(s.spans)} for s in block.sentences]
            return {"kind": block.kind, "sentences": sentences}
        case Heading():
            return {**to_spec(block), "spans": _spans(block.spans)}
        case Quote():
            return {**to_spec(block), "spans": _spans(block.spans), "source": _spans(block.source)}
        case _:
            return to_spec(block)


def _cells(row: tuple[tuple[Span, ...], ...], width: int) -> list[list[dict[str, Any]]]:
    longest = max(8, _TABLE_CHARS // width)
    return [_spans(cell, longest) for cell in row + ((),) * (width - len(row))]


def _spans(spans: tuple[Span, ...], longest: int = _LONGEST_WORD) -> list[dict[str, Any]]:
    return [_span(span, longest) for span in spans]


def _span(span: Span, longest: int = _LONGEST_WORD) -> dict[str, Any]:
    if span.kind == "math" and (tree := _tree(span.text)) is not None:
        return {"kind": "math", "tree": tree}
    kind = "text" if span.kind == "text" else "code"
    text = _APOSTROPHE.sub("’", span.text) if kind == "text" else span.text
    return {"kind": kind, "text": _breakable(text, longest), "bold": span.bold, "italic": span.italic}


def _tree(source: str) -> Node | None:
    try:
        return parse_math(source)
    except MathError:
        return None


def _breakable(text: str, longest: int = _LONGEST_WORD) -> str:
    """A zero-width space inside words that are too long for a line."""
    return re.sub(rf"\S{{{longest}}}(?=\S)", lambda match: match[0] + "\u200b", text)


def _beside(blocks: tuple[Block, ...]) -> bool:
    """Whether text and a narrow listing or formula can share the width of the page."""
    if len(blocks) != 2 or not isinstance(blocks[0], Bullets | Paragraph):
        return False
    other = blocks[1]
    return isinstance(other, Code) and max(map(len, other.text.split("\n"))) <= _NARROW_COLUMNS
