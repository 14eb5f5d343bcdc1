"""Lists the available pipelines and voices, with facts for those who display them."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from typing import Any

from attrs import field, frozen

from eventflow.settings import Settings
from handlers.generation.narration.narrators.base import VoiceInfo
from handlers.generation.narration.narrators.choice import narrators
from handlers.generation.narration.narrators.openai import OpenAINarrator
from handlers.generation.narration.narrators.service_voices import lacking
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


def voices(settings: Settings, listed: Collection[str] = ()) -> tuple[Offer, ...]:
    """List all voices that are set up here; `listed` are those of the speech service by its names, where it tells.

    `available`: nothing is known against it; `problem`: what is. Blocking. Raises SpeechError, OSError.
    """
    lost = {f"{OpenAINarrator.name}:{name}" for name in lacking(settings.speech, listed)}
    return tuple(_voice(info, lacks=info.name in lost) for info in narrators(settings.speech).voices())


def _voice(info: VoiceInfo, *, lacks: bool) -> Offer:
    limits = Reader(info.name, info.language).limits()
    about = f"Speaks {info.language}, by {info.narrator}{': ' * bool(limits)}{limits}."
    problem = "the speech service doesn't have it: correct EVENTFLOW_SPEECH_VOICES" if lacks else None
    facts = {"language": info.language, "narrator": info.narrator, "available": not lacks, "problem": problem}
    return Offer(info.name, about, facts)
