"""What the drawings of diagrams hold, and the error of a diagram that isn't understood."""

from __future__ import annotations

from typing import Final, Literal

from attrs import frozen

#: More than a page can show in letters that can be read.
MAX_NODES: Final = 60
MAX_EDGES: Final = 120
MAX_STEPS: Final = 60
MAX_LABEL_CHARS: Final = 200
MAX_SOURCE_CHARS: Final = 20_000


class DiagramError(Exception):
    """A diagram isn't understood. `line` counts from 1 within its source."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


Direction = Literal["down", "up", "right", "left"]
Shape = Literal["box", "round", "pill", "circle", "diamond", "hexagon", "cylinder", "frame", "slanted", "flag"]
Head = Literal["", "arrow", "cross", "dot"]


@frozen(kw_only=True)
class FlowNode:
    """A node; line feeds in its label are line breaks. `group` is the number of its subgraph, None outside of all."""

    id: str
    label: str
    shape: Shape = "box"
    group: int | None = None


@frozen(kw_only=True)
class FlowEdge:
    """An edge between two nodes, by their places in the chart."""

    source: int
    target: int
    label: str = ""
    stroke: Literal["solid", "dotted", "thick", "unseen"] = "solid"
    head: Head = ""
    tail: Head = ""


@frozen(kw_only=True)
class FlowGroup:
    """A subgraph; `parent` is the number of the one that it lies in."""

    title: str
    parent: int | None = None


@frozen(kw_only=True)
class Flowchart:
    """A flowchart; a group without nodes has nothing to show."""

    direction: Direction
    nodes: tuple[FlowNode, ...]
    edges: tuple[FlowEdge, ...]
    groups: tuple[FlowGroup, ...] = ()
    title: str = ""


@frozen(kw_only=True)
class Actor:
    """A column of a sequence diagram; `person`: drawn as one."""

    id: str
    label: str
    person: bool = False


@frozen(kw_only=True)
class Message:
    """An arrow between two columns, or back to its own."""

    source: int
    target: int
    text: str
    dashed: bool = False
    head: Head = "arrow"
    tail: Head = ""


@frozen(kw_only=True)
class SequenceNote:
    """A note over the columns `first` to `last`, or beside one."""

    first: int
    last: int
    text: str
    side: Literal["over", "left", "right"] = "over"


@frozen(kw_only=True)
class Fence:
    """The beginning of a frame, one of its further parts, or its end; `word` is loop, alt, else and so on."""

    kind: Literal["begin", "next", "end"]
    word: str = ""
    text: str = ""


@frozen(kw_only=True)
class SequenceDiagram:
    """Columns, and what happens between them from top to bottom."""

    actors: tuple[Actor, ...]
    steps: tuple[Message | SequenceNote | Fence, ...]
    title: str = ""
    numbered: bool = False
