"""Parses Markdown into sections of blocks: headings, lists, code, tables, math, quotes, paragraphs, pictures, charts.

Links become their text; HTML is shown as it is written (`comments` removes its comments before). Beyond CommonMark:

- a paragraph that starts with `Note:`, `Notes:` or `note:` without a style is spoken, not shown (as in reveal.js);
- `$...$`, `$$...$$` and fenced blocks with the language `math` are formulas;
- `:::columns`, `:::right` and `:::` on their own lines enclose two columns, `:::outro` and `:::` the last page;
- `![alt](asset:ID "...")` shows an uploaded picture or clip (`picture_references`), a fenced block `chart` a chart,
  `mermaid` a diagram;
- `{2,4-6}` behind the language of a fenced block highlights lines of the listing.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final

from attrs import evolve
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from handlers.generation.control import Warned
from handlers.generation.errors import ScriptError
from handlers.generation.script.callout_blocks import boxed, is_flow, side_by_side
from handlers.generation.script.callouts import NOTICED
from handlers.generation.script.chartdata import MAX_UNIT_CHARS, STYLES, ChartError, check_chart, read_rows
from handlers.generation.script.content import (
    Block,
    Bullets,
    Chart,
    Clip,
    Code,
    Columns,
    Diagram,
    Footnotes,
    Heading,
    Math,
    Note,
    Paragraph,
    Quote,
    Section,
    Span,
    Spans,
    Table,
)
from handlers.generation.script.fence_options import plain_fence
from handlers.generation.script.footnotes import footnote, notes_of, numbers_in
from handlers.generation.script.inline import markdown, merged, parse_inline, plain, spans_among, spans_of
from handlers.generation.script.lists import alignment, list_blocks
from handlers.generation.script.mermaid.read import diagram_block, is_mermaid
from handlers.generation.script.picture_references import SHOWN, SIDES, Pictures
from handlers.generation.script.sentences import Uncut, cut_section


def parse_sections(
    text: str, pictures: Pictures | None = None, language: str = "en", noticed: list[Warned] | None = None
) -> tuple[Section, ...]:
    """Parse the sections of a Markdown text; steps and lines are not set yet. Raises ScriptError.

    `language` is the BCP 47 tag of the voice's language, which decides where sentences end.
    """
    return tuple(cut_section(section, language) for section in uncut_sections(text, pictures, noticed))


def uncut_sections(
    text: str, pictures: Pictures | None = None, noticed: list[Warned] | None = None
) -> tuple[Section, ...]:
    """Parse the sections of a Markdown text, whose paragraphs are still to be cut by `cut_section`. Raises ScriptError.

    `pictures` settles the pictures; those that are missing are left out (`Pictures.check` names them). `noticed` takes
    warnings.
    """
    env: dict[str, Any] = {NOTICED: [] if noticed is None else noticed}
    tokens = markdown().parse(text, env)
    sections = _Sections(notes_of(env), _scene_rank(tokens))
    (pictures or Pictures()).settle(tokens)
    for node in SyntaxTreeNode(tokens).children:
        sections.take(node)
    return sections.all()


def _scene_rank(tokens: Sequence[Token]) -> int:
    """Return the rank down to which headings begin scenes: 2, or the first one that a text without others has."""
    ranks = Counter(int(token.tag[1]) for token in tokens if token.type == "heading_open" and token.level == 0)
    if ranks[1] + ranks[2] > 1 or any(token.type == "hr" and token.level == 0 for token in tokens):
        return 2
    return next((rank for rank in range(3, 7) if ranks[rank] > 1), 2)


#: (line of `:::columns`, left, right) within columns; `right` is None before `:::right`.
_Columns = tuple[int, list[Block | Note], list[Block | Note] | None]


class _Sections:
    """Collects the blocks of a text under their headings and in their columns."""

    def __init__(self, notes: dict[str, tuple[str, ...]], scene_rank: int = 2) -> None:
        self._notes = notes
        self._scene_rank = scene_rank
        self._done: list[Section] = []
        self._current = Section(0, (), ())
        self._body: list[Block | Note] = []
        #: Whether there was nothing but pictures so far.
        self._pictures_only = True
        self._columns: _Columns | None = None
        #: Where the left and right side of the columns of a slide begin in the body.
        self._sides: tuple[int, int | None] | None = None
        #: The pictures at a side of the page.
        self._beside: dict[str, list[Block | Note]] = {}

    def all(self) -> tuple[Section, ...]:
        if self._columns is not None:
            raise ScriptError(f"the columns that begin on line {self._columns[0]} don't end: write ::: below them")
        self._begin(Section(0, (), ()))
        return tuple(self._done)

    def take(self, node: SyntaxTreeNode) -> None:
        if node.type == "slot":
            self._take_slot(node.content)
        elif node.type == "marker":
            self._mark(node.content, line_of(node))
        elif is_flow(node):
            for child in node.children:
                self.take(child)
        elif self._columns is not None:
            self._take_cell(node, self._columns)
        elif node.type == "hr":
            self._begin(Section(0, (), ()))
        elif node.type == "heading" and int(node.tag[1]) <= self._scene_rank:
            heading = spans_of(node)
            if self._current.layout == "outro" and not self._current.heading and not self._body:
                self._current = evolve(self._current, heading=heading)
            else:
                self._begin(Section(min(int(node.tag[1]), 2), heading, ()))
        else:
            self._pictures_only = self._pictures_only and _has_pictures_only(node)
            self._take_beside(node)
            self._body += _blocks(node)

    def _take_beside(self, node: SyntaxTreeNode) -> None:
        """Take the pictures at a side of the page out of a paragraph."""
        for child in (child for part in node.children for child in part.children or ()):
            if child.type == SHOWN and child.meta["side"] and child.meta["block"] is not None:
                self._beside.setdefault(child.meta["side"], []).append(child.meta["block"])
                child.meta["block"] = None

    def _take_slot(self, name: str) -> None:
        """Begin a side of columns, or end them (`::left::`, `::right::`, `::bottom::`)."""
        match name, self._sides:
            case "right", None:
                self._sides = (0, len(self._body))
            case "right", (left, _):
                self._sides = (left, len(self._body))
            case _:
                self._end_sides()
                self._sides = (len(self._body), None) if name == "left" else None

    def _end_sides(self) -> None:
        if self._sides is not None and self._sides[1] is not None:
            left, right = self._sides
            sides = [self._body[left:right], self._body[right:]]
            self._body[left:] = side_by_side(sides)
        self._sides = None

    def _end_beside(self) -> None:
        """Put the pictures at a side beside all else."""
        for side in SIDES:
            if pictures := self._beside.pop(side, None):
                self._body = list(side_by_side([pictures, self._body][:: 1 if side == SIDES[0] else -1]))

    def _begin(self, section: Section) -> None:
        self._end_sides()
        if section.heading and not self._current.heading and not self._done and self._is_logo():
            self._current = section  # with what stands above it, such as a logo
            return
        self._end_beside()
        if self._current.heading or self._body:
            self._end_notes()
            self._done.append(evolve(self._current, body=tuple(self._body)))
        self._current, self._body = section, []

    def _is_logo(self) -> bool:
        """Whether what stands above the first heading is a picture that doesn't fill the page, or its description."""
        fills = any(isinstance(block, Clip) or getattr(block, "fit", "") == "cover" for block in self._body)
        return self._pictures_only and self._current.layout is None and not fills

    def _end_notes(self) -> None:
        """Put the notes that the section is the first to refer to at its foot."""
        if not self._notes:
            return
        numbers = dict.fromkeys(numbers_in((self._current.heading, self._body)))
        found = [(number, self._notes.pop(number)) for number in numbers if number in self._notes]
        if found:
            notes = (footnote(number, map(parse_inline, paragraphs)) for number, paragraphs in found)
            self._body.append(Footnotes(tuple(notes)))

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
                raise ScriptError(f"line {line}: :::{name} is misplaced: it belongs to :::columns or :::outro")
            case _:
                raise ScriptError(f"line {line}: unknown marker :::{name[:40]}; available: columns, right, outro")

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
    """Return the line on which a node begins, counted from 1."""
    return node.map[0] + 1 if node.map else 1


def _blocks(node: SyntaxTreeNode) -> Iterator[Block | Note]:
    match node.type:
        case "heading":
            if spans := spans_of(node):
                yield Heading(spans)
        case "paragraph":
            yield from _with_pictures(node)
        case "bullet_list" | "ordered_list":
            yield from list_blocks(node, _blocks)
        case "fence" | "code_block":
            yield from _code(node)
        case "math_block":
            if node.content:
                yield _formula(node.content)
        case "table":
            yield from _table(node)
        case "blockquote":
            yield from _quote(node)
        case "callout":
            yield from boxed(node, _blocks)
        case _:
            for child in node.children:
                yield from _blocks(child)


def _formula(latex: str) -> Math:
    """Make a formula in one line: scene documents hold no others, and white space is the same to LaTeX."""
    return Math(latex.translate(_IN_ONE_LINE))


#: The beginning of what the speaker says, as reveal.js takes it.
_NOTE = re.compile(r"(?:Notes?|notes?):")


def _paragraph(spans: Spans, line: int = 0) -> Iterator[Block | Note]:
    if not spans:
        return
    if len(spans) == 1 and spans[0].kind == "math":
        yield _formula(spans[0].text)
    elif spans[0].style == _PLAIN.style and (begun := _NOTE.match(spans[0].text)):
        if note := " ".join(plain(spans)[begun.end() :].split()):
            yield Note(note, line=line)
    else:
        yield Paragraph((Uncut(spans),))


def _has_pictures_only(node: SyntaxTreeNode) -> bool:
    inline = [child for part in node.children for child in part.children or ()]
    pictures = (SHOWN, "image", "link", "softbreak", "hardbreak")
    return node.type == "paragraph" and all(child.type in pictures for child in inline)


def _with_pictures(node: SyntaxTreeNode) -> Iterator[Block | Note]:
    """Yield the text and the pictures of a paragraph in order; pictures stand on lines of their own."""
    inline = [child for part in node.children for child in part.children or ()]
    for shown, group in groupby(inline, key=lambda child: child.type == SHOWN):
        if shown:
            yield from (child.meta["block"] for child in group if child.meta["block"] is not None)
        else:
            yield from _paragraph(spans_among(group), line_of(node))


def _code(node: SyntaxTreeNode) -> Iterator[Block]:
    info, content = plain_fence(node.info, node.content) if node.type == "fence" else ("", node.content)
    block = fenced(info, content, line_of(node))
    if block is not None:
        yield block


def _table(node: SyntaxTreeNode) -> Iterator[Block]:
    rows = [tuple(spans_of(cell) for cell in row.children) for part in node.children for row in part.children]
    if any(any(row) for row in rows):
        yield Table(rows[0], tuple(rows[1:]), align=alignment(node.children[0].children[0]))


def _quote(node: SyntaxTreeNode) -> Iterator[Block | Note]:
    """Yield one quotation of all text inside; text after a last dash is its source."""
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
    """Split spans at the last dash after the end of a sentence: (quotation, source)."""
    for at in range(len(spans) - 1, -1, -1):
        text = _SPACES.sub(" ", spans[at].text)
        match = _DASH.search(text)
        if spans[at].kind == "text" and match and (at or match.start()):
            before = [*spans[:at], spans[at].with_text(text[: match.start()])]
            return merged(before), merged([spans[at].with_text(text[match.end() :]), *spans[at + 1 :]])
    return spans, ()


_IN_ONE_LINE: Final = dict.fromkeys(map(ord, "\t\n\r"), " ")
_PLAIN: Final = Span("")
LANGUAGE: Final = re.compile(r"[^\s`{}]{1,40}")
#: Characters of the options of a chart or listing.
MAX_OPTIONS_CHARS: Final = 1_000
#: Lines or ranges of lines in braces.
_HIGHLIGHT = re.compile(r"\{\s*(\d{1,5}(?:\s*-\s*\d{1,5})?(?:\s*,\s*\d{1,5}(?:\s*-\s*\d{1,5})?)*)\s*\}")


def fenced(info: str, content: str, line: int) -> Code | Math | Chart | Diagram | None:
    """Read a fenced block; None where it is empty. Raises ScriptError for an invalid chart."""
    if is_mermaid(info) and content.strip():
        return diagram_block(content.expandtabs(4).rstrip())
    language, _, more = info.strip().partition(" ")
    language, brace, rest = language.partition("{")
    language, more = language.lower(), brace + rest + " " + more
    if language == "chart":
        return _chart(more, content, line)
    text = content.expandtabs(4).rstrip().lstrip("\n")
    if not text.strip():
        return None
    if language == "math":
        return _formula(text)
    skipped = len(content) - len(content.lstrip("\n"))
    marked = _HIGHLIGHT.search(more)
    lines = lines_of(marked[1], text.count("\n") + 1 + skipped) if marked else ()
    language = language if LANGUAGE.fullmatch(language) else ""
    return Code(language, text, highlight=tuple(n - skipped for n in lines if n > skipped))


def lines_of(ranges: str, count: int) -> tuple[int, ...]:
    """Return the numbers from 1 to `count` in ranges such as "2,4-6", in order."""
    spans = []
    for part in ranges.split(","):
        first, _, last = part.partition("-")
        spans.append((max(1, int(first)), min(int(last or first), count)))
    found: list[int] = []
    for begin, end in sorted(spans):
        found += range(max(begin, found[-1] + 1 if found else 1), end + 1)
    return tuple(found)


def _chart(options: str, content: str, line: int) -> Chart:
    where = f"the chart on line {line}"
    if len(options) > MAX_OPTIONS_CHARS:
        raise ScriptError(f"{where}: its options have {len(options):,} characters; {MAX_OPTIONS_CHARS:,} are possible")
    try:
        words = shlex.split(options)
    except ValueError:
        raise ScriptError(f'{where}: a quote in its options doesn\'t end; write title="..."') from None
    style, title, unit = "", "", ""
    for word in words:
        name, equals, value = word.partition("=")
        if word in STYLES and not style:
            style = word
        elif equals and name == "title" and len(value) <= 200:
            title = value
        elif equals and name == "unit" and len(value) <= MAX_UNIT_CHARS:
            unit = value
        else:
            way_out = 'write chart bar|line|pie title="..." unit=...'
            raise ScriptError(f"{where}: {word[:40]!r} is not understood; {way_out}")
    if not style:
        raise ScriptError(f"{where} has no style; write chart {'|'.join(STYLES)}")
    try:
        labels, series = read_rows(content)
        check_chart(style, labels, series)
    except ChartError as error:
        raise ScriptError(f"{where}: {error}") from None
    return Chart(style, labels, series, parse_inline(title), unit)  # type: ignore[arg-type]
