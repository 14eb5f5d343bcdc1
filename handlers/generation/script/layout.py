"""Lays out sections on pages: each page is a scene with a layout, reveal steps and narration lines.

Long sections take several pages (`paging`). Markdown and scene documents share this code (decision 87).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Any

from attrs import evolve, frozen

from eventflow.requests.limits import MAX_SCENES
from handlers.generation.control import until_stopped
from handlers.generation.errors import ScriptError
from handlers.generation.script.callout_titles import with_titles
from handlers.generation.script.content import (
    Block,
    Bullet,
    Bullets,
    Callout,
    Columns,
    Image,
    Layout,
    Line,
    Note,
    Paragraph,
    Quote,
    Said,
    Scene,
    Script,
    Section,
    Sentence,
    Span,
    Spans,
    Whole,
    cells_of,
    items_of,
)
from handlers.generation.script.inline import plain
from handlers.generation.script.paging import Capacity, capacity_of, paginate
from handlers.generation.script.phrases import Phrases, say_block, say_spans
from handlers.generation.script.sentences import sentences

#: Characters of text on a title page, or on a picture that fills the page.
MAX_SUBTITLE_CHARS = 240

#: Characters of a page of text without a heading: it is read like a caption.
_PLAIN_CHARS = 330
#: Layouts that always take one page.
_ONE_PAGE = ("title", "section", "image", "outro")

#: Items that are revealed one by one.
_Part = Bullet | Sentence | Whole


def lay_out_scenes(
    sections: Sequence[Section],
    title: str,
    phrases: Phrases,
    aspect: str = "16:9",
    should_stop: Callable[[], bool] = lambda: False,
    *,
    language: str = "en",
) -> Script:
    """Lay out sections as scenes; `aspect` decides how much a page holds, `title` is that of the video.

    `language`, a BCP 47 tag, decides where the sentences of a narration end.

    Raises ScriptError (nothing to show, too many scenes), UnknownAspect, Stopped.
    """
    room = capacity_of(aspect)
    scenes: list[Scene] = []
    for number, section in enumerate(until_stopped(sections, should_stop)):
        titled = with_titles(section, phrases.callouts)
        scenes += _scenes(titled, title, phrases, room, first=number == 0, language=language)
        if len(scenes) > MAX_SCENES:
            raise ScriptError(
                f"the script makes {len(scenes)} scenes in its first {number + 1} of {len(sections)} sections; at most "
                f"{MAX_SCENES} are possible"
            )
    if not scenes:
        raise ScriptError("the script has nothing to say: write a heading, a list or some text")
    return Script(title, tuple(evolve(scene, index=i, count=len(scenes)) for i, scene in enumerate(scenes)))


@frozen(kw_only=True)
class _Page:
    layout: Layout
    heading: Spans
    body: tuple[Block | Note, ...]
    part: int
    parts: int

    @property
    def reveals(self) -> int:
        """The number of items that can be revealed, heading included."""
        blocks = [block for block in self.body if not isinstance(block, Note)]
        return bool(self.heading) + sum(len(items_of(cell)) or 1 for cell in cells_of(blocks))


def _scenes(
    section: Section, deck: str, phrases: Phrases, room: Capacity, *, first: bool, language: str
) -> Iterator[Scene]:
    pages = _pages(section, room, first=first)
    if section.narration is None:
        derived = [scene for page in pages if (scene := _derived(page, deck, phrases)) is not None]
        yield from _directed(derived, section)
        return
    continued = pages[0].part > 1
    narrated = []
    for page, lines in zip(pages, _spread(section.narration, pages, language), strict=True):
        again = page.heading and page.part > 1 and not continued
        moved = [evolve(line, reveal=_at(line) + 1) for line in lines]
        narrated.append(_narrated(page, deck, [Said("", 0), *moved] if again else lines))
    yield from _directed(narrated, section)


def _directed(scenes: Sequence[Scene], section: Section) -> Iterator[Scene]:
    """Give the pages of a section its hint and their shares of its wished length, by what is said on each."""
    if not section.hint and section.wished_s is None:
        yield from scenes
        return
    chars = [1 + sum(len(line.text) for line in scene.lines) for scene in scenes]
    for scene, share in zip(scenes, chars, strict=True):
        wished_s = None if section.wished_s is None else round(section.wished_s * share / sum(chars), 3)
        yield evolve(scene, hint=section.hint, wished_s=wished_s)


def _pages(section: Section, room: Capacity, *, first: bool) -> list[_Page]:
    body = section.body if section.heading or section.layout else _airy(section.body)
    shown = [block for block in section.body if not isinstance(block, Note)]
    layout = section.layout or _layout(section, shown, first=first)
    pages = [list(body)] if layout in _ONE_PAGE else paginate(body, room)
    if layout == "quote" and len(pages) > 1:
        layout = "content"
    if len(pages) == 1:
        return [
            _Page(layout=layout, heading=section.heading, body=tuple(pages[0]), part=section.part, parts=section.parts)
        ]
    return [
        _Page(layout=layout, heading=section.heading, body=tuple(page), part=n, parts=len(pages))
        for n, page in enumerate(pages, start=1)
    ]


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
    """Cut long paragraphs into groups of sentences, each of which fills a page."""
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
                airy.append(evolve(block, sentences=tuple(group)))
                group, length = [], len(plain(sentence.spans))
            group.append(sentence)
        airy.append(evolve(block, sentences=tuple(group)))
    return tuple(airy)


def _derived(page: _Page, deck: str, phrases: Phrases) -> Scene | None:
    """Make a scene whose items are spoken as they are revealed; None for an empty page."""
    lines: list[Line] = []
    step = -1

    def reveal(text: str, *, speaker: str = "", pause_s: float = 0.0, cut: bool = False) -> int:
        nonlocal step
        step += 1
        lines.append(Line(step, text, speaker=speaker, pause_s=pause_s, cut=cut))
        return step

    if page.heading:
        # Further pages of a section show its heading but don't speak it.
        reveal(say_spans(page.heading, phrases) if page.part == 1 else "")
    blocks: list[Block] = []
    for at, block in enumerate(page.body):
        if isinstance(block, Note):
            lines.append(Line(max(step, 0), block.text))
            continue
        noted = at + 1 < len(page.body) and isinstance(page.body[at + 1], Note)
        # A note after a listing or table replaces its generated narration.
        own_words = noted and not isinstance(block, Quote | Columns)
        speaker = block.speaker if isinstance(block, Paragraph) else ""

        def shown(part: _Part, own_words: bool = own_words, speaker: str = speaker) -> int:
            pause_s = part.pause_s if isinstance(part, Sentence | Bullet) else 0.0
            cut = isinstance(part, Sentence | Bullet | Quote) and part.cut
            return reveal(_say(part, phrases, own_words=own_words), speaker=speaker, pause_s=pause_s, cut=cut)

        blocks.append(_stepped(block, shown))
    if not page.heading and not blocks:
        return _scene(page, deck, (), lines) if lines else None
    return _scene(page, deck, blocks, lines)


def _say(part: _Part, phrases: Phrases, *, own_words: bool) -> str:
    match part:
        case Bullet() | Sentence():
            return say_spans(part.spans, phrases)
        case _:
            return "" if own_words else say_block(part, phrases)


def _at(said: Said) -> int:
    return said.reveal or 0


def _narrated(page: _Page, deck: str, entries: list[Said]) -> Scene:
    """Make a scene with the author's lines; each line reveals all items up to the one that it names."""
    last = max(0, page.reveals - 1)
    entries = entries or [Said("", last)]
    lines: list[Line] = []
    steps: dict[int, int] = {}  # reveal -> step
    shown = -1
    for said in entries:
        at = _at(said)
        if not lines:
            step = 0
        elif at > shown:
            step += 1
        steps |= dict.fromkeys(range(shown + 1, at + 1), step)
        shown = max(shown, at)
        lines.append(Line(step, said.text, speaker=said.speaker, voice=said.voice, pause_s=said.pause_s, cut=said.cut))
    steps |= dict.fromkeys(range(shown + 1, last + 1), step)  # items that no line names come with the last line
    reveals = iter(range(bool(page.heading), last + 1))
    blocks = [_stepped(b, lambda _: steps[next(reveals)]) for b in page.body if not isinstance(b, Note)]
    return _scene(page, deck, blocks, lines)


def _scene(page: _Page, deck: str, blocks: Sequence[Block], lines: Sequence[Line]) -> Scene:
    """Make a scene; a page without heading and blocks shows the video's title."""
    bare = not page.heading and not blocks
    layout, heading = ("section", (Span(deck),)) if bare else (page.layout, page.heading)
    return Scene(0, 1, deck, layout, heading, tuple(blocks), tuple(lines), page.part, page.parts)


def _stepped(block: Block, reveal: Callable[[_Part], int]) -> Block:
    """Set the step of every item of a block, in reading order."""
    match block:
        case Bullets():
            return Bullets(tuple(evolve(item, step=reveal(item), pause_s=0.0, cut=False) for item in block.items))
        case Paragraph():
            stepped = (evolve(each, step=reveal(each), pause_s=0.0, cut=False) for each in block.sentences)
            return evolve(block, sentences=tuple(stepped))
        case Columns():
            left: list[Any] = [_stepped(cell, reveal) for cell in block.left]
            right: list[Any] = [_stepped(cell, reveal) for cell in block.right]
            return Columns(tuple(left), tuple(right))
        case Callout():
            cells: list[Any] = [_stepped(cell, reveal) for cell in block.blocks]
            return evolve(block, blocks=tuple(cells))
        case Quote():
            return evolve(block, step=reveal(block), cut=False)
        case _:
            return evolve(block, step=reveal(block))


def _spread(narration: str | tuple[Said, ...], pages: Sequence[_Page], language: str) -> list[list[Said]]:
    """Divide a section's narration among its pages: the lines of each page, all with a reveal.

    Reveals count from 0 on each page, but over all pages in `narration`, where repeated headings don't count.
    """
    counts = [page.reveals - (at > 0 and bool(page.heading)) for at, page in enumerate(pages)]
    starts = [0, *accumulate(counts)]
    total = max(1, starts[-1])
    entries = _evenly(narration, total, language) if isinstance(narration, str) else _in_turn(narration, total)
    spread: list[list[Said]] = [[] for _ in pages]
    page = 0
    for said in entries:
        while page < len(pages) - 1 and _at(said) >= starts[page + 1]:
            page += 1
        spread[page].append(evolve(said, reveal=_at(said) - starts[page]))
    return spread


def _evenly(text: str, total: int, language: str) -> list[Said]:
    """Spread the sentences of a text evenly over `total` reveals."""
    said = [plain(sentence) for sentence in sentences((Span(text),), language)]
    count = len(said)
    if count >= total:
        return [Said(line, n * total // count) for n, line in enumerate(said)]
    return [Said(line, -(-(n + 1) * total // count) - 1) for n, line in enumerate(said)]


def _in_turn(said: tuple[Said, ...], total: int) -> list[Said]:
    found: list[Said] = []
    shown = -1
    for line in said:
        shown = min(shown + 1 if line.reveal is None else max(line.reveal, shown), total - 1)
        found.append(evolve(line, reveal=max(shown, 0)))
    return found


MAX_NOTE_CHARS = 20_000
