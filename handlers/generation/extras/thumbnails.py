"""Makes the thumbnails and the poster of a finished video: a fixed set of sizes and formats.

They are stored and served as they are, so that web processes decode nothing (decision 127).
"""

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Final

from attrs import frozen

from handlers.generation.encoding.timeline import FADE_OUT_FRAMES
from handlers.generation.extras.stills import FORMATS, Still, frames_at, save, within
from handlers.generation.time_grid import FRAME_RATE, seconds_of

#: Longer sides in pixels, of thumbnails and of the poster.
SIZES: Final = (1280, 640, 320)
POSTER_SIZE: Final = 1920
#: Seconds before the end of a scene at which its page is fully revealed and not yet fading.
_BEFORE_END_S: Final = (FADE_OUT_FRAMES + 6) / FRAME_RATE


@frozen
class Thumbnail:
    """One size and format of picture `index`; `at_s` in seconds from the start of the video."""

    index: int
    still: Still
    at_s: float


@frozen
class Thumbnails:
    """The pictures of a video; `poster` is the first page in each format, larger than a thumbnail."""

    thumbnails: tuple[Thumbnail, ...]
    poster: tuple[Still, ...]


def make_thumbnails(video: Path, directory: Path, scene_cells: Sequence[int], count: int = 3) -> Thumbnails:
    """Make pictures of `count` full pages, spread over the scenes from the first one on.

    `scene_cells` are the lengths of the scenes. Fewer scenes give fewer pictures. A video smaller than some sizes gives
    one picture in its own size instead of these. Blocking. Raises CorruptArtefact.
    """
    times = moments(scene_cells, count)
    thumbnails, poster = list[Thumbnail](), tuple[Still, ...]()
    for index, (at_s, image) in enumerate(zip(times, frames_at(video, times), strict=True)):
        if index == 0:
            large = within(image, POSTER_SIZE, POSTER_SIZE)
            poster = tuple(save(large, directory / "poster", form) for form in FORMATS)
        scaled = {(small := within(image, size, size)).size: small for size in SIZES}
        for picture in scaled.values():
            stem = directory / f"thumbnail-{index}-{picture.width}"
            thumbnails += [Thumbnail(index, save(picture, stem, form), at_s) for form in FORMATS]
    return Thumbnails(tuple(thumbnails), poster)


def moments(scene_cells: Sequence[int], count: int) -> tuple[float, ...]:
    """Return times in seconds at which pages are full, of `count` scenes spread evenly from the first one on."""
    ends = [seconds_of(cells) - _BEFORE_END_S for cells in accumulate(scene_cells)]
    if len(ends) <= count:
        return tuple(ends)
    return tuple(ends[round(number * (len(ends) - 1) / max(1, count - 1))] for number in range(count))
