"""Captions drawn into the pictures, with the spoken word highlighted: their states in time, and their strips.

A strip lies in the lower part of the canvas of an aspect (1080 pixels on its shorter side). Only the colour of the
highlighted word changes: strips of one cue differ in nothing else.
"""

import io
import tempfile
from functools import cache
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import orjson
from attrs import frozen
from cachetools import LRUCache
from PIL import Image

from handlers.generation.aspects import Aspect
from handlers.generation.encoding.overlays import Rgba
from handlers.generation.errors import DrawError
from handlers.generation.model import Narration
from handlers.generation.narration.captions import scene_captions
from handlers.generation.pages.fonts import fonts
from handlers.generation.pages.typst_compiler import POINTS_PER_INCH, as_draw_errors, sealed_compiler

#: RGBA. The box is dark in every theme, so that one text colour fits all; a test computes contrast with the box over
#: white.
BOX: Final = (12, 14, 20, 224)
TEXT: Final = (255, 255, 255, 255)
SPOKEN: Final = (255, 214, 102, 255)

#: Columns of a row by whether the picture is wide.
_COLUMNS: Final = {True: 42, False: 28}
#: After these families typst takes any font that has the glyph.
_FAMILIES: Final = ("Inter", "DejaVu Sans")
_FONT_PIXELS: Final = 46
_SMALLEST_PIXELS: Final = 20
#: Free share of the canvas at each side, and below.
_SIDE, _BELOW = 0.06, 0.05
_PADDING: Final = 26
#: Cues whose strips stay in memory.
_MAX_CUES: Final = 2


@frozen(kw_only=True)
class CaptionState:
    """The caption shown from `start_s` to `end_s`, in seconds from the start of the scene.

    `rows` are the words of each row; `highlighted` is an index into `words`, None for no word.
    """

    start_s: float
    end_s: float
    rows: tuple[tuple[str, ...], ...]
    highlighted: int | None

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(word for row in self.rows for word in row)


def columns_of(aspect: Aspect) -> int:
    """Return the columns of a row in this aspect."""
    return _COLUMNS[aspect.width > aspect.height]


def caption_states(narration: Narration, columns: int = _COLUMNS[True]) -> tuple[CaptionState, ...]:
    """List the states of a scene's captions: without gaps within a cue, none between cues. Pure."""
    states: list[CaptionState] = []
    for cue in scene_captions(narration, columns):
        texts = iter([word.text + (" " if word.spaced else "") for word in cue.words])
        rows = tuple(tuple(next(texts) for _ in range(count)) for count in cue.rows)
        starts = [cue.start_s, *(min(max(w.start_s, cue.start_s), cue.end_s) for w in cue.words[1:]), cue.end_s]
        for number, (start_s, end_s) in enumerate(pairwise(starts)):
            if end_s > start_s:
                states.append(CaptionState(start_s=start_s, end_s=end_s, rows=rows, highlighted=number))
    return tuple(states)


#: The rows of a cue.
_Rows = tuple[tuple[str, ...], ...]


class CaptionPainter:
    """Paints states for one canvas. Not thread-safe. Type and colours are the same in all themes."""

    def __init__(self, aspect: Aspect, theme: str | None = None, *, detail: float = 1.0) -> None:
        """Paint for pages `detail` times the canvas. Raises PipelineUnavailable where fonts are missing."""
        self._aspect, self._detail = aspect, detail
        self._cues: LRUCache[_Rows, list[Rgba]] = LRUCache(_MAX_CUES)
        fonts()

    def paint(self, state: CaptionState) -> tuple[int, int, Rgba]:
        """Return (x and y of the top left corner, strip) in pixels of the drawn page; the strip is read-only.

        All strips of a cue are drawn with its first one, in one typst run (decision 101). Raises DrawError.
        """
        if state.rows not in self._cues:
            most = round(self._aspect.width * (1 - 2 * _SIDE)) - 2 * _PADDING
            self._cues[state.rows] = _strips(state.rows, most, self._detail)
        strip = self._cues[state.rows][-1 if state.highlighted is None else state.highlighted]
        high, wide, _ = strip.shape
        width, height = round(self._aspect.width * self._detail), round(self._aspect.height * self._detail)
        return (width - wide) // 2, height - round(height * _BELOW) - high, strip


def _strips(rows: _Rows, most: int, detail: float) -> list[Rgba]:
    """Draw a strip for each highlighted word, then one without; text is at most `most` canvas pixels wide."""
    count = sum(map(len, rows))
    numbers = iter(range(count))
    data = {
        "families": _FAMILIES,
        "size": _FONT_PIXELS,
        "smallest": _SMALLEST_PIXELS,
        "most": most,
        "box": _hex(BOX),
        "plain": _hex(TEXT),
        "spoken": _hex(SPOKEN),
        "rows": [[(next(numbers), word) for word in (*row[:-1], row[-1].rstrip())] for row in rows],
        "pages": [*range(count), -1],
    }
    inputs = {"caption": orjson.dumps(data).decode()}
    with as_draw_errors("the captions"), tempfile.TemporaryDirectory(prefix="typst-") as empty:
        pages = sealed_compiler(_sheet(), Path(empty), inputs).compile(format="png", ppi=POINTS_PER_INCH * detail)
    found = []
    for page in pages if isinstance(pages, list) else [pages]:
        strip = np.asarray(Image.open(io.BytesIO(page or b"")).convert("RGBA"), np.uint8)
        strip.flags.writeable = False
        found.append(strip)
    if len(found) != count + 1:
        raise DrawError(f"typst drew {len(found)} of {count + 1} captions")
    return found


def _hex(colour: tuple[int, int, int, int]) -> str:
    return "#" + bytes(colour).hex()


@cache
def _sheet() -> bytes:
    return resources.files("handlers.generation.pages").joinpath("captions.typ").read_bytes()
