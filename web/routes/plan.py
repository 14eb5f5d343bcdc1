"""Plans without videos, and what there is to choose from: pipelines, themes, voices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from aiohttp import web
from attrs import evolve

from eventflow.domain.values import VideoRequest
from eventflow.settings import Settings
from web.deps import DEPS, PRINCIPAL, Planner
from web.http.errors import RETRY, Problem, invalid
from web.http.json_response import json_response
from web.http.owner_threads import OwnerThreads
from web.requests.bodies import read_json
from web.requests.query import known_query
from web.requests.video_request import Limits, parse_request

T = TypeVar("T")

PLAN_ROUTE = "/api/v1/videos/plan"
PIPELINES_ROUTE, THEMES_ROUTE, VOICES_ROUTE = "/api/v1/pipelines", "/api/v1/themes", "/api/v1/voices"
#: Seconds that a plan may take; a model that plans from a topic has more.
PLAN_SECONDS = 20.0
TOPIC_SECONDS = 120.0
CHECK_SECONDS = 20.0

#: Plans may wait for a model; what requests for videos are checked in doesn't wait for them.
PLANNING = web.AppKey("planning", OwnerThreads)
CHECKING = web.AppKey("checking", OwnerThreads)


def limits_of(
    settings: Settings, pipelines: frozenset[str], voices: frozenset[str] | None, planner: Planner | None
) -> Limits:
    """What a request may ask for, here."""
    limits = Limits(settings.max_script_chars, settings.pipeline, pipelines, voices)
    return evolve(limits, themes=planner.theme_names) if planner else limits


async def _read(request: web.Request) -> VideoRequest:
    deps = request.app[DEPS]
    limits = limits_of(deps.settings, deps.pipelines, deps.voices, deps.planner)
    return parse_request(await read_json(request), limits)


async def threads(app: web.Application) -> AsyncIterator[None]:
    """The threads that planning has to itself, so that it takes none from files and stores."""
    app[PLANNING], app[CHECKING] = OwnerThreads("planning"), OwnerThreads("checking")
    yield
    for places in (app[PLANNING], app[CHECKING]):
        places.close()


async def checked(request: web.Request) -> VideoRequest:
    """The request in the body, its scenes and front matter checked too. Raises Problem 400, 413, 415, 422, 429, 503."""
    wanted = await _read(request)
    planner = request.app[DEPS].planner
    if errors := await _in_thread(request, CHECKING, CHECK_SECONDS, lambda stop: planner.check(wanted, stop)):
        raise invalid(errors)
    return wanted


async def plan(request: web.Request) -> web.Response:
    known_query(request.query)
    wanted = await _read(request)
    seconds = PLAN_SECONDS if wanted.topic is None else TOPIC_SECONDS
    planner = request.app[DEPS].planner
    return json_response(await _in_thread(request, PLANNING, seconds, lambda stop: planner.plan(wanted, stop)))


async def pipelines(request: web.Request) -> web.Response:
    known_query(request.query)
    return json_response({"pipelines": await _listed(request, request.app[DEPS].planner.pipelines)})


async def themes(request: web.Request) -> web.Response:
    known_query(request.query)
    return json_response({"themes": await _listed(request, request.app[DEPS].planner.themes)})


async def voices(request: web.Request) -> web.Response:
    known_query(request.query)
    return json_response({"voices": await _listed(request, request.app[DEPS].planner.voices)})


async def _listed(request: web.Request, what: Callable[[], Any]) -> Any:
    return await _in_thread(request, CHECKING, PLAN_SECONDS, lambda _: what())


async def _in_thread(
    request: web.Request, places: web.AppKey[OwnerThreads], seconds: float, work: Callable[[Callable[[], bool]], T]
) -> T:
    """What `work(should_stop)` returns. Raises Problem 503 after `seconds`, 429 where too much of the owner waits."""
    try:
        async with asyncio.timeout(seconds):
            return await request.app[places].run(request[PRINCIPAL].owner, work)
    except TimeoutError:
        detail = f"Planning took longer than {seconds:g} s. Try again, or with less at a time."
        raise Problem(503, "planning_slow", detail, headers=RETRY) from None
