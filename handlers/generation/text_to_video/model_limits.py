"""What a service's model makes: lengths, sizes and prices, as OpenRouter's `GET /videos/models` tells them.

Settings name the lengths and sizes that are wanted; of those that the model allows, the nearest are ordered.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson
from attrs import field, frozen

from handlers.generation.http_services.client import http_session
from handlers.generation.http_services.kept import Kept
from handlers.generation.text_to_video.client import VideosClient

Size = tuple[int, int]

_MAX_ENTRIES: Final = 64
_SIZE: Final = re.compile(r"([1-9]\d{1,4})x([1-9]\d{1,4})")
_SHAPE: Final = re.compile(r"([1-9]\d?):([1-9]\d?)")
_LINES: Final = re.compile(r"([1-9]\d{1,4})p")
_NAMED: Final = {"1k": 1080, "2k": 1440, "4k": 2160}
_MAX_SECONDS: Final = 180


@frozen(kw_only=True)
class ModelLimits:
    """Lengths in seconds and sizes in pixels, ascending; empty where the service doesn't tell. `prices` by name."""

    seconds: tuple[int, ...] = ()
    sizes: tuple[Size, ...] = ()
    prices: Mapping[str, str] = field(factory=dict)

    def seconds_for(self, wanted: Iterable[int]) -> tuple[int, ...]:
        """Return the nearest allowed length for each of `wanted`; of two that are as near, the longer."""
        if not self.seconds:
            return tuple(wanted)
        return tuple(sorted({min(self.seconds, key=lambda each: (abs(each - one), -each)) for one in wanted}))

    def sizes_for(self, wanted: Iterable[Size]) -> tuple[Size, ...]:
        """Return the allowed size of the nearest shape for each of `wanted`; of equal shapes the nearest in pixels."""
        if not self.sizes:
            return tuple(wanted)
        return tuple(dict.fromkeys(min(self.sizes, key=lambda each: _distance(each, one)) for one in wanted))


def limits_of(listing: Any, model: str) -> ModelLimits | None:
    """Read what a list of models says of `model`; None if it isn't there."""
    entry = next((each for each in _entries(listing) if model in (each.get("id"), each.get("canonical_slug"))), None)
    if entry is None:
        return None
    seconds = {each for each in _list(entry, "supported_durations") if _is_length(each)}
    sizes = {size for text in _list(entry, "supported_sizes") if (size := _pair(_SIZE, text))}
    prices = entry.get("pricing_skus")
    return ModelLimits(
        seconds=tuple(sorted(seconds)),
        sizes=tuple(sorted(sizes or _sizes(entry))),
        prices={str(name): str(price) for name, price in prices.items()} if isinstance(prices, dict) else {},
    )


def models_in(listing: Any) -> list[str]:
    """Return the ids of the models in a list of models."""
    return [each["id"] for each in _entries(listing) if isinstance(each.get("id"), str)]


def _entries(listing: Any) -> list[dict[str, Any]]:
    found = listing.get("data", listing.get("models")) if isinstance(listing, dict) else listing
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _list(entry: Mapping[str, Any], name: str) -> list[Any]:
    value = entry.get(name)
    return value[:_MAX_ENTRIES] if isinstance(value, list) else []


def _is_length(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MAX_SECONDS


def _pair(pattern: re.Pattern[str], text: Any) -> Size | None:
    found = pattern.fullmatch(text) if isinstance(text, str) else None
    return (int(found[1]), int(found[2])) if found else None


def _sizes(entry: Mapping[str, Any]) -> set[Size]:
    """Return the sizes of all resolutions in all shapes: the shorter side has the lines of the resolution."""
    shapes = [shape for text in _list(entry, "supported_aspect_ratios") if (shape := _pair(_SHAPE, text))]
    found = set()
    for text in _list(entry, "supported_resolutions"):
        lines = _lines(text)
        for across, down in shapes if lines else ():
            longer = 2 * round(lines * max(across, down) / min(across, down) / 2)
            found.add((longer, lines) if across >= down else (lines, longer))
    return found


def _lines(resolution: Any) -> int:
    named = _LINES.fullmatch(resolution) if isinstance(resolution, str) else None
    return int(named[1]) if named else _NAMED.get(str(resolution).lower(), 0)


def _distance(size: Size, wanted: Size) -> tuple[float, float]:
    shapes = abs(math.log(size[0] / size[1]) - math.log(wanted[0] / wanted[1]))
    pixels = abs(math.log(size[0] * size[1]) - math.log(wanted[0] * wanted[1]))
    return round(shapes, 2), pixels


def known_limits(client: VideosClient) -> Kept[ModelLimits]:
    """Return the limits of the client's model; none where the dialect or the service doesn't tell them."""

    async def ask() -> ModelLimits:
        if not client.dialect.limits:
            return ModelLimits()
        async with http_session() as session:
            answer = await client.service.ask(session, "GET", client.dialect.models)
        if not answer.good:
            raise client.service.refusal(answer)
        return limits_of(orjson.loads(answer.body), client.model) or ModelLimits()

    return Kept(ask, ModelLimits())
