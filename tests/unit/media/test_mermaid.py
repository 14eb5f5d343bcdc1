"""Mermaid's diagrams: what is understood, what each part becomes, and what is said and warned of."""

from __future__ import annotations

import pytest

from handlers.generation.model import Brief
from handlers.generation.pages.diagram_sizes import small_diagrams
from handlers.generation.script.content import Chart, Code, Diagram, Series, Span
from handlers.generation.script.mermaid.read import read_diagram, unread_diagrams
from handlers.generation.script.mermaid.values import (
    Actor,
    DiagramError,
    Fence,
    Flowchart,
    Message,
    SequenceDiagram,
    SequenceNote,
)
from handlers.generation.script.script import parse_script, plan_brief


def flow(*lines: str) -> Flowchart:
    found = read_diagram("\n".join(("graph TD", *lines)))
    assert isinstance(found, Flowchart)
    return found


def sequence(*lines: str) -> SequenceDiagram:
    found = read_diagram("\n".join(("sequenceDiagram", *lines)))
    assert isinstance(found, SequenceDiagram)
    return found


def links(chart: Flowchart) -> list[str]:
    return [f"{chart.nodes[edge.source].id}{chart.nodes[edge.target].id}" for edge in chart.edges]


@pytest.mark.parametrize(
    ("header", "direction"),
    [
        ("graph TD", "down"),
        ("graph", "down"),
        ("flowchart TB", "down"),
        ("flowchart BT;", "up"),
        ("graph LR", "right"),
        ("flowchart RL", "left"),
        ("%% a comment\n\nflowchart-elk LR", "right"),
        ('%%{init: {"theme": "dark"}}%%\ngraph LR', "right"),
        ("---\ntitle: The way\nconfig:\n  look: neo\n---\ngraph LR", "right"),
        ("graph LR; X-->Y\naccTitle: heard\naccDescr {\nA --> of all\n}", "right"),
    ],
)
def test_headers(header: str, direction: str) -> None:
    found = read_diagram(header + "\nA --> B")
    assert isinstance(found, Flowchart)
    assert (found.direction, links(found)[-1]) == (direction, "AB")
    assert found.title == ("The way" if "title" in header.partition("acc")[0] else "")


@pytest.mark.parametrize(
    ("text", "label", "shape"),
    [
        ("A", "A", "box"),
        ("A[a b]", "a b", "box"),
        ("A(a)", "a", "round"),
        ("A([a])", "a", "pill"),
        ("A[[a]]", "a", "frame"),
        ("A[(a)]", "a", "cylinder"),
        ("A((a))", "a", "circle"),
        ("A(((a)))", "a", "circle"),
        ("A>a]", "a", "flag"),
        ("A{a?}", "a?", "diamond"),
        ("A{{a}}", "a", "hexagon"),
        ("A[/a/]", "a", "slanted"),
        ("A[\\a/]", "a", "slanted"),
        ('A["a [b] (c)"]', "a [b] (c)", "box"),
        ('A["`**a** b`"]', "a b", "box"),
        ("A[a<br/>b<br>c]", "a\nb\nc", "box"),
        ("A[#quot;a#quot; #35;1]", '"a" #1', "box"),
        ("A[fa:fa-car a]", "a", "box"),
        ("A[<b>a</b>]:::big", "a", "box"),
        ('A@{ shape: cyl, label: "a, b" }', "a, b", "cylinder"),
        ("A@{ shape: unheard }", "A", "box"),
    ],
)
def test_nodes(text: str, label: str, shape: str) -> None:
    [node, _] = flow(f"{text} --> B").nodes
    assert (node.id, node.label, node.shape) == ("A", label, shape)


@pytest.mark.parametrize(
    ("link", "stroke", "ends", "label"),
    [
        ("-->", "solid", ("", "arrow"), ""),
        ("---->", "solid", ("", "arrow"), ""),
        ("---", "solid", ("", ""), ""),
        ("-.->", "dotted", ("", "arrow"), ""),
        ("-.-", "dotted", ("", ""), ""),
        ("==>", "thick", ("", "arrow"), ""),
        ("~~~", "unseen", ("", ""), ""),
        ("<-->", "solid", ("arrow", "arrow"), ""),
        ("o--o", "solid", ("dot", "dot"), ""),
        ("--x", "solid", ("", "cross"), ""),
        ("-->|a b|", "solid", ("", "arrow"), "a b"),
        ("-- a b -->", "solid", ("", "arrow"), "a b"),
        ("-. a .->", "dotted", ("", "arrow"), "a"),
        ("== a ==>", "thick", ("", "arrow"), "a"),
        ("-- a ---", "solid", ("", ""), "a"),
        ("e1@-->", "solid", ("", "arrow"), ""),
    ],
)
def test_links(link: str, stroke: str, ends: tuple[str, str], label: str) -> None:
    [edge] = flow(f"A {link} B").edges
    assert (edge.stroke, (edge.tail, edge.head), edge.label) == (stroke, ends, label)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A-->B", ["AB"]),
        ("A --> B --> C", ["AB", "BC"]),
        ("A & B --> C & D", ["AC", "AD", "BC", "BD"]),
        ("A-->B; B-->C;", ["AB", "BC"]),
        ("A --> A", ["AA"]),
        ("a-1 --> b.2", ["a-1b.2"]),
        ("A --> B\nstyle A fill:#f00\nclassDef x y\nclass A x\nclick A href\nlinkStyle 0 z", ["AB"]),
    ],
)
def test_chains(text: str, expected: list[str]) -> None:
    assert links(flow(text)) == expected


def test_subgraphs() -> None:
    chart = flow(
        "subgraph one [First]", "A --> B", "subgraph The second", "direction LR", "C", "end", "end", "one --> D"
    )
    assert [(group.title, group.parent) for group in chart.groups] == [("First", None), ("The second", 0)]
    assert {node.id: node.group for node in chart.nodes} == {"A": 0, "B": 0, "C": 1, "D": None}
    assert links(chart) == ["AB", "AD"]  # a subgraph stands for its first node


def test_sequences() -> None:
    found = sequence(
        "autonumber", "title T", "actor A as Ann Lee", "A->>+B: Hi: you", "loop each day", "B--xA: no", "end",
        "activate B", "rect rgb(1, 2, 3)", "Note over A,B: N", "end", "A-)A: self", "C<<->>A: both", "alt x", "else",
        "end",
    )  # fmt: skip
    assert (found.title, found.numbered) == ("T", True)
    assert found.actors == (
        Actor(id="A", label="Ann Lee", person=True),
        Actor(id="B", label="B"),
        Actor(id="C", label="C"),
    )
    assert found.steps == (
        Message(source=0, target=1, text="Hi: you"),
        Fence(kind="begin", word="loop", text="each day"),
        Message(source=1, target=0, text="no", dashed=True, head="cross"),
        Fence(kind="end"),
        SequenceNote(first=0, last=1, text="N"),
        Message(source=0, target=0, text="self"),
        Message(source=2, target=0, text="both", tail="arrow"),
        Fence(kind="begin", word="alt", text="x"),
        Fence(kind="next", word="else"),
        Fence(kind="end"),
    )


@pytest.mark.parametrize(
    "text", ['pie title Pets\n"Dogs" : 386\n"Cats" : 85.5', 'pie showData\ntitle Pets\n"Dogs": 386\n"Cats": 85.5']
)
def test_a_pie_is_a_chart(text: str) -> None:
    pie = Chart("pie", ("Dogs", "Cats"), (Series("", (386.0, 85.5)),), (Span("Pets"),))
    assert read_diagram(text) == pie
    [scene] = parse_script(f"## A\n\n```mermaid\n{text}\n```").scenes
    assert scene.lines[-1].text == "This chart shows Pets."


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("", 1, "empty"),
        ("gantt\ntitle A", 1, "'gantt' is none of"),
        ("stateDiagram-v2", 1, "'stateDiagram-v2' is none of"),
        ("graph TD\n\nA --> B\nB -> C", 4, "a link, such as -->, is expected at '-> C'"),
        ("graph TD\nA -->", 2, "a node is expected"),
        ("graph TD\nA[x --> B", 2, "there is no ] behind"),
        ("graph TD\nA -- x B", 2, "a link has no end"),
        ("graph TD\nA -->|x B", 2, "no second |"),
        ("graph TD\nsubgraph a\nA", 2, "has no end"),
        ("graph TD\nA\nend", 3, "no subgraph that"),
        ("graph TD", 1, "no nodes"),
        ("graph TD\n" + "\n".join(f"n{n}" for n in range(61)), 62, "more than 60 nodes"),
        ("graph TD\n" + "A --> B\n" * 121, 122, "more than 120 links"),
        ("---\ntitle: a\ngraph TD", 1, "front matter has no end"),
        ("sequenceDiagram\nA->>B", 2, "a message, such as"),
        ("sequenceDiagram\n->>B: x", 2, "on both sides"),
        ("sequenceDiagram\nA->>B: x\nloop y", 3, "`loop` has no end"),
        ("sequenceDiagram\nend", 2, "nothing that `end`"),
        ("sequenceDiagram", 1, "no participants"),
        ('pie\n"A" : x', 2, "a slice, such as"),
        ("pie", 1, ""),
        ("graph TD\n" + "%" * 20_000, 1, "20,009 characters"),
    ],
)
def test_what_is_not_understood_is_told_with_its_line(text: str, line: int, why: str) -> None:
    with pytest.raises(DiagramError) as caught:
        read_diagram(text)
    assert (caught.value.line, why in str(caught.value)) == (line, True), str(caught.value)


SCRIPT = (
    "---\ntitle: T\n---\n# A\n\n```mermaid\ngraph TD; A[Start]-->B\n```\n\n- x\n\n  ```mermaid\n  gantt\n    y\n  ```\n"
)


def test_a_diagram_is_revealed_as_a_whole_and_others_are_code_with_a_warning() -> None:
    planned = plan_brief(Brief(script=SCRIPT), ("midnight",))
    [scene] = planned.script.scenes
    diagram, _, code = scene.blocks
    assert isinstance(diagram, Diagram)
    assert isinstance(code, Code)
    assert (diagram.step, code.language) == (1, "mermaid")
    assert scene.lines[1].text == "This diagram shows Start and B."
    [warning] = planned.warnings
    assert warning.code == "diagram_as_code"
    assert "line 13: 'gantt' is none of flowchart" in warning.message


@pytest.mark.parametrize("info", ["mermaid", "Mermaid", "{mermaid}", "mermaid {scale: 0.5}", " mermaid"])
def test_how_a_fence_names_mermaid(info: str) -> None:
    [scene] = parse_script(f"## A\n\n```{info}\ngraph TD; A-->B\n```").scenes
    assert isinstance(scene.blocks[0], Diagram)
    assert not unread_diagrams(f"```{info}\ngraph TD; A-->B\n```")


@pytest.mark.parametrize(
    ("voice", "source", "said"),
    [
        ("en-us", "graph TD\nA-->B-->C", "This diagram shows A, B and C."),
        ("de", "graph TD\nA-->B", "Dieses Schaubild zeigt A und B."),
        ("fr", "graph TD\nA", "Ce schéma montre A."),
        ("es", "graph TD\nA-->B", "Este esquema muestra A y B."),
        ("en-us", "---\ntitle: The way.\n---\ngraph TD\nA", "This diagram shows The way."),
        ("en-us", "sequenceDiagram\nA->>B: x\nB->>A: y", "This diagram shows A and B."),
        ("en-us", "graph TD\n" + "-->".join("ABCDEFGH"), "This diagram shows A, B, C, D, E and H."),
        ("it", "graph TD\nA-->B", "A, B."),
    ],
)
def test_what_is_said_of_a_diagram(voice: str, source: str, said: str) -> None:
    [scene] = parse_script(f"## T\n\n```mermaid\n{source}\n```", voice).scenes
    assert scene.lines[-1].text == said


def test_letters_that_are_too_small_are_warned_of() -> None:
    chain = "graph TD\n" + "\n".join(f"N{n}[Step number {n}] --> N{n + 1}" for n in range(25))
    [warning] = small_diagrams(parse_script(f"## T\n\n```mermaid\n{chain}\n```"))
    assert warning.code == "diagram_small"
    assert "scene 1" in warning.message
    assert small_diagrams(parse_script("## T\n\n```mermaid\ngraph TD; A-->B-->C\n```")) == []
