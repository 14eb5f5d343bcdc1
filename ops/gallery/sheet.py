"""Draws contact sheets: the last state of every sample, with its name below."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from attrs import frozen
from PIL import Image, ImageDraw, ImageFont

from handlers.generation.aspects import aspect_of
from handlers.generation.model import AssetFiles
from handlers.generation.pages.draw import ScenePages
from ops.gallery.scenes import samples

_GAP: Final = 28
_CAPTION: Final = 34
#: Width of a page on a sheet in pixels, by aspect; pages are drawn larger and scaled down.
_WIDTHS: Final = {"16:9": 640, "9:16": 360, "1:1": 480}
_COLUMNS: Final = {"16:9": 5, "9:16": 8, "1:1": 6}
_DETAIL: Final = 54.0 / 72
_WALL, _INK = "#8a8d94", "#ffffff"


@frozen(kw_only=True)
class Sheet:
    """A finished contact sheet."""

    theme: str
    aspect: str
    path: Path
    pages: int


def draw_sheet(theme: str, aspect: str, assets: AssetFiles, folder: Path, on_page: Callable[[str], None]) -> Sheet:
    """Draw all samples on one sheet; calls `on_page` with the name of each. Raises MediaError."""
    shown = samples(theme, aspect)
    canvas = aspect_of(aspect)
    width = _WIDTHS[aspect]
    height = round(width * canvas.height / canvas.width)
    columns = _COLUMNS[aspect]
    rows = -(-len(shown) // columns)
    size = (columns * (width + _GAP) + _GAP, rows * (height + _CAPTION + _GAP) + _GAP)
    sheet = Image.new("RGB", size, _WALL)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(18)
    for at, sample in enumerate(shown):
        pages = ScenePages(sample.scene, assets, detail=_DETAIL)
        page = Image.fromarray(pages.draw(sample.scene.steps - 1)).resize((width, height), Image.Resampling.LANCZOS)
        x, y = _GAP + at % columns * (width + _GAP), _GAP + at // columns * (height + _CAPTION + _GAP)
        sheet.paste(page, (x, y))
        draw.text((x, y + height + 8), sample.name, fill=_INK, font=font)
        on_page(sample.name)
    path = folder / f"{theme}-{aspect.replace(':', 'x')}.png"
    sheet.save(path, compress_level=4)
    return Sheet(theme=theme, aspect=aspect, path=path, pages=len(shown))


def write_index(sheets: list[Sheet], folder: Path) -> Path:
    """Write an HTML page of all sheets; returns its path."""
    parts = [
        f'<h2>{sheet.theme}, {sheet.aspect}</h2><a href="{sheet.path.name}"><img src="{sheet.path.name}" '
        f'alt="{sheet.pages} pages in the theme {sheet.theme}, {sheet.aspect}" loading="lazy"></a>'
        for sheet in sheets
    ]
    style = "body{font:16px system-ui;margin:2rem;background:#f2f2f0;color:#222}img{max-width:100%}"
    path = folder / "index.html"
    path.write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Gallery</title><style>{style}</style>'
        f"<h1>Themes and aspects</h1>{''.join(parts)}</html>\n",
        encoding="utf-8",
    )
    return path
