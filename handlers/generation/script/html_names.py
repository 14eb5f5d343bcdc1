"""The meaning of HTML elements within Markdown: a style, a break, or none; and elements whose content isn't shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

#: A tag: whether it ends an element, and its name. Attributes may hold tags in quotes.
TAG: Final = re.compile(r"<(?P<end>/?)(?P<name>[A-Za-z][\w.:-]*+)(?P<rest>(?:[^<>\"']|\"[^\"]*+\"|'[^']*+')*+)>")


def _of(**fields: Any) -> Mapping[str, Any]:
    return MappingProxyType(fields)


#: The styles of the spans within elements.
STYLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "b": _of(bold=True),
    "strong": _of(bold=True),
    "i": _of(italic=True),
    "em": _of(italic=True),
    "cite": _of(italic=True),
    "dfn": _of(italic=True),
    "var": _of(italic=True),
    "s": _of(struck=True),
    "del": _of(struck=True),
    "strike": _of(struck=True),
    "mark": _of(marked=True),
    "sub": _of(shift="sub"),
    "sup": _of(shift="sup"),
    "kbd": _of(kind="key"),
    "code": _of(kind="code"),
    "tt": _of(kind="code"),
    "samp": _of(kind="code"),
}
#: Elements whose content is no text of the document.
RAW: Final = frozenset({
    "audio", "canvas", "head", "iframe", "math", "noscript", "object", "script", "select", "style", "svg",
    "template", "textarea", "title",
})  # fmt: skip
#: Elements that stand between texts: in running text they separate words.
BLOCKS: Final = frozenset({
    "address", "article", "aside", "blockquote", "body", "caption", "center", "col", "colgroup", "dd", "details",
    "dialog", "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "frameset", "h1",
    "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "legend", "li", "main", "menu", "nav", "ol", "optgroup",
    "option", "p", "pre", "search", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr",
    "ul",
})  # fmt: skip
_TRANSPARENT: Final = frozenset({
    "a", "abbr", "acronym", "area", "base", "basefont", "bdi", "bdo", "bgsound", "big", "blink", "br", "button",
    "data", "datalist", "embed", "font", "frame", "image", "img", "input", "ins", "isindex", "keygen", "label",
    "link", "map", "marquee", "meta", "meter", "nobr", "noembed", "noframes", "output", "param", "picture",
    "plaintext", "progress", "q", "rb", "rbc", "rp", "rt", "rtc", "ruby", "shadow", "slot", "small", "source",
    "spacer", "span", "time", "track", "tt", "u", "video", "wbr", "xmp",
})  # fmt: skip


def is_element(name: str) -> bool:
    """Tell whether a tag is HTML's or a component's (`<v-click>`, `<Tabs>`), not a word in angle brackets."""
    low = name.lower()
    known = low in STYLES or low in RAW or low in BLOCKS or low in _TRANSPARENT
    return known or "-" in name or "." in name or ":" in name or name[:1].isupper()


#: More elements in each other, and the tags are removed: the library takes quadratic time for deep trees.
MOST_DEEP: Final = 100
_VOID: Final = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
})  # fmt: skip


def depth_of(source: str) -> int:
    """Return how many elements stand in each other at most."""
    depth = most = 0
    for tag in TAG.finditer(source):
        if tag["end"]:
            depth = max(0, depth - 1)
        elif tag["name"].lower() not in _VOID and not tag["rest"].endswith("/"):
            depth += 1
            most = max(most, depth)
    return most


def is_deep(root: LexborNode) -> bool:
    """Tell whether more than `MOST_DEEP` elements of a tree stand in each other; tags that end nothing hide some."""
    left = [(root, 0)]
    while left:
        node, depth = left.pop()
        if depth > MOST_DEEP:
            return True
        left += [(child, depth + 1) for child in node.iter()]
    return False


def rows_of(table: LexborNode) -> list[LexborNode]:
    """Return the rows of a table, without those of tables in its cells."""
    rows: list[LexborNode] = []
    for part in table.iter():
        if part.tag == "tr":
            rows.append(part)
        elif part.tag in ("thead", "tbody", "tfoot"):
            rows += [row for row in part.iter() if row.tag == "tr"]
    return rows


_ALIGNED: Final = {"left": ":--", "center": ":-:", "right": "--:"}
_ALIGNMENT: Final = re.compile(r"\btext-align[ \t]*+:[ \t]*+(left|center|right)\b", re.IGNORECASE)


def alignment_of(attributes: Mapping[str, str | None]) -> str:
    """Return the sign of Markdown's tables for how a cell is aligned, by its attributes `align` and `style`.

    Other elements have no alignment: the layout of a page sets its texts.
    """
    styled = _ALIGNMENT.search(attributes.get("style") or "")
    given = styled[1] if styled else attributes.get("align") or ""
    return _ALIGNED.get(given.lower(), "---")
