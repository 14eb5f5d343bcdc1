"""The data of charts: their limits, and parsing of comma-separated values."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Sequence
from typing import Final, get_args

from handlers.generation.script.content import Chart, Series

MAX_LABELS: Final = 48
MAX_SLICES: Final = 12
MAX_SERIES: Final = 6
MAX_LABEL_CHARS: Final = 80
MAX_UNIT_CHARS: Final = 16
LARGEST: Final = 1e15
STYLES: Final[tuple[str, ...]] = get_args(Chart.__annotations__["style"])

_NUMBER = re.compile(r"[+-]?(\d[\d_ ]*+(\.\d++)?+|\.\d++)([eE][+-]?\d{1,3})?")
_GAPS = frozenset({"", "-", "–", "—", "n/a", "na", "null"})


class ChartError(ValueError):
    """The data is not a valid chart; the message tells why."""


def check_chart(style: str, labels: Sequence[str], series: Sequence[Series]) -> None:
    """Check that the data can be drawn. Raises ChartError."""
    most = MAX_SLICES if style == "pie" else MAX_LABELS
    if not 1 <= len(labels) <= most:
        raise ChartError(f"a {style} chart has 1 to {most} labels, not {len(labels)}")
    if not 1 <= len(series) <= (1 if style == "pie" else MAX_SERIES):
        there = "exactly one series" if style == "pie" else f"1 to {MAX_SERIES} series"
        raise ChartError(f"a {style} chart has {there}, not {len(series)}")
    if any(len(text) > MAX_LABEL_CHARS for text in (*labels, *(one.name for one in series))):
        raise ChartError(f"labels and names of series have at most {MAX_LABEL_CHARS} characters")
    for one in series:
        if len(one.values) != len(labels):
            raise ChartError(f"series {one.name!r} has {len(one.values)} values for {len(labels)} labels")
        if any(v is not None and not (math.isfinite(v) and abs(v) <= LARGEST) for v in one.values):
            raise ChartError(f"values are numbers up to {LARGEST:g}")
    values = [value for one in series for value in one.values if value is not None]
    if not values:
        raise ChartError("there is no value at all")
    if style == "pie" and (min(values) < 0 or sum(values) <= 0):
        raise ChartError("the slices of a pie are not negative, and not all zero")


def read_rows(text: str) -> tuple[tuple[str, ...], tuple[Series, ...]]:
    """Parse lines such as `Berlin, 3.6, 3.7` into (labels, series).

    A first line without numbers names the series. An empty cell or `-` is a gap. Raises ChartError.
    """
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(text.split("\n"), skipinitialspace=True)]
    except csv.Error as error:
        raise ChartError(f"the data can't be read: {error}") from None
    rows = [row for row in rows if any(row)]
    if not rows:
        raise ChartError("there is no data: write lines such as `Berlin, 3.6`")
    width = max(map(len, rows))
    if width < 2:
        raise ChartError("each line needs a label and a number, with a comma between them")
    if len(rows) > MAX_LABELS + 1 or width > MAX_SERIES + 1:
        there_is = f"there are {len(rows):,} lines of up to {width:,}"
        raise ChartError(f"a chart has at most {MAX_LABELS} lines and {MAX_SERIES + 1} cells in each; {there_is}")
    rows = [row + [""] * (width - len(row)) for row in rows]
    names = rows.pop(0)[1:] if _is_header(rows[0]) else [""] * (width - 1)
    columns = [tuple(_number(row[column], row[0]) for row in rows) for column in range(1, width)]
    series = tuple(Series(name, values) for name, values in zip(names, columns, strict=True))
    return tuple(row[0] for row in rows), series


def _is_header(row: list[str]) -> bool:
    cells = [cell for cell in row[1:] if cell.lower() not in _GAPS]
    return bool(cells) and not any(_NUMBER.fullmatch(_bare(cell)) for cell in cells)


def _number(cell: str, label: str) -> float | None:
    if cell.lower() in _GAPS:
        return None
    bare = _bare(cell)
    if not _NUMBER.fullmatch(bare):
        raise ChartError(f"{cell[:40]!r} (at {label[:40]!r}) is not a number")
    return float(bare.replace("_", "").replace(" ", ""))


def _bare(cell: str) -> str:
    """Strip a per cent sign; accept a typographic minus."""
    return cell.removesuffix("%").strip().replace("−", "-")
