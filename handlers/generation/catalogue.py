"""Lists the available pipelines and voices, with facts for those who display them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from eventflow.settings import Settings
from handlers.generation.narration.narrators.base import VoiceInfo
from handlers.generation.narration.narrators.choice import narrators
from handlers.generation.narration.readable import Reader
from handlers.generation.pipelines.registry import get_pipeline, pipeline_names
from handlers.media.errors import MediaError


@frozen
class Offer:
    """A choice for the requester. `facts` are JSON values by name, shown to API clients as they are."""

    name: str
    description: str
    facts: Mapping[str, Any] = field(factory=dict)


def pipelines(settings: Settings | None = None) -> tuple[Offer, ...]:
    """List all installed pipelines; `available`: it can run here; `problem`: why it can't. Blocking."""
    return tuple(_pipeline(name, settings) for name in pipeline_names())


def _pipeline(name: str, settings: Settings | None) -> Offer:
    try:
        pipeline = get_pipeline(name, settings)
        description = (inspect.getdoc(type(pipeline)) or "").split("\n\n")[0].replace("\n", " ")
        facts: dict[str, Any] = {"version": pipeline.version, "available": True, "problem": None}
        pipeline.check()
    except MediaError as error:
        return Offer(name, "", {"version": None, "available": False, "problem": str(error)})
    return Offer(name, description, facts)


def voices(settings: Settings) -> tuple[Offer, ...]:
    """List all voices that can narrate here. Blocking. Raises SpeechError, OSError."""
    return tuple(_voice(info) for info in narrators(settings.speech).voices())


def _voice(info: VoiceInfo) -> Offer:
    limits = Reader(info.name, info.language).limits()
    about = f"Speaks {info.language}, by {info.narrator}{': ' * bool(limits)}{limits}."
    return Offer(info.name, about, {"language": info.language, "narrator": info.narrator})
