"""Inline Markdown: text into spans and back, and the parser with its rules.

`$...$` and `$$...$$` are math. Links and images become their text; HTML is shown as it is written, except comments.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import groupby
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final

from attrs import evolve
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from handlers.generation.errors import ScriptError
from handlers.generation.script.callouts import add_callout_rules
from handlers.generation.script.comments import without_inline_comments
from handlers.generation.script.content import Span, Spans
from handlers.generation.script.east_asian import add_east_asian_rules
from handlers.generation.script.footnotes import add_footnote_rules
from handlers.generation.script.formula_warnings import notice_formulas
from handlers.generation.script.html_blocks import html_block_rule, read_html_blocks
from handlers.generation.script.html_inline import STYLE, read_tags
from handlers.generation.script.marks import add_mark_rules, marked_style
from handlers.generation.script.picture_rules import LINE, PictureParser, add_picture_rules
from handlers.generation.script.shortcodes import read_icon, read_shortcodes
from handlers.generation.script.tool_syntax import add_tool_rules

MAX_COLUMNS: Final = 100
#: More cells than 300 pages can show. A short row is filled up to the header's columns, so a few characters can make
#: many cells.
MAX_CELLS: Final = 20_000
#: The line between the header and the rows.
_DELIMITERS: Final = re.compile(r"[-:| \t]*+")


def table_in_limits(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """markdown-it's rule for tables, with limits. Raises ScriptError before a too large table is parsed."""
    if start + 2 <= end and (columns := _columns(state, start + 1)):
        if columns > MAX_COLUMNS:
            raise ScriptError(_too_large(start, f"{columns:,} columns; at most {MAX_COLUMNS} are possible"))
        row = start + 2
        while row < end and not state.isEmpty(row):
            row += 1
            if (row - start) * columns > MAX_CELLS:
                raise ScriptError(_too_large(start, f"more than {MAX_CELLS:,} cells"))
    return table(state, start, end, silent)


def _columns(state: StateBlock, line: int) -> int:
    """Count the columns of a delimiter line between header and rows; 0 for any other line."""
    if "|" not in state.src[state.bMarks[line - 1] : state.eMarks[line - 1]]:
        return 0
    text = state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]
    if "-" not in text or not _DELIMITERS.fullmatch(text):
        return 0
    return len(text.strip().strip("|").split("|"))


def _too_large(start: int, what: str) -> str:
    return f"the table on line {start + 1} has {what}"


#: Longer texts are parsed in pieces cut between words: in the worst case markdown-it takes quadratic time.
PIECE_CHARS = 2_000
#: Pieces of at least so many characters with a larger share of markup are not parsed.
NOISE_CHARS = 200
NOISE_PART = 0.2
#: Text that no rule of the parser takes for markup: words and marks of sentences, in one line.
_WORDS: Final = re.compile(r"(?:[^\W_]|[ .,;?()'\"…’“”„–—-])++")
_WITHOUT_MARKUP = str.maketrans("", "", "\\`*_[]<>&~!")


def plain(spans: Spans) -> str:
    """Return the text of spans without styles."""
    return spans[0].text if len(spans) == 1 else "".join([span.text for span in spans])


@cache
def markdown() -> MarkdownIt:
    """Return the parser: CommonMark with tables, math and HTML; it keeps no state between texts."""
    parser = PictureParser("commonmark", {"html": True}).enable(["table", "strikethrough"])
    add_picture_rules(parser)
    add_footnote_rules(parser)
    add_mark_rules(parser)
    parser.inline.ruler.before("escape", "math", _math_inline)
    parser.inline.ruler.before("escape", "icon", read_icon)
    parser.block.ruler.at("table", table_in_limits, {"alt": ["paragraph", "reference"]})
    parser.block.ruler.before("fence", "math", _math_block, {"alt": ["paragraph", "reference", "blockquote"]})
    parser.block.ruler.before("fence", "marker", _marker, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    parser.block.ruler.at("html_block", html_block_rule, {"alt": ["paragraph", "reference", "blockquote"]})
    add_callout_rules(parser)
    add_tool_rules(parser)
    parser.core.ruler.at("inline", _inline_in_pieces)
    parser.core.ruler.before("inline", "html_blocks", read_html_blocks)
    parser.core.ruler.after("inline", "formulas", notice_formulas)
    add_east_asian_rules(parser)
    parser.core.ruler.after("text_join", "html_tags", read_tags)
    parser.core.ruler.after("text_join", "shortcodes", read_shortcodes)
    return parser


def _inline_in_pieces(state: StateCore) -> None:
    for token in state.tokens:
        if token.type == "inline":
            token.children = token.children or []
            line = token.map[0] + 1 if token.map else 1
            for piece in _pieces(token.content):
                state.env[LINE] = line
                line += piece.count("\n")
                if _WORDS.fullmatch(piece):
                    token.children.append(Token("text", "", 0, content=piece))
                elif _is_noise(piece):
                    token.children.append(Token("text", "", 0, content=piece.replace("\n", " ")))
                else:
                    parsed: list[Token] = []  # the parser's last rules go over a whole list
                    state.md.inline.parse(piece, state.md, state.env, parsed)
                    token.children += parsed


def _is_noise(text: str) -> bool:
    """Tell whether a longer text is mostly markup characters: it is shown as it is written."""
    if len(text) < NOISE_CHARS:
        return False
    return len(text) - len(text.translate(_WITHOUT_MARKUP)) > NOISE_PART * len(text)


def _pieces(text: str) -> Iterator[str]:
    at = 0
    while len(text) - at > PIECE_CHARS:
        cut = max(text.rfind(mark, at, at + PIECE_CHARS) for mark in (" ", "\n")) + 1 or at + PIECE_CHARS
        yield text[at:cut]
        at = cut
    yield text[at:]


def parse_inline(text: str) -> Spans:
    """Parse inline Markdown; block markup is text, comments are dropped."""
    if _WORDS.fullmatch(text):
        return merged((Span(text),))
    return spans_of(SyntaxTreeNode(markdown().parseInline(without_inline_comments(text))))


def to_markdown(spans: Spans) -> str | None:
    """Write spans as inline Markdown that parses to the same spans; None where that is impossible."""
    plain_text = plain(spans)
    for text in (plain_text, "".join(_marked(span) for span in spans)):
        if parse_inline(text) == spans:
            return text
    return None


_SPECIAL = re.compile(r"[\\`*_\[\]<>&$~!]")


def _marked(span: Span) -> str:
    if span.kind == "math":
        return f"${span.text}$"
    if span.kind == "code":
        fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", span.text)), default=0))
        room = " " if span.text[:1] == "`" or span.text[-1:] == "`" else ""
        body = f"{fence}{room}{span.text}{room}{fence}"
    else:
        body = _SPECIAL.sub(r"\\\g<0>", span.text)
    return {(True, True): f"***{body}***", (True, False): f"**{body}**", (False, True): f"*{body}*"}.get(
        (span.bold, span.italic), body
    )


_MATH = re.compile(r"\$\$(?P<block>[^$]+)\$\$|\$(?P<inline>(?![\s$])(?:[^$\\]|\\.)*?(?<!\s))\$(?!\d)", re.DOTALL)


def _math_inline(state: StateInline, silent: bool) -> bool:
    """Parse `$x$` as Pandoc does: no blank just inside and no digit after, so that prices stay text."""
    match = _MATH.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    if not silent:
        token = state.push("math_inline", "math", 0)
        token.content = (match["block"] or match["inline"]).strip()
    state.pos = match.end()
    return True


def _math_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Parse a formula between two lines that consist of `$$`."""

    def line(number: int) -> str:
        return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]].strip()

    if state.is_code_block(start) or line(start) != "$$":
        return False
    close = start + 1
    while close < end and line(close) != "$$":
        if line(close) and state.sCount[close] < state.blkIndent:
            return False  # the list item ends here
        close += 1
    if close == end:
        return False
    if not silent:
        token = state.push("math_block", "math", 0)
        token.content = "\n".join(line(n) for n in range(start + 1, close)).strip()
        token.map = [start, close + 1]
        state.line = close + 1
    return True


_MARKER = re.compile(r":{3,}+[ \t]*+([A-Za-z][\w-]*+)?+[ \t]*+")


def _marker(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Parse an unindented line `:::name`, which ends lists and quotes; inside of them it is text."""
    if state.sCount[start] != 0 or state.src[state.bMarks[start] : state.bMarks[start] + 3] != ":::":
        return False
    match = _MARKER.fullmatch(state.src, state.bMarks[start], state.eMarks[start])
    if match is None or (state.level > 0 and not silent):
        return False
    if not silent:
        token = state.push("marker", "", 0)
        token.content = (match[1] or "").lower()
        token.map = [start, start + 1]
        state.line = start + 1
    return True


def spans_of(node: SyntaxTreeNode) -> Spans:
    """Return the spans of a node with inline text."""
    return spans_among(child for inline in node.children for child in inline.children or ())


def spans_among(nodes: Iterable[SyntaxTreeNode]) -> Spans:
    """Return the spans of nodes within inline text."""
    return merged([span for node in nodes for span in _spans(node, _UNSTYLED)])


_UNSTYLED: Final = Span("")
_NO_STYLE: Final[Mapping[str, Any]] = MappingProxyType({})


def _spans(node: SyntaxTreeNode, style: Span) -> Iterator[Span]:
    """Yield the spans of a node; `style` is what is around it."""
    match node.type:
        case "code_inline":
            yield _dressed(node, style, node.content, kind="code")
        case "math_inline":
            yield Span(node.content, "math")
        case "footnote_ref":
            yield Span(node.content, "note")
        case "softbreak":
            yield _dressed(node, style, " ")
        case "hardbreak":
            yield style.with_text("\n")
        case "strong":
            yield from _styled(node, evolve(style, bold=True))
        case "em":
            yield from _styled(node, evolve(style, italic=True))
        case "s":
            yield from _styled(node, evolve(style, struck=True))
        case "mark" | "sub" | "sup":
            yield from _styled(node, marked_style(node.type, style))
        case _ if node.children:
            yield from _styled(node, style)
        case _:
            yield _dressed(node, style, node.content)


def _dressed(node: SyntaxTreeNode, style: Span, text: str, **fields: Any) -> Span:
    """Return a span in the style around it, which elements of HTML change."""
    own: Mapping[str, Any] = node.meta.get(STYLE, _NO_STYLE)
    span = style.with_text(text)
    return evolve(span, **{**own, **fields}) if own or fields else span


def _styled(node: SyntaxTreeNode, style: Span) -> Iterator[Span]:
    for child in node.children:
        yield from _spans(child, style)


_STYLE_OF: Final = attrgetter("style")


def _joined(spans: Sequence[Span]) -> Span:
    return spans[0].with_text("".join(span.text for span in spans))


def merged(spans: Sequence[Span]) -> Spans:
    """Merge neighbouring text spans of one style; strip the ends and drop empty spans."""
    runs = [span for span in spans if span.text]
    if len(runs) > 1:
        groups = [list(group) for _, group in groupby(runs, key=_STYLE_OF)]
        runs = [span for group in groups for span in (group if group[0].kind != "text" else [_joined(group)])]
    if runs and runs[0].kind == "text":
        runs[0] = runs[0].with_text(runs[0].text.lstrip())
    if runs and runs[-1].kind == "text":
        runs[-1] = runs[-1].with_text(runs[-1].text.rstrip())
    return tuple(span for span in runs if span.text)
