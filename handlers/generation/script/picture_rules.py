"""The parser's rules for pictures: Markdown's, `<img>`, `<video>` and `![[x.png]]`.

All of them make the token `image`, with the address as it is written; its `meta` has `line`, and `clip` for `<video>`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline import image as markdown_image
from markdown_it.token import Token

from handlers.generation.script.picture_addresses import CLIP_ENDINGS, PICTURE_ENDINGS, ends_with
from handlers.generation.script.shapes.characters import unescaped

#: In the parser's `env`: the line (from 1) on which the piece of text begins that is being parsed.
LINE: Final = "line"

_TAG: Final = re.compile(r"<(?P<name>img|video)(?=[\s/>])(?P<rest>(?:[^<>\"']|\"[^\"]*+\"|'[^']*+')*+)>", re.IGNORECASE)
_ATTRIBUTE: Final = re.compile(
    r"(?P<name>[^\s\"'<>/=]++)(?:\s*+=\s*+(?:\"(?P<two>[^\"]*+)\"|'(?P<one>[^']*+)'|(?P<bare>[^\s\"'<>=`]++)))?+"
)
_SOURCE: Final = re.compile(r"<source(?=[\s/>])(?P<rest>(?:[^<>\"']|\"[^\"]*+\"|'[^']*+')*+)>", re.IGNORECASE)
_VIDEO_END: Final = re.compile(r"</video\s*+>", re.IGNORECASE)
_EMBED: Final = re.compile(
    r"!\[\[(?P<address>[^\[\]|#^\n]{1,500})(?:#[^\[\]|\n]*+)?+(?P<more>(?:\|[^\[\]|\n]*+)*+)\]\]"
)
_SIZE: Final = re.compile(r"\d{1,5}(?:x\d{1,5})?")


class PictureParser(MarkdownIt):
    """A parser that keeps addresses as they are written, `data:` and `file:` among them: none gets into HTML."""

    def validateLink(self, url: str) -> bool:
        return not url.lower().startswith(("javascript:", "vbscript:"))

    def normalizeLink(self, url: str) -> str:
        return url


def add_picture_rules(parser: MarkdownIt) -> None:
    """Add the rules to a parser with CommonMark's own."""
    parser.inline.ruler.at("image", _image)
    parser.inline.ruler.before("link", "embed", _embed)
    parser.inline.ruler.before("html_inline", "picture_tag", _tag)


def picture_of_tag(name: str, attributes: Mapping[str, str]) -> tuple[str, str, bool] | None:
    """Return (address, description, whether it is a clip) of an `<img>` or `<video>`; None for one without `src`."""
    address = attributes.get("src", "").strip()
    clip = name.lower() == "video"
    alt = attributes.get("alt") or attributes.get("aria-label") or attributes.get("title") or ""
    return (address, alt, clip) if address else None


def _line(state: StateInline) -> int:
    first: int = state.env.get(LINE, 1)
    return first + state.src.count("\n", 0, state.pos)


def _image(state: StateInline, silent: bool) -> bool:
    line = _line(state) if state.src.startswith("![", state.pos) else 0
    if not markdown_image(state, silent):
        return False
    if not silent:
        state.tokens[-1].meta["line"] = line
    return True


def _embed(state: StateInline, silent: bool) -> bool:
    """Parse `![[x.png|400]]` or `![[x.png|description]]`; embedded notes are left as they are."""
    match = _EMBED.match(state.src, state.pos, state.posMax) if state.src.startswith("![[", state.pos) else None
    if match is None or not ends_with(match["address"].strip(), CLIP_ENDINGS + PICTURE_ENDINGS):
        return False
    if not silent:
        words = [word.strip() for word in match["more"].split("|")]
        alt = " ".join(word for word in words if word and not _SIZE.fullmatch(word))
        _push(state, match["address"].strip(), alt, clip=False)
    state.pos = match.end()
    return True


def _tag(state: StateInline, silent: bool) -> bool:
    """Parse `<img ...>`, and `<video ...>` up to its end tag, with what stands between them for old browsers."""
    match = _TAG.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "<" else None
    if match is None:
        return False
    attributes, end = _attributes(match["rest"]), match.end()
    if match["name"].lower() == "video":
        closed = None if match["rest"].rstrip().endswith("/") else _VIDEO_END.search(state.src, end, state.posMax)
        if closed:
            source = _SOURCE.search(state.src, end, closed.start())
            attributes = {**(_attributes(source["rest"]) if source else {}), **attributes}
            end = closed.end()
    picture = picture_of_tag(match["name"], attributes)
    if picture is None:
        return False
    if not silent:
        address, alt, clip = picture
        _push(state, address, alt, clip=clip)
    state.pos = end
    return True


def _attributes(text: str) -> dict[str, str]:
    """The attributes of a tag, of several with one name the first one."""
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(text):
        value = next((v for v in match.group("two", "one", "bare") if v is not None), "")
        found.setdefault(match["name"].lower(), unescaped(value))
    return found


def _push(state: StateInline, address: str, alt: str, *, clip: bool) -> None:
    token = state.push("image", "img", 0)
    attributes: dict[str, Any] = {"src": address, "alt": ""}
    token.attrs = attributes
    token.meta = {"line": _line(state), "clip": clip}
    token.content = alt
    token.children = [Token("text", "", 0, content=alt)] if alt else None
