"""Lays out sections on pages: each page is a scene with a layout, reveal steps and narration lines.

Long sections take several pages, so that no page holds more than can be read. Heights are estimates in lines of body
text; the theme corrects the rest by scaling, within limits. Markdown and scene documents share this code (decision 87).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Any, Final, TypeVar

from attrs import evolve, frozen

from eventflow.requests.limits import MAX_SCENES
from handlers.generation.aspects import aspect_of
from handlers.generation.control import until_stopped
from handlers.generation.errors import ScriptError
from handlers.generation.script.callout_titles import with_titles
from handlers.generation.script.content import (
    CONTINUED,
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
    Layout,
    Line,
    Math,
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
    Table,
    Whole,
    cells_of,
    items_of,
)
from handlers.generation.script.graphemes import wrapped
from handlers.generation.script.inline import plain
from handlers.generation.script.phrases import Phrases, say_block, say_spans
from handlers.generation.script.sentences import sentences
from handlers.generation.script.span_pieces import pieces_of


@frozen(kw_only=True)
class Capacity:
    """The capacity of a page: `lines` is its height in lines of body text, `*_chars` the characters of a line."""

    lines: float
    bullet_chars: int
    text_chars: int
    quote_chars: int
    table_chars: int
    code_columns: int
    code_lines: int
    table_rows: int
    table_columns: int
    #: Texts of up to so many characters are never divided among pages.
    piece_chars: int
    #: Columns are set below each other.
    stacked: bool = False


_CAPACITIES: Final = {
    "16:9": Capacity(
        lines=10.5,
        bullet_chars=72,
        text_chars=78,
        quote_chars=58,
        table_chars=84,
        code_columns=88,
        code_lines=17,
        table_rows=7,
        table_columns=6,
        piece_chars=420,
    ),
    "9:16": Capacity(
        lines=13.5,
        bullet_chars=36,
        text_chars=40,
        quote_chars=30,
        table_chars=40,
        code_columns=54,
        code_lines=24,
        table_rows=8,
        table_columns=3,
        piece_chars=260,
        stacked=True,
    ),
    "1:1": Capacity(
        lines=10.0,
        bullet_chars=44,
        text_chars=50,
        quote_chars=36,
        table_chars=50,
        code_columns=56,
        code_lines=17,
        table_rows=7,
        table_columns=4,
        piece_chars=300,
    ),
}


def capacity_of(aspect: str) -> Capacity:
    """Return the capacity of pages in an aspect. Raises UnknownAspect."""
    return _CAPACITIES[aspect_of(aspect).name]


#: The capacity of a 16:9 page.
WIDE = capacity_of("16:9")
MAX_PAGES = 300
#: Characters of a table's header, which is repeated on every page.
MAX_HEADER_CHARS = 2_000

T = TypeVar("T")
Body = Sequence[Block | Note]


@frozen
class _Piece:
    """A part of block number `of` of a section."""

    of: int
    block: Block | Note


def paginate(body: Body, room: Capacity = WIDE) -> list[list[Block | Note]]:
    """Divide `body` into at least one page of capacity `room`; nothing is dropped.

    Raises ScriptError for more than MAX_PAGES.
    """
    pages: list[list[_Piece]] = [[]]
    used = 0.0
    begun = False  # whether the page has anything but headings and notes
    for piece in (_Piece(at, small) for at, whole in enumerate(body) for small in _split(whole, room)):
        height = _height(piece.block, room)
        if used + height > room.lines and (begun or used > room.lines):
            # A sub-heading at the foot of a page moves to the page of its text.
            last = pages[-1][-1]
            orphans = [pages[-1].pop()] if isinstance(last.block, Heading) and len(pages[-1]) > 1 else []
            pages.append(orphans)
            if len(pages) > MAX_PAGES:
                raise ScriptError(f"one scene's text takes more than {MAX_PAGES} pages; that is too long for a video")
            used = sum(_height(orphan.block, room) for orphan in orphans)
            begun = False
        begun = begun or not isinstance(piece.block, Heading | Note)
        pages[-1].append(piece)
        used += height
    return [_join(page) for page in pages]


def _split(block: Block | Note, room: Capacity) -> Iterator[Block | Note]:
    """Divide a block into the pieces that pagination places one by one."""
    match block:
        case Bullets():
            for item in block.items:
                for part, (spans, last) in enumerate(pieces_of(item.spans, room.piece_chars)):
                    piece = evolve(item, spans=spans, cut=not last, pause_s=item.pause_s if last else 0.0)
                    yield Bullets((evolve(piece, number=None, done=None, continued=True) if part else piece,))
        case Paragraph():
            for sentence in block.sentences:
                for spans, last in pieces_of(sentence.spans, room.piece_chars):
                    pause_s = sentence.pause_s if last else 0.0
                    said = Sentence(spans, pause_s=pause_s, cut=not last or sentence.cut)
                    yield evolve(block, sentences=(said,))
        case Code():
            yield from _split_code(block, room)
        case Table():
            yield from _split_table(block, room)
        case Quote():
            for spans, last in pieces_of(block.spans, room.piece_chars):
                yield evolve(block, spans=spans, source=block.source if last else (), cut=not last)
        case Callout():
            yield from _split_callout(block, room)
        case _:
            yield block


def _split_callout(callout: Callout, room: Capacity) -> Iterator[Callout]:
    """Divide a callout that is higher than a page into boxes of one title."""
    inner = evolve(room, lines=room.lines - _TITLE_LINES)
    pages: list[list[Any]] = paginate(callout.blocks, inner)
    for page in pages:
        yield evolve(callout, blocks=tuple(page))


def _split_code(code: Code, room: Capacity) -> Iterator[Code]:
    """Divide a listing into runs of lines that fit a page; long lines are wrapped, and highlighted as wholes."""
    given = enumerate(code.text.split("\n"), 1)
    lines = [(piece, number) for number, line in given for piece in wrapped(line, room.code_columns, CONTINUED)]
    marked = set(code.highlight)
    for run in _even_runs(lines, room.code_lines):
        highlight = tuple(at for at, (_, number) in enumerate(run, 1) if number in marked)
        yield evolve(code, text="\n".join(piece for piece, _ in run), highlight=highlight)


def _join(page: list[_Piece]) -> list[Block | Note]:
    """Join pieces of the same list or paragraph on a page into one block."""
    joined: list[Block | Note] = []
    previous: int | None = None
    for piece in page:
        last = joined[-1] if joined and piece.of == previous else None
        match last, piece.block:
            case Callout(), Callout():
                joined[-1] = evolve(last, blocks=last.blocks + piece.block.blocks)
            case Bullets(), Bullets():
                joined[-1] = Bullets(last.items + piece.block.items)
            case Paragraph(), Paragraph():
                joined[-1] = evolve(last, sentences=last.sentences + piece.block.sentences)
            case _:
                joined.append(piece.block)
        previous = piece.of
    return joined


#: The height of a callout's title and frame, in lines of text.
_TITLE_LINES: Final = 2.0


def _height(block: Block | Note, room: Capacity) -> float:
    match block:
        case Bullets():
            return sum(_lines(item.spans, room.bullet_chars - 4 * item.depth) + 0.25 for item in block.items)
        case Paragraph():
            label = 0.7 if block.speaker.strip() else 0.0
            if block.rows:
                return sum(_lines(sentence.spans, room.text_chars) for sentence in block.sentences) + 0.6 + label
            return sum(len(plain(sentence.spans)) / room.text_chars for sentence in block.sentences) + 0.6 + label
        case Code():
            return 0.56 * (block.text.count("\n") + 1) + 1.0
        case Table():
            width = max(12, room.table_chars // max(1, len(block.header)))
            rows = (block.header, *block.rows)
            return sum(max((_lines(cell, width) for cell in row), default=1.0) * 0.8 + 0.4 for row in rows)
        case Math():
            return 2.4 + 1.4 * block.source.count("\\\\")
        case Quote():
            return 1.2 * _lines(block.spans, room.quote_chars) + (1.8 if block.source else 1.0)
        case Heading():
            return 1.3
        case Image() | Chart() | Diagram() | Clip():
            return 7.0
        case Columns():
            sides = [sum(_height(cell, room) for cell in side) for side in (block.left, block.right)]
            return sum(sides) if room.stacked else max(sides)
        case Callout():
            return _TITLE_LINES + sum(_height(cell, room) for cell in block.blocks)
        case Footnotes():
            return 0.4 + sum(0.6 * _lines(note.spans, 2 * room.text_chars) for note in block.notes)
        case Note():
            return 0.0


def _lines(spans: Spans, width: int) -> float:
    return float(sum(max(1, -(-len(row) // width)) for row in plain(spans).split("\n")))


def _even_runs(lines: list[T], longest: int) -> Iterator[list[T]]:
    count = max(1, -(-len(lines) // longest))
    size = -(-len(lines) // count)
    for at in range(0, len(lines), size):
        yield lines[at : at + size]


def _split_table(table: Table, room: Capacity) -> Iterator[Table]:
    """Divide a table into groups of rows under its header; a wide one also into columns, the first one repeated."""
    chars = sum(len(plain(cell)) for cell in table.header)
    if chars > MAX_HEADER_CHARS:
        raise ScriptError(f"the header of a table has {chars:,} characters; at most {MAX_HEADER_CHARS:,} are possible")
    width = max(len(table.header), *(len(row) for row in table.rows), 0)

    def padded(row: tuple[Spans, ...]) -> tuple[Spans, ...]:
        return row + ((),) * (width - len(row))

    groups = [tuple(range(width))]
    if width > room.table_columns:
        step = room.table_columns - 1
        groups = [(0, *range(at, min(at + step, width))) for at in range(1, width, step)]
    for columns in groups:
        header = tuple(padded(table.header)[column] for column in columns)
        rows = [tuple(padded(row)[column] for column in columns) for row in table.rows]
        height, run = 0.0, list[tuple[Spans, ...]]()
        for row in rows:
            height += _height(Table(header, (row,)), room) - _height(Table(header, ()), room)
            if run and (len(run) == room.table_rows or height > room.lines):
                yield evolve(table, header=header, rows=tuple(run))
                height, run = 0.0, []
            run.append(row)
        yield evolve(table, header=header, rows=tuple(run))


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
        silent = isinstance(block, Paragraph) and block.silent
        speaker = block.speaker if isinstance(block, Paragraph) else ""

        def shown(part: _Part, own_words: bool = own_words, speaker: str = speaker, silent: bool = silent) -> int:
            pause_s = part.pause_s if isinstance(part, Sentence | Bullet) else 0.0
            cut = isinstance(part, Sentence | Bullet | Quote) and part.cut
            said = "" if silent else _say(part, phrases, own_words=own_words)
            return reveal(said, speaker=speaker, pause_s=pause_s, cut=cut)

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
        given = {"speaker": said.speaker, "voice": said.voice, "pause_s": said.pause_s, "cut": said.cut}
        lines.append(Line(step, said.text, **given))  # type: ignore[arg-type]
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
            return evolve(block, sentences=tuple(stepped), silent=False)
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
