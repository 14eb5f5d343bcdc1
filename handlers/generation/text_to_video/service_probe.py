"""Looks at the text-to-video service of the settings without ordering anything: is it there, and does it fit?"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final

import aiohttp
import orjson
from attrs import frozen

from eventflow.settings import RemoteSettings
from handlers.generation.http_services.client import Answer, http_session
from handlers.generation.http_services.errors import ServiceFailed, ServiceRefused
from handlers.generation.text_to_video.client import VideosClient, videos_client
from handlers.generation.text_to_video.dialects import DIALECTS
from handlers.generation.text_to_video.model_limits import ModelLimits, Size, limits_of, models_in

#: An id that no clip has.
_NO_CLIP: Final = "eventflow-doctor"
_KEY_REFUSED: Final = (401, 403)
_MAX_NAMES: Final = 8


class Weight(StrEnum):
    """How much a notice matters."""

    FINE = "fine"
    ODD = "odd"
    BROKEN = "broken"


@frozen
class Notice:
    """What was found of the service, and what to do ("" for nothing)."""

    weight: Weight
    found: str
    remedy: str = ""


async def probe(settings: RemoteSettings) -> list[Notice]:
    """Ask the service of `settings` for its models and for a clip that doesn't exist: both are free."""
    if settings.dialect not in DIALECTS:
        remedy = f"Set EVENTFLOW_REMOTE_DIALECT to one of {', '.join(DIALECTS)} (ops/docs/models.md)."
        return [Notice(Weight.BROKEN, "how the service is spoken to is not set", remedy)]
    client = videos_client(settings)
    try:
        async with http_session() as session:
            answer = await client.service.ask(session, "GET", client.dialect.models)
            refused = await _refused(session, client, answer)
    except ServiceFailed as error:
        return [Notice(Weight.BROKEN, str(error), "Correct EVENTFLOW_REMOTE_URL, or start the service.")]
    if refused is not None:
        return [Notice(Weight.BROKEN, refused, "Correct EVENTFLOW_REMOTE_KEY.")]
    reachable = Notice(Weight.FINE, f"{settings.url} answers in the dialect {settings.dialect}")
    return [reachable, *_models(settings, client, _json(answer))]


async def _refused(session: aiohttp.ClientSession, client: VideosClient, answer: Answer) -> str | None:
    """Return how the key is refused, by a list of models or by a look at a clip; None if it isn't."""
    if answer.status not in _KEY_REFUSED:
        path = client.dialect.path_of(client.dialect.clip, _NO_CLIP)
        answer = await client.service.ask(session, "GET", path)
    if answer.status not in _KEY_REFUSED:
        return None
    refusal: ServiceFailed | ServiceRefused = client.service.refusal(answer)
    return str(refusal)


def _json(answer: Answer) -> Any:
    try:
        return orjson.loads(answer.body) if answer.good else None
    except ValueError:
        return None


def _models(settings: RemoteSettings, client: VideosClient, listing: Any) -> list[Notice]:
    names = models_in(listing)
    if not names:
        return [Notice(Weight.FINE, "which models the service has is not told")]
    if settings.model and settings.model not in names and limits_of(listing, settings.model) is None:
        some = ", ".join(names[:_MAX_NAMES])
        remedy = "Set EVENTFLOW_REMOTE_MODEL to a model of the service."
        return [Notice(Weight.BROKEN, f"the model {settings.model} is not among those of the service: {some}", remedy)]
    limits = limits_of(listing, settings.model) if client.dialect.limits else None
    return [] if limits is None else _limits(settings, limits)


def _limits(settings: RemoteSettings, limits: ModelLimits) -> list[Notice]:
    """Compare what the settings want with what the model makes."""
    notices = []
    seconds = limits.seconds_for(settings.seconds)
    if seconds != settings.seconds:
        found = f"the model makes clips of {_listed(limits.seconds)} s; ordered are {_listed(seconds)} s"
        notices.append(Notice(Weight.ODD, found, f"Set EVENTFLOW_REMOTE_SECONDS={_listed(seconds)}"))
    sizes = limits.sizes_for(settings.sizes)
    if set(sizes) != set(settings.sizes):
        found = (
            f"the model makes clips of {_listed(map(_size, limits.sizes))}; ordered are {_listed(map(_size, sizes))}"
        )
        notices.append(Notice(Weight.ODD, found, f"Set EVENTFLOW_REMOTE_SIZES={_listed(map(_size, sizes))}"))
    if limits.prices:
        prices = ", ".join(f"{name} {price}" for name, price in limits.prices.items())
        notices.append(Notice(Weight.FINE, f"prices in dollars: {prices}"))
    return notices


def _listed(values: Iterable[object]) -> str:
    return ",".join(map(str, values))


def _size(size: Size) -> str:
    return f"{size[0]}x{size[1]}"
