"""Markdown into sections of blocks. Headings, lists, code, tables, math, quotes and paragraphs are kept;
links and images become their text, HTML is shown as it is written.

A paragraph that starts with `Note:` is spoken, not shown (as in reveal.js). `$...$` and `$$...$$`
are math, so is a fenced block with the language `math`.
"""

import re
from collections.abc import Iterator

from attrs import evolve, frozen
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.tree import SyntaxTreeNode

from handlers.generation.content import (
    Block,
    Bullet,
    Bullets,
    Code,
    Heading,
    Math,
    Paragraph,
    Quote,
    Sentence,
    Span,
    Spans,
    Table,
)


@frozen
class Note:
    """Spoken after the block before it; not shown."""

    text: str


@frozen
class Section:
    """A heading of `level` 1 or 2 (0: none) and what stands under it."""

    level: int
    heading: Spans
    body: tuple[Block | Note, ...]


def parse_sections(text: str) -> tuple[Section, ...]:
    """The sections of a Markdown text, in order; steps and lines are not set yet."""
    sections: list[Section] = []
    level, heading, body = 0, Spans(), list[Block | Note]()
    for node in SyntaxTreeNode(_markdown().parse(text)).children:
        new_scene = node.type == "hr" or (node.type == "heading" and node.tag in ("h1", "h2"))
        if not new_scene:
            body += _blocks(node)
            continue
        if heading or body:
            sections.append(Section(level, heading, tuple(body)))
        level = 0 if node.type == "hr" else int(node.tag[1])
        heading, body = (Spans() if node.type == "hr" else _inline(node)), []
    if heading or body:
        sections.append(Section(level, heading, tuple(body)))
    return tuple(sections)


def plain(spans: Spans) -> str:
    """The text of spans without their styles."""
    return "".join(span.text for span in spans)


def _markdown() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.inline.ruler.before("escape", "math", _math_inline)
    parser.block.ruler.before("fence", "math", _math_block, {"alt": ["paragraph", "reference", "blockquote"]})
    return parser


_MATH = re.compile(r"\$\$(?P<block>[^$]+)\$\$|\$(?P<inline>(?![\s$])(?:[^$\\]|\\.)*?(?<!\s))\$(?!\d)", re.DOTALL)


def _math_inline(state: StateInline, silent: bool) -> bool:
    """`$x$` as Pandoc has it: no white space just inside, no digit right after, so that prices stay prices."""
    match = _MATH.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    if not silent:
        token = state.push("math_inline", "math", 0)
        token.content = (match["block"] or match["inline"]).strip()
    state.pos = match.end()
    return True


def _math_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """`$$` alone on a line opens a formula that ends at the next such line."""

    def line(number: int) -> str:
        return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]].strip()

    if state.is_code_block(start) or line(start) != "$$":
        return False
    close = next((n for n in range(start + 1, end) if line(n) == "$$"), None)
    if close is None:
        return False
    if not silent:
        token = state.push("math_block", "math", 0)
        token.content = "\n".join(line(n) for n in range(start + 1, close)).strip()
        token.map = [start, close + 1]
        state.line = close + 1
    return True


def _inline(node: SyntaxTreeNode) -> Spans:
    spans: list[Span] = []
    for inline in node.children:
        for child in inline.children or ():
            spans += _spans(child, bold=False, italic=False)
    return _merge(spans)


def _spans(node: SyntaxTreeNode, *, bold: bool, italic: bool) -> Iterator[Span]:
    match node.type:
        case "code_inline":
            yield Span(node.content, "code", bold, italic)
        case "math_inline":
            yield Span(node.content, "math")
        case "softbreak" | "hardbreak":
            yield Span(" ", "text", bold, italic)
        case "image":
            yield Span(node.content, "text", bold, italic)
        case _ if node.children:
            for child in node.children:
                yield from _spans(child, bold=bold or node.type == "strong", italic=italic or node.type in ("em", "s"))
        case _:
            yield Span(node.content, "text", bold, italic)


def _merge(spans: list[Span]) -> Spans:
    """Neighbours of one style become one span; the ends are stripped, empty ones dropped."""
    merged: list[Span] = []
    for span in spans:
        if merged and span.kind == "text" and evolve(merged[-1], text="") == evolve(span, text=""):
            merged[-1] = evolve(span, text=merged[-1].text + span.text)
        elif span.text:
            merged.append(span)
    if merged and merged[0].kind == "text":
        merged[0] = evolve(merged[0], text=merged[0].text.lstrip())
    if merged and merged[-1].kind == "text":
        merged[-1] = evolve(merged[-1], text=merged[-1].text.rstrip())
    return tuple(span for span in merged if span.text)


def _blocks(node: SyntaxTreeNode) -> Iterator[Block | Note]:
    match node.type:
        case "heading":
            if spans := _inline(node):
                yield Heading(spans)
        case "paragraph":
            yield from _paragraph(_inline(node))
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


# A full stop ends a sentence when a space and something that can begin one follow.
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+(?=[\"'“‘(\[]?[A-Z0-9À-ÞА-Я¿¡])|(?<=[。！？])")
_ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|etc|vs|cf|Dr|Mr|Mrs|Ms|Prof|No|St|[A-Z])\.)$")


def sentences(spans: Spans) -> Iterator[Spans]:
    """Spans cut between sentences; styles go on across a cut."""
    current: list[Span] = []
    for span in spans:
        rest = span.text
        if span.kind == "text":
            start = 0
            for match in _SENTENCE_END.finditer(span.text):
                if _ABBREVIATION.search(span.text[max(0, match.start() - 8) : match.start()]):
                    continue
                head = span.text[start : match.end()].rstrip()
                if sentence := _merge([*current, evolve(span, text=head)]):
                    yield sentence
                current, start = [], match.end()
            rest = span.text[start:]
        if rest:
            current.append(evolve(span, text=rest))
    if sentence := _merge(current):
        yield sentence


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
                        joined = _merge([s for p in block.sentences for s in (*p.spans, Span(" "))])
                        items.append(Bullet(joined, min(depth, 2), number))
                    case _:
                        if items:
                            yield Bullets(tuple(items))
                        items = []
                        yield block
        number = None if number is None else number + 1
    if items:
        yield Bullets(tuple(items))


def _code(node: SyntaxTreeNode) -> Iterator[Block]:
    language = (node.info.split() or [""])[0].lower() if node.type == "fence" else ""
    text = node.content.expandtabs(4).rstrip().strip("\n")
    if language == "math" and text:
        yield Math(text)
    elif text.strip():
        yield Code(language, text)


def _table(node: SyntaxTreeNode) -> Iterator[Block]:
    rows = [tuple(_inline(cell) for cell in row.children) for part in node.children for row in part.children]
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
    quote, source = _attribution(_merge(spans))
    if quote or source:
        yield Quote(quote or source, source if quote else ())
    yield from rest


_DASH = re.compile(
    r"(?:^|(?<=[.!?…”\"’])\s+)(?:—|–|--)\s*(?=\S)"
    r"|\s+(?:—|–|--)\s*(?=[A-Z][^.!?]{0,80}$)"
)


def _attribution(spans: Spans) -> tuple[Spans, Spans]:
    """Spans before and after the last dash that follows the end of a sentence."""
    for at in range(len(spans) - 1, -1, -1):
        match = _DASH.search(spans[at].text)
        if spans[at].kind == "text" and match and (at or match.start()):
            text = spans[at].text
            before = [*spans[:at], evolve(spans[at], text=text[: match.start()])]
            return _merge(before), _merge([evolve(spans[at], text=text[match.end() :]), *spans[at + 1 :]])
    return spans, ()
