"""Lays out a graph in layers, as Sugiyama, Tagawa and Toda (1981) do: ranks, order within ranks, then places.

Ranks follow each other along y; items of a rank stand beside each other along x. Lengths have no unit.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Hashable, Mapping, Sequence
from typing import Final

from attrs import define, field, frozen

#: Distances between neighbours of a rank, and the same where one of them is only a line; between ranks.
_APART: Final = 1.5
_APART_LINES: Final = 0.9
_BETWEEN: Final = 2.6
_BETWEEN_LABELS: Final = 1.5
#: Rounds of ordering and of placing, after which little changes.
_ROUNDS: Final = 8


@frozen(kw_only=True)
class Link:
    """An edge from item `first` down to item `second`; `label` is the size of its label (width, height)."""

    key: Hashable
    first: int
    second: int
    label: tuple[float, float] | None = None


@frozen
class Way:
    """A place that a line goes through: at `x`, from `top` to `bottom`. There is none within a `label`."""

    x: float
    top: float
    bottom: float
    label: bool = False


@frozen(kw_only=True)
class Layers:
    """The centres of items, and the ways of links from the first to the second item."""

    centres: tuple[tuple[float, float], ...]
    ways: Mapping[Hashable, tuple[Way, ...]]
    width: float
    height: float


@define(eq=False)
class _Cell:
    """An item, or the part of a link that passes a rank, which may have the size of its label."""

    rank: int
    width: float
    height: float
    line: bool = False
    x: float = 0.0
    above: list[_Cell] = field(factory=list)
    below: list[_Cell] = field(factory=list)


def lay_out(
    sizes: Sequence[tuple[float, float]],
    links: Sequence[Link],
    first: frozenset[int] = frozenset(),
    last: frozenset[int] = frozenset(),
) -> Layers:
    """Lay out items of `sizes` (width, height); `links` have no cycle.

    Items in `first` stand alone in the first rank, those in `last` in the last one.
    """
    ranks = _ranks(len(sizes), links, first, last)
    cells = [_Cell(rank, *size) for rank, size in zip(ranks, sizes, strict=True)]
    rows: list[list[_Cell]] = [[] for _ in range(max(ranks, default=0) + 1)]
    for cell in cells:
        rows[cell.rank].append(cell)
    passing = {link.key: _pass(link, cells, rows) for link in links}
    _order(rows)
    _place(rows)
    tops, height = _tops(rows)
    left = min((cell.x - cell.width / 2 for row in rows for cell in row), default=0.0)
    right = max((cell.x + cell.width / 2 for row in rows for cell in row), default=0.0)
    middles = [tops[rank][0] + tops[rank][1] / 2 for rank in range(len(rows))]
    return Layers(
        centres=tuple((cell.x - left, middles[cell.rank]) for cell in cells),
        ways={
            key: tuple(_way(cell, left, middles[cell.rank], tops[cell.rank][1]) for cell in passed)
            for key, passed in passing.items()
        },
        width=right - left,
        height=height,
    )


def _way(cell: _Cell, left: float, middle: float, height: float) -> Way:
    half = (cell.height or height) / 2
    return Way(cell.x - left, middle - half, middle + half, cell.height > 0)


def _ranks(count: int, links: Sequence[Link], first: frozenset[int], last: frozenset[int]) -> list[int]:
    """Put each item below all that link to it, as high as possible; items that nothing links to as low as possible."""
    if not links and not first:  # about as many rows as columns
        return [at // max(1, round(count**0.5 + 0.4)) for at in range(count)]
    pairs: dict[tuple[int, int], int] = {}
    for link in links:
        pairs[link.first, link.second] = pairs.get((link.first, link.second), 0) + 1
    below: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    waiting = [0] * count
    for link in links:
        # A label, or a second line between the same items, has a rank of its own.
        many = pairs[link.first, link.second] > 1
        below[link.first].append((link.second, 2 if link.label or many else 1))
        waiting[link.second] += 1
    sources = [at for at in range(count) if not waiting[at]]
    ranks, ready = [0] * count, list(sources)
    if first:
        ranks = [0 if at in first else 1 for at in range(count)]
    for at in ready:
        for other, length in below[at]:
            ranks[other] = max(ranks[other], ranks[at] + length)
            waiting[other] -= 1
            if not waiting[other]:
                ready.append(other)
    for at in sources:
        if below[at] and at not in first:
            ranks[at] = max(ranks[at], min(ranks[other] - length for other, length in below[at]))
    if last:
        lowest = max([rank for at, rank in enumerate(ranks) if at not in last], default=0) + 1
        ranks = [max(lowest, *(ranks[o] for o in last)) if at in last else rank for at, rank in enumerate(ranks)]
    return ranks


def _pass(link: Link, cells: list[_Cell], rows: list[list[_Cell]]) -> list[_Cell]:
    """Make the cells through which a link passes ranks, one of them as large as its label; join them."""
    above, end = cells[link.first], cells[link.second]
    between = range(above.rank + 1, end.rank)
    made = []
    for rank in between:
        cell = _Cell(rank, 0.0, 0.0, True)
        if link.label and rank == between[len(between) // 2]:
            cell.width, cell.height = link.label
        rows[rank].append(cell)
        made.append(cell)
    for upper, lower in zip([above, *made], [*made, end], strict=True):
        upper.below.append(lower)
        lower.above.append(upper)
    return made


def _order(rows: list[list[_Cell]]) -> None:
    """Order each rank by the means of its neighbours, downwards and upwards in turn; keep the best order."""
    best, fewest = [list(row) for row in rows], _crossings(rows)
    for turn in range(_ROUNDS):
        if not fewest:
            break
        down = turn % 2 == 0
        for row in rows[1:] if down else rows[-2::-1]:
            places = _places(rows)
            means = {}
            for cell in row:
                near = cell.above if down else cell.below
                means[id(cell)] = sum(places[id(c)] for c in near) / len(near) if near else places[id(cell)]
            row.sort(key=lambda cell: means[id(cell)])
        crossed = _crossings(rows)
        if crossed < fewest:
            best, fewest = [list(row) for row in rows], crossed
    rows[:] = best


def _places(rows: list[list[_Cell]]) -> dict[int, int]:
    return {id(cell): at for row in rows for at, cell in enumerate(row)}


def _crossings(rows: list[list[_Cell]]) -> int:
    places, crossed = _places(rows), 0
    for row in rows:
        seen: list[int] = []
        for cell in row:
            ends = sorted(places[id(other)] for other in cell.below)
            crossed += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return crossed


def _place(rows: list[list[_Cell]]) -> None:
    """Move each rank towards the means of its neighbours, in its order and with its distances."""
    for row in rows:
        _settle(row, [0.0] * len(row))
    for turn in range(2 * _ROUNDS + 1):
        down = turn % 2 == 0
        for row in rows if down else rows[::-1]:
            wanted = []
            for cell in row:
                near = (cell.above if down else cell.below) or cell.above or cell.below
                if turn == 2 * _ROUNDS:
                    near = [*cell.above, *cell.below]
                wanted.append(sum(c.x for c in near) / len(near) if near else cell.x)
            _settle(row, wanted)


def _settle(row: list[_Cell], wanted: list[float]) -> None:
    """Set the places that are nearest to the `wanted` ones by least squares: pools of neighbours that touch."""
    reach, reaches = 0.0, []
    for at, cell in enumerate(row):
        if at:
            before = row[at - 1]
            apart = _APART_LINES if cell.line or before.line else _APART
            reach += before.width / 2 + apart + cell.width / 2
        reaches.append(reach)
    pools: list[list[float]] = []  # (sum of weights, weighted sum, cells)
    for cell, want, far in zip(row, wanted, reaches, strict=True):
        weight = 3.0 if cell.line else 1.0
        pools.append([weight, weight * (want - far), 1])
        while len(pools) > 1 and pools[-2][1] / pools[-2][0] >= pools[-1][1] / pools[-1][0]:
            last = pools.pop()
            pools[-1] = [a + b for a, b in zip(pools[-1], last, strict=True)]
    at = 0
    for weights, summed, cells in pools:
        for _ in range(round(cells)):
            row[at].x = summed / weights + reaches[at]
            at += 1


def _tops(rows: list[list[_Cell]]) -> tuple[list[tuple[float, float]], float]:
    """Return (top, height) of each rank, and the height of all."""
    tops, at = [], 0.0
    only_lines = [all(cell.line for cell in row) for row in rows]
    for rank, row in enumerate(rows):
        high = max((cell.height for cell in row), default=0.0)
        tops.append((at, high))
        last = rank == len(rows) - 1
        near = only_lines[rank] or (not last and only_lines[rank + 1])
        at += high + (0.0 if last else _BETWEEN_LABELS if near else _BETWEEN)
    return tops, at
