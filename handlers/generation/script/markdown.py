"""Markdown into sections of blocks. Headings, lists, code, tables, math, quotes and paragraphs are kept;
links become their text, HTML is shown as it is written (its comments are taken out before, by `comments`).
`dialect` has what goes beyond the usual.

A paragraph that starts with `Note:` is spoken, not shown (as in reveal.js). `$...$` and `$$...$$`
are math, so is a fenced block with the language `math`. `:::columns`, `:::right` and `:::` on lines of their own stand
around two columns, `:::outro` and `:::` around the last page.
"""

import re
from collections.abc import Iterator

from attrs import evolve
from markdown_it.tree import SyntaxTreeNode

from handlers.generation.errors import ScriptError
from handlers.generation.script.content import (
    Block,
    Bullet,
    Bullets,
    Clip,
    Columns,
    Heading,
    Math,
    Paragraph,
    Quote,
    Sentence,
    Span,
    Spans,
    Table,
)
from handlers.generation.script.inline import markdown, merged, parse_inline, plain, sentences, spans_of
from handlers.generation.script.markdown_extensions import fenced, media
from handlers.generation.script.sections import Note, Section


def parse_sections(text: str) -> tuple[Section, ...]:
    """The sections of a Markdown text, in order; steps and lines are not set yet. Raises ScriptError."""
    sections = _Sections()
    for node in SyntaxTreeNode(markdown().parse(text)).children:
        sections.take(node)
    return sections.all()


#: (line of `:::columns`, left, right) within columns; `right` is None before `:::right`.
_Columns = tuple[int, list[Block | Note], list[Block | Note] | None]


class _Sections:
    """Puts the blocks of a text under their headings, and into their columns."""

    def __init__(self) -> None:
        self._done: list[Section] = []
        self._current = Section(0, (), ())
        self._body: list[Block | Note] = []
        self._columns: _Columns | None = None

    def all(self) -> tuple[Section, ...]:
        if self._columns is not None:
            raise ScriptError(f"the columns that begin on line {self._columns[0]} don't end: write ::: below them")
        self._begin(Section(0, (), ()))
        return tuple(self._done)

    def take(self, node: SyntaxTreeNode) -> None:
        if node.type == "marker":
            self._mark(node.content, line_of(node))
        elif self._columns is not None:
            self._take_cell(node, self._columns)
        elif node.type == "hr":
            self._begin(Section(0, (), ()))
        elif node.type == "heading" and node.tag in ("h1", "h2"):
            heading = spans_of(node)
            if self._current.layout == "outro" and not self._current.heading and not self._body:
                self._current = evolve(self._current, heading=heading)
            else:
                self._begin(Section(int(node.tag[1]), heading, ()))
        else:
            self._body += _blocks(node)

    def _begin(self, section: Section) -> None:
        if self._current.heading or self._body:
            self._done.append(evolve(self._current, body=tuple(self._body)))
        self._current, self._body = section, []

    def _mark(self, name: str, line: int) -> None:
        match name, self._columns:
            case "columns", None:
                self._columns = (line, [], None)
            case "right", (begun, left, None):
                self._columns = (begun, left, [])
            case "outro", None:
                self._begin(Section(1, (), (), "outro"))
            case "", (begun, left, right):
                self._end_columns(begun, left, right or [])
            case "", None if self._current.layout == "outro":
                self._begin(Section(0, (), ()))
            case (("columns" | "right" | "outro" | ""), _):
                raise ScriptError(f"line {line}: there is nothing that :::{name} could belong to here")
            case _:
                raise ScriptError(f"line {line}: there is no :::{name[:40]}; there is columns, right and outro")

    def _end_columns(self, line: int, left: list[Block | Note], right: list[Block | Note]) -> None:
        notes = [note for note in (*left, *right) if isinstance(note, Note)]
        sides = [tuple(b for b in side if not isinstance(b, Note | Clip | Columns)) for side in (left, right)]
        if not all(sides):
            raise ScriptError(f"the columns on line {line} need something in both: write :::right between them")
        self._body += [Columns(sides[0], sides[1]), *notes]
        self._columns = None

    def _take_cell(self, node: SyntaxTreeNode, columns: _Columns) -> None:
        if node.type == "hr":
            raise ScriptError(f"line {line_of(node)}: a scene can't begin within columns; end them by :::")
        blocks = list(_blocks(node))
        if any(isinstance(block, Clip) for block in blocks):
            raise ScriptError(f"line {line_of(node)}: a clip can't stand in a column")
        _, left, right = columns
        (left if right is None else right).extend(blocks)


def line_of(node: SyntaxTreeNode) -> int:
    """The line that a node begins on, counted from 1."""
    return node.map[0] + 1 if node.map else 1


def _blocks(node: SyntaxTreeNode) -> Iterator[Block | Note]:
    match node.type:
        case "heading":
            if spans := spans_of(node):
                yield Heading(spans)
        case "paragraph":
            yield from _pictures(node) or _paragraph(spans_of(node))
        case "bullet_list" | "ordered_list":
            yield from _list(node, 0)
        case "fence" | "code_block":
            yield from _code(node)
        case "math_block":
            if node.content:
                yield Math(node.content)
        case "table":
            yield from _table(node)
        case "blockquote":
            yield from _quote(node)
        case _:
            for child in node.children:
                yield from _blocks(child)


def _paragraph(spans: Spans) -> Iterator[Block | Note]:
    if not spans:
        return
    if len(spans) == 1 and spans[0].kind == "math":
        yield Math(spans[0].text)
    elif spans[0].kind == "text" and spans[0].text.startswith("Note:"):
        if note := plain(spans)[len("Note:") :].strip():
            yield Note(note)
    else:
        yield Paragraph(tuple(Sentence(part) for part in sentences(spans)))


def _list(node: SyntaxTreeNode, depth: int) -> Iterator[Block | Note]:
    """Items one after another; blocks other than text inside an item end the list and follow it."""
    items: list[Bullet] = []
    number = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else None
    for item in node.children:
        for child in item.children:
            for block in _list(child, depth + 1) if child.type.endswith("_list") else _blocks(child):
                match block:
                    case Bullets():
                        items += block.items
                    case Paragraph():
                        joined = merged([s for p in block.sentences for s in (*p.spans, Span(" "))])
                        items.append(Bullet(joined, min(depth, 2), number))
                    case _:
                        if items:
                            yield Bullets(tuple(items))
                        items = []
                        yield block
        number = None if number is None else number + 1
    if items:
        yield Bullets(tuple(items))


def _pictures(node: SyntaxTreeNode) -> list[Block | Note]:
    """The pictures that a paragraph is made of, if there is nothing else in it."""
    inline = [child for part in node.children for child in part.children or () if child.type != "softbreak"]
    if not all(child.type == "image" for child in inline):
        return []
    return [
        media(str(image.attrs["src"]), str(image.attrs.get("title", "")), _alt(image), line_of(node))
        for image in inline
    ]


def _alt(image: SyntaxTreeNode) -> str:
    return plain(parse_inline(image.content))


def _code(node: SyntaxTreeNode) -> Iterator[Block]:
    block = fenced(node.info if node.type == "fence" else "", node.content, line_of(node))
    if block is not None:
        yield block


def _table(node: SyntaxTreeNode) -> Iterator[Block]:
    rows = [tuple(spans_of(cell) for cell in row.children) for part in node.children for row in part.children]
    if any(any(row) for row in rows):
        yield Table(rows[0], tuple(rows[1:]))


def _quote(node: SyntaxTreeNode) -> Iterator[Block | Note]:
    """Text inside becomes one quotation; a last line that starts with a dash says whom it is from."""
    spans: list[Span] = []
    rest: list[Block | Note] = []
    for child in node.children:
        for block in _blocks(child):
            match block:
                case Paragraph():
                    spans += [s for p in block.sentences for s in (*p.spans, Span(" "))]
                case Bullets():
                    spans += [s for item in block.items for s in (*item.spans, Span(" "))]
                case Heading() | Quote():
                    spans += [*block.spans, Span(" ")]
                case _:
                    rest.append(block)
    quote, source = _attribution(merged(spans))
    if quote or source:
        yield Quote(quote or source, source if quote else ())
    yield from rest


_SPACES = re.compile(r"\s++")
#: In a text without two spaces in a row.
_DASH = re.compile(r"(?:^|(?<=[.!?…”\"’]) )(?:—|–|--) ?+(?=\S)| (?:—|–|--) ?+(?=[A-Z][^.!?]{0,80}$)")


def _attribution(spans: Spans) -> tuple[Spans, Spans]:
    """Spans before and after the last dash that follows the end of a sentence."""
    for at in range(len(spans) - 1, -1, -1):
        text = _SPACES.sub(" ", spans[at].text)
        match = _DASH.search(text)
        if spans[at].kind == "text" and match and (at or match.start()):
            before = [*spans[:at], evolve(spans[at], text=text[: match.start()])]
            return merged(before), merged([evolve(spans[at], text=text[match.end() :]), *spans[at + 1 :]])
    return spans, ()
