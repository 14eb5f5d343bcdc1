"""Captions drawn into the pictures, the word that is being spoken highlighted: what is seen when, and how it is painted.

A strip lies in the lower part of the canvas of an aspect (1080 pixels on its shorter side). The highlighted word changes
its colour, nothing moves: strips of one cue differ in nothing else.
"""

import importlib.util
from collections import OrderedDict
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from handlers.generation.aspects import Aspect
from handlers.generation.captions import scene_captions
from handlers.generation.errors import PipelineUnavailable
from handlers.generation.model import Narration

#: height x width x 4, uint8, not premultiplied.
Rgba = NDArray[np.uint8]

#: The box is dark in every theme, so that one text colour fits all: contrast is that of the text to the box over white.
BOX: Final = (12, 14, 20, 224)
TEXT: Final = (255, 255, 255, 255)
SPOKEN: Final = (255, 214, 102, 255)

#: Columns of a row, of a wide picture and of others.
_COLUMNS: Final = {True: 42, False: 28}
_FONT_PIXELS: Final = 46
_SMALLEST_PIXELS: Final = 24
_LEADING: Final = 1.32
#: Share of the canvas that stays free at each side, and below.
_SIDE, _BELOW = 0.06, 0.05
_PADDING: Final = (26, 16)
_RADIUS: Final = 14
_KEPT: Final = 8


@frozen
class CaptionState:
    """What is seen from `start_s` to `end_s`, in seconds from the start of the scene.

    `rows` has the words of each row; `highlighted` counts over `words`, None where no word is.
    """

    start_s: float
    end_s: float
    rows: tuple[tuple[str, ...], ...]
    highlighted: int | None

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(word for row in self.rows for word in row)


def columns_of(aspect: Aspect) -> int:
    """Columns of a row that can be read in this aspect."""
    return _COLUMNS[aspect.width > aspect.height]


def caption_states(narration: Narration, columns: int = _COLUMNS[True]) -> tuple[CaptionState, ...]:
    """What is seen when: gapless within a cue, nothing between cues. Pure."""
    states: list[CaptionState] = []
    for cue in scene_captions(narration, columns):
        texts = [word.text + (" " if word.spaced else "") for word in cue.words]
        rows, at = [], 0
        for count in cue.rows:
            rows.append(tuple(texts[at : at + count]))
            at += count
        starts = [cue.start_s, *(min(max(word.start_s, cue.start_s), cue.end_s) for word in cue.words[1:]), cue.end_s]
        for number, _ in enumerate(cue.words):
            if starts[number + 1] > starts[number]:
                states.append(CaptionState(starts[number], starts[number + 1], tuple(rows), number))
    return tuple(states)


class CaptionPainter:
    """Paints states for one canvas; the last few strips are kept. Not for several threads at once."""

    def __init__(self, aspect: Aspect, theme: str | None = None) -> None:
        """`theme` is taken for the day that one has its own type; all have the same now. Raises PipelineUnavailable."""
        self._aspect = aspect
        self._strips: OrderedDict[tuple[tuple[tuple[str, ...], ...], int | None], tuple[int, int, Rgba]] = OrderedDict()
        _font(_FONT_PIXELS)

    def paint(self, state: CaptionState) -> tuple[int, int, Rgba]:
        """(x, y of its top left corner, strip) in pixels of the aspect's canvas. The strip must not be written to."""
        key = (state.rows, state.highlighted)
        if key not in self._strips:
            self._strips[key] = self._painted(state)
            while len(self._strips) > _KEPT:
                self._strips.popitem(last=False)
        self._strips.move_to_end(key)
        return self._strips[key]

    def _painted(self, state: CaptionState) -> tuple[int, int, Rgba]:
        most = round(self._aspect.width * (1 - 2 * _SIDE)) - 2 * _PADDING[0]
        font, widths = _fitted(state.rows, most)
        row_height = round(font.size * _LEADING)
        wide = max(widths) + 2 * _PADDING[0]
        high = row_height * len(state.rows) + 2 * _PADDING[1]
        image = Image.new("RGBA", (wide, high), (0, 0, 0, 0))
        draw = ImageDraw.Draw(image)
        draw.rounded_rectangle((0, 0, wide - 1, high - 1), _RADIUS, fill=BOX)
        ascent, descent = font.getmetrics()
        number = 0
        for index, (row, length) in enumerate(zip(state.rows, widths, strict=True)):
            x = (wide - length) / 2
            y = _PADDING[1] + index * row_height + (row_height - ascent - descent) / 2
            for word in row:
                draw.text((x, y), word, font=font, fill=SPOKEN if number == state.highlighted else TEXT)
                x += font.getlength(word)
                number += 1
        strip = np.asarray(image, np.uint8)
        strip.flags.writeable = False
        top = self._aspect.height - round(self._aspect.height * _BELOW) - high
        return (self._aspect.width - wide) // 2, top, strip


def _fitted(rows: tuple[tuple[str, ...], ...], most: int) -> tuple[ImageFont.FreeTypeFont, list[int]]:
    """The largest font in which every row fits into `most` pixels, and how wide each is then."""
    size = _FONT_PIXELS
    while True:
        font = _font(size)
        widths = [round(sum(font.getlength(word) for word in row)) for row in rows]
        if max(widths) <= most or size <= _SMALLEST_PIXELS:
            return font, widths
        size = max(_SMALLEST_PIXELS, min(size - 1, size * most // max(widths)))


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont:
    """Inter at half bold. Raises PipelineUnavailable."""
    if importlib.util.find_spec("fontpkg_inter") is None:
        raise PipelineUnavailable("the font package fontpkg-inter is missing: pip install fontpkg-inter")
    folder = Path(str(resources.files("fontpkg_inter"))) / "files"
    font = ImageFont.truetype(str(folder / "Inter[opsz,wght].ttf"), size)
    axes = font.get_variation_axes()
    font.set_variation_by_axes([600 if b"eight" in axis["name"] else axis["default"] for axis in axes])
    return font
