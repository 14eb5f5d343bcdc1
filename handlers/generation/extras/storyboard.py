"""Makes small pictures of a whole video: sheets of tiles for scrubbing, and a short animation."""

from collections.abc import Iterator
from itertools import islice
from math import ceil
from pathlib import Path
from typing import Any, Final

from attrs import evolve, frozen
from PIL import Image

from handlers.generation.extras.stills import FORMATS, WEBP, Still, frames_at, save, within

#: Pixels of a tile's longer side, and tiles per sheet: a sheet of a wide video has 1600x900 pixels.
TILE: Final = 160
COLUMNS: Final = 10
ROWS: Final = 10
#: A tile every two seconds, or fewer so that a video has at most four sheets.
_FINEST_S: Final = 2.0
_MOST_TILES: Final = 4 * COLUMNS * ROWS

#: The animation: longer side in pixels, number of pictures, and duration of each (4.8 s in all).
PREVIEW: Final = 320
PREVIEW_FRAMES: Final = 12
PREVIEW_FRAME_MS: Final = 400
_PREVIEW_QUALITY: Final = 60


@frozen(kw_only=True)
class Storyboard:
    """The storyboard of a video. Tile n stands for the `interval_s` seconds from `n * interval_s` on.

    `sheets` are in order, each in every format; sizes in pixels.
    """

    interval_s: float
    count: int
    tile_width: int
    tile_height: int
    sheets: tuple[Still, ...]


def interval_of(duration_s: float) -> float:
    """Return the whole seconds from one tile to the next."""
    return max(_FINEST_S, float(ceil(duration_s / _MOST_TILES)))


def make_storyboard(video: Path, directory: Path, duration_s: float) -> Storyboard:
    """Draw the sheets of a video into `directory`, holding one at a time. Blocking. Raises CorruptArtefact."""
    interval_s = interval_of(duration_s)
    count = max(1, ceil(duration_s / interval_s - 1e-9))
    # The middle of a tile's time shows most likely a full page: scenes begin and end with a bare one.
    times = (min((number + 0.5) * interval_s, duration_s) for number in range(count))
    tiles = (within(image, TILE, TILE) for image in frames_at(video, times))
    sheets, (width, height) = list[Still](), (0, 0)
    for number, sheet in enumerate(_sheets(tiles)):
        width, height = sheet.tile
        sheets += [save(sheet.image, directory / f"storyboard-{number}", form) for form in FORMATS]
    return Storyboard(interval_s=interval_s, count=count, tile_width=width, tile_height=height, sheets=tuple(sheets))


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
    """Make an animated WebP of pictures spread over the video. Blocking. Raises CorruptArtefact."""
    times = [(number + 0.5) * duration_s / PREVIEW_FRAMES for number in range(PREVIEW_FRAMES)]
    first, *others = [within(image, PREVIEW, PREVIEW) for image in frames_at(video, times)]
    animated: dict[str, Any] = {"save_all": True, "append_images": others, "duration": PREVIEW_FRAME_MS, "loop": 0}
    form = evolve(WEBP, options={**WEBP.options, "quality": _PREVIEW_QUALITY, **animated})
    return save(first, directory / "preview", form)
