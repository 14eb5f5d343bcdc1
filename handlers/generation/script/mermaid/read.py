"""Reads any diagram that is understood, makes blocks of them, and says what others are shown as."""

from __future__ import annotations

import re
from typing import Final

from markdown_it.token import Token

from handlers.generation.control import Warned
from handlers.generation.script.chartdata import ChartError, check_chart
from handlers.generation.script.content import Chart, Code, Diagram, Series, Span
from handlers.generation.script.inline import markdown
from handlers.generation.script.mermaid.flowcharts import HEADER, read_flowchart
from handlers.generation.script.mermaid.sequences import read_sequence
from handlers.generation.script.mermaid.text import Opened, Row, label_of, opened, title_of
from handlers.generation.script.mermaid.values import DiagramError, Flowchart, SequenceDiagram

#: The language of fenced blocks.
MERMAID: Final = "mermaid"
_PIE: Final = re.compile(r"pie(?:[ \t]++showData)?+(?:[ \t]++(title\b.*+))?+")
_SLICE: Final = re.compile(r"(\"[^\"]++\"|'[^']++')[ \t]*+:[ \t]*+(\d{1,15}(?:\.\d{1,15})?+)")


def read_diagram(source: str) -> Flowchart | SequenceDiagram | Chart:
    """Read a diagram. Raises DiagramError."""
    found = opened(source)
    if not found.rows:
        raise DiagramError(1, "it is empty")
    header = found.rows[0]
    head = header.text.rstrip("; \t")
    if match := HEADER.fullmatch(head):
        return read_flowchart(found, match[1])
    if match := HEADER.match(header.text):  # statements may follow on the same line
        rest = Row(header.number, header.text[match.end() :].strip())
        if match[0].rstrip().endswith(";"):
            return read_flowchart(Opened((header, rest, *found.rows[1:]), found.title), match[1])
    if head == "sequenceDiagram":
        return read_sequence(found)
    if match := _PIE.fullmatch(head):
        return _pie(found, match[1] or "")
    raise DiagramError(
        header.number, f"{head.split(None, 1)[0][:40]!r} is none of flowchart, graph, sequenceDiagram and pie"
    )


def _pie(found: Opened, title: str) -> Chart:
    name = title_of(Row(1, title.strip())) or found.title
    labels, values = [], []
    for row in found.rows[1:]:
        if (named := title_of(row)) is not None:
            name = named
        elif row.text != "showData":
            match = _SLICE.fullmatch(row.text)
            if match is None:
                raise DiagramError(row.number, f'a slice, such as "Label" : 42, is expected at {row.text[:30]!r}')
            labels.append(label_of(match[1].strip("'")).replace("\n", " "))
            values.append(float(match[2]))
    series = (Series("", tuple(values)),)
    try:
        check_chart("pie", tuple(labels), series)
    except ChartError as error:
        raise DiagramError(found.rows[0].number, str(error)) from None
    return Chart("pie", tuple(labels), series, (Span(name),) if name else ())


def diagram_block(source: str) -> Diagram | Chart | Code:
    """Make the block of a diagram; a listing where it isn't understood, which `unread_diagrams` warns of."""
    try:
        found = read_diagram(source)
    except DiagramError:
        return Code(MERMAID, source)
    return found if isinstance(found, Chart) else Diagram(source)


def unread_diagrams(text: str) -> tuple[Warned, ...]:
    """Warn of the fenced diagrams in a Markdown text that aren't understood."""
    if MERMAID not in text.casefold():
        return ()
    parser, warnings = markdown(), list[Warned]()
    tokens: list[Token] = []
    parser.block.parse(text, parser, {}, tokens)
    for token in tokens:
        if token.type == "fence" and token.map and is_mermaid(token.info):
            try:
                read_diagram(token.content)
            except DiagramError as error:
                line = token.map[0] + 1 + error.line
                message = f"the diagram can't be drawn and is shown as code: line {line}: {error}"
                warnings.append(Warned("diagram_as_code", message))
    return tuple(warnings)


def is_mermaid(info: str) -> bool:
    """Tell whether the words behind a fence name Mermaid: ```mermaid, ```{mermaid}, ```mermaid {scale: 0.5}."""
    return info.strip().lstrip("{").casefold().startswith(MERMAID)


def names_of(diagram: Diagram) -> tuple[str, tuple[str, ...]]:
    """Return the title of a diagram (may be empty), and the labels of its nodes or participants in order."""
    try:
        found = read_diagram(diagram.source)
    except DiagramError:
        return "", ()
    if isinstance(found, Chart):
        return "", found.labels
    things = found.nodes if isinstance(found, Flowchart) else found.actors
    return found.title, tuple(thing.label.replace("\n", " ") for thing in things)
