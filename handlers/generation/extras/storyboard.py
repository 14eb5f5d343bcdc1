"""Small pictures of a whole video: sheets of tiles for scrubbing, and a short animation."""

from collections.abc import Iterator
from itertools import islice
from math import ceil
from pathlib import Path
from typing import Any, Final

from attrs import evolve, frozen
from PIL import Image

from handlers.generation.extras.stills import FORMATS, WEBP, Still, frames_at, save, within

#: Pixels on the longer side of a tile, and tiles of a sheet: 1600x900 for a wide video.
TILE: Final = 160
COLUMNS: Final = 10
ROWS: Final = 10
#: A tile for every two seconds, as long as there are no more than four sheets of them.
_FINEST_S: Final = 2.0
_MOST_TILES: Final = 4 * COLUMNS * ROWS

#: The animation: its longer side in pixels, how many pictures, and how long each is seen (4.8 s in all).
PREVIEW: Final = 320
PREVIEW_FRAMES: Final = 12
PREVIEW_FRAME_MS: Final = 400
_PREVIEW_QUALITY: Final = 60


@frozen
class Storyboard:
    """Tile n is what is seen `n * interval_s` seconds after the start; `sheets` are in order, each in every format."""

    interval_s: float
    count: int
    tile_width: int
    tile_height: int
    sheets: tuple[Still, ...]


def interval_of(duration_s: float) -> float:
    """Seconds from one tile to the next: whole ones."""
    return max(_FINEST_S, float(ceil(duration_s / _MOST_TILES)))


def make_storyboard(video: Path, directory: Path, duration_s: float) -> Storyboard:
    """The sheets of a video; one at a time is held. Blocking. Raises CorruptArtefact."""
    interval_s = interval_of(duration_s)
    count = max(1, ceil(duration_s / interval_s - 1e-9))
    # In the middle of its time a tile is what is seen there most likely; scenes begin and end with a bare page.
    times = (min((number + 0.5) * interval_s, duration_s) for number in range(count))
    tiles = (within(image, TILE, TILE) for image in frames_at(video, times))
    sheets, size = list[Still](), (0, 0)
    for number, sheet in enumerate(_sheets(tiles)):
        size = sheet.tile
        sheets += [save(sheet.image, directory / f"storyboard-{number}", form) for form in FORMATS]
    return Storyboard(interval_s, count, *size, tuple(sheets))


@frozen
class _Sheet:
    image: Image.Image
    tile: tuple[int, int]


def _sheets(tiles: Iterator[Image.Image]) -> Iterator[_Sheet]:
    while part := list(islice(tiles, COLUMNS * ROWS)):
        width, height = part[0].size
        columns, rows = min(COLUMNS, len(part)), ceil(len(part) / COLUMNS)
        sheet = Image.new("RGB", (columns * width, rows * height))
        for at, tile in enumerate(part):
            sheet.paste(tile, (at % COLUMNS * width, at // COLUMNS * height))
        yield _Sheet(sheet, (width, height))


def make_preview(video: Path, directory: Path, duration_s: float) -> Still:
    """An animated WebP that runs through the video. Blocking. Raises CorruptArtefact."""
    times = [(number + 0.5) * duration_s / PREVIEW_FRAMES for number in range(PREVIEW_FRAMES)]
    first, *others = [within(image, PREVIEW, PREVIEW) for image in frames_at(video, times)]
    animated: dict[str, Any] = {"save_all": True, "append_images": others, "duration": PREVIEW_FRAME_MS, "loop": 0}
    form = evolve(WEBP, options={**WEBP.options, "quality": _PREVIEW_QUALITY, **animated})
    return save(first, directory / "preview", form)
