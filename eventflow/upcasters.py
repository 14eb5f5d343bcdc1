"""How payloads of older versions become today's, one version at a time: (type name, n) -> the lift from n to n + 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]


def _unchanged(data: dict[str, Any]) -> dict[str, Any]:
    """The new version only adds fields, whose defaults are what the old one meant."""
    return data


UPCASTERS: Mapping[tuple[str, int], Upcaster] = {
    ("VideoRequested", 1): _unchanged,  # version 2 has a priority, and may be a fork
    ("VideoRequested", 2): _unchanged,  # version 3 has scenes, a topic, looks and sounds
    ("VideoRequested", 3): _unchanged,  # version 4 knows which defaults are meant
    ("VideoRequested", 4): _unchanged,  # version 5 may be without streaming; of the others segments were delivered
    ("SceneRendered", 1): _unchanged,  # version 2 names codecs; those of an older one aren't known
    ("SceneUploaded", 1): _unchanged,  # the same
    ("SceneReused", 1): _unchanged,  # the same
    ("ScriptPlanned", 1): _unchanged,  # version 2 says the qualities, where they are not the request's
    ("VideoGenerated", 1): _unchanged,  # version 2 has captions
    ("DeliverablesUploaded", 1): _unchanged,  # the same
    ("VideoGenerated", 2): _unchanged,  # version 3 has companions: sound, poster, storyboard, preview
    ("DeliverablesUploaded", 2): _unchanged,  # the same
    ("ScenePlanned", 1): _unchanged,  # version 2 has its source; without one it is never reused
    ("VideoPublished", 1): _unchanged,  # version 2 says whose limits a file is within; of older ones nobody looked
    ("CostRecorded", 1): _unchanged,  # version 2 has a reference
    ("ReprocessRequested", 1): _unchanged,  # version 2 has a stage and scenes; it was all from planning
}
