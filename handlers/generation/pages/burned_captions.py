"""Captions drawn into the pictures, with the word highlighted that is being spoken: what is seen when, and its picture.

A strip lies in the lower part of the canvas of an aspect (1080 pixels on its shorter side). The highlighted word
changes its colour and nothing moves: strips of one cue differ in nothing else.
"""

import io
import tempfile
from collections import OrderedDict
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Final

import numpy as np
import orjson
import typst
from attrs import frozen
from numpy.typing import NDArray
from PIL import Image

from handlers.generation.aspects import Aspect
from handlers.generation.errors import DrawError
from handlers.generation.model import Narration
from handlers.generation.narration.captions import scene_captions
from handlers.generation.pages.fonts import font_directories
from handlers.generation.pages.typst_errors import typst_errors

#: height x width x 4, uint8, not premultiplied.
Rgba = NDArray[np.uint8]

#: The box is dark in every theme, so that one text colour fits all: contrast is that of the text to the box over white.
BOX: Final = (12, 14, 20, 224)
TEXT: Final = (255, 255, 255, 255)
SPOKEN: Final = (255, 214, 102, 255)

#: Columns of a row, of a wide picture and of others.
_COLUMNS: Final = {True: 42, False: 28}
#: After these typst takes whatever font has a glyph.
_FAMILIES: Final = ("Inter", "DejaVu Sans")
_FONT_PIXELS: Final = 46
_SMALLEST_PIXELS: Final = 20
#: Share of the canvas that stays free at each side, and below.
_SIDE, _BELOW = 0.06, 0.05
_PADDING: Final = 26
_POINTS_PER_INCH: Final = 72.0
#: Cues whose strips are kept.
_KEPT: Final = 2


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
        texts = iter([word.text + (" " if word.spaced else "") for word in cue.words])
        rows = tuple(tuple(next(texts) for _ in range(count)) for count in cue.rows)
        starts = [cue.start_s, *(min(max(w.start_s, cue.start_s), cue.end_s) for w in cue.words[1:]), cue.end_s]
        for number, (start_s, end_s) in enumerate(pairwise(starts)):
            if end_s > start_s:
                states.append(CaptionState(start_s, end_s, rows, number))
    return tuple(states)


#: The rows of a cue.
_Rows = tuple[tuple[str, ...], ...]


class CaptionPainter:
    """Paints states for one canvas; the strips of the last few cues are kept. Not for several threads at once.

    Type and colours are the same in all themes: what is read has to be found where it was.
    """

    def __init__(self, aspect: Aspect, theme: str | None = None, *, detail: float = 1.0) -> None:
        """For pages `detail` times the canvas. Raises PipelineUnavailable where fonts are missing."""
        self._aspect, self._detail = aspect, detail
        self._cues: OrderedDict[_Rows, list[Rgba]] = OrderedDict()
        _fonts()

    def paint(self, state: CaptionState) -> tuple[int, int, Rgba]:
        """(x, y of its top left corner, strip) in pixels of the drawn page. The strip can't be written to.

        All strips of a cue are drawn with its first one. Raises DrawError.
        """
        if state.rows not in self._cues:
            most = round(self._aspect.width * (1 - 2 * _SIDE)) - 2 * _PADDING
            self._cues[state.rows] = _strips(state.rows, most, self._detail)
            while len(self._cues) > _KEPT:
                self._cues.popitem(last=False)
        self._cues.move_to_end(state.rows)
        strip = self._cues[state.rows][-1 if state.highlighted is None else state.highlighted]
        high, wide, _ = strip.shape
        width, height = round(self._aspect.width * self._detail), round(self._aspect.height * self._detail)
        return (width - wide) // 2, height - round(height * _BELOW) - high, strip


def _strips(rows: _Rows, most: int, detail: float) -> list[Rgba]:
    """A strip for each word that may be highlighted, and one without any at the end; text is `most` pixels of the
    canvas wide or less."""
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
    with typst_errors("the captions"), tempfile.TemporaryDirectory(prefix="typst-") as empty:
        compiler = typst.Compiler(root=empty, font_paths=_fonts(), package_path=empty, package_cache_path=empty)
        pages = compiler.compile(input=_sheet(), format="png", ppi=_POINTS_PER_INCH * detail, sys_inputs=inputs)
    found = []
    for page in pages if isinstance(pages, list) else [pages]:
        strip = np.asarray(Image.open(io.BytesIO(page or b"")).convert("RGBA"), np.uint8)
        strip.flags.writeable = False
        found.append(strip)
    if len(found) != count + 1:
        raise DrawError(f"{count + 1} captions planned, typst made {len(found)}")
    return found


def _hex(colour: tuple[int, int, int, int]) -> str:
    return "#" + bytes(colour).hex()


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(font_paths=list(font_directories()))


@cache
def _sheet() -> bytes:
    return resources.files("handlers.generation.pages").joinpath("captions.typ").read_bytes()
