"""Which blocks stand beside each other, and which picture lies behind a page."""

from collections.abc import Mapping, Sequence
from typing import Final

from attrs import frozen

from handlers.generation.pages.frames import Frame
from handlers.generation.pages.images import Raster
from handlers.generation.script.content import (
    Block,
    Bullets,
    Cell,
    Chart,
    Clip,
    Code,
    Columns,
    Heading,
    Image,
    Paragraph,
    Quote,
    Scene,
)

#: A listing at most this wide stands beside text.
_NARROW_COLUMNS: Final = 46
#: Words that may stand above a picture or chart; more stand beside it.
_FEW_CHARS: Final = 110
#: A picture wider than this has the whole width of the page.
_PANORAMA: Final = 2.3


@frozen
class Beside:
    """Two columns that we have made: `left` and `right` are centred on each other."""

    left: tuple[Block, ...]
    right: tuple[Block, ...]


Arranged = Block | Beside


def backdrop_of(scene: Scene) -> Image | Clip | None:
    """The picture that fills the page, in the layout "image"."""
    if scene.layout != "image":
        return None
    return next((block for block in scene.blocks if isinstance(block, Image | Clip)), None)


def arranged(blocks: Sequence[Block], frame: Frame, rasters: Mapping[str, Raster]) -> list[Arranged]:
    """The blocks with columns below each other on a tall page, and text beside its picture on a wide one."""
    if frame.shape == "tall":
        return [cell for block in blocks for cell in _flat(block)]
    figures = [block for block in blocks if isinstance(block, Image | Clip | Chart | Code)]
    texts = [block for block in blocks if isinstance(block, Bullets | Paragraph | Heading | Quote)]
    if frame.shape != "wide" or len(figures) != 1 or not texts or len(figures) + len(texts) != len(blocks):
        return list(blocks)
    figure = figures[0]
    if not _goes_beside(figure, texts, rasters):
        return list(blocks)
    left = (figure,) if blocks[0] is figure else tuple(texts)
    return [Beside(left, tuple(texts) if blocks[0] is figure else (figure,))]


def _flat(block: Block) -> tuple[Cell | Block, ...]:
    return (*block.left, *block.right) if isinstance(block, Columns) else (block,)


def _goes_beside(figure: Block, texts: Sequence[Block], rasters: Mapping[str, Raster]) -> bool:
    match figure:
        case Code():
            narrow = max(map(len, figure.text.split("\n"))) <= _NARROW_COLUMNS
            return narrow and len(texts) == 1 and isinstance(texts[0], Bullets | Paragraph)
        case Image() | Clip():
            ratio = rasters[figure.asset].ratio
            return ratio < _PANORAMA and (ratio < 1.3 or sum(map(_chars, texts)) > _FEW_CHARS // 2)
        case Chart():
            return figure.style == "pie" or sum(map(_chars, texts)) > _FEW_CHARS
        case _:
            return False


def _chars(block: Block) -> int:
    match block:
        case Bullets():
            return sum(len(span.text) for item in block.items for span in item.spans) + 20 * len(block.items)
        case Paragraph():
            return sum(len(span.text) for sentence in block.sentences for span in sentence.spans)
        case Heading() | Quote():
            return sum(len(span.text) for span in block.spans)
        case _:
            return 0
