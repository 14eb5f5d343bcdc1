"""Makes the data of diagrams for the sheets: a drawing, and for flowcharts one more in the other direction."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from handlers.generation.pages.flow_drawing import flow_data
from handlers.generation.pages.sequence_drawing import sequence_data
from handlers.generation.script.content import Chart, Diagram
from handlers.generation.script.mermaid.read import read_diagram
from handlers.generation.script.mermaid.values import DiagramError, Direction, Flowchart

_OTHER: Final[dict[Direction, Direction]] = {"down": "right", "up": "left", "right": "down", "left": "up"}


@lru_cache(maxsize=32)
def drawings_of(source: str) -> tuple[str, list[dict[str, Any]]]:
    """Return a diagram's title, and its drawings in order of preference; no drawings where it isn't understood."""
    try:
        found = read_diagram(source)
    except DiagramError:
        return "", []
    if isinstance(found, Flowchart):
        ways = (found.direction, _OTHER[found.direction])
        return found.title, [flow_data(found, way) for way in ways]
    return ("", []) if isinstance(found, Chart) else (found.title, [sequence_data(found)])


def diagram_data(diagram: Diagram) -> dict[str, Any]:
    """Return a diagram's title and drawings; no drawings where it isn't understood."""
    title, drawings = drawings_of(diagram.source)
    return {"title": title, "drawings": drawings}


def is_upright(diagram: Diagram) -> bool:
    """Tell whether the drawing is higher than wide."""
    drawings = drawings_of(diagram.source)[1]
    return bool(drawings) and drawings[0]["w"] < drawings[0]["h"]
