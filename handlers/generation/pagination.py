"""Long sections over several pages, so that a page never holds more than can be read.

Heights are estimates in text lines of a page; the theme fits what is left by scaling, within limits.
"""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from attrs import evolve, frozen

from handlers.generation.content import (
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
from handlers.generation.errors import ScriptError
from handlers.generation.inline import plain
from handlers.generation.sections import Note

PAGE_LINES = 10.5
MAX_PAGES = 300
MAX_CODE_COLUMNS = 88
MAX_CODE_LINES = 17
MAX_TABLE_ROWS = 7
MAX_TABLE_COLUMNS = 6
MAX_TEXT_CHARS = 420

T = TypeVar("T")
Body = Sequence[Block | Note]


@frozen
class _Piece:
    """A part of the block number `of` of a section."""

    of: int
    block: Block | Note


def paginate(body: Body) -> list[list[Block | Note]]:
    """`body` as pages that can be shown one by one; nothing is left out. At least one page.

    Raises ScriptError where there are far too many.
    """
    pages: list[list[_Piece]] = [[]]
    used = 0.0
    for piece in (_Piece(at, small) for at, whole in enumerate(body) for small in _split(whole)):
        height = _height(piece.block)
        if used + height > PAGE_LINES and not all(isinstance(p.block, Heading | Note) for p in pages[-1]):
            # A sub-heading left alone at the foot of a page goes with what it heads.
            last = pages[-1][-1]
            orphans = [pages[-1].pop()] if isinstance(last.block, Heading) and len(pages[-1]) > 1 else []
            pages.append(orphans)
            if len(pages) > MAX_PAGES:
                raise ScriptError(f"one scene's text takes more than {MAX_PAGES} pages; that is too long for a video")
            used = sum(_height(orphan.block) for orphan in orphans)
        pages[-1].append(piece)
        used += height
    return [_join(page) for page in pages]


def _split(block: Block | Note) -> Iterator[Block | Note]:
    """Pieces small enough to be placed on their own."""
    match block:
        case Bullets():
            for item in block.items:
                for part, spans in enumerate(_chunks(item.spans)):
                    yield Bullets((evolve(item, spans=spans, number=item.number if part == 0 else None),))
        case Paragraph():
            for sentence in block.sentences:
                for spans in _chunks(sentence.spans):
                    yield Paragraph((Sentence(spans),))
        case Code():
            yield from _split_code(block)
        case Table():
            yield from _split_table(block)
        case Quote():
            parts = list(_chunks(block.spans))
            for number, spans in enumerate(parts):
                yield evolve(block, spans=spans, source=block.source if number == len(parts) - 1 else ())
        case _:
            yield block


def _split_code(code: Code) -> Iterator[Code]:
    """Runs of lines that a page can hold; long lines are wrapped, and highlighted as wholes."""
    lines = [(piece, number) for number, line in enumerate(code.text.split("\n"), 1) for piece in _wrap(line)]
    marked = set(code.highlight)
    for run in _even_runs(lines, MAX_CODE_LINES):
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


def _height(block: Block | Note) -> float:
    match block:
        case Bullets():
            return sum(_lines(item.spans, 72 - 4 * item.depth) + 0.25 for item in block.items)
        case Paragraph():
            return sum(len(plain(sentence.spans)) / 78 for sentence in block.sentences) + 0.6
        case Code():
            return 0.56 * (block.text.count("\n") + 1) + 1.0
        case Table():
            width = max(12, 84 // max(1, len(block.header)))
            rows = (block.header, *block.rows)
            return sum(max((_lines(cell, width) for cell in row), default=1.0) * 0.8 + 0.4 for row in rows)
        case Math():
            return 2.4 + 1.4 * block.source.count("\\\\")
        case Quote():
            return 1.2 * _lines(block.spans, 58) + (1.8 if block.source else 1.0)
        case Heading():
            return 1.3
        case Image() | Chart() | Clip():
            return 7.0
        case Columns():
            return max(sum(map(_height, block.left)), sum(map(_height, block.right)))
        case Note():
            return 0.0


def _lines(spans: Spans, width: int) -> float:
    return float(max(1, -(-len(plain(spans)) // width)))


def _chunks(spans: Spans) -> Iterator[Spans]:
    """Runs of at most MAX_TEXT_CHARS characters, cut between words where there are any."""
    current: list[Span] = []
    room = MAX_TEXT_CHARS
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
            current, room, rest = [], MAX_TEXT_CHARS, rest[cut:].lstrip()
        if rest:
            current.append(evolve(span, text=rest))
            room -= len(rest)
    if current:
        yield tuple(current)


def _wrap(line: str) -> list[str]:
    """A line of code in pieces of at most MAX_CODE_COLUMNS; what is wrapped is marked by an arrow."""
    if len(line) <= MAX_CODE_COLUMNS:
        return [line]
    pieces = [line[:MAX_CODE_COLUMNS]]
    step = MAX_CODE_COLUMNS - 4
    pieces += ["  ↪ " + line[at : at + step] for at in range(MAX_CODE_COLUMNS, len(line), step)]
    return pieces


def _even_runs(lines: list[T], longest: int) -> Iterator[list[T]]:
    count = max(1, -(-len(lines) // longest))
    size = -(-len(lines) // count)
    for at in range(0, len(lines), size):
        yield lines[at : at + size]


def _split_table(table: Table) -> Iterator[Table]:
    """Groups of rows under a repeated header; a wide table in groups of columns, the first one repeated."""
    width = max(len(table.header), *(len(row) for row in table.rows), 0)

    def padded(row: tuple[Spans, ...]) -> tuple[Spans, ...]:
        return row + ((),) * (width - len(row))

    groups = [tuple(range(width))]
    if width > MAX_TABLE_COLUMNS:
        step = MAX_TABLE_COLUMNS - 1
        groups = [(0, *range(at, min(at + step, width))) for at in range(1, width, step)]
    for columns in groups:
        header = tuple(padded(table.header)[column] for column in columns)
        rows = [tuple(padded(row)[column] for column in columns) for row in table.rows]
        height, run = 0.0, list[tuple[Spans, ...]]()
        for row in rows:
            height += _height(Table(header, (row,))) - _height(Table(header, ()))
            if run and (len(run) == MAX_TABLE_ROWS or height > PAGE_LINES):
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
