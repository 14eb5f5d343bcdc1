"""The parts of which drawings of diagrams are made, with lengths in em of their text, and texts in rows.

Everything is placed here; the sheet `diagrams.typ` only draws it at the size that fits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from math import hypot
from typing import Any, Final, Literal

from attrs import define, field, frozen

from handlers.generation.pages.typography import ems

#: Height of a row of text.
ROW: Final = 1.3
#: Estimates of widths are generous: letters are this much narrower on average.
_NARROWER: Final = 0.94

#: Words with the blanks behind them; letters of scripts without blanks one by one, with the marks behind them.
_PART: Final = re.compile(
    r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef][\u3001\u3002\uff01-\uff1f]*+\s*+"
    r"|[^\s\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]++\s*+|\s++"
)

Point = tuple[float, float]


@frozen
class Words:
    """A text in rows, and its size."""

    rows: tuple[str, ...]
    width: float
    height: float


def words(text: str, longest: float) -> Words:
    """Break a text into rows of about `longest` em; words of more than that are broken."""
    rows: list[str] = []
    for line in text.split("\n"):
        rows += _rows(line, longest)
    return Words(tuple(rows), max((ems(row) * _NARROWER for row in rows), default=0.0), ROW * len(rows))


def _rows(line: str, longest: float) -> Iterator[str]:
    row = ""
    for part in _PART.findall(line):
        if row and ems(row + part.rstrip()) > longest:
            yield row.rstrip()
            row = ""
        while ems(part.rstrip()) > longest:  # one long word
            cut = next(at for at in range(1, len(part) + 1) if ems(part[:at]) > longest)
            yield part[: max(1, cut - 1)]
            part = part[max(1, cut - 1) :]
        row += part
    if row.strip():
        yield row.rstrip()


@define
class Sketch:
    """A drawing in the making: lines under all, boxes, lines and texts, each list drawn over the one before."""

    under: list[dict[str, Any]] = field(factory=list)
    boxes: list[dict[str, Any]] = field(factory=list)
    lines: list[dict[str, Any]] = field(factory=list)
    texts: list[dict[str, Any]] = field(factory=list)

    def box(self, middle: Point, size: tuple[float, float], tone: str, shape: str = "box") -> None:
        """Add a box; `tone` is what it is: node, group, note, actor, fence, or the tab of a fence."""
        at = (middle[0] - size[0] / 2, middle[1] - size[1] / 2)
        self.boxes.append({"x": at[0], "y": at[1], "w": size[0], "h": size[1], "tone": tone, "shape": shape})

    def text(self, at: Point, text: Words, tone: str, *, anchor: Literal["centre", "left"] = "centre") -> None:
        """Add a text around its middle, or with its left end, half of its height down, at a point."""
        if text.rows:
            self.texts.append({"x": at[0], "y": at[1], "rows": text.rows, "tone": tone, "anchor": anchor})

    def tab(self, left: float, top: float, text: str) -> None:
        """Write the title of a frame into its upper left corner, on a ground of its own over all lines."""
        label = words(text, 60.0)
        if label.rows:
            size = (label.width * 0.88 + 1.0, label.height + 0.1)
            self.box((left + size[0] / 2, top + size[1] / 2), size, "tab", "plain")
            self.text((left + 0.5, top + size[1] / 2), label, "fence", anchor="left")

    def line(self, points: Sequence[Point], stroke: str, tone: str = "line", *, bends: Sequence[Any] = ()) -> None:
        """Add a line through points, or with `bends` a curve from the first one: (control, control, end) each."""
        self.lines.append({"points": list(points), "bends": list(bends), "stroke": stroke, "tone": tone})

    def head(self, kind: str, tip: Point, behind: Point) -> None:
        """Add the head of an arrow that comes from `behind`: arrow, cross or dot; nothing for ""."""
        if not kind:
            return
        away = hypot(tip[0] - behind[0], tip[1] - behind[1]) or 1.0
        along = ((tip[0] - behind[0]) / away, (tip[1] - behind[1]) / away)

        def spot(back: float, side: float) -> Point:
            return (tip[0] - along[0] * back - along[1] * side, tip[1] - along[1] * back + along[0] * side)

        match kind:
            case "arrow":
                self.lines.append({"points": [tip, spot(0.62, 0.29), spot(0.62, -0.29)], "tone": "arrow"})
            case "cross":
                for side in (0.28, -0.28):
                    self.line([spot(0.1, side), spot(0.6, -side)], "solid")
            case "dot":
                self.lines.append({"points": [spot(0.28, 0.0)], "tone": "dot"})

    def data(self, width: float, height: float) -> dict[str, Any]:
        """Return the drawing as data of the sheet."""
        tabs = [box for box in self.boxes if box["tone"] == "tab"]
        boxes = [box for box in self.boxes if box["tone"] != "tab"]
        layers = {"under": self.under, "boxes": boxes, "lines": self.lines, "tabs": tabs, "texts": self.texts}
        return {"w": width, "h": height, **layers}
