"""Markdown or plain text -> `Script`: scenes with their reveal steps and narration lines.

The first `#` is the title of the video, each `##` (and `---`) begins a scene; text without headings
becomes scenes of its paragraphs. Long sections go over several pages; nothing is dropped.
"""

import re
import unicodedata

from attrs import evolve, frozen

from handlers.generation.content import (
    Block,
    Bullets,
    Columns,
    Layout,
    Line,
    Paragraph,
    Quote,
    Scene,
    Script,
    Sentence,
    Span,
    Spans,
)
from handlers.generation.errors import ScriptError
from handlers.generation.look.frames import Capacity, capacity_of
from handlers.generation.markdown import Note, Section, parse_sections, plain
from handlers.generation.narration import Phrases, phrases_for, say_block, say_spans
from handlers.generation.pagination import items_of, paginate

MAX_CHARS = 200_000
MAX_SCENES = 300

#: Pages of text without a heading hold fewer blocks: they are read like captions, not like a page.
_PLAIN_CHARS = 330

_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def clean(text: str) -> str:
    """`text` in NFC with plain line ends, without a byte order mark.

    Raises ScriptError when it is too long or has control characters (tab and line ends are fine).
    """
    if len(text) > MAX_CHARS:
        raise ScriptError(f"the script has {len(text):,} characters; at most {MAX_CHARS:,} are possible")
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if match := _FORBIDDEN.search(text):
        line = text.count("\n", 0, match.start()) + 1
        raise ScriptError(f"the script has the control character U+{ord(match[0]):04X} on line {line}")
    return unicodedata.normalize("NFC", text)


def parse_script(text: str, voice: str = "en-us", aspect: str = "16:9") -> Script:
    """The script in `text`; the voice's language decides the few words we add, `aspect` how much a page holds.

    Raises ScriptError, UnknownAspect.
    """
    room = capacity_of(aspect)
    sections = parse_sections(clean(text))
    title = _deck(sections)
    phrases = phrases_for(voice)
    pages = [page for number, section in enumerate(sections) for page in _pages(section, room, first=number == 0)]
    scenes = [scene for page in pages if (scene := _scene(page, title, phrases)) is not None]
    if not scenes:
        raise ScriptError("the script has nothing to say: write a heading, a list or some text")
    if len(scenes) > MAX_SCENES:
        raise ScriptError(f"the script makes {len(scenes)} scenes; at most {MAX_SCENES} are possible")
    return Script(title, tuple(evolve(scene, index=i, count=len(scenes)) for i, scene in enumerate(scenes)))


def _deck(sections: tuple[Section, ...]) -> str:
    """The title of the video: the first heading, else the beginning of the text."""
    for section in sections:
        if section.heading:
            return plain(section.heading)[:200]
    for section in sections:
        for block in section.body:
            for item in () if isinstance(block, Note) else items_of(block):
                words = plain(item.spans)
                return words if len(words) <= 60 else words[:60].rsplit(" ", 1)[0] + "…"
    return "Untitled"


@frozen
class _Page:
    layout: Layout
    heading: Spans
    body: tuple[Block | Note, ...]
    part: int
    parts: int


def _pages(section: Section, room: Capacity, *, first: bool) -> list[_Page]:
    body = section.body if section.heading else _airy(section.body)
    pages = paginate(body, room)
    shown = [block for block in section.body if not isinstance(block, Note)]
    layout: Layout = "content"
    if section.heading and first and section.level == 1 and _is_subtitle(shown):
        layout = "title"
    elif section.heading and not shown:
        layout = "section"
    elif len(pages) == 1 and len(shown) == 1 and isinstance(shown[0], Quote):
        layout = "quote"
    return [
        _Page(layout, section.heading, tuple(page), number, len(pages)) for number, page in enumerate(pages, start=1)
    ]


def _is_subtitle(shown: list[Block]) -> bool:
    """Whether blocks are few enough words to stand under the title."""
    texts = [s for block in shown if isinstance(block, Paragraph) for s in block.sentences]
    only_text = all(isinstance(block, Paragraph) for block in shown)
    return only_text and sum(len(plain(s.spans)) for s in texts) <= 240


def _airy(body: tuple[Block | Note, ...]) -> tuple[Block | Note, ...]:
    """Long paragraphs cut into groups of sentences that fill a page of their own."""
    airy: list[Block | Note] = []
    for block in body:
        if not isinstance(block, Paragraph):
            airy.append(block)
            continue
        group: list[Sentence] = []
        for sentence in block.sentences:
            if group and sum(len(plain(s.spans)) for s in (*group, sentence)) > _PLAIN_CHARS:
                airy.append(Paragraph(tuple(group)))
                group = []
            group.append(sentence)
        airy.append(Paragraph(tuple(group)))
    return tuple(airy)


def _scene(page: _Page, deck: str, phrases: Phrases) -> Scene | None:
    """Numbers the reveal steps and writes the lines; None when there is nothing to show or say."""
    lines: list[Line] = []
    step = -1

    def reveal(text: str) -> int:
        nonlocal step
        step += 1
        lines.append(Line(step, text))
        return step

    if page.heading:
        # Further pages of a section show its heading again but don't repeat it.
        reveal(_full_stop(say_spans(page.heading, phrases)) if page.part == 1 else "")
    blocks: list[Block] = []
    for at, block in enumerate(page.body):
        if isinstance(block, Note):
            lines.append(Line(max(step, 0), block.text))
            continue
        noted = at + 1 < len(page.body) and isinstance(page.body[at + 1], Note)
        match block:
            case Bullets():
                items = [evolve(i, step=reveal(_full_stop(say_spans(i.spans, phrases)))) for i in block.items]
                blocks.append(Bullets(tuple(items)))
            case Paragraph():
                said = [evolve(s, step=reveal(say_spans(s.spans, phrases))) for s in block.sentences]
                blocks.append(Paragraph(tuple(said)))
            case Columns():
                blocks.append(block)
            case _:
                # The author's own words about a listing or a table replace ours.
                own_words = noted and not isinstance(block, Quote)
                blocks.append(evolve(block, step=reveal("" if own_words else say_block(block, phrases))))
    if not page.heading and not blocks:
        return None if not lines else _bare(page, deck, lines)
    return Scene(0, 1, deck, page.layout, page.heading, tuple(blocks), tuple(lines), page.part, page.parts)


def _bare(page: _Page, deck: str, lines: list[Line]) -> Scene:
    """Words without a picture: the deck's title is shown while they are spoken."""
    return Scene(0, 1, deck, "section", (Span(deck),), (), tuple(lines))


def _full_stop(text: str) -> str:
    """espeak lets its voice fall at the end of a sentence only."""
    return text if not text or text[-1] in ".!?:;…。！？" else text + "."
