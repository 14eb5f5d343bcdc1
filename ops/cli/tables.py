"""Tables: laid out on a terminal, tab-separated lines without a heading in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

#: Columns between two cells, and the fewest that a last column is cut to before others are left out.
_GAP, _LEAST = 2, 16


def print_table(
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    expendable: Sequence[str] = (),
    cut_last: bool = False,
) -> None:
    """Write a table to standard output.

    On a terminal the first column is never broken, and columns with `expendable` headings are left out, in that order,
    where it is too narrow. `cut_last`: each row is one line; its last column is cut to fit.
    """
    if not sys.stdout.isatty():
        for row in rows:
            sys.stdout.write("\t".join(row) + "\n")
        return
    console, cells = Console(), [list(map(str, row)) for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(headings, *cells, strict=True)]
    shown = _columns(headings, widths, console.width, expendable, cut_last=cut_last)
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for index in shown:
        whole = index == 0 or (cut_last and index != shown[-1])
        table.add_column(headings[index], overflow="fold", no_wrap=whole, min_width=widths[index] if whole else None)
    room = console.width - sum(widths[index] + _GAP for index in shown[:-1])
    for row in cells:
        if cut_last:
            row[shown[-1]] = cut(row[shown[-1]], max(room, _LEAST))
        table.add_row(*(Text(row[index]) for index in shown))
    console.print(table)


def _columns(
    headings: Sequence[str], widths: Sequence[int], width: int, expendable: Sequence[str], *, cut_last: bool
) -> list[int]:
    """Return the indexes of the columns that fit."""
    shown = list(range(len(headings)))
    for name in expendable:
        last = min(widths[-1], _LEAST) if cut_last else widths[-1]
        if sum(widths[index] + _GAP for index in shown[:-1]) + last <= width:
            break
        shown.remove(headings.index(name))
    return shown


def printable(text: str) -> str:
    """Return `text` for a terminal: control characters are replaced, line ends are kept."""
    return "".join(char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}" for char in text)


def cut(text: str, most: int) -> str:
    """Return `text`, or its beginning and an ellipsis, in at most `most` characters."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
