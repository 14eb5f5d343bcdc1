"""Reads the HTML of reveal.js whose slides are Markdown (`<section data-markdown>`) as a deck of Markdown.

Slides of HTML among them become Markdown as well. Lines keep their numbers where what stands above them leaves room.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import dedent
from typing import TYPE_CHECKING, Final

from attrs import frozen

from eventflow.requests.limits import MAX_TITLE_CHARS
from handlers.generation.control import Warned
from handlers.generation.script.comments import without_comments
from handlers.generation.script.deck_tools import Deck, reveal_deck
from handlers.generation.script.decks import read_slides
from handlers.generation.script.frontmatter import FrontMatter, Manuscript
from handlers.generation.script.html_blocks import markdown_of
from handlers.generation.script.html_names import MOST_DEEP, depth_of

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_SIGN: Final = "data-markdown"
_BREAK: Final = "***"
_SLIDE: Final = re.compile(r"<section\b[^<>]*+>", re.IGNORECASE)
#: The elements that keep Markdown from being read as HTML.
_SOURCES: Final = "textarea, script, template"


@frozen(kw_only=True)
class _Slide:
    """The Markdown of one or more slides.

    `markdown` tells whether the page has it, `mark` is a line of it, by which it is found there.
    """

    text: str
    markdown: bool = False
    mark: str = ""
    warnings: tuple[Warned, ...] = ()


def html_deck(text: str) -> Manuscript | None:
    """Return the deck in a page or fragment of HTML; None where none of its slides is Markdown."""
    if _SIGN not in text or not text.lstrip().startswith("<") or depth_of(text) > MOST_DEEP:
        return None
    if not any(_SIGN in match[0] for match in _SLIDE.finditer(text)):
        return None
    from selectolax.lexbor import LexborHTMLParser

    page = LexborHTMLParser(text)
    root = page.css_first(".slides") or page.body
    slides = list(_slides(root)) if root is not None else []
    titled = page.css_first("title")
    title = " ".join((titled.text() if titled is not None else "").split())[:MAX_TITLE_CHARS]
    warnings = tuple(warned for slide in slides for warned in slide.warnings)
    body = _placed(text, slides)
    return Manuscript(FrontMatter(title=title or None), body, warnings, deck=Deck(tool="reveal"), foreign=True)


def _slides(parent: LexborNode) -> Iterator[_Slide]:
    for node in parent.iter():
        if node.tag != "section":
            if node.css_first("section") is not None:
                yield from _slides(node)
        elif _SIGN in node.attributes:
            yield _of_markdown(node)
        elif any(each.tag == "section" for each in node.iter()):
            yield from _slides(node)
        else:
            yield _Slide(text=read_slides(markdown_of(node.html or ""), Deck(tool="reveal"))[0])


def _of_markdown(node: LexborNode) -> _Slide:
    """Read a section whose text is Markdown, with the separators that it names."""
    given = {name.removeprefix("data-").replace("-", ""): value for name, value in node.attributes.items() if value}
    if elsewhere := given.get("markdown"):
        message = f"the slides in {elsewhere[:80]!r} are left out: paste them here"
        return _Slide(text="", markdown=True, warnings=(Warned("slides_elsewhere", message),))
    source = node.css_first(_SOURCES)
    written = (source.text() or source.inner_html or "") if source is not None else node.text()
    written = dedent(written.expandtabs(4).strip("\n"))
    names = {"separator": "separator", "separatorvertical": "verticalseparator", "separatornotes": "notesseparator"}
    entries = {own: given.get(name) for name, own in names.items()}
    mark = next((line.strip() for line in written.split("\n") if line.strip()), "")
    text, warnings = read_slides(without_comments(written)[0], reveal_deck(entries))
    return _Slide(text=text, markdown=True, mark=mark, warnings=warnings)


def _placed(page: str, slides: list[_Slide]) -> str:
    """Join slides by breaks, each on the line of the page where it is written, as far as there is room."""
    starts = [match.end() for match in _SLIDE.finditer(page) if _SIGN in match[0]]
    bounds = iter(zip(starts, [*starts[1:], len(page)], strict=True))
    rows: list[str] = []
    line = counted = 0
    for slide in slides:
        begin, end = next(bounds, (len(page), len(page))) if slide.markdown else (0, 0)
        if not slide.text.strip():
            continue
        if rows:
            rows += ["", _BREAK, ""]
        if slide.mark and (found := page.find(slide.mark, begin, end)) >= 0:
            line += page.count("\n", counted, found)
            counted = found
            rows += [""] * (line - len(rows))
        rows += slide.text.strip("\n").split("\n")
    return "\n".join(rows)
