"""Reads the lists and the columns of tables of Markdown: boxes of tasks, depths, further paragraphs of items."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from attrs import evolve
from markdown_it.tree import SyntaxTreeNode

from handlers.generation.script.content import (
    MAX_DEPTH,
    Align,
    Block,
    Bullet,
    Bullets,
    Note,
    Paragraph,
    Span,
    Spans,
)
from handlers.generation.script.inline import merged

#: Reads a node other than a list.
Reader = Callable[[SyntaxTreeNode], Iterable[Block | Note]]
#: The box of a task before its text, as GitHub has it.
_BOX: Final = re.compile(r"\[([ xX])\][ \t\n]")
_ALIGNMENTS: Final[dict[str, Align]] = {
    "text-align:left": "left",
    "text-align:center": "center",
    "text-align:right": "right",
}


def list_blocks(node: SyntaxTreeNode, read: Reader, depth: int = 0) -> Iterator[Block | Note]:
    """Yield a list with its items in order.

    A further paragraph of an item is `continued`. Other blocks within an item end the list and follow it; the items
    after them keep their numbers.
    """
    items: list[Bullet] = []
    start = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else None
    for at, item in enumerate(node.children):
        first = Bullet((), min(depth, MAX_DEPTH), None if start is None else start + at)
        for block in _item(item, first, read, depth):
            if isinstance(block, Bullets):
                items += block.items
                continue
            if items:
                yield Bullets(tuple(items))
            items = []
            yield block
    if items:
        yield Bullets(tuple(items))


def _item(node: SyntaxTreeNode, mark: Bullet, read: Reader, depth: int) -> Iterator[Block | Note]:
    """Yield the blocks of an item, its paragraphs as lists of one; `mark` is the item without its text."""
    for child in node.children:
        if child.type.endswith("_list"):
            yield from list_blocks(child, read, depth + 1)
            continue
        done = None if mark.continued else _box(child)
        for block in read(child):
            if not isinstance(block, Paragraph):
                yield block
                continue
            spans = merged([span for part in block.sentences for span in (*part.spans, Span(" "))])
            if done is not None and not mark.continued:
                mark, spans = evolve(mark, done=done), _without_box(spans)
            yield Bullets((evolve(mark, spans=spans),))
            mark = evolve(mark, number=None, done=None, continued=True)


def _box(node: SyntaxTreeNode) -> bool | None:
    """Tell whether the task of a paragraph is done; None where it has no box."""
    if node.type != "paragraph" or not node.children:
        return None
    box = _BOX.match(node.children[0].content)
    return box[1] != " " if box else None


def _without_box(spans: Spans) -> Spans:
    rest = merged([spans[0].with_text(spans[0].text[len("[x]") :]), *spans[1:]])
    return rest or spans


def alignment(header: SyntaxTreeNode) -> tuple[Align, ...]:
    """Return how the columns of a table are aligned, by the cells of its header; empty where none is."""
    aligned = tuple(_ALIGNMENTS.get(str(cell.attrs.get("style", "")), "") for cell in header.children)
    return aligned if any(aligned) else ()
