"""The scene document, version 1: the `scenes` of the API, and the answer of planning; JSON both ways.

`ops/scenes.md` is its reference. Reading is strict: unknown fields are refused by name, every fault has the JSON
pointer of its place, sizes and counts are limited. A written document reads back as exactly the same scenes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, get_args

import orjson
from attrs import frozen

from eventflow.requests.errors import Fault, RequestInvalid
from eventflow.requests.json_reader import (
    Array,
    Choice,
    Cursor,
    Described,
    Either,
    Faults,
    Flag,
    Integer,
    JsonType,
    Number,
    Object,
    Pattern,
    Schema,
    read_value,
)
from eventflow.requests.limits import (
    LONGEST_PAUSE_S,
    LONGEST_WISH_S,
    MAX_HEADING_CHARS,
    MAX_SCENES,
    MAX_TITLE_CHARS,
    VOICE_NAME,
)
from eventflow.requests.video_request import DOCUMENT_VERSION
from handlers.generation.control import until_stopped
from handlers.generation.errors import DocumentError
from handlers.generation.script.blockjson import block_json, text_json
from handlers.generation.script.blocks import BLOCK, MAX_SPEAKER_CHARS, Inline, Label, Plain, Values
from handlers.generation.script.content import (
    Block,
    Clip,
    Image,
    Layout,
    Line,
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
from handlers.generation.script.layout import lay_out_scenes
from handlers.generation.script.merge import Filling
from handlers.generation.script.phrases import phrases_for
from handlers.generation.script.sentences import cut_section

LAYOUTS: Final[tuple[Layout, ...]] = get_args(Layout)
MAX_BLOCKS: Final = 200
MAX_LINES: Final = 1_000
MAX_NARRATION_CHARS: Final = 20_000
MAX_PARTS: Final = 10_000
MAX_HINT_CHARS: Final = 2_000
MAX_REVEALS: Final = 100_000
#: Characters of the paragraphs of a page that holds nothing else.
MAX_WORDS_CHARS: Final = 600


def read_document(
    text: str | bytes,
    voice: str = "en-us",
    merge: Mapping[str, str] | None = None,
    aspect: str = "16:9",
    should_stop: Callable[[], bool] = lambda: False,
) -> Script:
    """The script in the JSON text of a document. Raises as `read_scenes`."""
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
    """The script in a document that is parsed already; the voice's language decides the few words that are added.

    Raises DocumentError, UnknownField and FilledTooLong for merge fields, Stopped.
    """
    filling = Filling(merge or {})
    try:
        found = read_value(value, _document(should_stop).read)
        cut = (cut_section(section, voice) for section in until_stopped(found["scenes"], should_stop))
        sections = [filling.section(section) for section in cut]
        title = filling.text(found.get("title", ""))
        _check_filled(title, sections)
    except RequestInvalid as error:
        raise DocumentError(error.faults) from None
    headings = (heading for section in sections if (heading := plain(section.heading)))
    title = title or next(headings, "")[:MAX_TITLE_CHARS] or "Untitled"
    return lay_out_scenes(sections, title, phrases_for(voice), aspect, should_stop, language=voice)


def scenes_schema() -> Schema:
    """The JSON schema of `scenes`, for API descriptions and for models that write scenes.

    It names no other schema, so that it can stand anywhere. It says less than the reader checks: scenes that it lets
    through may still be refused, for their size or because a layout can't show them.
    """
    about = "Pages of the video; texts are inline Markdown (bold, italic, `code`, $math$)."
    return Described(Array(_SCENE, MAX_SCENES, empty=False), about).schema()


def _document(should_stop: Callable[[], bool]) -> Object:
    fields = {"version": _Version(), "title": Label(MAX_TITLE_CHARS), "scenes": _Scenes(should_stop)}
    return Object(fields, required=("version", "scenes"))


@frozen
class _Version(JsonType):
    """The version of the document."""

    def read(self, at: Cursor) -> Any:
        if at.value != DOCUMENT_VERSION:
            at.fail("unknown_value", f"must be {DOCUMENT_VERSION}, the only version")
        return at.value

    def schema(self) -> Schema:
        return {"const": DOCUMENT_VERSION}


@frozen
class _Scenes(JsonType):
    """The scenes, read until somebody asks to stop."""

    should_stop: Callable[[], bool]

    def read(self, at: Cursor) -> list[Section]:
        return list(until_stopped(Array(_SCENE, MAX_SCENES, empty=False).items(at), self.should_stop))

    def schema(self) -> Schema:
        return scenes_schema()


def _check_filled(title: str, sections: Sequence[Section]) -> None:
    """Check that titles are still short enough once their fields are filled in: every page repeats them.

    Raises RequestInvalid.
    """
    faults = Faults()
    headings = [
        (f"/scenes/{at}/title", plain(section.heading), MAX_HEADING_CHARS) for at, section in enumerate(sections)
    ]
    for pointer, text, most in (("/title", title, MAX_TITLE_CHARS), *headings):
        if len(text) > most:
            reason = f"has {len(text):,} characters once its fields are filled in; at most {most} are allowed"
            faults.add(pointer, "too_long", reason)
    faults.raise_if_any()


def write_document(script: Script, language: str = "en") -> dict[str, Any]:
    """The document of a script, as JSON values, for readers with a voice of this language."""
    return {
        "version": DOCUMENT_VERSION,
        "title": script.title,
        "scenes": [scene_json(scene, language) for scene in script.scenes],
    }


def scene_json(scene: Scene, language: str = "en") -> dict[str, Any]:
    """One scene; its narration is written out for editing."""
    made: dict[str, Any] = {"layout": scene.layout}
    if scene.heading:
        made["title"] = text_json(scene.heading)
    if scene.blocks:
        made["blocks"] = [block_json(block, language) for block in scene.blocks]
    made["narration"] = _narration_json(scene)
    if scene.hint:
        made["hint"] = scene.hint
    if scene.wished_s is not None:
        made["wished_s"] = scene.wished_s
    if scene.parts > 1:
        made |= {"part": scene.part, "parts": scene.parts}
    return made


def _section(at: Cursor, values: Values) -> Section:
    heading, blocks, narration = values.get("title", ()), values.get("blocks", ()), values.get("narration")
    part, parts = values.get("part", 1), values.get("parts", 1)
    layout: Layout = values.get("layout") or _layout(blocks)
    if part > parts:
        at.fail_at("part", "out_of_range", f"must be from 1 to {parts}, the number of parts, not {part}")
    if not heading and not blocks and not narration:
        at.fail("empty", "the scene has neither a title nor blocks nor narration")
    elif "layout" in values:
        _check_layout(at.at("layout"), layout, bool(heading), blocks)
    hint, wished_s = values.get("hint", ""), values.get("wished_s")
    return Section(0, heading, blocks, layout, narration, part, parts, hint=hint, wished_s=wished_s)


def _layout(blocks: tuple[Block, ...]) -> Layout:
    if not blocks:
        return "section"
    return "quote" if len(blocks) == 1 and isinstance(blocks[0], Quote) else "content"


def _check_layout(at: Cursor, layout: Layout, heading: bool, blocks: tuple[Block, ...]) -> None:
    """Refuse blocks that the layout can't show."""
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
            at.fail("too_long", f"the paragraphs have {chars:,} characters; {MAX_WORDS_CHARS} fit on such a page")


def _narration_json(scene: Scene) -> list[Any]:
    """A line that reveals exactly the next thing is its text; others name the last thing that is shown."""
    steps = [0] if scene.heading else []
    for cell in cells_of(scene.blocks):
        steps += [part.step for part in items_of(cell) or (cell,)]  # type: ignore[union-attr]
    lines: list[Any] = []
    shown = -1
    for line in scene.lines:
        at = sum(step <= line.step for step in steps) - 1
        more = _manner(line)
        if at != shown + 1:
            more = {"reveal": max(at, 0), **more}
        lines.append({"text": line.text, **more} if more else line.text)
        shown = max(shown, at)
    return lines


def _manner(line: Line) -> dict[str, Any]:
    """Who says a line, by what voice, and what is behind it, where it isn't the usual."""
    given = {"speaker": line.speaker, "voice": line.voice, "pause_s": line.pause_s, "cut": line.cut}
    return {name: value for name, value in given.items() if value}


@frozen
class _Line(JsonType):
    """A line of narration: a string, or an object with what it reveals."""

    def read(self, at: Cursor) -> Said:
        if isinstance(at.value, str):
            return Said(_SPOKEN.read(at))
        values = _LINE.values(at)
        return Said(**{"text": "", **values})

    def schema(self) -> Schema:
        return {"anyOf": [_SPOKEN.schema(), _LINE.schema()]}


_SPOKEN: Final = Plain(MAX_NARRATION_CHARS)
_LINE: Final = Object(
    {
        "text": _SPOKEN,
        "reveal": Integer(0, MAX_REVEALS),
        "speaker": Label(MAX_SPEAKER_CHARS),
        "voice": Pattern(VOICE_NAME, "the name of a voice"),
        "pause_s": Number(0, LONGEST_PAUSE_S),
        "cut": Described(Flag(), "Its sentence goes on in the next line."),
    },
    required=("text",),
)
_NARRATION: Final = Described(
    Either({str: _SPOKEN, list: Array(_Line(), MAX_LINES)}, "a string, or an array of lines"),
    "The spoken text. An array has a line for each thing that is revealed, the title first. Left out: the page is read "
    "out.",
)
_PART: Final = Integer(1, MAX_PARTS)
_SCENE: Final = Object(
    {
        "layout": Choice(LAYOUTS, noun="layout"),
        "title": Inline(MAX_HEADING_CHARS),
        "blocks": Array(BLOCK, MAX_BLOCKS),
        "narration": _NARRATION,
        "part": _PART,
        "parts": _PART,
        "hint": Described(Plain(MAX_HINT_CHARS), "What is to be seen: the prompt of the pipeline remote."),
        "wished_s": Described(Number(0, LONGEST_WISH_S), "Length in seconds, where less is said; silence fills it."),
    },
    make=_section,
)
