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
    Bullet,
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
    Sentence,
    Series,
    Span,
    Spans,
    Table,
)
from handlers.generation.script.inline import parse_inline, sentences
from handlers.generation.script.markdown import FITS, LANGUAGE, MOTIONS, lines_of
from handlers.generation.script.nfc import nfc

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
    kinds = Choice(("text", "code", "math"), noun="kind of text")
    fields = {"text": Plain(most), "kind": kinds, "bold": Flag(), "italic": Flag()}
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
        return Paragraph(_sentences(_WORDS.read(at)))

    def schema(self) -> Schema:
        return Plain(MAX_TEXT_CHARS).schema()


@frozen
class _Item(JsonType):
    """An item of a list: a text, or an object with a text, a depth and a number."""

    def read(self, at: Cursor) -> Bullet:
        if not isinstance(at.value, dict):
            return Bullet(_WORDS.read(at))
        values = _ITEM.values(at)
        return Bullet(values.get("text", ()), values.get("depth", 0), values.get("number"))

    def schema(self) -> Schema:
        return {"anyOf": [*_WORDS.schema()["anyOf"], _ITEM.schema()]}


_ASSET_TEXT: Final = Text(200)
_WORDS: Final = Inline(blank=False)
_ITEM: Final = Object({"text": _WORDS, "depth": Integer(0, 2), "number": Integer(0, _MAX_NUMBER)}, required=("text",))


def _sentences(spans: Spans) -> tuple[Sentence, ...]:
    return tuple(Sentence(part) for part in sentences(spans))


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
    found = _sentences(values["text"]) if "text" in values else tuple(map(Sentence, values.get("sentences", ())))
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
_ROW: Final = Array(Inline(), MAX_COLUMNS)
_SERIES: Final = Object(
    {"name": Label(MAX_LABEL_CHARS), "values": Array(Nullable(Number(-LARGEST, LARGEST)), MAX_LABELS)},
    required=("values",),
    make=_series,
)
#: The blocks that may stand in a column.
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
        {"header": _ROW, "rows": Array(_ROW, MAX_ROWS)},
        required=("header", "rows"),
        make=lambda _, values: Table(**values),
    ),
    "math": Object(
        {"latex": Plain(MAX_TEXT_CHARS, blank=False)},
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
}
_CLIP: Final = Object(
    {"asset": AssetId(), "alt": Label(MAX_TEXT_CHARS), "sound": Flag()}, required=("asset",), make=_clip
)
_BLOCK_FORM: Final = "a block: an object with a kind, or a string, which is a paragraph"
_COLUMN: Final = Array(
    Either(
        {str: _ParagraphText(), dict: Tagged(_CELLS, misplaced=("columns", "clip"), here="in a column")}, _BLOCK_FORM
    ),
    MAX_CELLS,
    empty=False,
)
_COLUMNS: Final = Object(
    {"left": _COLUMN, "right": _COLUMN}, required=("left", "right"), make=lambda _, values: Columns(**values)
)
#: A block of a scene.
BLOCK: Final = Either(
    {str: _ParagraphText(), dict: Tagged({**_CELLS, "clip": _CLIP, "columns": _COLUMNS})}, _BLOCK_FORM
)
