"""Writes blocks and texts as short, editable JSON, which `blocks` reads back as exactly the same."""

from __future__ import annotations

from typing import Any

import attrs

from handlers.generation.script.content import (
    Block,
    Bullet,
    Bullets,
    Callout,
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
    Spans,
    Table,
)
from handlers.generation.script.inline import parse_inline, to_markdown
from handlers.generation.script.sentences import sentences

Json = dict[str, Any]


def text_json(spans: Spans) -> str | list[Json]:
    """A text as inline Markdown, or as runs if no Markdown reads back as exactly the same."""
    text = to_markdown(spans)
    if text is not None and "\n" not in text and "\r" not in text:
        return text
    return [attrs.asdict(span, filter=lambda a, value: value != a.default) for span in spans]


def block_json(block: Block, language: str = "en") -> Json:
    """A block without its reveal steps; `language` decides where its readers end sentences."""
    return {"kind": block.kind, **_body(block, language)}


def _body(block: Block, language: str) -> Json:
    match block:
        case Bullets():
            return {"items": [_item(item) for item in block.items]}
        case Paragraph():
            return _paragraph(block, language)
        case Heading():
            return {"text": text_json(block.spans)}
        case Code():
            named = {"language": block.language} if block.language else {}
            highlight = {"highlight": list(block.highlight)} if block.highlight else {}
            return {**named, "code": block.text, **highlight}
        case Table():
            rows = [[text_json(cell) for cell in row] for row in (block.header, *block.rows)]
            return {"header": rows[0], "rows": rows[1:], **({"align": list(block.align)} if any(block.align) else {})}
        case Math():
            return {"latex": block.source}
        case Quote():
            return {"text": text_json(block.spans), **({"source": text_json(block.source)} if block.source else {})}
        case Image() | Clip():
            return {"asset": block.asset, **_chosen(block, "alt", "fit", "motion", "sound")}
        case Chart():
            series = [{**({"name": one.name} if one.name else {}), "values": list(one.values)} for one in block.series]
            title = {"title": text_json(block.title)} if block.title else {}
            shown = {"labels": list(block.labels), "series": series}
            return {"style": block.style, **title, **_chosen(block, "unit"), **shown}
        case Diagram():
            return {"source": block.source}
        case Footnotes():
            return {"notes": [{"label": note.label, "text": text_json(note.spans)} for note in block.notes]}
        case Callout():
            title = {} if block.title is None else {"title": text_json(block.title)}
            return {"tone": block.tone, **title, "blocks": [block_json(cell) for cell in block.blocks]}
        case Columns():
            sides = {"left": block.left, "right": block.right}
            return {side: [block_json(cell, language) for cell in cells] for side, cells in sides.items()}


def _item(item: Bullet) -> Json | str | list[Json]:
    more = _chosen(item, "depth", "number", "done", "continued")
    text = text_json(item.spans)
    return {"text": text, **more} if more else text


def _paragraph(block: Paragraph, language: str) -> Json:
    """One text if it splits into the same sentences again, else the sentences."""
    parts = [sentence.spans for sentence in block.sentences]
    more = _chosen(block, "speaker", "rows")
    for joint in ("", " "):  # languages without blanks have none between sentences either
        text = None if block.rows else _joined(parts, joint)
        if text and "\n" not in text and tuple(sentences(parse_inline(text), language)) == tuple(parts):
            return {"text": text, **more}
    return {"sentences": [text_json(part) for part in parts], **more}


def _joined(parts: list[Spans], joint: str) -> str | None:
    texts = [to_markdown(part) for part in parts]
    return joint.join(text for text in texts if text is not None) if None not in texts else None


def _chosen(value: Any, *names: str) -> Json:
    """Those of the named fields that differ from their defaults."""
    defaults = {attribute.name: attribute.default for attribute in attrs.fields(type(value))}
    return {name: getattr(value, name) for name in names if name in defaults and getattr(value, name) != defaults[name]}
