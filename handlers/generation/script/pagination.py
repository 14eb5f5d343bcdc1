"""Long sections over several pages, so that a page never holds more than can be read.

Heights are estimates in text lines of a page; the theme fits what is left by scaling, within limits.
"""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from attrs import evolve, frozen

from handlers.generation.errors import ScriptError
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
    Span,
    Spans,
    Table,
)
from handlers.generation.script.inline import plain
from handlers.generation.script.page_capacity import Capacity, capacity_of
from handlers.generation.script.sections import Note

#: What a page of 16:9 holds.
WIDE = capacity_of("16:9")
MAX_PAGES = 300
#: Of the first row of a table: it comes again on every page.
MAX_HEADER_CHARS = 2_000

T = TypeVar("T")
Body = Sequence[Block | Note]


@frozen
class _Piece:
    """A part of the block number `of` of a section."""

    of: int
    block: Block | Note


def paginate(body: Body, room: Capacity = WIDE) -> list[list[Block | Note]]:
    """`body` as pages with `room` that can be shown one by one; nothing is left out. At least one page.

    Raises ScriptError where there are far too many.
    """
    pages: list[list[_Piece]] = [[]]
    used = 0.0
    begun = False  # whether the page has anything but headings and notes
    for piece in (_Piece(at, small) for at, whole in enumerate(body) for small in _split(whole, room)):
        height = _height(piece.block, room)
        if used + height > room.lines and (begun or used > room.lines):
            # A sub-heading left alone at the foot of a page goes with what it heads.
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
    """Pieces small enough to be placed on their own."""
    match block:
        case Bullets():
            for item in block.items:
                for part, spans in enumerate(_chunks(item.spans, room.piece_chars)):
                    yield Bullets((evolve(item, spans=spans, number=item.number if part == 0 else None),))
        case Paragraph():
            for sentence in block.sentences:
                for spans in _chunks(sentence.spans, room.piece_chars):
                    yield Paragraph((Sentence(spans),))
        case Code():
            yield from _split_code(block, room)
        case Table():
            yield from _split_table(block, room)
        case Quote():
            parts = list(_chunks(block.spans, room.piece_chars))
            for number, spans in enumerate(parts):
                yield evolve(block, spans=spans, source=block.source if number == len(parts) - 1 else ())
        case _:
            yield block


def _split_code(code: Code, room: Capacity) -> Iterator[Code]:
    """Runs of lines that a page can hold; long lines are wrapped, and highlighted as wholes."""
    given = enumerate(code.text.split("\n"), 1)
    lines = [(piece, number) for number, line in given for piece in _wrap(line, room.code_columns)]
    marked = set(code.highlight)
    for run in _even_runs(lines, room.code_lines):
        highlight = tuple(at for at, (_, number) in enumerate(run, 1) if number in marked)
        yield evolve(code, text="\n".join(piece for piece, _ in run), highlight=highlight)


def _join(page: list[_Piece]) -> list[Block | Note]:
    """The pieces of one list or paragraph that share a page are one block again."""
    joined: list[Block | Note] = []
    previous: int | None = None
    for piece in page:
        last = joined[-1] if joined and piece.of == previous else None
        match last, piece.block:
            case Bullets(), Bullets():
                joined[-1] = Bullets(last.items + piece.block.items)
            case Paragraph(), Paragraph():
                joined[-1] = Paragraph(last.sentences + piece.block.sentences)
            case _:
                joined.append(piece.block)
        previous = piece.of
    return joined


def _height(block: Block | Note, room: Capacity) -> float:
    match block:
        case Bullets():
            return sum(_lines(item.spans, room.bullet_chars - 4 * item.depth) + 0.25 for item in block.items)
        case Paragraph():
            return sum(len(plain(sentence.spans)) / room.text_chars for sentence in block.sentences) + 0.6
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
        case Image() | Chart() | Clip():
            return 7.0
        case Columns():
            sides = [sum(_height(cell, room) for cell in side) for side in (block.left, block.right)]
            return sum(sides) if room.stacked else max(sides)
        case Note():
            return 0.0


def _lines(spans: Spans, width: int) -> float:
    return float(max(1, -(-len(plain(spans)) // width)))


def _chunks(spans: Spans, longest: int) -> Iterator[Spans]:
    """Runs of at most `longest` characters, cut between words where there are any."""
    current: list[Span] = []
    room = longest
    for span in spans:
        rest = span.text
        if span.kind == "math":
            current.append(span)
            continue
        while len(rest) > room:
            cut = rest.rfind(" ", 0, room + 1)
            if cut <= 0:
                cut = 0 if current else room
            if piece := rest[:cut].rstrip():
                current.append(evolve(span, text=piece))
            if current:
                yield tuple(current)
            current, room, rest = [], longest, rest[cut:].lstrip()
        if rest:
            current.append(evolve(span, text=rest))
            room -= len(rest)
    if current:
        yield tuple(current)


def _wrap(line: str, columns: int) -> list[str]:
    """A line of code in pieces of at most `columns`; what is wrapped is marked by an arrow."""
    if len(line) <= columns:
        return [line]
    pieces = [line[:columns]]
    step = columns - 4
    pieces += ["  ↪ " + line[at : at + step] for at in range(columns, len(line), step)]
    return pieces


def _even_runs(lines: list[T], longest: int) -> Iterator[list[T]]:
    count = max(1, -(-len(lines) // longest))
    size = -(-len(lines) // count)
    for at in range(0, len(lines), size):
        yield lines[at : at + size]


def _split_table(table: Table, room: Capacity) -> Iterator[Table]:
    """Groups of rows under a repeated header; a wide table in groups of columns, the first one repeated."""
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


def cells_of(blocks: Sequence[Block]) -> Iterator[Cell | Clip]:
    """The blocks of a page in the order of reading: those of columns one after the other, the left one first."""
    for block in blocks:
        if isinstance(block, Columns):
            yield from (*block.left, *block.right)
        else:
            yield block


def items_of(block: Block) -> tuple[Bullet | Sentence, ...]:
    """What is revealed one by one inside a block, empty when it is revealed as a whole."""
    match block:
        case Bullets():
            return block.items
        case Paragraph():
            return block.sentences
        case _:
            return ()
