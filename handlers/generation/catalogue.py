"""What there is to choose from: pipelines, themes and voices, each with a few facts for those who show them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from eventflow.settings import Settings
from handlers.generation.narration.narrators.choice import narrators
from handlers.generation.pipelines.registry import get_pipeline, pipeline_names
from handlers.media.errors import MediaError


@frozen
class Offer:
    """`facts` are JSON values under names that are told as they are."""

    name: str
    description: str
    facts: Mapping[str, Any] = field(factory=dict)


def pipelines(settings: Settings | None = None) -> tuple[Offer, ...]:
    """All installed pipelines; `available` tells whether each can run here, `problem` why not. Blocking."""
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
    """All voices that narrate here. Blocking. Raises SpeechError, OSError."""
    return tuple(
        Offer(
            info.name,
            f"Speaks {info.language}, by {info.narrator}.",
            {"language": info.language, "narrator": info.narrator},
        )
        for info in narrators(settings.speech).voices()
    )
