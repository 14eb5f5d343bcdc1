"""Plans without videos, and the lists of pipelines, themes and voices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, TypeVar

from aiohttp import web
from attrs import evolve

from eventflow.domain.values import VideoRequest
from eventflow.requests.errors import RequestInvalid
from eventflow.requests.limits import PipelineFacts, RequestLimits
from eventflow.requests.planner import Planner
from eventflow.requests.video_request import RequestReader
from eventflow.settings import Settings
from web.deps import DEPS, PRINCIPAL
from web.http.errors import RETRY, Problem
from web.http.json_response import json_response
from web.http.owner_threads import OwnerThreads
from web.requests.bodies import read_json
from web.requests.query import known_query

T = TypeVar("T")

PLAN_ROUTE = "/api/v1/videos/plan"
PIPELINES_ROUTE, THEMES_ROUTE, VOICES_ROUTE = "/api/v1/pipelines", "/api/v1/themes", "/api/v1/voices"
#: Longest seconds of a plan from a script, of one that a model makes from a topic, and of a request's check.
PLAN_SECONDS = 20.0
TOPIC_SECONDS = 120.0
CHECK_SECONDS = 20.0

#: Threads that plan, and others that check requests for videos: plans may wait for a model.
PLANNING = web.AppKey("planning", OwnerThreads)
CHECKING = web.AppKey("checking", OwnerThreads)
REQUESTS = web.AppKey("requests", RequestReader)


def request_reader(
    settings: Settings,
    pipelines: Mapping[str, PipelineFacts],
    voices: frozenset[str] | None,
    planner: Planner | None,
) -> RequestReader:
    """The reader of requests for videos, within the limits of this installation."""
    limits = RequestLimits(
        pipelines=pipelines,
        default_pipeline=settings.pipeline,
        max_script_chars=settings.max_script_chars,
        voices=voices,
    )
    return RequestReader(evolve(limits, themes=planner.theme_names) if planner else limits)


async def planning(app: web.Application) -> AsyncIterator[None]:
    """The app's reader of requests and its planning threads, which take none from files and stores."""
    deps = app[DEPS]
    app[REQUESTS] = request_reader(deps.settings, deps.pipelines, deps.voices, deps.planner)
    app[PLANNING], app[CHECKING] = OwnerThreads("planning"), OwnerThreads("checking")
    yield
    for threads in (app[PLANNING], app[CHECKING]):
        threads.close()


async def _read(request: web.Request) -> VideoRequest:
    return request.app[REQUESTS].read(await read_json(request))


async def checked(request: web.Request) -> VideoRequest:
    """The request in the body, after a check of its scenes and front matter.

    Raises RequestInvalid, Problem 400, 408, 413, 415, 429, 503.
    """
    wanted = await _read(request)
    planner = request.app[DEPS].planner
    if faults := await _in_thread(request, CHECKING, CHECK_SECONDS, lambda stop: planner.check(wanted, stop)):
        raise RequestInvalid(faults)
    return wanted


async def plan(request: web.Request) -> web.Response:
    """The scenes of a requested video, which isn't made."""
    known_query(request.query)
    wanted = await _read(request)
    seconds = PLAN_SECONDS if wanted.topic is None else TOPIC_SECONDS
    planner = request.app[DEPS].planner
    return json_response(await _in_thread(request, PLANNING, seconds, lambda stop: planner.plan(wanted, stop)))


async def pipelines(request: web.Request) -> web.Response:
    """All pipelines of this installation."""
    known_query(request.query)
    return json_response({"pipelines": await _listed(request, request.app[DEPS].planner.pipelines)})


async def themes(request: web.Request) -> web.Response:
    """All themes of this installation."""
    known_query(request.query)
    return json_response({"themes": await _listed(request, request.app[DEPS].planner.themes)})


async def voices(request: web.Request) -> web.Response:
    """All voices of this installation."""
    known_query(request.query)
    return json_response({"voices": await _listed(request, request.app[DEPS].planner.voices)})


async def _listed(request: web.Request, list_all: Callable[[], Any]) -> Any:
    return await _in_thread(request, CHECKING, PLAN_SECONDS, lambda _: list_all())


async def _in_thread(
    request: web.Request, threads: web.AppKey[OwnerThreads], seconds: float, work: Callable[[Callable[[], bool]], T]
) -> T:
    """The result of `work(should_stop)`. Raises Problem 503 after `seconds`, 429 if the owner has too much waiting."""
    try:
        async with asyncio.timeout(seconds):
            return await request.app[threads].run(request[PRINCIPAL].owner, work)
    except TimeoutError:
        detail = f"Planning took longer than {seconds:g} s. Try again, or with less at a time."
        raise Problem(503, "planning_slow", detail, headers=RETRY) from None
