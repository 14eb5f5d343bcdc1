"""Jobs over HTTP: status, events, cancel, delete; and reprocess for admins."""

from __future__ import annotations

import orjson
from aiohttp import hdrs, web

from eventflow.domain.commands import RequestCancellation, RequestDeletion
from eventflow.domain.errors import CannotReprocess
from eventflow.domain.job_ids import is_job_id
from eventflow.requests.errors import Fault
from eventflow.requests.json_reader import Object, read_value
from eventflow.requests.video_request import read_reprocess
from web.deps import DEPS, PRINCIPAL
from web.http.auth import require_admin
from web.http.errors import invalid, job_not_found, not_available
from web.http.json_response import json_response
from web.http.links import job_links
from web.http.middleware import start_log_deadline
from web.http.ranges import matches_any
from web.readmodel.projection import PROJECTION, Snapshot
from web.readmodel.queue import QUEUE_POSITIONS, with_position
from web.requests.execute_once import CommandResult, execute_once
from web.requests.http_input import REPLAYED, known_query, query_number, read_json
from web.routes.job_access import owned_job

MAX_EVENTS = 1_000
_MAX_VERSION = 10**15
#: The body of a cancellation.
_NO_FIELDS = Object({})


async def status(request: web.Request) -> web.Response:
    """The most requested route: a fresh job in the cache is answered without any I/O."""
    found = _cached(request) or await _read(request)
    headers = found.headers.copy()
    known = request.headers.get(hdrs.IF_NONE_MATCH)
    if known is not None and matches_any(known, found.etag):
        return web.Response(status=304, headers=headers)
    return web.Response(body=found.body, headers=headers)


def _cached(request: web.Request) -> Snapshot | None:
    """The requester's job if the cached status is the whole answer: fresh, without a query or a queue position."""
    app = request.app
    cached = None if request.query_string else app[PROJECTION].cached(request.match_info["job_id"])
    if cached is None or cached.view.owner != request[PRINCIPAL].owner:
        return None
    return None if app[QUEUE_POSITIONS].may_wait(cached.view) else cached


async def _read(request: web.Request) -> Snapshot:
    start_log_deadline()
    known_query(request.query, "min_version")
    found = await owned_job(request, min_version=query_number(request.query, "min_version", 0, 0, _MAX_VERSION))
    position = await request.app[QUEUE_POSITIONS].position(found.view)
    return with_position(found, position) if position else found


async def any_status(request: web.Request) -> web.Response:
    """For admins: the same bytes as the owner's `status`, whoever the owner is."""
    require_admin(request)
    known_query(request.query)
    job_id = request.match_info["job_id"]
    found = await request.app[PROJECTION].get(job_id) if is_job_id(job_id) else None
    if found is None:
        raise job_not_found()
    return web.Response(body=found.body, headers=found.headers.copy())


async def events(request: web.Request) -> web.Response:
    """A page of the job's history, in order."""
    if "text/event-stream" in request.headers.get(hdrs.ACCEPT, ""):
        reason = "the live stream of events (text/event-stream) isn't available yet; ask for application/json"
        raise not_available("Accept", reason)
    known_query(request.query, "after", "limit")
    after = query_number(request.query, "after", 0, 0, _MAX_VERSION)
    limit = query_number(request.query, "limit", MAX_EVENTS, 1, MAX_EVENTS)
    job_id = (await owned_job(request)).view.id
    log = request.app[DEPS].log
    envelopes = await log.history(job_id, after=after, limit=limit)
    listed = [{"seq": envelope.seq, **orjson.loads(log.codec.encode(envelope))} for envelope in envelopes]
    next_after = envelopes[-1].seq if len(envelopes) == limit else None
    return json_response({"job_id": job_id, "events": listed, "next_after": next_after})


async def cancel(request: web.Request) -> web.Response:
    """Request the cancellation of a job. Repeats are answered in the same way."""
    known_query(request.query)
    read_value(await read_json(request, optional=True), _NO_FIELDS.read)
    job_id = (await owned_job(request)).view.id
    done = await execute_once(request, job_id, "cancel", RequestCancellation("requested through the API"))
    return _accepted(request, job_id, done, "cancellation_requested")


async def delete(request: web.Request) -> web.Response:
    """Request the deletion of a finished job's files. Repeats are answered in the same way."""
    known_query(request.query)
    job_id = (await owned_job(request)).view.id
    done = await execute_once(request, job_id, "delete", RequestDeletion("requested through the API"))
    return _accepted(request, job_id, done, "deletion_requested")


async def reprocess(request: web.Request) -> web.Response:
    """For admins: do a finished job again, from a stage on."""
    require_admin(request)
    known_query(request.query)
    command = read_reprocess(await read_json(request, optional=True))
    job_id = request.match_info["job_id"]
    if not is_job_id(job_id):
        raise job_not_found()
    try:
        done = await execute_once(request, job_id, "reprocess", command)
    except CannotReprocess as error:
        raise invalid([Fault(f"/{error.field}", "not_possible", str(error))]) from error
    return _accepted(request, job_id, done, "reprocess_requested")


def _accepted(request: web.Request, job_id: str, done: CommandResult, result: str) -> web.Response:
    links = job_links(request.app[DEPS].settings, job_id)
    body = {"job_id": job_id, "version": done.version, "result": result, "status_url": links["status_url"]}
    headers = {hdrs.LOCATION: links["status_url"], **({REPLAYED: "true"} if done.replayed else {})}
    return json_response(body, status=202, headers=headers)
