"""Reads HTML pages: what a reader of the page reads, as Markdown. Navigation, scripts and styles are no content."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from attrs import define, field

from handlers.generation.script.html_names import MOST_DEEP, TAG, alignment_of, depth_of, rows_of
from handlers.generation.script.inline import plain
from handlers.generation.script.markdown import parse_sections
from handlers.generation.script.shapes.build import title_of
from handlers.generation.script.shapes.characters import written
from handlers.generation.script.shapes.delivery import ROW
from handlers.generation.script.shapes.prose import finished
from handlers.generation.script.shapes.reading import LeftOut, Reading

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_NOTHING: Final = frozenset(
    [
        "script",
        "style",
        "template",
        "noscript",
        "nav",
        "footer",
        "aside",
        "form",
        "button",
        "svg",
        "iframe",
        "head",
        "select",
        "input",
        "textarea",
        "dialog",
        "object",
        "embed",
        "canvas",
        "audio",
        "video",
        "map",
    ]
)
_BLOCKS: Final = frozenset(
    [
        "p",
        "div",
        "section",
        "article",
        "main",
        "header",
        "figure",
        "figcaption",
        "address",
        "details",
        "summary",
        "dl",
        "dt",
        "dd",
        "fieldset",
        "body",
        "html",
        "center",
        "hgroup",
    ]
)
_MARKS: Final = {
    "b": "**",
    "strong": "**",
    "i": "*",
    "em": "*",
    "code": "`",
    "kbd": "`",
    "samp": "`",
    "cite": "*",
    "s": "~~",
    "del": "~~",
    "strike": "~~",
}
_SPECIAL: Final = re.compile(r"[\\`*_\[\]<>#|~$]")
#: Elements within each other; what is deeper is text.
_DEEPEST: Final = 150


def read_html(text: str) -> Reading:
    """Read a page."""
    from selectolax.lexbor import LexborHTMLParser

    if depth_of(text) > MOST_DEEP:  # a tree so deep takes quadratic time; without tags the text is one paragraph
        text = TAG.sub(" ", text)
    page = LexborHTMLParser(text)
    titled = page.css_first("title")
    title = _text(titled).strip() if titled is not None else ""
    root = page.css_first("main") or page.css_first("article") or page.body
    writer = _Writer()
    if root is not None:
        for node in root.iter(include_text=True):
            writer.node(node, 0)
    writer.end()
    sections = finished(parse_sections("\n\n".join(writer.blocks)))
    first = next((plain(s.heading) for s in sections if s.heading and s.level == 1), "")
    left = tuple(
        LeftOut.of(1, written(node.text(separator=" ", strip=True)), "furniture")
        for node in page.css("nav, footer, aside")[:20]
        if node.text(strip=True)
    )
    return Reading(shape="html", sections=sections, title=title_of(first or title), left_out=left)


@define
class _Writer:
    """Writes blocks of Markdown."""

    blocks: list[str] = field(factory=list)
    _line: list[str] = field(factory=list)

    def end(self, prefix: str = "") -> None:
        """End the paragraph, if one has begun."""
        text = _tidy("".join(self._line))
        self._line = []
        if text:
            self.blocks.append(prefix + text)

    def node(self, node: LexborNode, depth: int) -> None:
        tag = node.tag
        if tag == "-text":
            self._line.append(_escaped(written(node.text_content or "")))
        elif tag in _NOTHING or tag is None or tag.startswith(("-", "!", "_")):
            return
        elif depth > _DEEPEST:
            self._line.append(_escaped(_text(node)))
        elif tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            self.end()
            self._children(node, depth)
            self._line = [part.replace(ROW, " ") for part in self._line]
            self.end("#" * int(tag[1]) + " ")
        elif tag == "br":
            self._line.append(ROW)
        elif tag == "hr":
            self.end()
            self.blocks.append("---")
        elif tag in ("ul", "ol"):
            self.end()
            self.blocks.append("\n".join(_list(node, depth, 0)))
        elif tag == "table":
            self.end()
            self._table(node, depth)
        elif tag == "pre":
            self.end()
            self.blocks.append("````\n" + _text(node).replace("````", "'''") + "\n````")
        elif tag == "blockquote":
            self.end()
            inner = _Writer()
            inner._children(node, depth)
            inner.end()
            self.blocks.append("\n>\n".join("> " + block.replace("\n", "\n> ") for block in inner.blocks))
        elif tag == "img":
            self._line.append(_escaped(written(node.attributes.get("alt") or "")))
        elif tag in _BLOCKS:
            self.end()
            self._children(node, depth)
            self.end()
        elif tag in _MARKS:
            self._marked(node, depth, _MARKS[tag])
        else:
            self._children(node, depth)

    def _children(self, node: LexborNode, depth: int) -> None:
        for child in node.iter(include_text=True):
            self.node(child, depth + 1)

    def _marked(self, node: LexborNode, depth: int, mark: str) -> None:
        if mark == "`":
            text = " ".join(_text(node).split())
            self._line.append(f"`{text.replace('`', chr(39))}`" if text else "")
            return
        inner = _Writer()
        inner._children(node, depth)
        text = "".join(inner._line)
        bare = text.strip()
        if inner.blocks or not bare or ROW in bare:
            self._line.append(text)
            self.blocks += inner.blocks
            return
        before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
        self._line.append(f"{before}{mark}{bare}{mark}{after}")

    def _table(self, node: LexborNode, depth: int) -> None:
        rows_of_cells = ([cell for cell in row.iter() if cell.tag in ("th", "td")] for row in rows_of(node))
        cells = [found for found in rows_of_cells if found]
        if not cells:
            return
        rows = [[_cell(cell, depth) for cell in row] for row in cells]
        width = max(map(len, rows))
        rows[0] += [""] * (width - len(rows[0]))  # the parser fills the other rows
        lines = ["| " + " | ".join(row) + " |" for row in rows]
        aligned = [alignment_of(cell.attributes) for cell in cells[min(1, len(cells) - 1)]]
        aligned += ["---"] * (width - len(aligned))
        self.blocks.append("\n".join([lines[0], f"|{'|'.join(aligned)}|", *lines[1:]]))


def _cell(node: LexborNode, depth: int) -> str:
    inner = _Writer()
    inner._children(node, depth)
    inner.end()
    return " ".join(block.replace("\n", " ").replace(ROW, " ") for block in inner.blocks)


def _list(node: LexborNode, depth: int, level: int) -> list[str]:
    """The lines of a list; items hold one line each, with lists below."""
    lines: list[str] = []
    number = 1
    for child in node.iter():
        if child.tag != "li":
            continue
        inner = _Writer()
        nested: list[str] = []
        for part in child.iter(include_text=True):
            if part.tag in ("ul", "ol") and depth + level < _DEEPEST:
                nested += _list(part, depth + 2, level + 1)
            else:
                inner.node(part, depth + 1)
        inner.end()
        sign = f"{number}." if node.tag == "ol" else "-"
        words = " ".join(block.replace("\n", " ").replace(ROW, " ") for block in inner.blocks)
        if words or nested:
            lines += ["    " * level + f"{sign} {words}", *nested]
        number += 1
    return lines


def _text(node: LexborNode) -> str:
    return written(node.text(deep=True))


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda match: "\\" + match[0], re.sub(r"\s+", " ", text))


def _tidy(text: str) -> str:
    rows = [" ".join(row.split()) for row in text.split(ROW)]
    return ROW.join(row for row in rows if row)
