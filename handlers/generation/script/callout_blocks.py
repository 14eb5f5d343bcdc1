"""Makes the blocks of the boxes that `callouts` reads: callouts, columns, notes, or their blocks alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, get_args

from attrs import evolve
from markdown_it.tree import SyntaxTreeNode

from handlers.generation.script.box_names import Box
from handlers.generation.script.content import (
    MAX_CALLOUTS,
    Block,
    Bullets,
    Callout,
    Cell,
    Columns,
    Heading,
    Note,
    Paragraph,
    Sentence,
    Spans,
)
from handlers.generation.script.inline import plain, spans_of

CALLOUT: Final = "callout"
#: What stands above the body of a box.
TITLE: Final = "callout_title"
#: Makes the blocks of a node.
Read = Callable[[SyntaxTreeNode], Iterable[Block | Note]]


def box_of(node: SyntaxTreeNode) -> Box:
    """Return the box of a node `callout`."""
    box: Box = node.meta["box"]
    return box


def is_flow(node: SyntaxTreeNode) -> bool:
    """Tell whether a node is a box whose content stands as if there were none."""
    return node.type == CALLOUT and box_of(node).role == "flow"


def boxed(node: SyntaxTreeNode, read: Read) -> Iterator[Block | Note]:
    """Yield the blocks of a box."""
    title, body = _parts(node)
    match box_of(node).role:
        case "nothing":
            return
        case "notes":
            words = " ".join(_words(block) for each in body for block in read(each)).strip()
            if words:
                yield Note(words, line=node.map[0] + 1 if node.map else 0)
        case "columns":
            yield from _columns(body, read)
        case "box":
            yield from _callout(box_of(node), title, [block for each in body for block in read(each)])
        case _:
            if title:
                yield Heading(title)
            for each in body:
                yield from read(each)


def _parts(node: SyntaxTreeNode) -> tuple[Spans | None, list[SyntaxTreeNode]]:
    children = node.children
    if children and children[0].type == TITLE:
        return spans_of(children[0]), children[1:]
    return None, children


def _callout(box: Box, title: Spans | None, blocks: list[Block | Note]) -> Iterator[Block | Note]:
    """Yield a callout, then what can't stand in one."""
    if title is None and blocks and isinstance(blocks[0], Heading):
        title, blocks = blocks[0].spans, blocks[1:]
    cells: list[Cell] = []
    rest: list[Block | Note] = []
    for block in blocks:
        if isinstance(block, Columns):
            cells += [*block.left, *block.right]
        elif isinstance(block, get_args(Cell)):
            cells.append(block)
        else:
            rest.append(block)
    if not cells and title:
        cells, title = [Paragraph((Sentence(title),))], None
    if cells:
        yield Callout(box.tone, tuple(_flattened(cells, MAX_CALLOUTS - 1)), title)
    yield from rest


def _flattened(cells: Iterable[Cell], room: int) -> Iterator[Cell]:
    """Yield blocks of which callouts have at most `room` levels."""
    for cell in cells:
        if not isinstance(cell, Callout):
            yield cell
        elif room > 0:
            yield evolve(cell, blocks=tuple(_flattened(cell.blocks, room - 1)))
        else:
            if cell.title:
                yield Heading(cell.title)
            yield from _flattened(cell.blocks, 0)


def _columns(body: list[SyntaxTreeNode], read: Read) -> Iterator[Block | Note]:
    """Yield two columns of pandoc's beside each other; other numbers of them follow each other."""
    sides: list[list[Block | Note]] = []
    around: list[Block | Note] = []
    for node in body:
        if node.type == CALLOUT and box_of(node).role == "column":
            sides.append([block for each in _parts(node)[1] for block in read(each)])
        else:
            around += read(node)
    yield from around
    yield from side_by_side(sides)


def side_by_side(sides: list[list[Block | Note]]) -> Iterator[Block | Note]:
    """Yield blocks in columns where that is possible: two of them, each with something that can stand in a column."""
    filled = [side for side in sides if side]
    cells = [tuple(block for block in side if isinstance(block, get_args(Cell))) for side in filled]
    others = [block for side in filled for block in side if not isinstance(block, get_args(Cell))]
    if len(filled) == 2 and all(cells) and all(isinstance(block, Note) for block in others):
        yield Columns(cells[0], cells[1])
        yield from others
    else:
        for side in filled:
            yield from side


def _words(block: Block | Note) -> str:
    match block:
        case Note():
            return block.text
        case Paragraph():
            return " ".join(plain(sentence.spans) for sentence in block.sentences)
        case Bullets():
            return " ".join(plain(item.spans) for item in block.items)
        case Heading():
            return plain(block.spans)
        case _:
            return ""
