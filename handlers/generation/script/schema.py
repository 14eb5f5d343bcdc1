"""The JSON schema of a scene document's scenes, for API descriptions and for models that write scenes.

It says less than the reader does: what it lets through may still be refused, for sizes or because a layout can't show
it. What it refuses, the reader refuses.
"""

from __future__ import annotations

from typing import Any

from handlers.generation.script.blocks import (
    MAX_CELLS,
    MAX_CODE_CHARS,
    MAX_COLUMNS,
    MAX_ITEMS,
    MAX_ROWS,
    MAX_TEXT_CHARS,
)
from handlers.generation.script.chartdata import (
    LARGEST,
    MAX_LABEL_CHARS,
    MAX_LABELS,
    MAX_SERIES,
    MAX_UNIT_CHARS,
    STYLES,
)
from handlers.generation.script.document import LAYOUTS, MAX_BLOCKS, MAX_LINES, MAX_NARRATION_CHARS
from handlers.generation.script.layout import MAX_HEADING_CHARS, MAX_SCENES
from handlers.generation.script.markdown import FITS, MOTIONS

Schema = dict[str, Any]

_ASSET: Schema = {"type": "string", "pattern": "^(asset:)?as_[0-9a-f]{32}$", "description": "The id of an asset."}
_FLAG: Schema = {"type": "boolean"}


def scenes_schema() -> Schema:
    """The schema of `scenes[]`. It names no other schema, so that it can stand anywhere."""
    return {
        "type": "array",
        "items": _scene(),
        "minItems": 1,
        "maxItems": MAX_SCENES,
        "description": "Pages of the video; texts are inline Markdown (bold, italic, `code`, $math$).",
    }


def _object(required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    made: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**made, "required": list(required)} if required else made


def _array(items: Schema, most: int, least: int = 0) -> Schema:
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


def _plain(most: int) -> Schema:
    return {"type": "string", "maxLength": most}


def _text(most: int = MAX_TEXT_CHARS) -> Schema:
    run = _object(("text",), text=_plain(most), kind={"enum": ["text", "code", "math"]}, bold=_FLAG, italic=_FLAG)
    return {"anyOf": [_plain(most), _array(run, 2_000)]}


def _scene() -> Schema:
    line = _object(("text",), text=_plain(MAX_NARRATION_CHARS), reveal={"type": "integer", "minimum": 0})
    said: Schema = {
        "anyOf": [
            _plain(MAX_NARRATION_CHARS),
            _array({"anyOf": [_plain(MAX_NARRATION_CHARS), line]}, MAX_LINES),
        ],
        "description": "What is said. An array has a line for each thing that is revealed, the title first. Left out: "
        "what is shown is said.",
    }
    number: Schema = {"type": "integer", "minimum": 1, "maximum": 10_000}
    block: Schema = {"anyOf": [_plain(MAX_TEXT_CHARS), *_cells(), _clip(), _columns()]}
    return _object(
        layout={"type": "string", "enum": list(LAYOUTS)},
        title=_text(MAX_HEADING_CHARS),
        blocks=_array(block, MAX_BLOCKS),
        narration=said,
        part=number,
        parts=number,
    )


def _kind(kind: str, required: tuple[str, ...], **properties: Schema) -> Schema:
    return _object(("kind", *required), kind={"const": kind}, **properties)


def _cells() -> list[Schema]:
    item = _object(
        ("text",),
        text=_text(),
        depth={"type": "integer", "minimum": 0, "maximum": 2},
        number={"type": "integer", "minimum": 0},
    )
    row = _array(_text(), MAX_COLUMNS)
    lines = _array({"type": "integer", "minimum": 1}, 1_000)
    series = _object(
        ("values",),
        name=_plain(MAX_LABEL_CHARS),
        values=_array({"type": ["number", "null"], "minimum": -LARGEST, "maximum": LARGEST}, MAX_LABELS),
    )
    return [
        _kind("bullets", ("items",), items=_array({"anyOf": [*_text()["anyOf"], item]}, MAX_ITEMS, 1), ordered=_FLAG),
        _kind("paragraph", (), text=_text(), sentences=_array(_text(), MAX_ITEMS, 1)),
        _kind("heading", ("text",), text=_text()),
        _kind(
            "code",
            ("code",),
            code=_plain(MAX_CODE_CHARS),
            language=_plain(40),
            highlight={"anyOf": [lines, {"type": "string", "description": 'Lines such as "2,4-6".'}]},
        ),
        _kind("table", ("header", "rows"), header=row, rows=_array(row, MAX_ROWS)),
        _kind("math", ("latex",), latex=_plain(MAX_TEXT_CHARS)),
        _kind("quote", ("text",), text=_text(), source=_text()),
        _kind(
            "image",
            ("asset",),
            asset=_ASSET,
            alt=_plain(MAX_TEXT_CHARS),
            fit={"enum": list(FITS)},
            motion={"enum": list(MOTIONS)},
        ),
        _kind(
            "chart",
            ("style", "labels", "series"),
            style={"enum": list(STYLES)},
            labels=_array(_plain(MAX_LABEL_CHARS), MAX_LABELS, 1),
            series=_array(series, MAX_SERIES, 1),
            title=_text(200),
            unit=_plain(MAX_UNIT_CHARS),
        ),
    ]


def _clip() -> Schema:
    return _kind("clip", ("asset",), asset=_ASSET, alt=_plain(MAX_TEXT_CHARS), sound=_FLAG)


def _columns() -> Schema:
    column = _array({"anyOf": [_plain(MAX_TEXT_CHARS), *_cells()]}, MAX_CELLS, 1)
    return _kind("columns", ("left", "right"), left=column, right=column)
