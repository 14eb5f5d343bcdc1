"""Turns the slides of a deck of another tool into sections of our Markdown, line by line.

Each slide becomes one scene: rules stand between slides only, its first heading is the scene's, others are
sub-headings. Lines keep their numbers; what has no meaning here becomes a blank line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from attrs import define, frozen

from handlers.generation.control import Warned
from handlers.generation.script.comments import CodeLines
from handlers.generation.script.deck_pictures import read_pictures
from handlers.generation.script.deck_tools import Deck

#: Rule between slides, which can't underline a heading.
_BREAK: Final = "***"
_RULE: Final = re.compile(r" {0,3}(?:(?:-[ \t]*+){3,}+|(?:\*[ \t]*+){3,}+|(?:_[ \t]*+){3,}+)")
_COMMAND: Final = re.compile(
    r"[ \t]*<!--[ \t]*(?P<name>end_slide|reset_layout|column)(?::[ \t]*(?P<number>\d+))?[ \t]*-->[ \t]*"
)
_ATX: Final = re.compile(r" {0,3}(?P<rank>#{1,6})(?=[ \t]|$)[ \t]*+(?P<text>.*)")
_UNDERLINE: Final = re.compile(r" {0,3}(?P<sign>=++|-++)[ \t]*+")
_KEY: Final = re.compile(r"[A-Za-z_][\w-]*+:(?:[ \t]|$)")
_HIDDEN: Final = re.compile(r"(?:hide|disabled):[ \t]*true[ \t]*+")
_SOURCE: Final = re.compile(r"src:[ \t]*(?P<path>\S.*)")
_NOTES: Final = re.compile(r"[ \t]*+notes?:[ \t]*+", re.IGNORECASE)
#: The element of reveal.js whose text is what the speaker says, and what may stand in it.
_ASIDE: Final = re.compile(
    r"[ \t]*+<aside\b[^<>]*?\bclass=[\"'](?:[^\"'<>]*+(?<=\s))?notes[\s\"'][^<>]*+>", re.IGNORECASE
)
_ASIDE_END: Final = re.compile(r"</aside\s*+>", re.IGNORECASE)
_IN_ASIDE: Final = re.compile(r"</?(?:p|ul|ol|li|div|br)(?:\s[^<>]*+)?/?>", re.IGNORECASE)
_ITEM: Final = re.compile(r"[ \t]*+(?:[-*+]|\d{1,9}[.)])[ \t]++")
_DIVS: Final = re.compile(r"(?:[ \t]*+</?div(?:\s[^<>]*+)?>)++[ \t]*+")
_DIV: Final = re.compile(r"<(?P<end>/)?div(?P<attributes>[^<>]*+)>")
_SIDE_BY_SIDE: Final = re.compile(
    r"class=[\"'](?:[^\"']*[\s])?(?:columns?|cols?|row|two-col(?:umn)?s?|grid-cols-2|columns?-2|multi-?columns?|split)"
    r"(?=[\s\"'])|style=[\"'][^\"']*(?:display:\s*(?:grid|flex)|column-count:\s*2)"
)
#: Lines of front matter of a slide.
_MOST_KEYS: Final = 60


@define
class _Slide:
    """The lines of a slide, from `first` up to `last` (exclusive)."""

    first: int
    last: int = 0
    hidden: bool = False


@frozen
class _Heading:
    line: int
    rank: int
    text: str
    #: The line below a heading of two lines.
    underline: int | None = None


def read_commands(body: str, deck: Deck) -> str:
    """Turn the comments that are commands or separators into lines of Markdown; other comments stay."""
    commanded = {line for line in deck.separators if line.startswith("<!--")}
    if not commanded and deck.tool != "presenterm":
        return body
    lines, scan = body.split("\n"), CodeLines()
    for number, line in enumerate(lines):
        if scan.is_code(line) or "<!--" not in line:
            continue
        if line.strip() in commanded:
            lines[number] = _BREAK
        elif deck.tool == "presenterm" and (match := _COMMAND.fullmatch(_bare(line, deck))):
            lines[number] = _commanded(match)
    return "\n".join(lines)


def _bare(line: str, deck: Deck) -> str:
    """Return a comment without the prefix that tells commands apart."""
    return line.replace(deck.prefix, "", 1) if deck.prefix else line


def _commanded(match: re.Match[str]) -> str:
    if match["name"] == "end_slide":
        return _BREAK
    if match["name"] == "reset_layout":
        return "::bottom::"
    return {"0": "::left::", "1": "::right::"}.get(match["number"] or "", "")


def read_slides(body: str, deck: Deck) -> tuple[str, tuple[Warned, ...]]:
    """Turn the slides of a deck, whose comments are removed, into sections, with warnings of what is left out."""
    reader = _Reader(body.split("\n"), deck)
    reader.read()
    return "\n".join(reader.lines), tuple(reader.warnings)


class _Reader:
    def __init__(self, lines: list[str], deck: Deck) -> None:
        self.lines = lines
        self.warnings: list[Warned] = []
        self._deck = deck
        self._code = [False] * len(lines)
        #: Whether the line above belongs to a paragraph.
        self._below_text = [False] * len(lines)

    def read(self) -> None:
        slides = list(self._slides())
        for slide in slides:
            if slide.hidden:
                self.lines[slide.first : slide.last] = [""] * (slide.last - slide.first)
                continue
            if self._deck.tool == "reveal":
                self._read_notes(slide)
            self._read_divs(slide)
            for number in self._texts(slide):
                self.lines[number] = read_pictures(self.lines[number], self._deck)
            self._read_headings(slide)

    def _slides(self) -> Iterator[_Slide]:
        """Find the slides; the lines between them become rules, their front matter blank lines."""
        scan, slide, number = CodeLines(), _Slide(0), 0
        while number < len(self.lines):
            self._below_text[number] = scan.in_paragraph
            self._code[number] = scan.is_code(self.lines[number])
            if self._code[number] or not self._is_separator(number):
                number += 1
                continue
            slide.last = number
            yield slide
            self.lines[number] = _BREAK
            slide, scan.in_paragraph = _Slide(number + 1), False
            number = self._front_matter(slide) if self._deck.tool == "slidev" else number + 1
        slide.last = len(self.lines)
        yield slide

    def _is_separator(self, number: int) -> bool:
        line = self.lines[number]
        if not line.strip():
            return self._ends_by_blank_lines(number)
        if line.rstrip() == _BREAK or line.strip() in self._deck.separators - {"---"}:
            return True
        if line.strip() == "--" and self._deck.tool == "reveal" and not self._below_text[number]:
            return True
        if line[:4].strip()[:1] not in ("-", "*", "_") or not _RULE.fullmatch(line):
            return False
        if self._deck.tool == "marp":
            return not (self._below_text[number] and line.lstrip().startswith("-"))
        if line.strip() in self._deck.separators:
            return True
        if self._deck.tool != "slidev" and not (self._below_text[number] and line.lstrip().startswith("-")):
            self.lines[number] = ""  # a line across the slide
        return False

    def _ends_by_blank_lines(self, number: int) -> bool:
        count = self._deck.blank_lines
        rows = self.lines[number : number + count + 1]
        return (
            bool(count) and len(rows) > count and not any(row.strip() for row in rows[:-1]) and bool(rows[-1].strip())
        )

    def _front_matter(self, slide: _Slide) -> int:
        """Blank the front matter of a slide; returns the line below it."""
        first = slide.first
        if first >= len(self.lines) or not _KEY.match(self.lines[first]):
            return first
        rows = self.lines[first : first + _MOST_KEYS]
        end = next((at for at, row in enumerate(rows) if row.rstrip() == "---"), None)
        if end is None:
            return first
        for at, row in enumerate(rows[:end]):
            slide.hidden = slide.hidden or _HIDDEN.fullmatch(row) is not None
            if source := _SOURCE.fullmatch(row):
                message = f"line {first + at + 1}: the slides in {source['path'][:80]!r} are left out: paste them here"
                self.warnings.append(Warned("slides_elsewhere", message))
        self.lines[first : first + end + 1] = [""] * (end + 1)
        slide.first = first + end + 1
        return slide.first

    def _texts(self, slide: _Slide) -> Iterator[int]:
        """The lines of a slide that are neither blank nor code."""
        for number in range(slide.first, slide.last):
            if not self._code[number] and self.lines[number].strip():
                yield number

    def _read_notes(self, slide: _Slide) -> None:
        """Read reveal.js's notes: all lines below `Note:` on a slide, and those in an `<aside class="notes">`."""
        own, begun, within = self._deck.notes, False, False
        for number in range(slide.first, slide.last):
            line = self.lines[number]
            if within:
                end = _ASIDE_END.search(line)
                self._go_on(number, _IN_ASIDE.sub(" ", line[: end.start()] if end else line))
                within = end is None
            elif begun:
                self._go_on(number, line)
            elif not self._code[number]:
                if own and line.strip().startswith(own):
                    self.lines[number], begun = f"Note: {line.strip()[len(own) :].strip()}", True
                elif match := _NOTES.match(line):
                    self.lines[number], begun = f"Note: {line[match.end() :].strip()}", True
                elif match := _ASIDE.match(line):
                    end = _ASIDE_END.search(line, match.end())
                    text = _IN_ASIDE.sub(" ", line[match.end() : end.start() if end else None]).strip()
                    self.lines[number], within = f"Note: {text}".strip(), end is None

    def _go_on(self, number: int, line: str) -> None:
        """Add a line to the note above; a paragraph or an item begins a further note."""
        above = self.lines[number - 1].strip()
        item = _ITEM.match(line)
        text = line[item.end() if item else 0 :].strip()
        self.lines[number] = f"Note: {text}" if text and not above else text if item else line

    def _read_divs(self, slide: _Slide) -> None:
        """Make columns of elements beside each other: `<div class="columns">` with two elements in it."""
        opened: list[int | None] = []  # for each open element the number of its children, None without columns
        for number in self._texts(slide):
            line = self.lines[number]
            if "div" not in line or not _DIVS.fullmatch(line):
                continue
            marker, found = "", False
            for tag in _DIV.finditer(line):
                if tag["end"]:
                    begun = opened.pop() if opened else None
                    if begun is not None:
                        marker, found = "::bottom::", True
                    found = found or (bool(opened) and opened[-1] is not None)
                    continue
                if opened and opened[-1] is not None:
                    opened[-1] += 1
                    found = True
                    marker = {1: "::left::", 2: "::right::"}.get(opened[-1], marker)
                beside = _SIDE_BY_SIDE.search(tag["attributes"]) is not None and not any(
                    each is not None for each in opened
                )
                found = found or beside
                opened.append(0 if beside else None)
            if found:
                self.lines[number] = marker

    def _read_headings(self, slide: _Slide) -> None:
        found = list(self._headings(slide))
        if not found:
            return
        cuts = [at for at, heading in enumerate(found) if at and self._begins_slide(heading)]
        bounds = [*([0] if found else []), *cuts, len(found)]
        first = slide.first
        for begin, end in pairwise(bounds):
            last = found[end].line if end < len(found) else slide.last
            self._set_headings(found[begin:end], first, last)
            first = last

    def _begins_slide(self, heading: _Heading) -> bool:
        return heading.rank in self._deck.divider or (self._deck.titles and heading.underline is not None)

    def _headings(self, slide: _Slide) -> Iterator[_Heading]:
        for number in self._texts(slide):
            line = self.lines[number]
            if match := _ATX.fullmatch(line):
                yield _Heading(number, len(match["rank"]), match["text"])
            elif self._is_second(number, slide) and (match := _UNDERLINE.fullmatch(line)):
                rank = 1 if match["sign"][0] == "=" else 2
                yield _Heading(number - 1, rank, self.lines[number - 1].strip(), number)

    def _is_second(self, number: int, slide: _Slide) -> bool:
        """Tell whether a line is the second one of a paragraph."""
        return number > slide.first and self._below_text[number] and not self._below_text[number - 1]

    def _set_headings(self, headings: list[_Heading], first: int, last: int) -> None:
        """Make the first heading the scene's, and the others sub-headings within it."""
        if not headings:
            return
        own = {line for each in headings for line in (each.line, each.underline)}
        alone = not any(self.lines[number].strip() for number in range(first, last) if number not in own)
        top, *others = headings
        for each in others:
            sign = "" if alone else "#" * max(3, each.rank) + " "
            self._write(each, sign + each.text)
        content = next((number for number in range(first, last) if self.lines[number].strip()), top.line)
        written = f"{'#' * min(top.rank, 2)} {top.text}"
        if content < top.line and content > first:
            self._write(top, "")
            self.lines[content - 1] = written
        else:
            self._write(top, written)

    def _write(self, heading: _Heading, text: str) -> None:
        self.lines[heading.line] = text
        if heading.underline is not None:
            self.lines[heading.underline] = ""
