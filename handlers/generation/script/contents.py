"""Leaves out tables of contents and rows of links, which viewers of a video can't follow.

A table of contents is a run of lines that each link to a place of the same document. A row of links is a line of links
alone, as READMEs have below their name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from handlers.generation.script.shapes.reading import LeftOut

_FENCE: Final = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})")
_ANCHOR: Final = r"(?:\[[^\[\]\n]*+\]\(#[^()\s]*+\)|<a\s[^<>\n]{0,200}?href=[\"']?#[^<>\n]*+>[^<>\n]*+</a>)"
_LINK: Final = r"(?:\[[^\[\]\n]++\]\([^()\s]++\)|<a\s[^<>\n]*+>[^<>\n]*+</a>)"
_ENTRY: Final = re.compile(
    r"[ \t]*+(?:[-*+][ \t]++|\d{1,3}[.)][ \t]++|<li>)?(?:\d[\d.]*+[ \t]++)?"
    rf"[*_]{{0,2}}{_ANCHOR}[*_]{{0,2}}(?:</li>)?(?:<br ?/?>)?[ \t]*+",
    re.IGNORECASE,
)
#: Tags that surround entries, and the line that names them.
_FRAME: Final = re.compile(
    r"[ \t]*+(?:</?(?:ol|ul|li|details|nav)(?:\s[^<>\n]*+)?>[ \t]*+)++|[ \t]*+<summary>[^\n]*?</summary>[ \t]*+",
    re.IGNORECASE,
)
_SEPARATOR: Final = r"(?:[ \t]|[•·∙|/–—-]|&nbsp;|&bull;|&middot;|<br ?/?>)++"
_ROW: Final = re.compile(
    rf"[ \t]*+(?:<(?:b|strong|h\d|p)>)?{_LINK}(?:{_SEPARATOR}{_LINK}){{2,60}}+(?:</(?:b|strong|h\d|p)>)?[ \t]*+",
    re.IGNORECASE,
)
_HEADING: Final = re.compile(r" {0,3}#{1,6}(?:[ \t]|$)")
_BREAK: Final = re.compile(r" {0,3}(?:-[ \t]*+){3,}$|<hr ?/?>[ \t]*+$")
#: Names of tables of contents that are no headings.
_NAME: Final = re.compile(
    r"[*_# \t]*+(?:table of contents|contents|toc|inhalt|inhaltsverzeichnis|sommaire|table des matières|índice|sumário"
    r"|contenido|indice|sommario|inhoud|inhoudsopgave|innehåll|obsah|spis treści|содержание|оглавление|目次|目录|目錄"
    r"|차례|목차)[*_: \t]*+",
    re.IGNORECASE,
)
#: Fewer links than this are no table of contents.
_LEAST: Final = 3


def without_contents(body: str) -> tuple[str, tuple[LeftOut, ...]]:
    """Blank the tables of contents and rows of links of a Markdown text; its lines keep their numbers."""
    if "](" not in body and "href" not in body:
        return body, ()
    lines = body.split("\n")
    kept = list(lines)
    for run in _runs(lines):
        for at in run:
            kept[at] = ""
    left = (LeftOut.of(at + 1, line, "contents") for at, line in enumerate(lines) if line.strip() and not kept[at])
    return "\n".join(kept), tuple(left)


def _runs(lines: Sequence[str]) -> Iterator[Sequence[int]]:
    """Yield the numbers, from 0, of the lines of each table of contents and row of links."""
    run: list[int] = []
    entries = 0
    fence = ""
    for at, line in enumerate([*lines, "\0"]):
        mark = _FENCE.match(line)
        if fence:
            fence = "" if mark and mark["fence"].startswith(fence) else fence
            continue
        if _ENTRY.fullmatch(line):
            entries += 1
            run.append(at)
            continue
        if not line.strip() or _FRAME.fullmatch(line):
            run.append(at)
            continue
        if entries >= _LEAST:
            yield _whole(lines, run)
        run, entries = [], 0
        fence = mark["fence"] if mark else ""
        if _ROW.fullmatch(line):
            yield [at]


def _whole(lines: Sequence[str], run: list[int]) -> Sequence[int]:
    """Add the name above a run to it; tags in it that aren't closed within it are taken out."""
    opened = sum(lines[at].count("<") - 2 * lines[at].count("</") for at in run if not _ENTRY.fullmatch(lines[at]))
    if opened:
        run = [at for at in run if _ENTRY.fullmatch(lines[at])]
    above = next((at for at in range(run[0] - 1, -1, -1) if lines[at].strip()), None)
    below = next((lines[at] for at in range(run[-1] + 1, len(lines)) if lines[at].strip()), "#")
    if above is None:
        return run
    alone = _HEADING.match(lines[above]) and (_HEADING.match(below) or _BREAK.match(below))
    return [above, *run] if alone or _NAME.fullmatch(lines[above]) else run
