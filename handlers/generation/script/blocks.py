"""The types of texts and blocks in a scene document. `blockjson` writes them.

A text is inline Markdown, or, where no Markdown says it exactly, an array of runs
`{"text": ..., "kind": "code", "bold": true, "italic": true}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from attrs import Factory, evolve, field, frozen

from eventflow.domain.values import is_asset_id
from eventflow.requests.json_reader import (
    Array,
    Choice,
    Cursor,
    Described,
    Either,
    Flag,
    Integer,
    JsonType,
    Nullable,
    Number,
    Object,
    Schema,
    Tagged,
    Text,
)
from handlers.generation.script.chartdata import (
    LARGEST,
    MAX_LABEL_CHARS,
    MAX_LABELS,
    MAX_SERIES,
    MAX_UNIT_CHARS,
    STYLES,
    ChartError,
    check_chart,
)
from handlers.generation.script.comments import without_inline_comments
from handlers.generation.script.content import (
    MAX_DEPTH,
    TONES,
    Bullet,
    Bullets,
    Callout,
    Chart,
    Clip,
    Code,
    Columns,
    Diagram,
    Footnote,
    Footnotes,
    Heading,
    Image,
    Math,
    Paragraph,
    Quote,
    Sentence,
    Series,
    Span,
    Spans,
    Table,
)
from handlers.generation.script.inline import parse_inline
from handlers.generation.script.markdown import LANGUAGE, lines_of
from handlers.generation.script.mermaid.read import read_diagram
from handlers.generation.script.mermaid.values import MAX_SOURCE_CHARS, DiagramError
from handlers.generation.script.nfc import nfc
from handlers.generation.script.picture_references import FITS, MOTIONS
from handlers.generation.script.sentences import Uncut

MAX_TEXT_CHARS: Final = 20_000
MAX_CODE_CHARS: Final = 50_000
MAX_ITEMS: Final = 1_000
MAX_ROWS: Final = 1_000
MAX_COLUMNS: Final = 40
MAX_CELLS: Final = 50
MAX_RUNS: Final = 2_000
MAX_SPEAKER_CHARS: Final = 60
_MAX_NUMBER: Final = 999_999_999
_RANGES: Final = re.compile(r"\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*")

Values = dict[str, Any]


_LOST_BACKSLASH: Final = re.compile(r"[\t\n]")
_LOST_SIGNS: Final = {"\t": "a tab", "\n": "a line end"}


@frozen
class Plain(Text):
    """A text as it stands, read in NFC with plain line ends."""

    def read(self, at: Cursor) -> str:
        found = at.faults.found
        before, text = len(found), Text.read(self, at)
        if len(found) > before:
            return ""
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        return text if text.isascii() else nfc(text)

    def schema(self) -> Schema:
        return {"type": "string", "maxLength": self.most}


@frozen
class Latex(Plain):
    """A formula in one line: a tab or a line end in it is what JSON makes of a backslash that was written once."""

    def read(self, at: Cursor) -> str:
        text = super().read(at)
        if match := _LOST_BACKSLASH.search(text):
            sign = _LOST_SIGNS[match[0]]
            reason = f"has {sign} at character {match.start()}; in JSON a backslash is written twice, as in \\\\times"
            at.fail("control_character", reason)
        return text


@frozen
class Label(Plain):
    """A plain text whose HTML comments are left out."""

    def read(self, at: Cursor) -> str:
        return without_inline_comments(super().read(at))


def _run(_: Cursor, values: Values) -> Span:
    return Span(**values)


@frozen
class Inline(JsonType):
    """Inline text of at most `most` characters, as Markdown or as an array of runs."""

    most: int = MAX_TEXT_CHARS
    blank: bool = field(default=True, kw_only=True)
    _text: Plain = field(init=False, default=Factory(lambda self: Plain(self.most, blank=self.blank), True))
    _runs: Array = field(init=False, default=Factory(lambda self: _runs_of(self.most), True))

    def read(self, at: Cursor) -> Spans:
        if isinstance(at.value, str):
            return parse_inline(self._text.read(at))
        if not isinstance(at.value, list):
            at.wrong_type("a string of inline Markdown, or an array of runs")
            return ()
        before = len(at.faults.found)
        spans = tuple(span for span in self._runs.items(at) if span.text)
        if not spans and not self.blank and len(at.faults.found) == before:
            at.fail("empty", "is empty")
        return spans

    def schema(self) -> Schema:
        return {"anyOf": [self._text.schema(), self._runs.schema()]}


def _runs_of(most: int) -> Array:
    kinds = Choice(("text", "code", "math", "key", "note"), noun="kind of text")
    styles = {name: Flag() for name in ("bold", "italic", "struck", "marked")}
    fields = {"text": Plain(most), "kind": kinds, **styles, "shift": Choice(("sub", "sup"), noun="shift")}
    return Array(Object(fields, required=("text",), make=_run), MAX_RUNS)


@frozen
class AssetId(JsonType):
    """The id of an asset, read without its prefix `asset:`."""

    def read(self, at: Cursor) -> str:
        before, text = len(at.faults.found), _ASSET_TEXT.read(at)
        asset: str = text.removeprefix("asset:")
        if len(at.faults.found) == before and not is_asset_id(asset):
            at.fail("malformed", "must be the id of an asset: as_ and 32 hex digits, from POST /api/v1/assets")
        return asset

    def schema(self) -> Schema:
        return {"type": "string", "pattern": "^(asset:)?as_[0-9a-f]{32}$", "description": "The id of an asset."}


@frozen
class _ParagraphText(JsonType):
    """A string that is a paragraph."""

    def read(self, at: Cursor) -> Paragraph:
        return Paragraph((Uncut(_WORDS.read(at)),))

    def schema(self) -> Schema:
        return Plain(MAX_TEXT_CHARS).schema()


@frozen
class _Item(JsonType):
    """An item of a list: a text, or an object with a text, a depth and a number."""

    def read(self, at: Cursor) -> Bullet:
        if not isinstance(at.value, dict):
            return Bullet(_WORDS.read(at))
        values = _ITEM.values(at)
        return Bullet(values.pop("text", ()), **values)

    def schema(self) -> Schema:
        return {"anyOf": [*_WORDS.schema()["anyOf"], _ITEM.schema()]}


_ASSET_TEXT: Final = Text(200)
_WORDS: Final = Inline(blank=False)
_ITEM: Final = Object(
    {
        "text": _WORDS,
        "depth": Integer(0, MAX_DEPTH),
        "number": Integer(0, _MAX_NUMBER),
        "done": Described(Flag(), "A task that is done, or not; without it the item is no task."),
        "continued": Described(Flag(), "The item has no mark: it goes on with the one before."),
    },
    required=("text",),
)


def _bullets(_: Cursor, values: Values) -> Bullets:
    items: tuple[Bullet, ...] = values["items"]
    if values.get("ordered"):
        items = tuple(
            evolve(item, number=at) if item.number is None else item for at, item in enumerate(items, start=1)
        )
    return Bullets(items)


def _paragraph(at: Cursor, values: Values) -> Paragraph:
    if ("text" in values) == ("sentences" in values):
        at.fail("required", "a paragraph has either 'text' or 'sentences'")
    speaker, rows = values.get("speaker", ""), values.get("rows", False)
    found = (Uncut(values["text"]),) if "text" in values else tuple(map(Sentence, values.get("sentences", ())))
    return Paragraph(found, speaker=speaker, rows=rows)


def _code(at: Cursor, values: Values) -> Code:
    text, language = values["code"].expandtabs(4), values.get("language", "")
    if not text:
        at.fail_at("code", "empty", "is empty")
    if language and not LANGUAGE.fullmatch(language):
        at.fail_at("language", "malformed", "must be the name of a language, such as python")
    highlight = (
        _highlight(at.at("highlight"), values["highlight"], text.count("\n") + 1) if "highlight" in values else ()
    )
    return Code(language, text, highlight=highlight)


def _highlight(at: Cursor, given: str | tuple[int, ...], count: int) -> tuple[int, ...]:
    """The highlighted ones of `count` lines."""
    if not isinstance(given, str):
        for index, line in enumerate(given):
            if line > count:
                at.at(index).fail("out_of_range", f"must be a line of the code, 1 to {count}, not {line}")
        return tuple(sorted(set(given)))
    ranges = given.replace(" ", "")
    if not _RANGES.fullmatch(ranges):
        at.fail("malformed", 'must be an array of line numbers, or ranges such as "2,4-6"')
        return ()
    if any(not 1 <= int(number) <= count for number in ranges.replace("-", ",").split(",")):
        at.fail("out_of_range", f"must name lines of the code, 1 to {count}")
    return lines_of(ranges, count)


def _image(_: Cursor, values: Values) -> Image:
    return Image(**values)


def _diagram(at: Cursor, values: Values) -> Diagram | Chart:
    try:
        found = read_diagram(values["source"])
    except DiagramError as error:
        at.fail_at("source", "malformed", f"isn't understood on line {error.line}: {error}")
        return Diagram("")
    return found if isinstance(found, Chart) else Diagram(values["source"])


def _clip(_: Cursor, values: Values) -> Clip:
    return Clip(**values)


def _series(_: Cursor, values: Values) -> Series:
    return Series(values.get("name", ""), values["values"])


def _chart(at: Cursor, values: Values) -> Chart:
    try:
        check_chart(values["style"], values["labels"], values["series"])
    except ChartError as error:
        at.fail("chart", str(error))
    return Chart(**values)


_HIGHLIGHT: Final = Either(
    {
        list: Array(Integer(1, MAX_CODE_CHARS), MAX_CODE_CHARS),
        str: Described(Plain(1_000), 'Lines such as "2,4-6".'),
    },
    'an array of line numbers, or ranges such as "2,4-6"',
)
_ALIGN: Final = Choice(("", "left", "center", "right"), noun="alignment")
_ROW: Final = Array(Inline(), MAX_COLUMNS)
_SERIES: Final = Object(
    {"name": Label(MAX_LABEL_CHARS), "values": Array(Nullable(Number(-LARGEST, LARGEST)), MAX_LABELS)},
    required=("values",),
    make=_series,
)
#: The blocks that may stand anywhere.
_CELLS: Final[Mapping[str, Object]] = {
    "bullets": Object(
        {"items": Array(_Item(), MAX_ITEMS, empty=False), "ordered": Flag()}, required=("items",), make=_bullets
    ),
    "paragraph": Object(
        {
            "text": _WORDS,
            "sentences": Array(_WORDS, MAX_ITEMS, empty=False),
            "speaker": Label(MAX_SPEAKER_CHARS),
            "rows": Flag(),
        },
        make=_paragraph,
    ),
    "heading": Object({"text": _WORDS}, required=("text",), make=lambda _, values: Heading(values["text"])),
    "code": Object(
        {"code": Plain(MAX_CODE_CHARS), "language": Plain(40), "highlight": _HIGHLIGHT}, required=("code",), make=_code
    ),
    "table": Object(
        {
            "header": _ROW,
            "rows": Array(_ROW, MAX_ROWS),
            "align": Described(Array(_ALIGN, MAX_COLUMNS), "Of each column; empty: by what the column holds."),
        },
        required=("header", "rows"),
        make=lambda _, values: Table(**values),
    ),
    "math": Object(
        {"latex": Latex(MAX_TEXT_CHARS, blank=False)},
        required=("latex",),
        make=lambda _, values: Math(values["latex"]),
    ),
    "quote": Object(
        {"text": _WORDS, "source": Inline()},
        required=("text",),
        make=lambda _, values: Quote(values["text"], values.get("source", ())),
    ),
    "image": Object(
        {
            "asset": AssetId(),
            "alt": Label(MAX_TEXT_CHARS),
            "fit": Choice(FITS, noun="fit"),
            "motion": Choice(MOTIONS, noun="motion"),
        },
        required=("asset",),
        make=_image,
    ),
    "chart": Object(
        {
            "style": Choice(STYLES, noun="style"),
            "labels": Array(Label(MAX_LABEL_CHARS), MAX_LABELS, empty=False),
            "series": Array(_SERIES, MAX_SERIES, empty=False),
            "title": Inline(200),
            "unit": Plain(MAX_UNIT_CHARS),
        },
        required=("style", "labels", "series"),
        make=_chart,
    ),
    "diagram": Object(
        {"source": Described(Plain(MAX_SOURCE_CHARS, blank=False), "A flowchart, sequence diagram or pie in Mermaid.")},
        required=("source",),
        make=_diagram,
    ),
}
_NOTE: Final = Object(
    {"label": Plain(40, blank=False), "text": _WORDS},
    required=("label", "text"),
    make=lambda _, values: Footnote(values["label"], values["text"]),
)
#: Blocks that a callout may hold.
_PARTS: Final[Mapping[str, Object]] = {
    **_CELLS,
    "footnotes": Object(
        {"notes": Array(_NOTE, MAX_ITEMS, empty=False)},
        required=("notes",),
        make=lambda _, values: Footnotes(values["notes"]),
    ),
}
_CLIP: Final = Object(
    {"asset": AssetId(), "alt": Label(MAX_TEXT_CHARS), "sound": Flag()}, required=("asset",), make=_clip
)
_BLOCK_FORM: Final = "a block: an object with a kind, or a string, which is a paragraph"


def _array_of(kinds: Mapping[str, Object], here: str) -> Array:
    tagged = Tagged(kinds, misplaced=[kind for kind in ("columns", "clip", "callout") if kind not in kinds], here=here)
    return Array(Either({str: _ParagraphText(), dict: tagged}, _BLOCK_FORM), MAX_CELLS, empty=False)


def _callout_of(kinds: Mapping[str, Object], here: str) -> Object:
    fields = {"tone": Choice(TONES, noun="tone"), "title": Inline(200), "blocks": _array_of(kinds, here)}
    return Object(fields, required=("blocks",), make=lambda _, values: Callout(values.pop("tone", "plain"), **values))


#: Callouts may stand in callouts, but no deeper (`content.MAX_CALLOUTS`).
_INNER_CALLOUT: Final = _callout_of(_PARTS, "in a callout within a callout")
_CALLOUT: Final = _callout_of({**_PARTS, "callout": _INNER_CALLOUT}, "in a callout")
_CELL_KINDS: Final = {**_PARTS, "callout": _CALLOUT}
_COLUMN: Final = _array_of(_CELL_KINDS, "in a column")
_COLUMNS: Final = Object(
    {"left": _COLUMN, "right": _COLUMN}, required=("left", "right"), make=lambda _, values: Columns(**values)
)
#: A block of a scene.
BLOCK: Final = Either(
    {str: _ParagraphText(), dict: Tagged({**_CELL_KINDS, "clip": _CLIP, "columns": _COLUMNS})}, _BLOCK_FORM
)
