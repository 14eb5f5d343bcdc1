"""Draws flowcharts: each subgraph is laid out in layers of its own, and stands in its surroundings as one item.

Where a link leaves a subgraph, it goes through a port at its first or last rank. All lengths are in em.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import hypot
from typing import Any, Final

from attrs import define, field, frozen

from handlers.generation.pages.layers import Layers, Link, Way, lay_out
from handlers.generation.pages.sketch import Point, Sketch, Words, words
from handlers.generation.script.mermaid.values import Direction, Flowchart, FlowEdge, FlowNode

#: The longest row of a label of a node, a diamond, and a link.
_LONGEST, _LONGEST_DIAMOND, _LONGEST_LINK = 14.0, 9.0, 10.0
#: Room within a group: at its sides, above its title and below it, at its foot.
_SIDE: Final = 1.0
_TITLE: Final = 2.1
_FOOT: Final = 0.9
#: How far a link to its own node goes out.
_LOOP: Final = 1.6
#: The curve of the two ends of a bend.
_CURVE: Final = 0.5

#: An item of a group: a node by its number, or a group.
_Item = tuple[str, int]


@frozen
class _Step:
    """Where link `edge` runs within a group: between two of its items, downwards; `up`: against its direction."""

    edge: int
    first: _Item
    second: _Item
    up: bool


@define
class _Group:
    """A group, or the chart itself, with what lies directly in it, and where."""

    items: list[_Item] = field(factory=list)
    steps: list[_Step] = field(factory=list)
    size: tuple[float, float] = (0.0, 0.0)
    layers: Layers | None = None
    #: Where the parts lie that `layers` has placed.
    shift: Point = (0.0, 0.0)


def flow_data(chart: Flowchart, direction: Direction) -> dict[str, Any]:
    """Return the drawing of a chart that runs in `direction`."""
    return _Drawing(chart, direction).data()


class _Drawing:
    def __init__(self, chart: Flowchart, direction: Direction) -> None:
        self._chart, self._flat = chart, direction in ("left", "right")
        self._back = direction in ("up", "left")
        self._words = [
            words(node.label, _LONGEST_DIAMOND if node.shape == "diamond" else _LONGEST) for node in chart.nodes
        ]
        self._labels = [words(edge.label, _LONGEST_LINK) for edge in chart.edges]
        self._titles = [words(group.title, 30.0) for group in chart.groups]
        self._groups = {number: _Group() for number in (-1, *range(len(chart.groups)))}
        self._fill()
        self._orient()
        self._lay_out(-1)
        self._sketch = Sketch()
        self._middles: dict[int, Point] = {}
        self._ways: dict[int, list[Way]] = {}

    def data(self) -> dict[str, Any]:
        width, height = self._groups[-1].size
        self._settle(-1, (0.0, 0.0))
        for at, node in enumerate(self._chart.nodes):
            middle = self._turned(self._middles[at])
            self._sketch.box(middle, _size(node, self._words[at]), "node", node.shape)
            self._sketch.text(middle, self._words[at], "node")
        for at, edge in enumerate(self._chart.edges):
            if edge.stroke != "unseen":
                self._draw(at, edge)
        return self._sketch.data(*((height, width) if self._flat else (width, height)))

    # ---- what lies where -----------------------------------------------------------------------------

    def _fill(self) -> None:
        """Put nodes and groups into their groups; groups without anything are left out."""
        for at, node in enumerate(self._chart.nodes):
            chain = self._around(node.group)
            # groups stand where their first node does
            for inner, outer in pairwise(chain):
                if ("group", inner) not in self._groups[outer].items:
                    self._groups[outer].items.append(("group", inner))
            self._groups[chain[0]].items.append(("node", at))

    def _around(self, group: int | None) -> list[int]:
        """Return the groups around, from the innermost to the chart itself, which is -1."""
        chain = []
        while group is not None:
            chain.append(group)
            group = self._chart.groups[group].parent
        return [*chain, -1]

    def _orient(self) -> None:
        """Give each link its steps: between items of the group that both ends lie in, and through ports below that."""
        between: dict[int, list[tuple[int, _Item, _Item]]] = {number: [] for number in self._groups}
        routes = []
        for at, edge in enumerate(self._chart.edges):
            ends = [self._around(self._chart.nodes[end].group) for end in (edge.source, edge.target)]
            shared = next(group for group in ends[0] if group in ends[1])
            chains = [[("node", end), *(("group", g) for g in chain[: chain.index(shared)])] for end, chain in zip(
                (edge.source, edge.target), ends, strict=True)]  # fmt: skip
            routes.append((shared, chains))
            if edge.source != edge.target:
                between[shared].append((at, chains[0][-1], chains[1][-1]))
        backward = {at for number, found in between.items() for at in _backward(self._groups[number].items, found)}
        for at, (shared, (source, target)) in enumerate(routes):
            if self._chart.edges[at].source == self._chart.edges[at].target:
                continue
            up = at in backward
            upper, lower = (target, source) if up else (source, target)
            self._groups[shared].steps.append(_Step(at, upper[-1], lower[-1], up))
            for inner, outer in pairwise(upper):
                self._groups[outer[1]].steps.append(_Step(at, inner, ("last", at), up))
            for inner, outer in pairwise(lower):
                self._groups[outer[1]].steps.append(_Step(at, ("first", at), inner, up))

    def _lay_out(self, number: int) -> None:
        """Lay out a group after those within it. Along the ranks is y here, whatever the chart's direction."""
        group = self._groups[number]
        for kind, inner in group.items:
            if kind == "group":
                self._lay_out(inner)
        ports = [item for step in group.steps for item in (step.first, step.second) if item[0] in ("first", "last")]
        items = [*group.items, *ports]
        place = {item: at for at, item in enumerate(items)}
        top = number == -1 or self._flat
        shared = [step for step in group.steps if step.first not in ports and step.second not in ports]
        links = [
            Link(
                key=step.edge,
                first=place[step.first],
                second=place[step.second],
                label=self._label_size(step.edge) if step in shared and self._labels[step.edge].rows else None,
            )
            for step in group.steps
        ]
        group.layers = lay_out(
            [self._item_size(item) for item in items],
            links,
            frozenset(place[item] for item in ports if item[0] == "first"),
            frozenset(place[item] for item in ports if item[0] == "last"),
        )
        width, height = group.layers.width, group.layers.height
        if number == -1:
            group.size = (width, height)
            return
        # before and behind, on both axes; the title stands above, which may be the end of ranks, or beside them
        head = _TITLE if self._titles[number].rows else _FOOT
        ends, sides = (_SIDE, _SIDE), (_SIDE, _SIDE)
        if top:
            sides = (head, _FOOT)
        else:
            ends = (_FOOT, head) if self._back else (head, _FOOT)
        title = self._titles[number].width + 1.4
        if self._flat:
            more = (0.0, max(0.0, title - height - sum(ends)))
        else:
            more = (max(0.0, title - width - sum(sides)), 0.0)
        group.size = (width + sum(sides) + more[0], height + sum(ends) + more[1])
        group.shift = (sides[0] + more[0] / 2, ends[0] + more[1] / 2)

    def _label_size(self, edge: int) -> tuple[float, float]:
        label = self._labels[edge]
        size = (label.width + 0.6, label.height + 0.3)
        return (size[1], size[0]) if self._flat else size

    def _item_size(self, item: _Item) -> tuple[float, float]:
        kind, at = item
        if kind == "group":
            return self._groups[at].size
        if kind != "node":
            return (0.0, 0.0)
        width, height = _size(self._chart.nodes[at], self._words[at])
        width, height = (height, width) if self._flat else (width, height)
        loops = any(edge.source == edge.target == at for edge in self._chart.edges)
        return (width + (2 * _LOOP if loops else 0.0), height)

    def _settle(self, number: int, corner: Point) -> None:
        """Find the places of all that lies in a group whose upper left corner is at `corner`; draw the group."""
        group = self._groups[number]
        assert group.layers is not None
        dx, dy = corner[0] + group.shift[0], corner[1] + group.shift[1]
        if number >= 0:
            self._frame(number, corner)
        for item, (x, y) in zip(group.items, group.layers.centres, strict=False):
            if item[0] == "group":
                width, height = self._groups[item[1]].size
                self._settle(item[1], (x + dx - width / 2, y + dy - height / 2))
            else:
                self._middles[item[1]] = (x + dx, y + dy)
        ports = [item for step in group.steps for item in (step.first, step.second) if item[0] in ("first", "last")]
        port_at = dict(zip(ports, group.layers.centres[len(group.items) :], strict=True))
        for step in group.steps:
            passed = [Way(x, y, y) for item in (step.first, step.second) if item in port_at for x, y in [port_at[item]]]
            for way in (*group.layers.ways[step.edge], *passed):
                moved = Way(way.x + dx, way.top + dy, way.bottom + dy, way.label)
                self._ways.setdefault(step.edge, []).append(moved)
                if way.label:
                    middle = (moved.x, (moved.top + moved.bottom) / 2)
                    self._sketch.text(self._turned(middle), self._labels[step.edge], "link")

    def _frame(self, number: int, corner: Point) -> None:
        width, height = self._groups[number].size
        middle = self._turned((corner[0] + width / 2, corner[1] + height / 2))
        size = (height, width) if self._flat else (width, height)
        self._sketch.box(middle, size, "group")
        title = self._chart.groups[number].title
        self._sketch.tab(middle[0] - size[0] / 2, middle[1] - size[1] / 2, title)

    # ---- lines ---------------------------------------------------------------------------------------

    def _turned(self, point: Point) -> Point:
        """Turn a point from ranks that run downwards into the chart's direction."""
        x, y = point
        if self._back:
            y = self._groups[-1].size[1] - y
        return (y, x) if self._flat else (x, y)

    def _draw(self, at: int, edge: FlowEdge) -> None:
        if edge.source == edge.target:
            self._loop(at, edge)
            return
        ways = sorted(self._ways.get(at, ()), key=lambda way: way.top)
        source, target = self._middles[edge.source], self._middles[edge.target]
        up = source[1] > target[1]
        upper, lower = (edge.target, edge.source) if up else (edge.source, edge.target)
        heads = (edge.head, edge.tail) if up else (edge.tail, edge.head)
        begin = self._end(upper, 1, ways[0].x if ways else self._middles[lower][0], heads[0])
        end = self._end(lower, -1, ways[-1].x if ways else self._middles[upper][0], heads[1])
        runs: list[list[Point]] = [[begin[1]]]
        for way in ways:
            runs[-1].append((way.x, way.top))
            if way.label:
                runs.append([(way.x, way.bottom)])
            elif way.bottom > way.top:
                runs[-1].append((way.x, way.bottom))
        runs[-1].append(end[1])
        for run in runs:
            self._curve(run, edge.stroke)
        first, last = (end, begin) if up else (begin, end)
        self._sketch.head(edge.tail, self._turned(first[0]), self._turned(first[1]))
        self._sketch.head(edge.head, self._turned(last[0]), self._turned(last[1]))

    def _end(self, node: int, side: int, toward: float, head: str) -> tuple[Point, Point]:
        """Return where a line touches a node, below (1) or above it (-1), and where the line itself ends."""
        x, y = self._middles[node]
        shape = self._chart.nodes[node].shape
        size = _size(self._chart.nodes[node], self._words[node])
        across, along = (size[1], size[0]) if self._flat else size
        if shape in ("box", "round", "frame", "cylinder", "slanted"):
            room = across * (0.2 if shape in ("slanted", "cylinder") else 0.3)
            x += min(max((toward - x) * 0.35, -room), room)
        if self._flat and shape in ("slanted", "flag"):
            along -= 0.7
        tip = (x, y + side * along / 2)
        return tip, (x, tip[1] + side * (0.5 if head in ("arrow", "dot") else 0.0))

    def _curve(self, points: Sequence[Point], stroke: str) -> None:
        """Draw a curve that leaves and reaches all points along the ranks."""
        bends = []
        for (x1, y1), (x2, y2) in pairwise(points):
            far = (y2 - y1) * _CURVE
            bends.append([self._turned(p) for p in ((x1, y1 + far), (x2, y2 - far), (x2, y2))])
        self._sketch.line([self._turned(points[0])], stroke, bends=bends)

    def _loop(self, at: int, edge: FlowEdge) -> None:
        x, y = self._middles[edge.source]
        size = _size(self._chart.nodes[edge.source], self._words[edge.source])
        across, along = (size[1], size[0]) if self._flat else size
        side, high = x + across / 2, min(along * 0.28, 1.0)
        if self._chart.nodes[edge.source].shape in ("diamond", "circle", "hexagon"):
            side -= across * 0.2
        out = side + _LOOP * 1.2
        bend = [self._turned(p) for p in ((out, y - high * 2), (out, y + high * 2), (side + 0.4, y + high))]
        self._sketch.line([self._turned((side, y - high))], edge.stroke, bends=[bend])
        self._sketch.head(edge.head, self._turned((side, y + high)), self._turned((side + 0.6, y + high * 1.2)))
        self._sketch.text(self._turned((out + 0.2, y)), self._labels[at], "link")


def _size(node: FlowNode, text: Words) -> tuple[float, float]:
    """Return the width and height of a node's shape around its text."""
    width, height = max(text.width, 1.2), max(text.height, 1.3)
    match node.shape:
        case "diamond":
            return (width * 1.5 + 1.8, height * 1.5 + 1.6)
        case "circle":
            size = hypot(width, height) + 1.0
            return (size, size)
        case "hexagon" | "slanted" | "flag" | "pill" | "frame":
            return (width + 2.8, height + 1.1)
        case "cylinder":
            return (width + 1.8, height + 2.0)
        case _:
            return (width + 1.8, height + 1.1)


def _backward(items: Sequence[_Item], links: Sequence[tuple[int, _Item, _Item]]) -> set[int]:
    """Return the links that have to be turned around so that there is no cycle: those that a walk finds going back."""
    onward: dict[_Item, list[tuple[int, _Item]]] = {item: [] for item in items}
    for at, first, second in links:
        onward[first].append((at, second))
    back: set[int] = set()
    state: dict[_Item, str] = {}
    for root in items:
        if root in state:
            continue
        state[root], walk = "open", [(root, iter(onward[root]))]
        while walk:
            item, rest = walk[-1]
            step = next(rest, None)
            if step is None:
                state[item] = "done"
                walk.pop()
            elif state.get(step[1]) == "open":
                back.add(step[0])
            elif step[1] not in state:
                state[step[1]] = "open"
                walk.append((step[1], iter(onward[step[1]])))
    return back
