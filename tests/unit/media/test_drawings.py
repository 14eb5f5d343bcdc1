"""Drawings of diagrams: nothing overlaps or leaves the drawing, and links run in the chart's direction."""

from __future__ import annotations

import random
from itertools import combinations
from typing import Any, get_args

import pytest

from handlers.generation.pages.flow_drawing import flow_data
from handlers.generation.pages.sequence_drawing import sequence_data
from handlers.generation.pages.sketch import words
from handlers.generation.pages.typography import ems
from handlers.generation.script.mermaid.read import read_diagram
from handlers.generation.script.mermaid.values import Direction, Flowchart, SequenceDiagram

NEAR = 1e-6


def drawn(source: str, direction: Direction | None = None) -> dict[str, Any]:
    found = read_diagram(source)
    if isinstance(found, SequenceDiagram):
        return sequence_data(found)
    assert isinstance(found, Flowchart)
    return flow_data(found, direction or found.direction)


def boxes(data: dict[str, Any], *tones: str) -> list[dict[str, float]]:
    return [box for box in data["boxes"] if box["tone"] in tones]


def within(inner: dict[str, float], outer: dict[str, float]) -> bool:
    return (
        inner["x"] >= outer["x"] - NEAR
        and inner["y"] >= outer["y"] - NEAR
        and inner["x"] + inner["w"] <= outer["x"] + outer["w"] + NEAR
        and inner["y"] + inner["h"] <= outer["y"] + outer["h"] + NEAR
    )


def apart(one: dict[str, float], other: dict[str, float]) -> bool:
    return any(
        first[at] + first[size] <= second[at] + NEAR
        for first, second in ((one, other), (other, one))
        for at, size in (("x", "w"), ("y", "h"))
    )


def some_chart(seed: int) -> str:
    """Up to 40 nodes of all shapes in nested subgraphs, with up to 80 links between them."""
    chance, lines, depth = random.Random(seed), [f"graph {random.Random(seed).choice(('TD', 'LR', 'BT', 'RL'))}"], 0
    count = chance.randint(1, 40)
    for at in range(count):
        if chance.random() < 0.15 and depth < 4:
            lines.append(f"subgraph g{at} [Group {at}]")
            depth += 1
        lines.append(f"n{at}" + chance.choice(("[a text<br>in two rows]", "(r)", "{d}", "((c))", "[(b)]", "{{h}}", "")))
        if depth and chance.random() < 0.2:
            lines.append("end")
            depth -= 1
    lines += ["end"] * depth
    arrows = ("-->", "---", "-->|a label|", "<-->", "~~~")
    for _ in range(chance.randint(0, 80)):
        lines.append(f"n{chance.randrange(count)} {chance.choice(arrows)} n{chance.randrange(count)}")
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(25))
def test_nothing_overlaps(seed: int) -> None:
    data = drawn(some_chart(seed))
    nodes, groups = boxes(data, "node"), boxes(data, "group")
    page = {"x": 0.0, "y": 0.0, "w": data["w"], "h": data["h"]}
    assert all(within(box, page) for box in (*nodes, *groups))
    assert all(apart(one, other) for one, other in combinations(nodes, 2))
    for group in groups:
        assert all(within(node, group) or apart(node, group) for node in nodes)
    for one, other in combinations(groups, 2):
        assert apart(one, other) or within(one, other) or within(other, one)


@pytest.mark.parametrize("direction", get_args(Direction))
def test_links_run_in_the_direction_of_the_chart(direction: Direction) -> None:
    first, second, third = boxes(drawn("graph TD\nA --> B -->|x| C\nC --> A", direction), "node")
    for one, other in ((first, second), (second, third)):
        before, after = (one, other) if direction in ("down", "right") else (other, one)
        at, size = ("y", "h") if direction in ("down", "up") else ("x", "w")
        assert before[at] + before[size] < after[at]


def test_the_same_chart_is_drawn_alike() -> None:
    assert drawn(some_chart(7)) == drawn(some_chart(7))


def test_two_links_between_the_same_nodes_are_told_apart() -> None:
    data = drawn("graph TD\nA -->|to| B\nB -->|back| A")
    to, back = (text for text in data["texts"] if text["tone"] == "link")
    assert abs(to["x"] - back["x"]) > 1


def test_a_sequence_goes_down_and_its_columns_stay_apart() -> None:
    data = drawn(
        "sequenceDiagram\nA->>B: a long text that asks for room\nloop x\nB-->>A: y\nend\nNote over A,B: z\nB->>B: w"
    )
    actors = boxes(data, "actor")
    assert apart(*actors)
    messages = [text["y"] for text in data["texts"] if text["tone"] == "link"]
    assert messages == sorted(messages)
    [fence], [note] = boxes(data, "fence"), boxes(data, "note")
    assert apart(fence, note)
    assert within(note, {"x": 0.0, "y": 0.0, "w": data["w"], "h": data["h"]})


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", ()),
        ("a b\nc", ("a b", "c")),
        ("one two three four", ("one two", "three four")),
        ("水是生命之源，我们都需要它们", None),
        ("Verlängerungskabeltrommel", None),
    ],
)
def test_rows_of_labels(text: str, rows: tuple[str, ...] | None) -> None:
    found = words(text, 7.0).rows
    assert rows is None or found == rows
    assert "".join(found).replace(" ", "") == text.replace(" ", "").replace("\n", "")
    assert all(ems(row) <= 7.0 for row in found)
