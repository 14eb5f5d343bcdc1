"""`POST /videos/generate`, where a request becomes the first event of a job, once per Idempotency-Key; and plans.

A plan is the same request without a video. The lists of pipelines, themes and voices show what it may name.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, TypeVar

from aiohttp import hdrs, web
from attrs import evolve, frozen
from opentelemetry.trace import SpanKind

from eventflow.domain.job_ids import new_job_id, partition_of
from eventflow.domain.values import VideoRequest
from eventflow.log.errors import NotDurable, QueueFull
from eventflow.log.event_store import Cause
from eventflow.log.idempotency_keys import IdempotencyKeys, Reservation
from eventflow.log.queue_position import Queue, queue_position
from eventflow.requests.errors import RequestInvalid
from eventflow.requests.limits import PipelineFacts, RequestLimits
from eventflow.requests.pictures import may_name_pictures
from eventflow.requests.planner import Planner
from eventflow.requests.video_request import RequestReader
from eventflow.settings import Settings
from web.deps import DEPS, PRINCIPAL, REQUEST_ID, WebDeps
from web.http.errors import RETRY, Problem
from web.http.json_response import json_response
from web.http.links import job_links
from web.http.owner_threads import OwnerThreads
from web.http.trace_header import traceparent_of
from web.readmodel.projection import PROJECTION
from web.readmodel.queue import BACKPRESSURE, QUEUE_POSITIONS
from web.requests.http_input import REPLAYED, digest_of, key_of, known_query, read_json, reused
from web.requests.script_pictures import with_embedded

#: Longest wait for a durable acknowledgement, in ms.
DURABLE_MS = 5_000
ROUTE = "/api/v1/videos/generate"


@frozen
class _Order:
    """The ids that the job is written under; `replayed` if its key was used before.

    `queue` is the queue a moment ago (None: it has no limit).
    """

    job_id: str
    correlation_id: str
    queue: Queue | None
    replayed: bool = False


async def generate(request: web.Request) -> web.Response:
    """202 with the job's id and links. Raises RequestInvalid, Problem 400, 408, 409, 413, 415, 429, 503."""
    deps = request.app[DEPS]
    known_query(request.query)
    key = key_of(request)
    settings = deps.settings
    wanted = await _read(request)
    whole = wanted if await _is_made(request, wanted, key) else await _checked(request, wanted)
    order = await _order(request, wanted, key)
    if not order.replayed or not await _exists(request, order.job_id):
        await _create(request, whole, order, new=key is None)
    request.app[QUEUE_POSITIONS].requested()
    place = await queue_position(deps.redis, deps.log.keyspace, order.job_id, wanted.priority)
    links = job_links(settings, order.job_id)
    headers = {hdrs.LOCATION: links["status_url"], **({REPLAYED: "true"} if order.replayed else {})}
    return json_response(
        {"job_id": order.job_id, "version": 1, "status": "queued", "queue_position": place, **links},
        status=202,
        headers=headers,
    )


async def _is_made(request: web.Request, wanted: VideoRequest, key: str | None) -> bool:
    """Whether the job of a key exists, for a script with pictures: those of its URLs aren't fetched again."""
    if key is None or not may_name_pictures(wanted.script):
        return False
    deps = request.app[DEPS]
    found = await _keys(deps).find(request[PRINCIPAL].owner, key)
    return found is not None and found.digest == digest_of(wanted) and await deps.log.load(found.job_id) is not None


def _keys(deps: WebDeps) -> IdempotencyKeys:
    settings = deps.settings
    return IdempotencyKeys(
        deps.redis, deps.log.keyspace, keep_seconds=settings.idempotency_seconds, **_durability(settings)
    )


async def _order(request: web.Request, wanted: VideoRequest, key: str | None) -> _Order:
    """The ids of a new job, or of the one that has the key. Raises Problem 409 for another request's key, 429."""
    deps = request.app[DEPS]
    owner = request[PRINCIPAL].owner
    random = deps.random_hex(32)
    job_id = new_job_id(int(random[:8], 16) % deps.settings.partitions, random)
    backpressure = request.app[BACKPRESSURE]
    queue = await backpressure.count()
    refusal = backpressure.refusal(queue.waiting) if queue else None
    if key is None:
        if refusal:
            raise refusal
        return _Order(job_id, request[REQUEST_ID], queue)
    keys = _keys(deps)
    if refusal is None:
        found = await keys.reserve(owner, key, Reservation(job_id, digest_of(wanted), request[REQUEST_ID]))
    elif (known := await keys.find(owner, key)) is not None:
        found = known  # its job was admitted before the queue was full
    else:
        raise refusal
    if found.digest != digest_of(wanted):
        raise reused()
    return _Order(found.job_id, found.correlation_id, queue, replayed=found.job_id != job_id)


async def _exists(request: web.Request, job_id: str) -> bool:
    """Whether a replayed job exists, so that no write is needed.

    False with durable acknowledgement: a repeated write waits for the acknowledgement as the first one did.
    """
    durable = request.app[DEPS].settings.durable_ack != "no"
    return not durable and await request.app[PROJECTION].get(job_id) is not None


def _durability(settings: Settings) -> dict[str, int]:
    """The acknowledgement to wait for before the answer, as arguments of the log."""
    if settings.durable_ack == "no":
        return {}
    return {"durable_ms": DURABLE_MS, "replicas": int(settings.durable_ack == "replica")}


async def _create(request: web.Request, wanted: VideoRequest, order: _Order, *, new: bool) -> None:
    """Write the job unless it exists. `new`: no other request can be writing it.

    Raises Problem 429 if other requests have filled the queue meanwhile, 503 if the durable acknowledgement fails.
    """
    deps, backpressure = request.app[DEPS], request.app[BACKPRESSURE]
    settings = deps.settings
    elsewhere = backpressure.elsewhere(order.queue, partition_of(order.job_id)) if order.queue else None
    most = None if elsewhere is None else max(0, backpressure.limit - elsewhere)
    attributes = {"eventflow.job_id": order.job_id, "http.route": ROUTE}
    parent = traceparent_of(request)
    with deps.tracing.span("generate", parent, kind=SpanKind.PRODUCER, attributes=attributes) as (traceparent, _):
        cause = Cause(
            owner=request[PRINCIPAL].owner,
            correlation_id=order.correlation_id,
            causation_id="",
            traceparent=traceparent,
        )
        try:
            await deps.log.create(order.job_id, wanted, cause, most_waiting=most, **_durability(settings))
        except QueueFull as full:
            if new:  # a repeat under the same key may write it; lists skip entries without a job
                await deps.log.job_lists.remove(order.job_id, cause.owner)
            raise backpressure.full(full.waiting + (elsewhere or 0)) from full
        except NotDurable as error:
            url = job_links(settings, order.job_id)["status_url"]
            raise Problem(503, "not_durable", str(error), headers=RETRY, job_id=order.job_id, status_url=url) from error


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


async def _checked(request: web.Request, wanted: VideoRequest) -> VideoRequest:
    """The request with the assets of its embedded pictures, after a check of its scenes, front matter and pictures.

    Raises RequestInvalid, MediaBusy, Problem 429, 503.
    """
    planner = request.app[DEPS].planner
    whole, refused = await _with_pictures(request, wanted)
    if faults := await _in_thread(request, CHECKING, CHECK_SECONDS, lambda stop: planner.check(whole, stop, refused)):
        raise RequestInvalid(faults)
    return whole


async def _with_pictures(request: web.Request, wanted: VideoRequest) -> tuple[VideoRequest, Mapping[str, str]]:
    """The request with the assets of its embedded pictures, and why others have none, by address."""
    if not may_name_pictures(wanted.script):
        return wanted, {}
    planner = request.app[DEPS].planner
    embedded = await _in_thread(request, CHECKING, CHECK_SECONDS, lambda stop: planner.embedded_pictures(wanted, stop))
    return await with_embedded(request, wanted, embedded)


async def plan(request: web.Request) -> web.Response:
    """The scenes of a requested video, which isn't made."""
    known_query(request.query)
    wanted = await _read(request)
    seconds = PLAN_SECONDS if wanted.topic is None else TOPIC_SECONDS
    planner = request.app[DEPS].planner
    whole, refused = await _with_pictures(request, wanted)
    return json_response(await _in_thread(request, PLANNING, seconds, lambda stop: planner.plan(whole, stop, refused)))


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
