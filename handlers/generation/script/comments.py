"""Removes comments from Markdown before it is parsed (decision 179): HTML's, and those of other tools.

`%%...%%` is Obsidian's, `{/* ... */}` MDX's, `{% comment %}...{% endcomment %}` Liquid's, `{::comment}...{:/comment}`
kramdown's; unclosed ones are text.

A comment ends at the next `-->`, across blank lines, list items and headings, as in HTML (`<!-->` and `<!--->` are
complete). An unclosed one extends to the end of the text (decision 178). In code, `<!--` is content.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Final

from attrs import define, field, frozen

BEGIN: Final = "<!--"
_TOKEN: Final = re.compile(
    r"\\.|`++|<!--|(?<!\S)%%(?!%)|\{/\*|\{%-?[ \t]*+comment[ \t]*+-?%\}|\{::comment\}", re.DOTALL
)
#: Whether a text may have comments.
_ANY: Final = re.compile(r"<!--|%%|\{/\*|\{%-?[ \t]*+comment|\{::comment\}")
_LIQUID_END: Final = re.compile(r"\{%-?[ \t]*+endcomment[ \t]*+-?%\}")
_KRAMDOWN_END: Final = re.compile(r"\{:/(?:comment)?\}")
_RUN: Final = re.compile(r"`++")
_QUOTE: Final = re.compile(r"(?:[ \t]{0,3}+>[ \t]?)*+")
_ITEM: Final = re.compile(r"(?:[-*+]|\d{1,9}[.)])(?P<room>[ \t]++|$)")
_FENCE: Final = re.compile(r"`{3,}+(?=[^`]*+$)|~{3,}+")
#: Lines that end a paragraph: underlines of headings, rules, and the markers of columns and formulas.
_BREAK: Final = re.compile(r"=++|-++|(?:[-_*][ \t]*+){3,}+|\$\$|:{3,}+.*+")
#: Most nested list items on one line; further ones are text.
_MOST_ITEMS: Final = 20
_CODE_INDENT: Final = 4


def comment_end(text: str, begin: int) -> int | None:
    """Return the position behind the comment that begins at `begin`; None where it is unclosed."""
    after = begin + len(BEGIN)
    for short in (">", "->"):
        if text.startswith(short, after):
            return after + len(short)
    end = text.find("-->", after)
    return None if end < 0 else end + len("-->")


def without_comments(text: str) -> tuple[str, int | None]:
    """Remove the comments of a Markdown text; returns it with the line (from 1) of an unclosed comment, or None.

    Line breaks in comments stay, so that lines keep their numbers.
    """
    if not _ANY.search(text):
        return text, None
    kept = _Kept(source=text)
    scan = CodeLines()
    while kept.at < len(text):
        end = _line_end(text, kept.at)
        if scan.is_code(text[kept.at : end]):
            kept.keep(end)
            continue
        while scan.in_paragraph and end < len(text) and scan.continues(text[end : _line_end(text, end)]):
            end = _line_end(text, end)
        _from_paragraph(kept, end)
    return kept.text, kept.unclosed


def without_inline_comments(text: str) -> str:
    """Remove the comments of inline Markdown; an unclosed one is text."""
    if BEGIN not in text or "-->" not in text:
        return text
    kept = _Kept(source=text)
    _from_paragraph(kept, len(text))
    return text if kept.unclosed else kept.text


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


@define(kw_only=True)
class _Kept:
    """The kept parts of a text that is read from its beginning up to `at`."""

    _source: str
    at: int = 0
    unclosed: int | None = None
    _parts: list[str] = field(factory=list)
    #: The signs of comments of other tools that don't end below.
    _unended: set[str] = field(factory=set)

    @property
    def text(self) -> str:
        return "".join(self._parts)

    @property
    def source(self) -> str:
        return self._source

    def keep(self, end: int) -> None:
        self._parts.append(self._source[self.at : end])
        self.at = end

    def end_of(self, sign: str, begin: int) -> int | None:
        """Return the position behind another tool's comment that begins at `begin`; None where it is unclosed."""
        kind = sign[:2]
        if kind in self._unended:
            return None
        end = -1
        if kind == "%%":
            end = self._source.find("%%", begin + 2)
        elif kind == "{/":
            end = self._source.find("*/}", begin)
        elif found := (_KRAMDOWN_END if kind == "{:" else _LIQUID_END).search(self._source, begin + len(sign)):
            return found.end()
        if end < 0:
            self._unended.add(kind)
            return None
        return end + (2 if kind == "%%" else 3)

    def drop(self, end: int | None) -> None:
        """Skip to `end` (None: the end of the text), keeping line breaks only. Blanks on both sides become one."""
        if end is None:
            self.unclosed = self._source.count("\n", 0, self.at) + 1
        stop = len(self._source) if end is None else end
        breaks = self._source.count("\n", self.at, stop)
        if breaks or self.at == 0 or self._source[self.at - 1] in " \t\n>":
            while stop < len(self._source) and self._source[stop] in " \t":
                stop += 1
        self._parts.append("\n" * breaks)
        self.at = stop


def _from_paragraph(kept: _Kept, end: int) -> None:
    """Read a paragraph up to `end`, or further to the end of a comment that begins in it."""
    source, begin = kept.source, kept.at
    runs = _Runs(source[begin:end], begin)
    for token in _TOKEN.finditer(source, begin, end):
        at, sign = token.start(), token[0]
        if at < kept.at or at < runs.passed:
            continue
        if sign == BEGIN:
            kept.keep(at)
            kept.drop(comment_end(source, at))
            if kept.at >= end:
                return
        elif sign[0] in "%{":
            if (close := kept.end_of(sign, at)) is not None:
                kept.keep(at)
                kept.drop(close)
                if kept.at >= end:
                    return
        elif sign[0] == "`":
            runs.close(token.end(), len(sign))
    kept.keep(end)


class _Runs:
    """The runs of backticks of a paragraph by length: code extends from one run to the next of the same length."""

    def __init__(self, paragraph: str, begin: int) -> None:
        self.passed = 0
        self._starts: dict[int, list[int]] = {}
        for run in _RUN.finditer(paragraph):
            self._starts.setdefault(len(run[0]), []).append(begin + run.start())

    def close(self, after: int, length: int) -> None:
        """Skip the code that a run of this length before `after` opens, if it does."""
        starts = self._starts.get(length, [])
        found = bisect_left(starts, after)
        if found < len(starts):
            self.passed = starts[found] + length


@frozen(kw_only=True)
class _Fence:
    sign: str
    length: int
    quotes: int
    indent: int


@define(kw_only=True)
class CodeLines:
    """Recognises blocks of code line by line: fences, and indented lines that follow no paragraph.

    Both also occur in quotes and list items.
    """

    in_paragraph: bool = False
    _fence: _Fence | None = None
    _quotes: int = 0
    #: The columns at which the content of the open list items begins.
    _items: list[int] = field(factory=list)

    @property
    def in_fence(self) -> bool:
        """Tell whether the next line belongs to a fence, as its text or as its end."""
        return self._fence is not None

    def is_code(self, line: str) -> bool:
        """Tell whether a line is code, or opens or closes a block of code."""
        line = line.rstrip("\n")
        quote = _QUOTE.match(line)
        quotes = quote[0].count(">") if quote else 0
        at = quote.end() if quote and quotes else 0
        content = line[at:].lstrip(" \t")
        indent = _columns(line[at : len(line) - len(content)])
        if self._fence is not None and self._in_fence(self._fence, content, quotes, indent):
            return True
        if not content:
            self.in_paragraph = False
            return False
        return self._opens(content, quotes, indent)

    def continues(self, line: str) -> bool:
        """Tell whether a line may belong to the same paragraph as the one before, for spans of code."""
        quote = _QUOTE.match(line)
        if quote and quote[0].count(">") > self._quotes:
            return False
        content = line.strip().lstrip("> \t")
        if not content or content[0] in "|#" or _BREAK.fullmatch(content):
            return False
        return not (_ITEM.match(content) or _FENCE.match(content))

    def _in_fence(self, fence: _Fence, content: str, quotes: int, indent: int) -> bool:
        """Tell whether a line belongs to the open fence; closes the fence at its end, or at that of its container."""
        if quotes < fence.quotes or (content and indent < fence.indent):
            self._fence = None
            return False
        closing = content.rstrip() if indent - fence.indent < _CODE_INDENT else ""
        if len(closing) >= fence.length and closing == fence.sign * len(closing):
            self._fence = None
        return True

    def _opens(self, content: str, quotes: int, indent: int) -> bool:
        if quotes != self._quotes:
            self._quotes, self._items, self.in_paragraph = quotes, [], False
        while self._items and indent < self._items[-1]:
            self._items.pop()
        base = self._items[-1] if self._items else 0
        if not self.in_paragraph and indent - base >= _CODE_INDENT:
            return True
        at = 0
        for _ in range(_MOST_ITEMS if indent - base < _CODE_INDENT else 0):
            item = _ITEM.match(content, at)
            if item is None:
                break
            indented = _columns(item["room"]) > _CODE_INDENT
            at = item.start("room") + 1 if indented else item.end()
            self._items.append(indent + at)
            self.in_paragraph = False
            if indented:
                return True
        fence = _FENCE.match(content, at) if at or indent - base < _CODE_INDENT else None
        self.in_paragraph = fence is None and content[at : at + 1] not in ("#", "")
        if fence is not None:
            self._fence = _Fence(
                sign=fence[0][0], length=len(fence[0]), quotes=quotes, indent=self._items[-1] if self._items else 0
            )
        return fence is not None


def _columns(blanks: str) -> int:
    return len(blanks.expandtabs(4))
