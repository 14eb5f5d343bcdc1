"""Turns a scene into the data of the sheets: its frame, the arrangement of its blocks, and every block's content.

Formulas become trees, long words breakable, and writing directions are chosen.
"""

from collections.abc import Mapping, Sequence
from colorsys import rgb_to_hls
from itertools import chain, pairwise
from typing import Any, Final

from attrs import asdict, evolve, field, frozen

from handlers.generation.aspects import aspect_of
from handlers.generation.model_json import to_spec
from handlers.generation.pages.charts import chart_data
from handlers.generation.pages.diagrams import diagram_data, is_upright
from handlers.generation.pages.fonts import with_fallbacks
from handlers.generation.pages.images import Raster
from handlers.generation.pages.themes import Theme
from handlers.generation.pages.typography import breakable, ems, is_rtl, shortened, spans_rtl, typographic, widest_word
from handlers.generation.script.content import (
    Block,
    Bullets,
    Callout,
    Cell,
    Chart,
    Clip,
    Code,
    Columns,
    Diagram,
    Footnotes,
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
    backdrop_of,
    cells_of,
    items_of,
)
from handlers.generation.script.formula import MathError, Node, parse_math
from handlers.generation.script.graphemes import unspaced
from handlers.generation.script.inline import plain


@frozen(kw_only=True)
class Frame:
    """The geometry of pages in one aspect. Lengths in points: one point is one pixel of the canvas.

    Text stays between `left` and `width - right`, its body between `top` and `bottom`. `scale` is the factor of all
    type, `heading`, `title`, `section` and `quote` are sizes; `shape` ("wide", "tall", "square") chooses arrangements.
    """

    shape: str
    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    scale: float
    heading: float
    heading_height: float
    title: float
    section: float
    quote: float
    #: The page has room for the video's title and its number; upright pages have these at the head.
    footed: bool = True

    def data(self) -> dict[str, Any]:
        """Return the frame as data for the sheets."""
        return asdict(self)

    @property
    def above_captions(self) -> "Frame":
        """The frame for pages with burned-in captions, two rows of which have the foot to themselves (decision 114)."""
        return evolve(self, bottom=min(self.bottom, self.height - _CAPTIONS), footed=self.shape == "tall")

    @property
    def room(self) -> float:
        """Width of the body."""
        return self.width - self.left - self.right


#: Points from the foot of the canvas to the top of two rows of captions (`burned_captions`), with a margin.
_CAPTIONS: Final = 220

_FRAMES: Final = {
    "16:9": Frame(
        shape="wide",
        width=1920,
        height=1080,
        left=130,
        right=130,
        top=98,
        bottom=940,
        scale=1.0,
        heading=72,
        heading_height=190,
        title=116,
        section=104,
        quote=84,
    ),
    # Players of upright videos put their own controls over the lower part.
    "9:16": Frame(
        shape="tall",
        width=1080,
        height=1920,
        left=84,
        right=84,
        top=250,
        bottom=1560,
        scale=1.16,
        heading=80,
        heading_height=330,
        title=112,
        section=108,
        quote=82,
    ),
    "1:1": Frame(
        shape="square",
        width=1080,
        height=1080,
        left=76,
        right=76,
        top=90,
        bottom=948,
        scale=0.94,
        heading=62,
        heading_height=160,
        title=92,
        section=86,
        quote=68,
    ),
}


def frame_of(aspect: str) -> Frame:
    """Return the frame of an aspect. Raises UnknownAspect."""
    return _FRAMES[aspect_of(aspect).name]


#: Listings of at most so many columns stand beside text.
_NARROW_COLUMNS: Final = 46
#: Characters of text that may stand above a picture or chart; longer text stands beside it.
_FEW_CHARS: Final = 110
#: Pictures with a higher ratio of width to height take the whole width of the page.
_PANORAMA: Final = 2.3


@frozen
class SideBySide:
    """Two columns made by the arrangement, not by the author: `left` and `right` are centred on each other."""

    left: tuple[Block, ...]
    right: tuple[Block, ...]


ArrangedBlock = Block | SideBySide


def arrange_blocks(blocks: Sequence[Block], frame: Frame, rasters: Mapping[str, Raster]) -> list[ArrangedBlock]:
    """Arrange blocks: columns go below each other on a tall page, text goes beside its picture on a wide one."""
    if frame.shape == "tall":
        return [cell for block in blocks for cell in _flat(block)]
    figures = [block for block in blocks if isinstance(block, Image | Clip | Chart | Diagram | Code)]
    texts = [block for block in blocks if isinstance(block, Bullets | Paragraph | Heading | Quote)]
    if frame.shape != "wide" or len(figures) != 1 or not texts or len(figures) + len(texts) != len(blocks):
        return list(blocks)
    figure = figures[0]
    if not _goes_beside(figure, texts, rasters):
        return list(blocks)
    left = (figure,) if blocks[0] is figure else tuple(texts)
    return [SideBySide(left, tuple(texts) if blocks[0] is figure else (figure,))]


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
        case Diagram():
            return is_upright(figure)
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


#: Words of up to so many characters are not broken: by shape of the page, in half of its width, in a heading.
_LONGEST: Final = {"wide": 32, "tall": 22, "square": 24}
_LONGEST_HALF: Final = {"wide": 22, "tall": 22, "square": 12}
_LONGEST_HEADING: Final = 24
#: Width of the running title in em.
_FOOTER_EMS: Final = {"wide": 60.0, "tall": 27.0, "square": 32.0}
#: Characters of a line of a table.
_TABLE_CHARS: Final = {"wide": 66, "tall": 30, "square": 38}
#: Width that a table counts for, in em of running text: it may be enlarged by a third at most.
_WIDEST_TABLE: Final = {"wide": 28.0, "tall": 14.5, "square": 17.0}


def page_data(scene: Scene, theme: Theme, frame: Frame, rasters: Mapping[str, Raster]) -> dict[str, Any]:
    """Make the data from which the sheets draw a scene. `rasters` are its pictures by asset id."""
    over = backdrop_of(scene)
    blocks = [block for block in scene.blocks if block is not over]
    setting = _Setting(frame, rasters, _LONGEST[frame.shape], _tone_colours(theme.data()["series"]))
    heading = _spans(scene.heading, _LONGEST_HEADING)
    heading_text = plain(scene.heading) or scene.deck
    half = over is None and scene.layout in ("content", "image")
    return {
        "layout": "content" if scene.layout == "image" and over is None else _fitting(scene),
        "over": over is not None,
        "steps": scene.steps,
        "heading": heading,
        "rtl": spans_rtl(scene.heading),
        "longest": max(4.0, *(widest_word(span.get("text", "")) for span in heading)) if heading else 4.0,
        "widest": _widest(scene.blocks, frame.shape),
        "blocks": [setting.block(block) for block in (arrange_blocks(blocks, frame, rasters) if half else blocks)],
        "short": all(len(word) <= 14 for word in scene.title.split()) and ems(scene.title) <= 25,
        "number": f"{scene.index + 1:02}",
        "part": scene.part,
        "parts": scene.parts,
        "position": f"{scene.index + 1} / {scene.count}" if frame.footed else "",
        "count": scene.count,
        "done": (scene.index + 1) / scene.count,
        "footer": shortened(scene.deck, _FOOTER_EMS[frame.shape]) if frame.footed else "",
        "initial": next((char.upper()[:1] for char in heading_text if char.isalpha()), ""),
        "frame": frame.data(),
        "look": _look(theme),
    }


def _fitting(scene: Scene) -> str:
    """Return the scene's layout, unless it is "quote" and the page has more or less than one quotation."""
    quoted = len(scene.blocks) == 1 and isinstance(scene.blocks[0], Quote)
    return "content" if scene.layout == "quote" and not quoted else scene.layout


def _look(theme: Theme) -> dict[str, Any]:
    data = theme.data()
    for use in ("display", "body", "mono", "quote"):
        data["faces"][use] = with_fallbacks(data["faces"][use])
    return data


def _widest(blocks: Sequence[Block], shape: str) -> float:
    """Return the widest word of running text in em: enlarged text must not leave the page."""
    texts: list[Spans] = []
    widest = [1.0]
    for block in blocks:
        match block:
            case Bullets():
                texts += [item.spans for item in block.items]
            case Paragraph():
                texts += [sentence.spans for sentence in block.sentences]
            case Heading() | Quote():
                texts.append(block.spans)
            case Table():
                widest.append(_WIDEST_TABLE[shape])
            case _:
                pass
    longest = _LONGEST[shape]
    return max(*widest, *(widest_word(breakable(span.text, longest)) for spans in texts for span in spans), 1.0)


#: Hues of the frames of callouts in degrees; those of other tones have the accent's colour.
_HUES: Final = {
    "tip": 140,
    "success": 140,
    "important": 270,
    "question": 270,
    "warning": 40,
    "caution": 25,
    "danger": 0,
}


def _tone_colours(series: Sequence[str]) -> dict[str, int]:
    """Return the place of the colour of a theme's charts that is nearest to the hue of each tone."""
    channels = [[int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)] for colour in series]
    hues = [360 * rgb_to_hls(red, green, blue)[0] for red, green, blue in channels]
    return {
        tone: min(range(len(hues)), key=lambda at: abs((hues[at] - hue + 180) % 360 - 180))
        for tone, hue in _HUES.items()
    }


@frozen
class _Setting:
    """Sets blocks: frame, pictures, the longest word that is not broken, and the colours of callouts by tone."""

    frame: Frame
    rasters: Mapping[str, Raster]
    longest: int
    colours: Mapping[str, int] = field(factory=dict)

    def block(self, block: ArrangedBlock) -> dict[str, Any]:
        match block:
            case Code():
                columns = max(map(len, block.text.split("\n")))
                return {**to_spec(block), "columns": columns}
            case Math():
                tree = _tree(block.source)
                return {**to_spec(block), "tree": tree, "source": breakable(block.source, self.longest)}
            case Table():
                return self._table(block)
            case Bullets():
                return self._bullets(block)
            case Paragraph():
                between = (_joint(*pair, rows=block.rows) for pair in pairwise(block.sentences))
                sentences = [
                    {"step": s.step, "spans": self._text(s.spans), "joint": joint}
                    for s, joint in zip(block.sentences, chain([""], between), strict=True)
                ]
                rtl = any(spans_rtl(s.spans) for s in block.sentences[:1])
                speaker = breakable(block.speaker.strip(), self.longest)
                return {"kind": block.kind, "sentences": sentences, "rtl": rtl, "speaker": speaker, "rows": block.rows}
            case Heading():
                return {**to_spec(block), "spans": self._text(block.spans), "rtl": spans_rtl(block.spans)}
            case Quote():
                source = self._text(block.source)
                spans = self._text(block.spans)
                return {**to_spec(block), "spans": spans, "source": source, "rtl": spans_rtl(block.spans)}
            case Image() | Clip():
                return self._picture(block)
            case Chart():
                chart = chart_data(block, narrow=self.frame.width < 1200 or self.longest < 24)
                return {"kind": block.kind, "step": block.step, "title": self._text(block.title), **chart}
            case Diagram():
                return {"kind": block.kind, "step": block.step, **diagram_data(block)}
            case Footnotes():
                return self._footnotes(block)
            case Callout():
                return self._callout(block)
            case Columns() | SideBySide():
                return self._columns(block)

    def _footnotes(self, block: Footnotes) -> dict[str, Any]:
        notes = [
            {"label": note.label, "spans": self._text(note.spans), "rtl": spans_rtl(note.spans)} for note in block.notes
        ]
        return {"kind": block.kind, "step": block.step, "notes": notes}

    def _callout(self, block: Callout) -> dict[str, Any]:
        """Its title and frame come with the first of its blocks that is revealed."""
        steps = [part.step for cell in cells_of((block,)) for part in items_of(cell) or (cell,)]  # type: ignore[union-attr]
        title = block.title or ()
        return {
            "kind": block.kind,
            "step": min(steps, default=0),
            "colour": self.colours.get(block.tone),
            "title": self._text(title),
            "rtl": spans_rtl(title),
            "blocks": [self.block(cell) for cell in block.blocks],
        }

    def _columns(self, block: Columns | SideBySide) -> dict[str, Any]:
        half = evolve(self, longest=_LONGEST_HALF[self.frame.shape])
        sides = {"left": [half.block(cell) for cell in block.left], "right": [half.block(cell) for cell in block.right]}
        return {"kind": "columns", **sides, "share": 0.5, "middle": isinstance(block, SideBySide)}

    def _bullets(self, block: Bullets) -> dict[str, Any]:
        items = [
            {
                "spans": self._text(item.spans),
                "depth": item.depth,
                "number": item.number,
                "step": item.step,
                "done": item.done,
                "continued": item.continued,
                "rtl": spans_rtl(item.spans),
                "nth": nth,
            }
            for nth, item in enumerate(block.items)
        ]
        wide = any(item.number is not None and item.number > 99 for item in block.items)
        return {"kind": block.kind, "items": items, "wide": wide, "loose": len(items) <= 8}

    def _table(self, block: Table) -> dict[str, Any]:
        width = max(1, len(block.header), *(len(row) for row in block.rows))
        rows = [row + ((),) * (width - len(row)) for row in (block.header, *block.rows)]
        longest = max(8, _TABLE_CHARS[self.frame.shape] // width)
        cells = [[_spans(cell, longest) for cell in row] for row in rows]
        lengths = [max(min(longest * 2, _length(row[at])) for row in rows) for at in range(width)]
        floor = max(1.0, sum(lengths) / width * 0.6)
        return {
            **to_spec(block),
            "header": cells[0],
            "rows": cells[1:],
            "widths": [max(float(length), floor) for length in lengths],
            "align": [self._alignment(block, rows, at) for at in range(width)],
            "rtl": any(spans_rtl(cell) for cell in block.header[:1]),
        }

    def _alignment(self, block: Table, rows: Sequence[tuple[Spans, ...]], at: int) -> str:
        given = block.align[at] if at < len(block.align) else ""
        return given or ("end" if at > 0 and _numeric([row[at] for row in rows[1:]]) else "start")

    def _picture(self, block: Image | Clip) -> dict[str, Any]:
        raster = self.rasters[block.asset]
        motion = block.motion if isinstance(block, Image) else "none"
        return {
            "kind": block.kind,
            "asset": block.asset,
            "step": block.step,
            "alt": breakable(block.alt, self.longest),
            "rtl": is_rtl(block.alt),
            "fit": block.fit if isinstance(block, Image) else "contain",
            "motion": motion,
            "moving": motion != "none" or isinstance(block, Clip),
            "file": f"/{raster.file.name}" if raster.file else None,
            "ratio": raster.ratio,
            "aside": False,
        }

    def _text(self, spans: Spans) -> list[dict[str, Any]]:
        return _spans(spans, self.longest)


def _joint(before: Sentence, after: Sentence, *, rows: bool) -> str:
    """Return what stands between two sentences: no blank in scripts that have none, nor at a line break."""
    if rows:
        return "\n"
    end, begin = plain(before.spans)[-1:], plain(after.spans)[:1]
    return "" if end == "\n" or (unspaced(end) and unspaced(begin)) else " "


def _length(spans: Spans) -> int:
    return sum(len(span.text) for span in spans)


def _numeric(cells: Sequence[Spans]) -> bool:
    """Tell whether a column holds numbers, which are aligned to the right."""
    texts = ["".join(span.text for span in cell).strip() for cell in cells]
    full = [text for text in texts if text]
    return bool(full) and all(text.lstrip("+-−$€£~<>≈")[:1].isdigit() and len(text) <= 14 for text in full)


def _spans(spans: Spans, longest: int) -> list[dict[str, Any]]:
    return [_span(span, longest) for span in spans]


def _span(span: Span, longest: int) -> dict[str, Any]:
    if span.kind == "math" and (tree := _tree(span.text)) is not None:
        return {"kind": "math", "tree": tree}
    kind = "code" if span.kind == "math" else span.kind
    text = typographic(span.text) if kind == "text" else span.text
    styles = {"struck": span.struck, "marked": span.marked, "shift": span.shift}
    rare = {name: value for name, value in styles.items() if value}
    return {"kind": kind, "text": breakable(text, longest), "bold": span.bold, "italic": span.italic, **rare}


def _tree(source: str) -> Node | None:
    try:
        return parse_math(source)
    except MathError:
        return None
