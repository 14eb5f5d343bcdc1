"""Asking for a video: a request becomes the first event of a job, once for each idempotency key."""

from __future__ import annotations

from aiohttp import hdrs, web
from attrs import frozen
from opentelemetry.trace import SpanKind

from eventflow.domain.values import VideoRequest
from eventflow.envelope import new_job_id
from eventflow.log.admission import queue_position
from eventflow.log.errors import NotDurable
from eventflow.log.idempotency import IdempotencyKeys, Reservation
from eventflow.log.records import Cause
from eventflow.settings import Settings
from web.backpressure import BACKPRESSURE
from web.checks import known_query
from web.deps import DEPS, PRINCIPAL, REQUEST_ID
from web.errors import RETRY, Problem
from web.idempotency import REPLAYED, digest_of, key_of, reused
from web.jobs import json_response
from web.links import job_links
from web.obey import traceparent_of
from web.planning import checked
from web.projection import PROJECTION
from web.queueing import QUEUEING

#: How long a durable acknowledgement may take, in ms.
DURABLE_MS = 5_000
ROUTE = "/api/v1/videos/generate"


@frozen
class _Order:
    """Under which id and request id the job is to be written; `replayed` if the key was seen before."""

    job_id: str
    correlation_id: str
    replayed: bool = False


async def generate(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    known_query(request.query)
    key = key_of(request)
    settings = deps.settings
    wanted = await checked(request)
    order = await _order(request, wanted, key)
    if not order.replayed or not await _is_there(request, order.job_id):
        await _create(request, wanted, order)
    request.app[QUEUEING].asked()
    place = await queue_position(deps.redis, deps.log.keyspace, order.job_id, wanted.priority)
    links = job_links(settings, order.job_id)
    headers = {hdrs.LOCATION: links["status_url"], **({REPLAYED: "true"} if order.replayed else {})}
    return json_response(
        {"job_id": order.job_id, "version": 1, "status": "queued", "queue_position": place, **links},
        status=202,
        headers=headers,
    )


async def _order(request: web.Request, wanted: VideoRequest, key: str | None) -> _Order:
    """A new job, or the one that the key stands for. Raises Problem 409 (another request's key), 429."""
    deps = request.app[DEPS]
    owner = request[PRINCIPAL].owner
    random = deps.random_hex(32)
    job_id = new_job_id(int(random[:8], 16) % deps.settings.partitions, random)
    refusal = await request.app[BACKPRESSURE].refusal()
    if key is None:
        if refusal:
            raise refusal
        return _Order(job_id, request[REQUEST_ID])
    keys = IdempotencyKeys(
        deps.redis, deps.log.keyspace, keep_seconds=deps.settings.idempotency_seconds, **_durability(deps.settings)
    )
    if refusal is None:
        found = await keys.reserve(owner, key, Reservation(job_id, digest_of(wanted), request[REQUEST_ID]))
    elif (known := await keys.find(owner, key)) is not None:
        found = known  # its job was let in before
    else:
        raise refusal
    if found.digest != digest_of(wanted):
        raise reused()
    return _Order(found.job_id, found.correlation_id, replayed=found.job_id != job_id)


async def _is_there(request: web.Request, job_id: str) -> bool:
    """Whether a replay needs no write. With durable acknowledgement it does: one that waits as well."""
    waits = request.app[DEPS].settings.durable_ack != "no"
    return not waits and await request.app[PROJECTION].get(job_id) is not None


def _durability(settings: Settings) -> dict[str, int]:
    """What is waited for before the answer, as the log takes it."""
    if settings.durable_ack == "no":
        return {}
    return {"durable_ms": DURABLE_MS, "replicas": int(settings.durable_ack == "replica")}


async def _create(request: web.Request, wanted: VideoRequest, order: _Order) -> None:
    """Write the job; nothing happens where it is there. Raises Problem 503 where its sync can't be waited for."""
    deps = request.app[DEPS]
    settings = deps.settings
    attributes = {"eventflow.job_id": order.job_id, "http.route": ROUTE}
    parent = traceparent_of(request)
    with deps.tracing.span("generate", parent, kind=SpanKind.PRODUCER, attributes=attributes) as (traceparent, _):
        cause = Cause(request[PRINCIPAL].owner, order.correlation_id, "", traceparent)
        try:
            await deps.log.create(order.job_id, wanted, cause, **_durability(settings))
        except NotDurable as error:
            url = job_links(settings, order.job_id)["status_url"]
            raise Problem(503, "not_durable", str(error), headers=RETRY, job_id=order.job_id, status_url=url) from error
