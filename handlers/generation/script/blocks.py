"""The blocks and texts of a scene document, read strictly. `blockjson` writes them.

A text is inline Markdown, or, where no Markdown says it exactly, an array of runs
`{"text": ..., "kind": "code", "bold": true, "italic": true}`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from eventflow.domain.values import is_asset_id
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
    Block,
    Bullet,
    Bullets,
    Cell,
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
from handlers.generation.script.json_cursor import Cursor
from handlers.generation.script.markdown import FITS, LANGUAGE, MOTIONS, lines_of

MAX_TEXT_CHARS: Final = 20_000
MAX_CODE_CHARS: Final = 50_000
MAX_ITEMS: Final = 1_000
MAX_ROWS: Final = 1_000
MAX_COLUMNS: Final = 40
MAX_CELLS: Final = 50
MAX_RUNS: Final = 2_000
_MAX_NUMBER: Final = 999_999_999


def read_spans(at: Cursor, most: int = MAX_TEXT_CHARS, *, empty: bool = True) -> Spans:
    """A text."""
    if isinstance(at.value, str):
        return parse_inline(at.text(most, empty=empty))
    if not isinstance(at.value, list):
        at.fail("wrong_type", "must be a string of inline Markdown, or an array of runs")
        return ()
    spans = [span for span in map(_read_run, at.items(MAX_RUNS)) if span.text]
    if not spans and not empty:
        at.fail("empty", "is empty")
    return tuple(spans)


def _read_run(at: Cursor) -> Span:
    found = at.members(("text", "kind", "bold", "italic"), ("text",))
    text = found["text"].text(MAX_TEXT_CHARS) if "text" in found else ""
    kind: Any = found["kind"].choice(("text", "code", "math")) if "kind" in found else "text"
    styles = {name: found[name].boolean() for name in ("bold", "italic") if name in found}
    return Span(text, kind, **styles)


def read_block(at: Cursor) -> Block:
    """A block; a string is a paragraph."""
    if isinstance(at.value, str):
        return Paragraph(_sentences(read_spans(at, empty=False)))
    kind = at.value.get("kind") if isinstance(at.value, dict) else None
    if not isinstance(kind, str) or kind not in _READERS:
        _refuse_kind(at, kind)
        return Paragraph(())
    known, required, read = _READERS[kind]
    found = at.members(("kind", *known), required)
    return read(at, found) if all(name in found for name in required) else Paragraph(())


def _refuse_kind(at: Cursor, kind: object) -> None:
    there_is = ", ".join(_READERS)
    if not isinstance(at.value, dict):
        at.fail("wrong_type", "must be a block: an object with a kind, or a string, which is a paragraph")
    elif kind is None:
        at.fail("required", f"'kind' is missing; there is: {there_is}")
    else:
        at.at("kind").fail("unknown_value", f"there is no such block; there is: {there_is}")


def _sentences(spans: Spans) -> tuple[Sentence, ...]:
    return tuple(Sentence(part) for part in sentences(spans))


_Found = Mapping[str, Cursor]


def _read_heading(at: Cursor, found: _Found) -> Heading:
    return Heading(read_spans(found["text"], empty=False))


def _read_paragraph(at: Cursor, found: _Found) -> Paragraph:
    if ("text" in found) == ("sentences" in found):
        at.fail("required", "a paragraph has either 'text' or 'sentences'")
        return Paragraph(())
    if "text" in found:
        return Paragraph(_sentences(read_spans(found["text"], empty=False)))
    parts = [read_spans(part, empty=False) for part in found["sentences"].items(MAX_ITEMS, 1)]
    return Paragraph(tuple(map(Sentence, parts)))


def _read_bullets(at: Cursor, found: _Found) -> Bullets:
    ordered = "ordered" in found and found["ordered"].boolean()
    items: list[Bullet] = []
    for item in found["items"].items(MAX_ITEMS, 1):
        number = len(items) + 1 if ordered else None
        if not isinstance(item.value, dict):
            items.append(Bullet(read_spans(item, empty=False), number=number))
            continue
        given = item.members(("text", "depth", "number"), ("text",))
        spans = read_spans(given["text"], empty=False) if "text" in given else ()
        depth = given["depth"].integer(0, 2) if "depth" in given else 0
        if "number" in given:
            number = given["number"].integer(0, _MAX_NUMBER)
        items.append(Bullet(spans, depth, number))
    return Bullets(tuple(items))


def _read_code(at: Cursor, found: _Found) -> Code:
    text = found["code"].text(MAX_CODE_CHARS).expandtabs(4)
    if not text:
        found["code"].fail("empty", "is empty")
    language = found["language"].text(40) if "language" in found else ""
    if language and not LANGUAGE.fullmatch(language):
        found["language"].fail("malformed", "is the name of a language, such as python")
    count = text.count("\n") + 1
    return Code(language, text, highlight=_highlight(found["highlight"], count) if "highlight" in found else ())


def _highlight(at: Cursor, count: int) -> tuple[int, ...]:
    if not isinstance(at.value, str):
        return tuple(sorted({line.integer(1, count) for line in at.items(count)}))
    ranges = at.text(1_000).replace(" ", "")
    if not _RANGES.fullmatch(ranges):
        at.fail("malformed", 'must be an array of line numbers, or ranges such as "2,4-6"')
        return ()
    if any(not 1 <= int(number) <= count for number in ranges.replace("-", ",").split(",")):
        at.fail("out_of_range", f"names lines that the code doesn't have: it has 1 to {count}")
    return lines_of(ranges, count)


def _read_table(at: Cursor, found: _Found) -> Table:
    header = _cells(found["header"])
    return Table(header, tuple(_cells(row) for row in found["rows"].items(MAX_ROWS)))


def _cells(row: Cursor) -> tuple[Spans, ...]:
    return tuple(read_spans(cell) for cell in row.items(MAX_COLUMNS))


def _read_math(at: Cursor, found: _Found) -> Math:
    return Math(found["latex"].text(MAX_TEXT_CHARS, empty=False))


def _read_quote(at: Cursor, found: _Found) -> Quote:
    source = read_spans(found["source"]) if "source" in found else ()
    return Quote(read_spans(found["text"], empty=False), source)


def _read_image(at: Cursor, found: _Found) -> Image:
    fit: Any = found["fit"].choice(FITS) if "fit" in found else "contain"
    motion: Any = found["motion"].choice(MOTIONS) if "motion" in found else "none"
    return Image(_asset(found["asset"]), _alt(found), fit, motion)


def _read_clip(at: Cursor, found: _Found) -> Clip:
    return Clip(_asset(found["asset"]), _alt(found), found["sound"].boolean() if "sound" in found else True)


def _alt(found: _Found) -> str:
    return without_inline_comments(found["alt"].text(MAX_TEXT_CHARS)) if "alt" in found else ""


def _asset(at: Cursor) -> str:
    asset = at.text(200).removeprefix("asset:")
    if isinstance(at.value, str) and not is_asset_id(asset):
        at.fail("malformed", "must be the id of an asset: as_ and 32 hex digits, from POST /api/v1/assets")
    return asset


def _label(at: Cursor) -> str:
    return without_inline_comments(at.text(MAX_LABEL_CHARS))


def _read_chart(at: Cursor, found: _Found) -> Chart:
    style: Any = found["style"].choice(STYLES)
    labels = tuple(
        without_inline_comments(label.text(MAX_LABEL_CHARS)) for label in found["labels"].items(MAX_LABELS, 1)
    )
    series = tuple(_series(one) for one in found["series"].items(MAX_SERIES, 1))
    title = read_spans(found["title"], 200) if "title" in found else ()
    unit = found["unit"].text(MAX_UNIT_CHARS) if "unit" in found else ""
    try:
        check_chart(style, labels, series)
    except ChartError as error:
        at.fail("chart", str(error))
    return Chart(style, labels, series, title, unit)


def _series(at: Cursor) -> Series:
    found = at.members(("name", "values"), ("values",))
    name = _label(found["name"]) if "name" in found else ""
    values = found["values"].items(MAX_LABELS) if "values" in found else ()
    return Series(name, tuple(None if v.value is None else float(v.number(-LARGEST, LARGEST)) for v in values))


def _read_columns(at: Cursor, found: _Found) -> Columns:
    return Columns(_column(found["left"]), _column(found["right"]))


def _column(at: Cursor) -> tuple[Cell, ...]:
    cells: list[Cell] = []
    for item in at.items(MAX_CELLS, 1):
        if isinstance(item.value, dict) and item.value.get("kind") in ("columns", "clip"):
            item.fail("not_here", f"{item.value['kind']} can't stand in a column")
            continue
        block = read_block(item)
        if not isinstance(block, Columns | Clip):
            cells.append(block)
    return tuple(cells)


_RANGES = re.compile(r"\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*")
_Reader = Callable[[Cursor, _Found], Block]
#: kind -> (fields, those that must be there, reader)
_READERS: dict[str, tuple[tuple[str, ...], tuple[str, ...], _Reader]] = {
    "bullets": (("items", "ordered"), ("items",), _read_bullets),
    "paragraph": (("text", "sentences"), (), _read_paragraph),
    "heading": (("text",), ("text",), _read_heading),
    "code": (("code", "language", "highlight"), ("code",), _read_code),
    "table": (("header", "rows"), ("header", "rows"), _read_table),
    "math": (("latex",), ("latex",), _read_math),
    "quote": (("text", "source"), ("text",), _read_quote),
    "image": (("asset", "alt", "fit", "motion"), ("asset",), _read_image),
    "clip": (("asset", "alt", "sound"), ("asset",), _read_clip),
    "chart": (("style", "labels", "series", "title", "unit"), ("style", "labels", "series"), _read_chart),
    "columns": (("left", "right"), ("left", "right"), _read_columns),
}
