"""Divides the blocks of a section among pages, so that no page holds more than can be read.

Heights are estimates in lines of body text; the theme corrects the rest by scaling, within limits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from operator import attrgetter
from typing import Any, Final, TypeVar

from attrs import evolve, frozen

from handlers.generation.aspects import aspect_of
from handlers.generation.errors import ScriptError
from handlers.generation.script.content import (
    CONTINUED,
    Block,
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
    Note,
    Paragraph,
    Quote,
    Sentence,
    Spans,
    Table,
)
from handlers.generation.script.graphemes import wrapped
from handlers.generation.script.inline import plain
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
    """A part of block number `of` of a section, and its height in lines of text."""

    of: int
    block: Block | Note
    height: float


def paginate(body: Body, capacity: Capacity = WIDE) -> list[list[Block | Note]]:
    """Divide `body` into at least one page of a capacity; nothing is dropped.

    Raises ScriptError for more than MAX_PAGES.
    """
    pieces = [
        _Piece(at, small, _height(small, capacity))
        for at, whole in enumerate(body)
        for small in _split(whole, capacity)
    ]
    pages = _filled(pieces, capacity.lines)
    if len(pages) > 1:
        pages = min((pages, *_evened(pieces, capacity.lines, len(pages))), key=_unevenness)
    return [_join(page) for page in pages]


def _filled(pieces: Sequence[_Piece], lines: float, *, whole: bool = False) -> list[list[_Piece]]:
    """Fill pages of a height one after the other.

    `whole`: a block that fits on a page begins one rather than be cut, and so does a sub-heading in a lower half.
    """
    heights: defaultdict[int, float] = defaultdict(float)
    for piece in pieces:
        heights[piece.of] += piece.height
    pages: list[list[_Piece]] = [[]]
    used = 0.0
    begun = False  # whether the page has anything but headings and notes
    previous = -1
    for piece in pieces:
        full = used + piece.height > lines and (begun or used > lines)
        if whole and begun and piece.of != previous and used > lines / 2:
            full = full or isinstance(piece.block, Heading) or used + heights[piece.of] > lines
        if full:
            # A sub-heading at the foot of a page moves to the page of its text.
            last = pages[-1][-1]
            orphans = [pages[-1].pop()] if isinstance(last.block, Heading) and len(pages[-1]) > 1 else []
            pages.append(orphans)
            if len(pages) > MAX_PAGES:
                raise ScriptError(f"one scene's text takes more than {MAX_PAGES} pages; that is too long for a video")
            used = sum(orphan.height for orphan in orphans)
            begun = False
        begun = begun or not isinstance(piece.block, Heading | Note)
        pages[-1].append(piece)
        used += piece.height
        previous = piece.of
    return pages


#: Heights that are tried for pages that are filled evenly.
_EVEN_TRIES: Final = 6


def _evened(pieces: Sequence[_Piece], lines: float, count: int) -> Iterator[list[list[_Piece]]]:
    """Fill `count` pages with less on each than there is room for, so that the last one isn't left with a line."""
    least = min(lines, sum(piece.height for piece in pieces) / count)  # blocks may be higher than a page
    for attempt in range(_EVEN_TRIES):
        height = least + (lines - least) * attempt / _EVEN_TRIES
        pages = _filled(pieces, height, whole=True)
        if len(pages) != count:
            pages = _filled(pieces, height)
        if len(pages) == count:
            yield pages


def _unevenness(pages: Sequence[Sequence[_Piece]]) -> tuple[float, ...]:
    """How many blocks the pages cut, how few of them begin at sub-headings, and how unevenly they are filled."""
    cuts = sum(before[-1].of == page[0].of for before, page in pairwise(pages))
    headings = sum(isinstance(page[0].block, Heading) for page in pages[1:])
    heights = [sum(piece.height for piece in page) for page in pages]
    return cuts, -headings, max(heights) - min(heights)


def _split(block: Block | Note, capacity: Capacity) -> Iterator[Block | Note]:
    """Divide a block into the pieces that pagination places one by one."""
    match block:
        case Bullets():
            for item in block.items:
                for part, (spans, last) in enumerate(pieces_of(item.spans, capacity.piece_chars)):
                    if spans is item.spans:
                        yield Bullets((item,))
                        continue
                    piece = evolve(item, spans=spans, cut=not last, pause_s=item.pause_s if last else 0.0)
                    yield Bullets((evolve(piece, number=None, done=None, continued=True) if part else piece,))
        case Paragraph():
            for sentence in block.sentences:
                for spans, last in pieces_of(sentence.spans, capacity.piece_chars):
                    pause_s = sentence.pause_s if last else 0.0
                    said = Sentence(spans, pause_s=pause_s, cut=not last or sentence.cut)
                    yield evolve(block, sentences=(said,))
        case Code():
            yield from _split_code(block, capacity)
        case Table():
            yield from _split_table(block, capacity)
        case Quote():
            for spans, last in pieces_of(block.spans, capacity.piece_chars):
                yield evolve(block, spans=spans, source=block.source if last else (), cut=not last)
        case Callout():
            yield from _split_callout(block, capacity)
        case _:
            yield block


def _split_callout(callout: Callout, capacity: Capacity) -> Iterator[Callout]:
    """Divide a callout that is higher than a page into boxes of one title."""
    inner = evolve(capacity, lines=capacity.lines - _TITLE_LINES)
    pages: list[list[Any]] = paginate(callout.blocks, inner)
    for page in pages:
        yield evolve(callout, blocks=tuple(page))


def _split_code(code: Code, capacity: Capacity) -> Iterator[Code]:
    """Divide a listing into runs of lines that fit a page; long lines are wrapped, and highlighted as wholes."""
    given = enumerate(code.text.split("\n"), 1)
    lines = [(piece, number) for number, line in given for piece in wrapped(line, capacity.code_columns, CONTINUED)]
    marked = set(code.highlight)
    for run in _even_runs(lines, capacity.code_lines):
        highlight = tuple(at for at, (_, number) in enumerate(run, 1) if number in marked)
        yield evolve(code, text="\n".join(piece for piece, _ in run), highlight=highlight)


def _join(page: list[_Piece]) -> list[Block | Note]:
    """Join pieces of the same list or paragraph on a page into one block."""
    joined: list[Block | Note] = []
    for _, pieces in groupby(page, key=attrgetter("of")):
        first, *more = (piece.block for piece in pieces)
        parts: list[Any] = [first, *more]
        match first:
            case Callout() if more:
                joined.append(evolve(first, blocks=tuple(cell for part in parts for cell in part.blocks)))
            case Bullets() if more:
                joined.append(Bullets(tuple(item for part in parts for item in part.items)))
            case Paragraph() if more:
                joined.append(evolve(first, sentences=tuple(each for part in parts for each in part.sentences)))
            case _:
                joined += parts
    return joined


#: The height of a callout's title and frame, in lines of text.
_TITLE_LINES: Final = 2.0


def _height(block: Block | Note, capacity: Capacity) -> float:
    match block:
        case Bullets():
            return sum(_lines(item.spans, capacity.bullet_chars - 4 * item.depth) + 0.25 for item in block.items)
        case Paragraph():
            label = 0.7 if block.speaker.strip() else 0.0
            if block.rows:
                return sum(_lines(sentence.spans, capacity.text_chars) for sentence in block.sentences) + 0.6 + label
            return sum(len(plain(sentence.spans)) / capacity.text_chars for sentence in block.sentences) + 0.6 + label
        case Code():
            return 0.56 * (block.text.count("\n") + 1) + 1.0
        case Table():
            width = max(12, capacity.table_chars // max(1, len(block.header)))
            rows = (block.header, *block.rows)
            return sum(max((_lines(cell, width) for cell in row), default=1.0) * 0.8 + 0.4 for row in rows)
        case Math():
            return 2.4 + 1.4 * block.source.count("\\\\")
        case Quote():
            return 1.2 * _lines(block.spans, capacity.quote_chars) + (1.8 if block.source else 1.0)
        case Heading():
            return 1.3
        case Image() | Chart() | Diagram() | Clip():
            return 7.0
        case Columns():
            sides = [sum(_height(cell, capacity) for cell in side) for side in (block.left, block.right)]
            return sum(sides) if capacity.stacked else max(sides)
        case Callout():
            return _TITLE_LINES + sum(_height(cell, capacity) for cell in block.blocks)
        case Footnotes():
            return 0.4 + sum(0.6 * _lines(note.spans, 2 * capacity.text_chars) for note in block.notes)
        case Note():
            return 0.0


def _lines(spans: Spans, width: int) -> float:
    return float(sum(max(1, -(-len(row) // width)) for row in plain(spans).split("\n")))


def _even_runs(lines: list[T], longest: int) -> Iterator[list[T]]:
    count = max(1, -(-len(lines) // longest))
    size = -(-len(lines) // count)
    for at in range(0, len(lines), size):
        yield lines[at : at + size]


def _split_table(table: Table, capacity: Capacity) -> Iterator[Table]:
    """Divide a table into groups of rows under its header; a wide one also into columns, the first one repeated."""
    chars = sum(len(plain(cell)) for cell in table.header)
    if chars > MAX_HEADER_CHARS:
        raise ScriptError(f"the header of a table has {chars:,} characters; at most {MAX_HEADER_CHARS:,} are possible")
    width = max(len(table.header), *(len(row) for row in table.rows), 0)

    def padded(row: tuple[Spans, ...]) -> tuple[Spans, ...]:
        return row + ((),) * (width - len(row))

    groups = [tuple(range(width))]
    if width > capacity.table_columns:
        step = capacity.table_columns - 1
        groups = [(0, *range(at, min(at + step, width))) for at in range(1, width, step)]
    for columns in groups:
        header = tuple(padded(table.header)[column] for column in columns)
        rows = [tuple(padded(row)[column] for column in columns) for row in table.rows]
        heights = [_height(Table(header, (row,)), capacity) - _height(Table(header, ()), capacity) for row in rows]
        runs = _row_runs(heights, capacity.table_rows, capacity.lines)
        even = _row_runs(heights, -(-len(rows) // max(1, len(runs))), capacity.lines)
        for run in even if len(even) == len(runs) else runs:
            yield evolve(table, header=header, rows=tuple(rows[run.start : run.stop]))


def _row_runs(heights: Sequence[float], most: int, lines: float) -> list[range]:
    """Divide the rows of a table into runs of at most `most` rows and `lines` in height; at least one run."""
    runs: list[range] = []
    start, height = 0, 0.0
    for at, added in enumerate(heights):
        if at > start and (at - start == most or height + added > lines):
            runs.append(range(start, at))
            start, height = at, 0.0
        height += added
    return [*runs, range(start, len(heights))]
