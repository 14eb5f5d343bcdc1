"""Turns blocks of HTML within Markdown into Markdown, which is parsed in their place.

Headings, lists, tables, quotations, listings, pictures and paragraphs keep their meaning; inline elements stay tags,
which `html_inline` reads; others are transparent.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from attrs import define, field
from markdown_it.rules_block import StateBlock, html_block
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from handlers.generation.script.html_names import (
    BLOCKS,
    MOST_DEEP,
    RAW,
    STYLES,
    TAG,
    alignment_of,
    depth_of,
    is_deep,
    rows_of,
)
from handlers.generation.script.picture_rules import picture_of_tag
from handlers.generation.script.shapes.characters import written

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_SPACES: Final = re.compile(r"\s+")
_NUMBER: Final = re.compile("[0-9]{1,8}")


def html_block_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """markdown-it's rule, but for comments: `comments` has removed them, and what is left of them is code."""
    if state.src.startswith("<!--", state.bMarks[start] + state.tShift[start]):
        return False
    return html_block(state, start, end, silent)


def read_html_blocks(state: StateCore) -> None:
    """The parser's rule: replaces blocks of HTML by the tokens of the Markdown that they mean."""
    if not any(token.type == "html_block" for token in state.tokens):
        return
    made: list[Token] = []
    for token in state.tokens:
        if token.type != "html_block":
            made.append(token)
            continue
        inner: list[Token] = []
        state.md.block.parse(markdown_of(token.content), state.md, state.env, inner)
        for each in inner:
            if each.type != "html_block":
                each.map = token.map
                each.level += token.level
                made.append(each)
    state.tokens = made


def markdown_of(source: str) -> str:
    """Return the Markdown that a fragment of HTML means."""
    from selectolax.lexbor import LexborHTMLParser

    if depth_of(source) > MOST_DEEP:
        return _without_tags(source)
    body = LexborHTMLParser(source).body
    writer = _Writer()
    if body is not None:
        if is_deep(body):
            return _without_tags(source)
        writer.children(body)
    return writer.text()


def _without_tags(source: str) -> str:
    return " ".join(TAG.sub(" ", source).split()).replace("<", "&lt;")


def _nodes(parent: LexborNode) -> Iterator[LexborNode]:
    node = parent.child
    while node is not None:
        yield node
        node = node.next


@define
class _Writer:
    """Writes the blocks of a tree; `_line` is the paragraph that isn't ended yet."""

    _blocks: list[str] = field(factory=list)
    _line: list[str] = field(factory=list)

    def text(self) -> str:
        self._end()
        return "\n\n".join(self._blocks) + "\n"

    def children(self, parent: LexborNode) -> None:
        for node in _nodes(parent):
            self._node(node)

    def _end(self, prefix: str = "") -> None:
        """End the paragraph."""
        words = _SPACES.sub(" ", "".join(self._line)).strip()
        self._line = []
        if words:
            self._blocks.append(prefix + words)

    def _add(self, block: str) -> None:
        if block.strip():
            self._blocks.append(block)

    def _node(self, node: LexborNode) -> None:
        name = node.tag or ""
        if name == "-text":
            self._line.append(written(node.text_content or "").replace("<", "&lt;"))
        elif name in RAW or name.startswith(("-", "!", "?")):
            return
        elif name in BLOCKS:
            self._end()
            self._block(name, node)
            self._end()
        else:
            self._inline(name, node)

    def _block(self, name: str, node: LexborNode) -> None:
        match name:
            case "h1" | "h2" | "h3" | "h4" | "h5" | "h6":
                self._line.append(_inline_of(node))
                self._end("#" * int(name[1]) + " ")
            case "summary" | "dt" | "figcaption" | "caption" | "legend":
                words = _SPACES.sub(" ", _inline_of(node)).strip()
                self._add(f"<b>{words}</b>" if words and name in ("summary", "dt") else words)
            case "ul" | "ol" | "menu" | "dir":
                self._add("\n".join(_list_rows(node, ordered=name == "ol")))
            case "table":
                self._add(_table_of(node))
            case "pre":
                text = written(node.text(deep=True)).strip("\n")
                fence = "`" * (1 + max((len(run) for run in re.findall(r"`{3,}", text)), default=2))
                self._add(f"{fence}{_language(node)}\n{text}\n{fence}")
            case "blockquote":
                self._add("\n".join(f"> {row}".rstrip() for row in _inner(node).split("\n")))
            case "hr":
                self._add("***")
            case "aside" if "notes" in (node.attributes.get("class") or "").split():
                words = _inline_of(node).removeprefix("- ")
                self._add(f"Note: {words}" if words else "")
            case _:
                self.children(node)

    def _inline(self, name: str, node: LexborNode) -> None:
        """Inline elements stay as tags; those with blocks in them are transparent."""
        if name == "img":
            self._line.append(_picture(node))
        elif name in ("br", "video"):
            self._line.append(node.html or "")
        elif name == "a" and (node.css_first("img") is not None):
            self._line.append(f"[{_inline_of(node)}]({(node.attributes.get('href') or '').split(' ')[0]})")
        elif name in STYLES and node.css_first(", ".join(sorted(BLOCKS))) is None:
            self._line.append(f"<{name}>{_inline_of(node)}</{name}>")
        else:
            self.children(node)


def _picture(node: LexborNode) -> str:
    """Return a picture in Markdown's form: a tag that stands alone would be a block of HTML again."""
    found = picture_of_tag("img", {name: value or "" for name, value in node.attributes.items()})
    if found is None:
        return ""
    address, alt, _ = found
    words = re.sub(r"([\\\[\]`*_<])", r"\\\1", _SPACES.sub(" ", written(alt)))
    bare = re.sub(r"[<>\s]", "", address)
    return f"![{words}](<{bare}>)"


def _inner(node: LexborNode) -> str:
    writer = _Writer()
    writer.children(node)
    return writer.text().strip("\n")


def _inline_of(node: LexborNode) -> str:
    """Return what stands in an element as one line."""
    return _SPACES.sub(" ", _inner(node)).strip(" ") if node.child is not None else ""


def _list_rows(node: LexborNode, *, ordered: bool) -> Iterator[str]:
    start = _NUMBER.fullmatch(node.attributes.get("start") or "")
    number = int(start[0]) if start else 1
    for item in _nodes(node):
        if item.tag is None or item.tag.startswith("-"):
            continue
        sign = f"{number}. " if ordered else "- "
        number += 1
        for at, row in enumerate(_inner(item).split("\n")):
            yield (sign + row if at == 0 else " " * len(sign) + row).rstrip()


def _table_of(node: LexborNode) -> str:
    rows = [[cell for cell in _nodes(row) if cell.tag in ("td", "th")] for row in rows_of(node)]
    rows = [row for row in rows if row]
    width = max(map(len, rows), default=0)
    if not width:
        return _inner_of_cells(node)
    cells = [[_cell(cell) for cell in row] for row in rows]
    cells[0] += [""] * (width - len(cells[0]))  # the parser fills the other rows
    lines = ["| " + " | ".join(row) + " |" for row in cells]
    aligned = [alignment_of(cell.attributes) for cell in rows[min(1, len(rows) - 1)]]
    marks = "|".join(aligned[at] if at < len(aligned) else "---" for at in range(width))
    return "\n".join([lines[0], f"|{marks}|", *lines[1:]])


def _inner_of_cells(node: LexborNode) -> str:
    return " ".join(written(node.text(deep=True)).split()).replace("<", "&lt;")


def _cell(cell: LexborNode) -> str:
    text = _inner(cell).replace("\n\n", "<br>").replace("\n", " ")
    return text.replace("|", "\\|")


def _language(node: LexborNode) -> str:
    """Return the language of a listing: `<pre lang="sh">`, or `<code class="language-sh">`."""
    code = node.css_first("code")
    given = node.attributes.get("lang") or ""
    for each in ((code.attributes.get("class") or "") if code is not None else "").split():
        given = given or (each.removeprefix("language-") if each.startswith("language-") else "")
    return html.escape(given) if re.fullmatch(r"[\w+-]{1,20}", given) else ""
