"""The scene document, version 1: what `scenes[]` of the API holds, and what planning answers; JSON both ways.

`ops/scenes.md` is its reference. Reading is strict: unknown fields are refused by name, every fault has the JSON
pointer of its place, sizes and counts are limited. What is written reads back as exactly the same scenes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, get_args

import orjson

from handlers.generation.control import until_stopped
from handlers.generation.errors import DocumentError, Fault
from handlers.generation.script.blockjson import block_json, text_json
from handlers.generation.script.blocks import read_block, read_spans
from handlers.generation.script.comments import without_inline_comments
from handlers.generation.script.content import (
    Block,
    Clip,
    Image,
    Layout,
    Paragraph,
    Quote,
    Said,
    Scene,
    Script,
    Section,
    cells_of,
    items_of,
)
from handlers.generation.script.inline import plain
from handlers.generation.script.json_cursor import Cursor, Faults
from handlers.generation.script.layout import MAX_HEADING_CHARS, MAX_SCENES, lay_out_scenes
from handlers.generation.script.merge import Filling
from handlers.generation.script.phrases import phrases_for

VERSION: Final = 1
LAYOUTS: Final[tuple[Layout, ...]] = get_args(Layout)
MAX_TITLE_CHARS: Final = 200
MAX_BLOCKS: Final = 200
MAX_LINES: Final = 1_000
MAX_NARRATION_CHARS: Final = 20_000
#: Of the paragraphs of a page that holds nothing else.
MAX_WORDS_CHARS: Final = 600


def read_document(
    text: str | bytes,
    voice: str = "en-us",
    merge: Mapping[str, str] | None = None,
    aspect: str = "16:9",
    should_stop: Callable[[], bool] = lambda: False,
) -> Script:
    """The script in the JSON of a document; the voice's language decides the few words we add.

    Raises DocumentError, UnknownField and FilledTooLong for merge fields, Stopped.
    """
    try:
        value = orjson.loads(text)
    except ValueError as error:
        raise DocumentError([Fault("", "bad_json", f"the scenes aren't valid JSON: {error}")]) from None
    return read_scenes(value, voice, merge, aspect, should_stop)


def read_scenes(
    value: Any,
    voice: str = "en-us",
    merge: Mapping[str, str] | None = None,
    aspect: str = "16:9",
    should_stop: Callable[[], bool] = lambda: False,
) -> Script:
    """The same for a document that is parsed already."""
    faults, filling = Faults(), Filling(merge or {})
    found = Cursor(value, faults).members(("version", "title", "scenes"), ("version", "scenes"))
    if "version" in found and found["version"].value != VERSION:
        found["version"].fail("unknown_value", f"there is only version {VERSION}")
    title = without_inline_comments(found["title"].text(MAX_TITLE_CHARS)) if "title" in found else ""
    scenes = found["scenes"].items(MAX_SCENES, 1) if "scenes" in found else ()
    sections = [_read_section(scene) for scene in until_stopped(scenes, should_stop)]
    faults.raise_if_any()
    sections = [filling.section(section) for section in until_stopped(sections, should_stop)]
    title = filling.text(title)
    _check_filled(title, sections, faults)
    headings = (heading for section in sections if (heading := plain(section.heading)))
    title = title or next(headings, "")[:MAX_TITLE_CHARS] or "Untitled"
    return lay_out_scenes(sections, title, phrases_for(voice), aspect, should_stop)


def _check_filled(title: str, sections: Sequence[Section], faults: Faults) -> None:
    """Whether titles are still short enough once their fields are filled in: they come again on every page."""
    headings = [
        (f"/scenes/{at}/title", plain(section.heading), MAX_HEADING_CHARS) for at, section in enumerate(sections)
    ]
    for pointer, text, most in (("/title", title, MAX_TITLE_CHARS), *headings):
        if len(text) > most:
            faults.add(
                pointer, "too_long", f"has {len(text):,} characters once its fields are filled in; {most} may be"
            )
    faults.raise_if_any()


def write_document(script: Script) -> dict[str, Any]:
    """The document of a script, as JSON values."""
    return {"version": VERSION, "title": script.title, "scenes": [scene_json(scene) for scene in script.scenes]}


def scene_json(scene: Scene) -> dict[str, Any]:
    """One scene; its narration is written out, so that it can be edited."""
    made: dict[str, Any] = {"layout": scene.layout}
    if scene.heading:
        made["title"] = text_json(scene.heading)
    if scene.blocks:
        made["blocks"] = [block_json(block) for block in scene.blocks]
    made["narration"] = _narration_json(scene)
    if scene.parts > 1:
        made |= {"part": scene.part, "parts": scene.parts}
    return made


def _read_section(at: Cursor) -> Section:
    before = at.faults
    found = at.members(("layout", "title", "blocks", "narration", "part", "parts"))
    heading = read_spans(found["title"], MAX_HEADING_CHARS) if "title" in found else ()
    blocks = tuple(read_block(block) for block in found["blocks"].items(MAX_BLOCKS)) if "blocks" in found else ()
    narration = _read_narration(found["narration"]) if "narration" in found else None
    layout: Any = found["layout"].choice(LAYOUTS) if "layout" in found else _layout(blocks)
    parts = found["parts"].integer(1, 10_000) if "parts" in found else 1
    part = found["part"].integer(1, parts) if "part" in found else 1
    if at.faults > before:
        return Section(0, (), ())
    if not heading and not blocks and not narration:
        at.fail("empty", "the scene has neither a title nor blocks nor narration")
    elif "layout" in found:
        _check_layout(found["layout"], layout, bool(heading), blocks)
    return Section(0, heading, blocks, layout, narration, part, parts)


def _layout(blocks: tuple[Block, ...]) -> Layout:
    if not blocks:
        return "section"
    return "quote" if len(blocks) == 1 and isinstance(blocks[0], Quote) else "content"


def _check_layout(at: Cursor, layout: Layout, heading: bool, blocks: tuple[Block, ...]) -> None:
    """What a layout can't show is refused rather than left out."""
    words = [block for block in blocks if isinstance(block, Paragraph)]
    others = [block for block in blocks if not isinstance(block, Paragraph)]
    fits = {
        "title": (heading and not others, "a title page has a title, and paragraphs at most"),
        "section": (heading and not blocks, "a section page has a title and no blocks"),
        "content": (bool(blocks), "a content page has blocks"),
        "quote": (len(blocks) == 1 and isinstance(blocks[0], Quote), "a quote page has exactly one block, a quote"),
        "image": (
            len(others) == 1 and isinstance(others[0], Image | Clip),
            "an image page has one image or clip, and paragraphs at most",
        ),
        "outro": (heading and not others, "an outro has a title, and paragraphs at most"),
    }
    fit, reason = fits[layout]
    if not fit:
        at.fail("layout", reason)
    elif layout in ("title", "image", "outro"):
        chars = sum(len(plain(sentence.spans)) for block in words for sentence in block.sentences)
        if chars > MAX_WORDS_CHARS:
            at.fail("too_long", f"the paragraphs have {chars} characters; {MAX_WORDS_CHARS} fit on such a page")


def _read_narration(at: Cursor) -> str | tuple[Said, ...]:
    if isinstance(at.value, str):
        return at.text(MAX_NARRATION_CHARS)
    if not isinstance(at.value, list):
        at.fail("wrong_type", "must be a string, or an array of lines")
        return ""
    return tuple(_read_line(line) for line in at.items(MAX_LINES))


def _read_line(at: Cursor) -> Said:
    if isinstance(at.value, str):
        return Said(at.text(MAX_NARRATION_CHARS))
    found = at.members(("text", "reveal"), ("text",))
    text = found["text"].text(MAX_NARRATION_CHARS) if "text" in found else ""
    return Said(text, found["reveal"].integer(0, 100_000) if "reveal" in found else None)


def _narration_json(scene: Scene) -> list[Any]:
    """A line that reveals one thing more is its text; others tell up to where all is shown."""
    steps = [0] if scene.heading else []
    for cell in cells_of(scene.blocks):
        steps += [part.step for part in items_of(cell) or (cell,)]  # type: ignore[union-attr]
    lines: list[Any] = []
    shown = -1
    for line in scene.lines:
        at = sum(step <= line.step for step in steps) - 1
        lines.append(line.text if at == shown + 1 else {"text": line.text, "reveal": max(at, 0)})
        shown = max(shown, at)
    return lines
