"""Finds HTML tags in text, and says what the elements of HTML are: styles, blocks, or nothing that is shown.

Tags are those of HTML and of the components of MDX, Vue and Slidev. Attributes are read by `html.parser`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape
from html.parser import HTMLParser
from typing import Final

from attrs import frozen

from handlers.generation.script.content import Span

_ATTRIBUTES: Final = r"""(?:[^"'<>{}/]|"[^"]*"|'[^']*'|\{(?:[^{}]|\{[^{}]*\})*\}|/(?!>)){0,4000}+"""
TAG: Final = re.compile(rf"<(?P<end>/)?+(?P<name>[A-Za-z][\w.:-]*+)(?P<attributes>(?:\s{_ATTRIBUTES})?+)/?+>")
#: A line of nothing but tags and comments.
TAGS: Final = re.compile(
    rf"(?:[ \t]*+(?:{
        TAG.pattern.replace('?P<end>', '').replace('?P<name>', '').replace('?P<attributes>', '')
    }|<!--(?:(?!-->).)*+-->))++[ \t]*+"
)
_BREAK: Final = re.compile(r"\s++")

VOID: Final = frozenset("area base br col embed hr img input link meta param source track wbr".split())
#: Elements whose content is never text of the document.
RAW: Final = frozenset(
    "script style template head title svg math iframe object video audio canvas noscript select textarea button".split()
) - {"math"}
#: Elements that begin and end lines of text.
LINES: Final = frozenset(
    "address article aside blockquote center dd details dialog dir div dl dt fieldset figcaption figure footer form h1 "
    "h2 h3 h4 h5 h6 header hgroup hr legend li main menu nav ol p pre search section summary table tbody td tfoot th "
    "thead tr ul caption body html".split()
)
_STYLES: Final[Mapping[str, Mapping[str, object]]] = {
    **dict.fromkeys(("b", "strong"), {"bold": True}),
    **dict.fromkeys(("i", "em", "cite", "dfn", "var"), {"italic": True}),
    **dict.fromkeys(("s", "del", "strike"), {"struck": True}),
    "mark": {"marked": True},
    "sub": {"shift": "sub"},
    "sup": {"shift": "sup"},
    "kbd": {"kind": "key"},
    **dict.fromkeys(("code", "tt", "samp"), {"kind": "code"}),
}
_INLINE: Final = frozenset(
    "a abbr acronym bdi bdo big data font ins label nobr output picture q rb rp rt rtc ruby small span time u wbr img br "
    "source input meter progress map area link meta slot base basefont col colgroup embed param track noframes "
    "optgroup option marquee blink".split()
)


@frozen
class Tag:
    """A tag: its name in lower case, as written, and whether it ends an element."""

    name: str
    written: str
    ends: bool

    @property
    def empty(self) -> bool:
        """Whether the element has no content."""
        return self.name in VOID or self.written.endswith("/>")

    @property
    def attributes(self) -> dict[str, str]:
        reader = _Reader()
        reader.feed(self.written)
        reader.close()
        return reader.found

    @property
    def known(self) -> bool:
        """Whether HTML has such an element, or it is a component: with a capital, a hyphen, a colon or a dot."""
        name = self.written.strip("</>").split()[0] if self.written.strip("</>") else ""
        return self.name in _KNOWN or name != name.lower() or any(sign in name for sign in "-:.")


_KNOWN: Final = VOID | RAW | LINES | _INLINE | frozenset(_STYLES)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            self.found.setdefault(name, value or "")

    handle_startendtag = handle_starttag


def tag_of(found: re.Match[str]) -> Tag:
    return Tag(found["name"].lower(), found[0], found["end"] is not None)


def styled(span: Span, name: str) -> Span:
    """The span in the style of an element; unchanged where the element has none."""
    style = _STYLES.get(name)
    if style is None or (span.kind == "math" and "kind" in style):
        return span
    values = {"kind": span.kind, "bold": span.bold, "italic": span.italic, "struck": span.struck}
    values |= {"marked": span.marked, "shift": span.shift, **style}
    return Span(span.text, **values)  # type: ignore[arg-type]


def has_style(name: str) -> bool:
    return name in _STYLES


def pieces_of(html: str) -> Iterator[tuple[int, Tag | str]]:
    """Tags and texts of HTML in order, each with the number of line feeds before it.

    Blanks of a text are as in the source; the content of elements without text is left out.
    """
    at = line = 0
    raw = ""
    for found in TAG.finditer(html):
        tag = tag_of(found)
        if raw:
            if not (tag.ends and tag.name == raw):
                continue
            raw, at = "", found.end()
            continue
        if found.start() > at:
            yield line, unescape(html[at : found.start()])
        line += html.count("\n", at, found.start())
        yield line, tag
        line += html.count("\n", found.start(), found.end())
        at = found.end()
        if tag.name in RAW and not tag.ends and not tag.empty:
            raw = tag.name
    if at < len(html) and not raw:
        yield line, unescape(html[at:])


def on_one_line(text: str) -> str:
    """A text of HTML, in which blanks and line ends are alike."""
    return _BREAK.sub(" ", text)
