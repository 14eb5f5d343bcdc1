"""Pages that are drawn whatever is on them: a block that can't be drawn is shown as its source.

That costs nothing while pages can be drawn. Only where one can't is every block drawn alone, to find what is at fault.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from attrs import evolve

from handlers.generation.control import Control, Warned
from handlers.generation.errors import DrawError
from handlers.generation.model import AssetFiles
from handlers.generation.pages.columns import backdrop_of
from handlers.generation.pages.draw import ScenePages
from handlers.generation.script.content import (
    Block,
    Bullets,
    Chart,
    Clip,
    Code,
    Columns,
    Heading,
    Image,
    Math,
    Paragraph,
    Quote,
    Scene,
    Sentence,
    Span,
    Spans,
    Table,
)

_NAMES: Final = {
    "bullets": "a list", "chart": "a chart", "clip": "a clip", "code": "a listing", "heading": "a heading",
    "image": "a picture", "math": "a formula", "paragraph": "a paragraph", "quote": "a quotation", "table": "a table",
}  # fmt: skip
#: Of the canvas: a block is drawn to see whether it can be, nobody looks at it.
_TRIAL_DETAIL: Final = 0.1
_MESSAGE_CHARS: Final = 300


def drawn_pages(
    scene: Scene, assets: AssetFiles, control: Control, *, detail: float = 1.0, captioned: bool = False
) -> ScenePages:
    """The pages of `scene`; of each block that is shown as its source a warning is noted.

    Raises as ScenePages does; DrawError where the sources can't be drawn either.
    """
    draw = partial(ScenePages, assets=assets, detail=detail, captioned=captioned)
    try:
        return draw(scene)
    except DrawError as error:
        first = error
    # Drawn as it is where nothing fails alone: what was the matter may have passed.
    for refused in (_refused(scene, assets), dict.fromkeys(_parts(scene), str(first))):
        try:
            pages = draw(_without(scene, refused))
        except DrawError:
            continue
        for part, reason in refused.items():
            told = f"{_NAMES[part.kind]} can't be drawn and is shown as text: {reason}"
            control.note(Warned("block_as_text", told[:_MESSAGE_CHARS]))
        return pages
    raise first


def _parts(scene: Scene) -> Iterator[Block]:
    """Everything that typst lays out on the page, and that can be replaced on its own; the heading as a sub-heading."""
    if scene.heading:
        yield Heading(scene.heading)
    for block in scene.blocks:
        if isinstance(block, Columns):
            yield from (*block.left, *block.right)
        elif block is not backdrop_of(scene):
            yield block


def _refused(scene: Scene, assets: AssetFiles) -> dict[Block, str]:
    """The parts that can't be drawn even alone, and why."""
    found = {}
    for part in _parts(scene):
        alone = evolve(scene, layout="content", heading=(), blocks=(part,), lines=())
        try:
            ScenePages(alone, assets, detail=_TRIAL_DETAIL)
        except DrawError as error:
            found[part] = str(error.__cause__ or error)
    return found


def _without(scene: Scene, refused: dict[Block, str]) -> Scene:
    heading = _plain(scene.heading) if Heading(scene.heading) in refused else scene.heading
    return evolve(scene, heading=heading, blocks=tuple(_replaced(block, refused) for block in scene.blocks))


def _replaced(block: Block, refused: dict[Block, str]) -> Block:
    if isinstance(block, Columns):
        left: list[Any] = [_replaced(cell, refused) for cell in block.left]
        right: list[Any] = [_replaced(cell, refused) for cell in block.right]
        return Columns(tuple(left), tuple(right))
    return _as_text(block) if block in refused else block


def _as_text(block: Block) -> Block:
    """The source of a block: text without formulas, or a listing without a language."""
    match block:
        case Bullets():
            return Bullets(tuple(evolve(item, spans=_plain(item.spans)) for item in block.items))
        case Paragraph():
            return Paragraph(tuple(evolve(sentence, spans=_plain(sentence.spans)) for sentence in block.sentences))
        case Heading():
            return evolve(block, spans=_plain(block.spans))
        case Quote():
            return evolve(block, spans=_plain(block.spans), source=_plain(block.source))
        case Image() | Clip():
            return Paragraph((Sentence((Span(block.alt),), block.step),))
        case Math():
            return Code("", block.source, block.step)
        case Code():
            return Code("", block.text, block.step)
        case Table():
            return Code("", "\n".join(" | ".join(map(_text, row)) for row in (block.header, *block.rows)), block.step)
        case Chart():
            return Code("", _chart_text(block), block.step)
        case Columns():
            return block


def _chart_text(chart: Chart) -> str:
    rows = [["", *(series.name for series in chart.series)]] if len(chart.series) > 1 else []
    for at, label in enumerate(chart.labels):
        values = [series.values[at] if at < len(series.values) else None for series in chart.series]
        rows.append([label, *("" if value is None else f"{value:g}{chart.unit}" for value in values)])
    return "\n".join([*filter(None, [_text(chart.title)]), *(" | ".join(row) for row in rows)])


def _plain(spans: Spans) -> Spans:
    return tuple(Span(span.text, "code" if span.kind == "math" else span.kind) for span in spans)


def _text(spans: Spans) -> str:
    return "".join(span.text for span in spans)
