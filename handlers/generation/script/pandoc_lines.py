"""Turns the lines of pandoc's, kramdown's and MkDocs' Markdown into lines that CommonMark knows, one by one.

Definition lists become lists, numbered examples (`(@)`) and `#.` numbered lists, simple tables pipe tables; captions of
tables lose their mark. Lists that kramdown fills in and lines of attributes (`{: .lead}`) are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from handlers.generation.script.attribute_lists import attribute_line
from handlers.generation.script.comments import CodeLines

#: Whether a text may have any of these lines.
_ANY: Final = re.compile(
    r"^(?: {0,3}:[ \t~]| {0,3}~[ \t]|[ \t]*\(@|[ \t]*#\.[ \t]| *-{2,} +-{2,}|Table:|[ \t>]*\{[:#. ])", re.MULTILINE
)
_DEFINITION: Final = re.compile(r" {0,3}[:~](?P<room>[ \t]++)(?P<text>\S.*)")
_EXAMPLE: Final = re.compile(r"(?P<indent>[ \t]*+)(?:\(@[\w-]*+\)|#\.)(?=[ \t])")
_DASHES: Final = re.compile(r" *-{2,}(?: +-{2,})+ *")
#: Below the item of a list that kramdown replaces by the contents.
_CONTENTS: Final = re.compile(r"[ \t]*+\{:[ \t]*+toc[^{}]*+\}[ \t]*+")
_ITEM: Final = re.compile(r"[ \t]*+(?:[-*+]|\d{1,9}[.)])[ \t]")
_CAPTION: Final = re.compile(r" {0,3}(?:Table)?:[ \t]++(?=\S)")
_TERM: Final = re.compile(r" {0,3}(?![-*+>|#:=~`<]|\d{1,9}[.)]\s)\S.*")


def read_pandoc_lines(body: str) -> str:
    """Rewrite the lines; line numbers stay."""
    if not _ANY.search(body):
        return body
    lines, scan = body.split("\n"), CodeLines()
    code = [scan.is_code(line) for line in lines]
    tables = set(_tables(lines, code))
    number, numbered = 0, -2
    terms: set[int] = set()
    for at, line in enumerate(lines):
        if code[at] or at in tables:
            continue
        if at and _CONTENTS.fullmatch(line) and _ITEM.match(lines[at - 1]):
            lines[at - 1] = lines[at] = ""
        elif (left := attribute_line(line)) is not None:
            lines[at] = left
        elif match := _EXAMPLE.match(line):
            number = number + 1 if "@" in match[0] or numbered >= at - 2 else 1
            numbered = at
            lines[at] = f"{match['indent']}{number}.{line[match.end() :]}"
        elif match := _DEFINITION.fullmatch(line):
            _define(lines, at, match, terms, tables)
    return "\n".join(lines)


def _define(lines: list[str], at: int, match: re.Match[str], terms: set[int], tables: set[int]) -> None:
    """Make an item of a term and its definition; without a term, the line is a caption."""
    above = at - 1
    while above >= 0 and at - above < 3 and not lines[above].strip():
        above -= 1
    is_term = above >= 0 and above not in tables and (above == 0 or not lines[above - 1].strip() or above - 1 in terms)
    if above >= 0 and (above in terms or (is_term and _TERM.fullmatch(lines[above]))):
        if above not in terms:
            lines[above] = f"- **{lines[above].strip()}**" + ("\\" if above == at - 1 else "")
        elif above == at - 1:
            lines[above] += "\\"
        lines[at] = "  " + match["text"]
        terms.update((above, at))
    elif caption := _CAPTION.match(lines[at]):
        lines[at] = lines[at][caption.end() :]


def _tables(lines: list[str], code: list[bool]) -> Iterator[int]:
    """Turn simple tables into pipe tables; yields their lines."""
    at = 1
    while at < len(lines):
        line = lines[at]
        if code[at] or "--" not in line or not lines[at - 1].strip() or not _DASHES.fullmatch(line):
            at += 1
            continue
        if at > 1 and lines[at - 2].strip():
            at += 1
            continue
        columns = [(run.start(), run.end()) for run in re.finditer(r"-+", line)]
        last = at + 1
        while last < len(lines) and lines[last].strip() and not _DASHES.fullmatch(lines[last]):
            last += 1
        aligned = [_align(lines[at - 1], column) for column in columns]
        lines[at - 1] = _row(lines[at - 1], columns)
        lines[at] = "|" + "|".join(aligned) + "|"
        for number in range(at + 1, last):
            lines[number] = _row(lines[number], columns)
        if last < len(lines) and _DASHES.fullmatch(lines[last]):
            lines[last] = ""
        yield from range(at - 1, last)
        at = last + 1


def _row(line: str, columns: list[tuple[int, int]]) -> str:
    """Cut a row at the first blank beside each column."""
    bounds = [begin for begin, _ in columns[1:]]
    cells, begin = [], 0
    for bound, (_, end) in zip(bounds, columns, strict=False):
        cells.append(line[begin:bound] if len(line) > end else line[begin:])
        begin = bound
    cells.append(line[begin:])
    return "| " + " | ".join(cell.strip().replace("|", "\\|") for cell in cells) + " |"


def _align(header: str, column: tuple[int, int]) -> str:
    """Return pandoc's alignment: the header touches the end of the dashes on the side that the column is set to."""
    begin, end = column
    cell = header[begin:end].ljust(end - begin)
    left, right = cell[:1] != " ", cell[-1:] != " "
    return ":--" if left and not right else "--:" if right and not left else "---"
