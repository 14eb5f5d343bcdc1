"""Sections onto pages: long ones over several, each with its layout, its reveal steps and its narration lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Any

from attrs import evolve, frozen

from eventflow.requests.limits import MAX_SCENES
from handlers.generation.control import until_stopped
from handlers.generation.errors import ScriptError
from handlers.generation.script.content import (
    Block,
    Bullet,
    Bullets,
    Cell,
    Clip,
    Columns,
    Image,
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
from handlers.generation.script.inline import plain, sentences
from handlers.generation.script.page_capacity import Capacity, capacity_of
from handlers.generation.script.pagination import cells_of, items_of, paginate
from handlers.generation.script.phrases import Phrases, say_block, say_spans
from handlers.generation.script.sections import Note, Said, Section

#: Of what stands under the title of a title page, or on a picture that fills the page.
MAX_SUBTITLE_CHARS = 240

#: Pages of text without a heading hold fewer blocks: they are read like captions, not like a page.
_PLAIN_CHARS = 330
#: Layouts that are one page, whatever is on it.
_ONE_PAGE = ("title", "section", "image", "outro")

#: What is revealed on its own.
_Part = Bullet | Sentence | Cell | Clip


def lay_out_scenes(
    sections: Sequence[Section],
    title: str,
    phrases: Phrases,
    aspect: str = "16:9",
    should_stop: Callable[[], bool] = lambda: False,
) -> Script:
    """The scenes of sections; `aspect` decides how much a page holds.

    Raises ScriptError (nothing to say, too many scenes), UnknownAspect, Stopped.
    """
    room = capacity_of(aspect)
    scenes: list[Scene] = []
    for number, section in enumerate(until_stopped(sections, should_stop)):
        scenes += _scenes(section, title, phrases, room, first=number == 0)
        if len(scenes) > MAX_SCENES:
            raise ScriptError(
                f"the script makes {len(scenes)} scenes in its first {number + 1} of {len(sections)} sections; at most "
                f"{MAX_SCENES} are possible"
            )
    if not scenes:
        raise ScriptError("the script has nothing to say: write a heading, a list or some text")
    return Script(title, tuple(evolve(scene, index=i, count=len(scenes)) for i, scene in enumerate(scenes)))


@frozen
class _Page:
    layout: Layout
    heading: Spans
    body: tuple[Block | Note, ...]
    part: int
    parts: int

    @property
    def reveals(self) -> int:
        """How many things can be revealed on it, its heading included."""
        blocks = [block for block in self.body if not isinstance(block, Note)]
        return bool(self.heading) + sum(len(items_of(cell)) or 1 for cell in cells_of(blocks))


def _scenes(section: Section, deck: str, phrases: Phrases, room: Capacity, *, first: bool) -> Iterator[Scene]:
    pages = _pages(section, room, first=first)
    if section.narration is None:
        yield from (scene for page in pages if (scene := _derived(page, deck, phrases)) is not None)
        return
    continued = pages[0].part > 1
    for page, lines in zip(pages, _spread(section.narration, pages), strict=True):
        again = page.heading and page.part > 1 and not continued
        yield _told(page, deck, [(0, ""), *((at + 1, text) for at, text in lines)] if again else lines)


def _pages(section: Section, room: Capacity, *, first: bool) -> list[_Page]:
    body = section.body if section.heading or section.layout else _airy(section.body)
    shown = [block for block in section.body if not isinstance(block, Note)]
    layout = section.layout or _layout(section, shown, first=first)
    pages = [list(body)] if layout in _ONE_PAGE else paginate(body, room)
    if layout == "quote" and len(pages) > 1:
        layout = "content"
    if len(pages) == 1:
        return [_Page(layout, section.heading, tuple(pages[0]), section.part, section.parts)]
    return [_Page(layout, section.heading, tuple(page), n, len(pages)) for n, page in enumerate(pages, start=1)]


def _layout(section: Section, shown: list[Block], *, first: bool) -> Layout:
    texts = [block for block in shown if isinstance(block, Paragraph)]
    others = [block for block in shown if not isinstance(block, Paragraph)]
    few_words = sum(len(plain(s.spans)) for block in texts for s in block.sentences) <= MAX_SUBTITLE_CHARS
    if section.heading and first and section.level == 1 and not others and few_words:
        return "title"
    if section.heading and not shown:
        return "section"
    if len(others) == 1 and isinstance(others[0], Image) and others[0].fit == "cover" and few_words:
        return "image"
    return "quote" if len(shown) == 1 and isinstance(shown[0], Quote) else "content"


def _airy(body: tuple[Block | Note, ...]) -> tuple[Block | Note, ...]:
    """Long paragraphs cut into groups of sentences that fill a page of their own."""
    airy: list[Block | Note] = []
    for block in body:
        if not isinstance(block, Paragraph):
            airy.append(block)
            continue
        group: list[Sentence] = []
        length = 0
        for sentence in block.sentences:
            length += len(plain(sentence.spans))
            if group and length > _PLAIN_CHARS:
                airy.append(Paragraph(tuple(group)))
                group, length = [], len(plain(sentence.spans))
            group.append(sentence)
        airy.append(Paragraph(tuple(group)))
    return tuple(airy)


def _derived(page: _Page, deck: str, phrases: Phrases) -> Scene | None:
    """Everything is said as it is revealed; None when there is nothing to show or say."""
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
        # The author's own words about a listing or a table replace ours.
        own_words = noted and not isinstance(block, Quote | Columns)
        blocks.append(_stepped(block, lambda part: reveal(_say(part, phrases, own_words=own_words))))  # noqa: B023
    if not page.heading and not blocks:
        return _scene(page, deck, (), lines) if lines else None
    return _scene(page, deck, blocks, lines)


def _say(part: _Part, phrases: Phrases, *, own_words: bool) -> str:
    match part:
        case Bullet():
            return _full_stop(say_spans(part.spans, phrases))
        case Sentence():
            return say_spans(part.spans, phrases)
        case _:
            return "" if own_words else say_block(part, phrases)


def _told(page: _Page, deck: str, entries: list[tuple[int, str]]) -> Scene:
    """The lines of the author's own; with each, all is shown up to the reveal that it names."""
    last = max(0, page.reveals - 1)
    entries = entries or [(last, "")]
    lines: list[Line] = []
    steps: dict[int, int] = {}  # reveal -> step
    shown = -1
    for at, text in entries:
        if not lines:
            step = 0
        elif at > shown:
            step += 1
        steps |= dict.fromkeys(range(shown + 1, at + 1), step)
        shown = max(shown, at)
        lines.append(Line(step, text))
    steps |= dict.fromkeys(range(shown + 1, last + 1), step)  # what no line names comes with the last one
    reveals = iter(range(bool(page.heading), last + 1))
    blocks = [_stepped(b, lambda _: steps[next(reveals)]) for b in page.body if not isinstance(b, Note)]
    return _scene(page, deck, blocks, lines)


def _scene(page: _Page, deck: str, blocks: Sequence[Block], lines: Sequence[Line]) -> Scene:
    """Words without a picture are spoken over the deck's title."""
    bare = not page.heading and not blocks
    layout, heading = ("section", (Span(deck),)) if bare else (page.layout, page.heading)
    return Scene(0, 1, deck, layout, heading, tuple(blocks), tuple(lines), page.part, page.parts)


def _stepped(block: Block, reveal: Callable[[_Part], int]) -> Block:
    """The block with the step of everything on it that is revealed, in the order of reading."""
    match block:
        case Bullets():
            return Bullets(tuple(evolve(item, step=reveal(item)) for item in block.items))
        case Paragraph():
            return Paragraph(tuple(evolve(sentence, step=reveal(sentence)) for sentence in block.sentences))
        case Columns():
            left: list[Any] = [_stepped(cell, reveal) for cell in block.left]
            right: list[Any] = [_stepped(cell, reveal) for cell in block.right]
            return Columns(tuple(left), tuple(right))
        case _:
            return evolve(block, step=reveal(block))


def _spread(narration: str | tuple[Said, ...], pages: Sequence[_Page]) -> list[list[tuple[int, str]]]:
    """(reveal, line) for each page: reveals are counted from 0 on each page, and over all pages in `narration`, where a
    heading that comes again isn't counted."""
    counts = [page.reveals - (at > 0 and bool(page.heading)) for at, page in enumerate(pages)]
    starts = [0, *accumulate(counts)]
    total = max(1, starts[-1])
    entries = _evenly(narration, total) if isinstance(narration, str) else _in_turn(narration, total)
    spread: list[list[tuple[int, str]]] = [[] for _ in pages]
    page = 0
    for at, text in entries:
        while page < len(pages) - 1 and at >= starts[page + 1]:
            page += 1
        spread[page].append((at - starts[page], text))
    return spread


def _evenly(text: str, total: int) -> list[tuple[int, str]]:
    """The sentences of a text over all reveals."""
    said = [plain(sentence) for sentence in sentences((Span(text),))]
    count = len(said)
    if count >= total:
        return [(n * total // count, line) for n, line in enumerate(said)]
    return [(-(-(n + 1) * total // count) - 1, line) for n, line in enumerate(said)]


def _in_turn(said: tuple[Said, ...], total: int) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    shown = -1
    for line in said:
        shown = min(shown + 1 if line.reveal is None else max(line.reveal, shown), total - 1)
        found.append((max(shown, 0), line.text))
    return found


def _full_stop(text: str) -> str:
    """espeak lets its voice fall at the end of a sentence only."""
    return text if not text or text[-1] in ".!?:;…。！？" else text + "."
