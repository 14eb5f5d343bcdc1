"""Reads flowcharts: nodes with their shapes, chains of links with labels, subgraphs.

Styles, classes and links to pages are left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal, NoReturn

from attrs import evolve

from handlers.generation.script.mermaid.text import Opened, Row, label_of
from handlers.generation.script.mermaid.values import (
    MAX_EDGES,
    MAX_NODES,
    DiagramError,
    Direction,
    Flowchart,
    FlowEdge,
    FlowGroup,
    FlowNode,
    Head,
    Shape,
)

HEADER: Final = re.compile(r"(?:graph|flowchart(?:-elk)?)(?:[ \t]++(TB|TD|BT|RL|LR|[<>^v]))?+[ \t]*+;?")
_DIRECTIONS: Final[dict[str | None, Direction]] = {
    None: "down", "TB": "down", "TD": "down", "v": "down", "BT": "up", "^": "up",
    "LR": "right", ">": "right", "RL": "left", "<": "left",
}  # fmt: skip
_IGNORED: Final = re.compile(
    r"(?:(?:classDef|class|style|linkStyle|click)[ \t]|direction[ \t]++(?:TB|TD|BT|RL|LR)\b).*+"
)
_SUBGRAPH: Final = re.compile(r"subgraph(?:[ \t]++(.*+))?+")
#: `id [title]`, `id["title"]`; else all of it is the title.
_SUBGRAPH_ID: Final = re.compile(r"([\w.-]++)[ \t]*+\[(.*)\]")
_ID: Final = re.compile(r"\w++(?:[-./](?=\w)\w++)*+")
_CLASS: Final = re.compile(r":::[\w-]++")
_DATA: Final = re.compile(r"@\{([^{}]*+)\}")
_DATUM: Final = re.compile(r"""(shape|label)[ \t]*+:[ \t]*+("[^"]*+"|'[^']*+'|[^,"']++)""")
#: A whole link; and the beginning of one with a text in it, with the end that belongs to it.
_EDGE_ID: Final = re.compile(r"\w++@(?=[<xo]?[-=~])")
_LINK: Final = re.compile(r"([<xo]?)(--+[-xo>]|==+[=xo>]|-\.+-[xo>]?|~~~+)")
_OPEN: Final = re.compile(r"([<xo]?)(--|==|-\.)")
_CLOSE: Final = {
    "--": re.compile(r"--+[-xo>]"), "==": re.compile(r"==+[=xo>]"), "-.": re.compile(r"\.+-[xo>]?"),
}  # fmt: skip
_HEADS: Final[dict[str, Head]] = {">": "arrow", "<": "arrow", "x": "cross", "o": "dot"}
_STROKES: Final[dict[str, Literal["solid", "dotted", "thick", "unseen"]]] = {
    "=": "thick", "~": "unseen", ".": "dotted", "-": "solid",
}  # fmt: skip
#: Shapes by what opens them, longer ones first, with what closes them.
_SHAPES: Final[tuple[tuple[str, tuple[str, ...], Shape], ...]] = (
    ("(((", (")))",), "circle"), ("((", ("))",), "circle"), ("([", ("])",), "pill"), ("(", (")",), "round"),
    ("[[", ("]]",), "frame"), ("[(", (")]",), "cylinder"), ("[/", ("/]", "\\]"), "slanted"),
    ("[\\", ("\\]", "/]"), "slanted"), ("[", ("]",), "box"), ("{{", ("}}",), "hexagon"), ("{", ("}",), "diamond"),
    (">", ("]",), "flag"),
)  # fmt: skip
#: Names of shapes in `@{ shape: ... }`; others are boxes.
_NAMED: Final[dict[str, Shape]] = {
    **dict.fromkeys(("rounded", "event"), "round"), **dict.fromkeys(("stadium", "pill", "terminal"), "pill"),
    **dict.fromkeys(("circle", "circ", "start", "small-circle", "stop", "dbl-circ"), "circle"),
    **dict.fromkeys(("diamond", "diam", "decision", "question"), "diamond"),
    **dict.fromkeys(("hex", "hexagon", "prepare"), "hexagon"),
    **dict.fromkeys(("cyl", "cylinder", "database", "db"), "cylinder"),
    **dict.fromkeys(("fr-rect", "subprocess", "subproc", "framed-rectangle"), "frame"),
    **dict.fromkeys(("lean-r", "lean-l", "lean-right", "lean-left", "in-out", "out-in"), "slanted"),
}  # fmt: skip


def read_flowchart(opened: Opened, direction: str | None) -> Flowchart:
    """Read the lines below the header, which named `direction`. Raises DiagramError."""
    chart = _Chart()
    for row in opened.rows[1:]:
        chart.take(row)
    return chart.done(_DIRECTIONS[direction], opened.title)


class _Chart:
    """Collects the nodes, edges and subgraphs of a chart."""

    def __init__(self) -> None:
        self._nodes: dict[str, FlowNode] = {}
        self._edges: list[tuple[str, str, FlowEdge]] = []
        self._groups: list[FlowGroup] = []
        self._ids: dict[str, int] = {}
        self._within: list[tuple[int, int]] = []  # (number of the subgraph, line)

    def take(self, row: Row) -> None:
        if match := _SUBGRAPH.fullmatch(row.text.rstrip("; \t")):
            self._begin(match[1] or "", row)
        elif row.text.rstrip("; \t") == "end":
            if not self._within:
                raise DiagramError(row.number, "there is no subgraph that `end` could end")
            self._within.pop()
        else:
            _Statements(self, row).read()

    def done(self, direction: Direction, title: str) -> Flowchart:
        if self._within:
            raise DiagramError(self._within[-1][1], "the subgraph has no end: write `end` below it")
        # A link may name a subgraph: it then belongs to the first node in it.
        firsts = {id_: self._first(number) for id_, number in self._ids.items()}
        nodes = {id_: node for id_, node in self._nodes.items() if firsts.get(id_) is None}
        if not nodes:
            raise DiagramError(1, "it has no nodes")
        place = {id_: at for at, id_ in enumerate(nodes)}
        edges = []
        for first, second, edge in self._edges:
            ends = [place.get(firsts.get(id_) or id_) for id_ in (first, second)]
            if ends[0] is not None and ends[1] is not None:
                edges.append(evolve(edge, source=ends[0], target=ends[1]))
        return Flowchart(
            direction=direction,
            nodes=tuple(nodes.values()),
            edges=tuple(edges),
            groups=tuple(self._groups),
            title=title,
        )

    def node(self, id_: str, label: str | None, shape: Shape, line: int) -> None:
        known = self._nodes.get(id_)
        group = self._within[-1][0] if self._within else None
        if known is None:
            if len(self._nodes) == MAX_NODES:
                raise DiagramError(line, f"it has more than {MAX_NODES} nodes, which no page has room for")
            self._nodes[id_] = FlowNode(id=id_, label=id_ if label is None else label, shape=shape, group=group)
            return
        if label is not None:
            known = evolve(known, label=label, shape=shape)
        self._nodes[id_] = evolve(known, group=known.group if known.group is not None else group)

    def edge(self, first: str, second: str, edge: FlowEdge, line: int) -> None:
        if len(self._edges) == MAX_EDGES:
            raise DiagramError(line, f"it has more than {MAX_EDGES} links, which no page has room for")
        self._edges.append((first, second, edge))

    def _begin(self, name: str, row: Row) -> None:
        match = _SUBGRAPH_ID.fullmatch(name.strip())
        id_, title = (match[1], match[2]) if match else (name.strip().strip('"'), name)
        if len(self._groups) == MAX_NODES:
            raise DiagramError(row.number, f"it has more than {MAX_NODES} subgraphs")
        parent = self._within[-1][0] if self._within else None
        self._within.append((len(self._groups), row.number))
        self._ids[id_] = len(self._groups)
        self._groups.append(FlowGroup(title=label_of(title), parent=parent))

    def _first(self, number: int) -> str | None:
        """Return the id of the first node within a subgraph or those in it."""
        for id_, node in self._nodes.items():
            group = node.group
            while group is not None and id_ not in self._ids:
                if group == number:
                    return id_
                group = self._groups[group].parent
        return None


class _Statements:
    """Reads one line, from left to right."""

    def __init__(self, chart: _Chart, row: Row) -> None:
        self._chart, self._text, self._line, self._at = chart, row.text, row.number, 0

    def read(self) -> None:
        while self._skip(" \t;"):
            if match := _IGNORED.match(self._text, self._at):
                self._at = match.end()
                continue
            before = self._nodes()
            while self._skip() and self._text[self._at] != ";":
                edge = self._link()
                after = self._nodes()
                for first in before:
                    for second in after:
                        self._chart.edge(first, second, edge, self._line)
                before = after

    def _skip(self, blanks: str = " \t") -> bool:
        """Go over blanks; tell whether there is more."""
        while self._at < len(self._text) and self._text[self._at] in blanks:
            self._at += 1
        return self._at < len(self._text)

    def _nodes(self) -> Sequence[str]:
        ids = [self._node()]
        while self._skip() and self._text[self._at] == "&":
            self._at += 1
            ids.append(self._node())
        return ids

    def _node(self) -> str:
        self._skip()
        match = _ID.match(self._text, self._at)
        if match is None:
            self._refuse("a node is expected at")
        self._at = match.end()
        label, shape = self._shape(match[0])
        if classes := _CLASS.match(self._text, self._at):
            self._at = classes.end()
        self._chart.node(match[0], label, shape, self._line)
        return match[0]

    def _shape(self, id_: str) -> tuple[str | None, Shape]:
        if data := _DATA.match(self._text, self._at):
            self._at = data.end()
            named = {key: value.strip().strip("\"'") for key, value in _DATUM.findall(data[1])}
            return label_of(named.get("label", id_)), _NAMED.get(named.get("shape", ""), "box")
        for opening, closings, shape in _SHAPES:
            if self._text.startswith(opening, self._at):
                return self._label(opening, closings), shape
        return None, "box"

    def _label(self, opening: str, closings: tuple[str, ...]) -> str:
        begin = after = self._at + len(opening)
        if self._text.startswith('"', begin):
            after = self._text.find('"', begin + 1) + 1 or len(self._text)
        found = [at for closing in closings if (at := self._text.find(closing, after)) >= 0]
        if not found:
            self._refuse(f"there is no {closings[0]} behind")
        end = min(found)
        self._at = end + len(closings[0])
        return label_of(self._text[begin:end])

    def _link(self) -> FlowEdge:
        if match := _EDGE_ID.match(self._text, self._at):
            self._at = match.end()
        if match := _LINK.match(self._text, self._at):
            self._at, end = match.end(), match[2]
            label = self._piped()
        elif match := _OPEN.match(self._text, self._at):
            close = _CLOSE[match[2]].search(self._text, match.end())
            if close is None:
                self._refuse("a link has no end at")
            label, end = label_of(self._text[match.end() : close.start()]), close[0]
            self._at = close.end()
            end = "-" + end if match[2] == "-." else end
        else:
            self._refuse("a link, such as -->, is expected at")
        stroke = _STROKES["." if "." in end else end[0]]
        head = _HEADS.get(end[-1], "")
        return FlowEdge(source=0, target=0, label=label, stroke=stroke, head=head, tail=_HEADS.get(match[1], ""))

    def _piped(self) -> str:
        """Read `|label|` behind a link."""
        self._skip()
        if not self._text.startswith("|", self._at):
            return ""
        end = self._text.find("|", self._at + 1)
        if end < 0:
            self._refuse("a label has no second | at")
        label = label_of(self._text[self._at + 1 : end])
        self._at = end + 1
        return label

    def _refuse(self, reason: str) -> NoReturn:
        raise DiagramError(self._line, f"{reason} {self._text[self._at :][:30]!r}")
