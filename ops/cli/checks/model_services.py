"""Checks of services with models: reachable, key, model, voices; with `ask`, one small answer that may be paid for.

Each check returns the findings of one service, none where it isn't set. `CHECKS` lists them.
"""

from __future__ import annotations

import asyncio
import difflib
import time
from collections.abc import Awaitable, Callable, Collection
from typing import TYPE_CHECKING, Final

from attrs import evolve

from eventflow.settings import PlannerSettings, Settings, SpeechSettings
from ops.cli.checks.finding import Finding, fail, ok, warn

if TYPE_CHECKING:
    from handlers.generation.http_services.client import Service

Check = Callable[[Settings, bool], Awaitable[list[Finding]]]

_MOST_NAMED: Final = 5
_SENTENCE: Final = "One, two, three, four, five."
_REACHABLE: Final = "The message names what to correct; start the service if it runs on this machine."


async def examine(settings: Settings, *, ask: bool) -> list[Finding]:
    """Return the findings of all services that are set."""
    return [finding for check in CHECKS for finding in await check(settings, ask)]


async def planner(settings: Settings, ask: bool) -> list[Finding]:
    """Check the chat model that plans topics."""
    from handlers.generation.planner.client import chat_service

    known = settings.planner
    if not known.url:
        return []
    if not known.model:
        return [warn("planner", "no model is set", "Set EVENTFLOW_PLANNER_MODEL; topics are refused until then.")]
    looked = await looked_at("planner", chat_service(known), known.model, "EVENTFLOW_PLANNER_MODEL")
    return [*looked, await _asked_planner(known)] if ask else looked


async def speech(settings: Settings, ask: bool) -> list[Finding]:
    """Check the speech service: its model, and the voices that are set."""
    from handlers.generation.narration.narrators.speech_service import speech_service

    known = settings.speech
    if not known.url:
        return []
    looked = await looked_at("speech", speech_service(known), known.model, "EVENTFLOW_SPEECH_MODEL")
    looked += await _voices(known)
    return [*looked, await _asked_speech(known)] if ask else looked


async def looked_at(part: str, service: Service, model: str, variable: str) -> list[Finding]:
    """Check that a service is reachable, takes the key and knows the model. Free of charge."""
    from handlers.generation.http_services.name_lists import names_of
    from handlers.media.errors import MediaError

    try:
        names = await names_of(service, "/models", ("data", "models"))
    except MediaError as error:
        return [fail(part, str(error), _REACHABLE)]
    shown = service.safe(service.url)
    if names is None:
        return [ok(part, f"{shown} is reachable; it doesn't tell its models")]
    if not model or model in names or f"models/{model}" in names:
        return [ok(part, f"{shown} is reachable and knows {model or 'its model'}")]
    return [warn(part, f"{shown} doesn't know {model}; it has {_some(model, names)}", f"Correct {variable}.")]


async def _voices(settings: SpeechSettings) -> list[Finding]:
    from handlers.generation.narration.narrators.service_voices import lacking, listed_voices
    from handlers.media.errors import MediaError

    try:
        listed = await listed_voices(settings)
    except MediaError:
        return []
    if not listed:
        return []
    unknown = lacking(settings, listed)
    if not unknown:
        return [ok("voices", f"the service knows all {len(settings.voices)} that are set")]
    found = f"the service doesn't know {', '.join(unknown[:_MOST_NAMED])}; it has {_some(unknown[0], listed)}"
    return [warn("voices", found, "Correct EVENTFLOW_SPEECH_VOICES.")]


def _some(name: str, names: Collection[str]) -> str:
    near = difflib.get_close_matches(name, names, n=_MOST_NAMED, cutoff=0.4)
    shown = list(dict.fromkeys([*near, *names]))[:_MOST_NAMED]
    return ", ".join(shown) + (" and others" if len(names) > len(shown) else "") if shown else "none"


async def _asked_planner(settings: PlannerSettings) -> Finding:
    """Ask for an outline of one short scene."""
    from handlers.generation.http_services.client import http_session
    from handlers.generation.planner.client import Chat, Message, chat_service
    from handlers.generation.planner.outlines import NoJson, outline_in
    from handlers.generation.planner.prompt import OUTLINE
    from handlers.media.errors import MediaError

    wanted = "You write outlines of videos as JSON: a title and scenes, each with title, narration and blocks."
    messages = [Message("system", wanted), Message("user", "One scene of five words about the sea, without blocks.")]
    begun = time.monotonic()
    try:
        async with http_session() as session:
            chat = Chat(service=chat_service(settings), session=session, model=settings.model, form=settings.form)
            said = await chat.complete(messages, OUTLINE)
            scenes = outline_in(said.text).get("scenes")
    except MediaError as error:
        return fail("planner, asked", str(error), _REACHABLE)
    except (NoJson, AttributeError):
        found = "it answers, but not with an outline"
        return fail("planner, asked", found, "Choose a model that follows a JSON schema (EVENTFLOW_PLANNER_MODEL).")
    took, way = time.monotonic() - begun, chat.way
    tokens = "" if said.tokens is None else f" and {said.tokens} tokens"
    stream = ", as a stream" if way.stream else ""
    found = f"{len(scenes or ())} scene in {took:.1f} s{tokens}, form {way.form}{stream}"
    if settings.form == "auto" and way.form != "json_schema":
        found += f"; EVENTFLOW_PLANNER_FORM={way.form} saves the tries"
    return ok("planner, asked", found)


async def _asked_speech(settings: SpeechSettings) -> Finding:
    """Have a sentence spoken at the usual rate and at twice that."""
    return await asyncio.to_thread(_spoken, evolve(settings, patience_s=0.0))


def _spoken(settings: SpeechSettings) -> Finding:
    from handlers.generation.narration.narrators.openai import OpenAINarrator
    from handlers.generation.narration.narrators.pace import pace_of
    from handlers.generation.narration.narrators.speech_service import way_of
    from handlers.media.errors import MediaError

    voice, narrator = next(iter(settings.voices)), OpenAINarrator(settings)
    try:
        usual, fast = (narrator.speak(_SENTENCE, voice, factor) for factor in (1.0, 2.0))
    except MediaError as error:
        return fail("speech, asked", str(error), _REACHABLE)
    way = way_of(settings)
    paces = [pace_of(_SENTENCE, each.samples, each.rate) or 1.0 for each in (usual, fast)]
    times = paces[1] / paces[0]
    heeds = "by the service" if way.speed and times > 1.4 else "here" if not way.speed else "nowhere"
    length = len(usual.samples) / usual.rate
    found = f"{voice} speaks: {way.format} at {usual.rate} Hz, {length:.1f} s"
    found += f"; at rate 2 {times:.1f} times the pace, made {heeds}"
    if settings.format == "auto" and way.format != "wav":
        found += f"; EVENTFLOW_SPEECH_FORMAT={way.format} saves the tries"
    if heeds == "nowhere":
        remedy = "The service ignores `speed`: from the second line on, the rate is made here."
        return warn("speech, asked", found, remedy)
    return ok("speech, asked", found)


#: The checks, in the order of their findings.
CHECKS: tuple[Check, ...] = (planner, speech)
