"""Lays out charts: ticks, bars, points and slices as fractions of the plot, with their labels."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

from handlers.generation.pages.typography import breakable
from handlers.generation.script.content import Chart

#: Most bars or points with their number, and most points with a dot.
_MOST_VALUES: Final = 12
_MOST_POINTS: Final = 24
#: About so many intervals between ticks.
_TICKS: Final = 5
#: Words of up to so many characters in a label are not broken.
_LONGEST: Final = 16


def chart_data(chart: Chart, *, narrow: bool) -> dict[str, Any]:
    """Make the data that the sheet draws; `narrow`: the page is less than 1200 points wide."""
    values = [[_finite(v) for v in series.values[: len(chart.labels)]] for series in chart.series]
    padded = [row + [None] * (len(chart.labels) - len(row)) for row in values]
    common = {
        "style": chart.style,
        "labels": [breakable(label, _LONGEST) for label in chart.labels],
        "unit": chart.unit,
        "legend": [breakable(series.name, 2 * _LONGEST) for series in chart.series] if len(chart.series) > 1 else [],
    }
    if chart.style == "pie":
        return {**common, "slices": _slices(chart, padded[0] if padded else []), "legend": []}
    low, high, step = _scale([v for row in padded for v in row if v is not None], from_zero=chart.style == "bar")
    span = high - low
    ticks = [low + step * at for at in range(round(span / step) + 1)]
    count = len(chart.labels) * max(1, len(padded))
    return {
        **common,
        "ticks": [{"at": (tick - low) / span, "text": short(tick)} for tick in ticks],
        "zero": (min(max(0.0, low), high) - low) / span,
        "lying": chart.style == "bar" and _horizontal(chart.labels, count, narrow=narrow),
        "groups": [[_spot(row[at], low, span) for row in padded] for at in range(len(chart.labels))],
        "lines": [list(_runs(row, low, span)) for row in padded],
        "ends": [_end(row, low, span) for row in padded],
        "valued": count <= (_MOST_VALUES if len(padded) == 1 or not narrow else 8),
        "dotted": len(chart.labels) <= _MOST_POINTS,
        "every": max(1, math.ceil(len(chart.labels) / (6 if narrow else 12))),
    }


def _spot(value: float | None, low: float, span: float) -> dict[str, Any] | None:
    return None if value is None else {"at": (value - low) / span, "text": number(value)}


def number(value: float) -> str:
    """Format a number with separated thousands: at most two decimals from 1 on, four below."""
    if value and not 1e-4 <= abs(value) < 1e12:
        return f"{value:.3g}"
    text = f"{value:,.4f}" if abs(value) < 1 else f"{value:,.2f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")


def short(value: float) -> str:
    """Format a number for an axis: 1.5M instead of 1,500,000."""
    for size, sign in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return number(value / (1e3 if sign == "k" else size)) + sign
    return number(value)


def _finite(value: float | None) -> float | None:
    """Return the value if it can be drawn: beyond 1e15 or not finite it is a gap, below 1e-290 zero.

    Axes of smaller values can't be divided in floating point.
    """
    if value is None or not math.isfinite(value) or abs(value) > 1e15:
        return None
    return float(value) if abs(value) >= 1e-290 else 0.0


def _scale(values: Sequence[float], *, from_zero: bool) -> tuple[float, float, float]:
    """Return (low, high, step) of an axis with round numbers that spans `values`."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    if from_zero or (low > 0 and low < 0.6 * high):
        low = min(low, 0.0)
    if from_zero or (high < 0 and high > 0.6 * low):
        high = max(high, 0.0)
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-9):
        low, high = (low - abs(low) * 0.5, high + abs(high) * 0.5) if high else (0.0, 1.0)
    rough = (high - low) / _TICKS
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * nice for nice in (1, 2, 2.5, 5, 10) if size * nice >= rough * 0.999)
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step, step


def _horizontal(labels: Sequence[str], count: int, *, narrow: bool) -> bool:
    """Tell whether bars are horizontal, because their labels would not fit below vertical ones."""
    room = (46 if narrow else 92) / max(1, len(labels))
    return max(map(len, labels), default=0) > room and count <= 16


def _runs(row: Sequence[float | None], low: float, span: float) -> Iterator[list[dict[str, Any]]]:
    """Yield the runs of a line between gaps; `x` is the number of the label."""
    run: list[dict[str, Any]] = []
    for at, value in enumerate(row):
        if value is not None:
            run.append({"x": at, "y": (value - low) / span, "text": number(value)})
        elif run:
            yield run
            run = []
    if run:
        yield run


def _end(row: Sequence[float | None], low: float, span: float) -> dict[str, Any] | None:
    """Return the last point of a line; None for a line without values."""
    points = [(at, value) for at, value in enumerate(row) if value is not None]
    if not points:
        return None
    at, value = points[-1]
    return {"x": at, "y": (value - low) / span, "text": number(value)}


def _slices(chart: Chart, values: Sequence[float | None]) -> list[dict[str, Any]]:
    """Return the slices of positive values, clockwise from the top, as fractions of a turn."""
    shown = [
        (label, value) for label, value in zip(chart.labels, values, strict=False) if value is not None and value > 0
    ]
    total = sum(value for _, value in shown)
    slices, turned = [], 0.0
    for label, value in shown:
        part = value / total
        named = {"label": breakable(label, _LONGEST), "value": number(value), "share": f"{part * 100:.0f} %"}
        slices.append({**named, "from": turned, "part": part})
        turned += part
    return slices
