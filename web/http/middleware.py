"""The one middleware: request id, authentication, problems, log line. One, because each layer costs every request."""

from __future__ import annotations

import re
import time
from itertools import count

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware
from multidict import istr

from eventflow.access.api_keys import Principal
from web.deps import PLAYBACK, PRINCIPAL, REQUEST_ID, WebDeps
from web.http.auth import AUTH, Auth
from web.http.cors import answer_headers, asked_route, is_options, preflight
from web.http.deadline import begin_request
from web.http.errors import Problem, as_problem, problem_response
from web.http.route_facts import facts_of
from web.http.tokens import check_token

_log = structlog.get_logger()

REQUEST_ID_HEADER = istr("X-Request-Id")
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_READS = (hdrs.METH_GET, hdrs.METH_HEAD)
#: What is logged at DEBUG only, where it went well.
_QUIET = (*_READS, hdrs.METH_OPTIONS)
#: Whoever tries keys is seen, whatever is tried.
_NOTABLE = (401, 403)


def middleware(deps: WebDeps) -> Middleware:
    """Made for one app: request ids are a random name of the process with a number behind it.

    Reads that went well, or asked for what isn't there, are logged at DEBUG only; everything else at INFO.
    """
    start = deps.random_hex(16)
    numbers = count(1)
    log_reads = deps.settings.log_level == "DEBUG"

    @web.middleware
    async def handle(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = time.perf_counter()
        given = request.headers.get(REQUEST_ID_HEADER)
        request_id = given if given and _SANE_ID.fullmatch(given) else f"{start}-{next(numbers)}"
        request[REQUEST_ID] = request_id
        route = facts_of(request.match_info)
        if not route.is_from_memory:
            begin_request()
        try:
            if route.is_api:
                if route.is_watched and (token := _token(request)):
                    check_token(deps.signing, token, request.match_info["job_id"], deps.clock())
                    request[PLAYBACK] = token
                else:
                    auth = request.app[AUTH]
                    request[PRINCIPAL] = auth.known(request) or await _looked_up(auth, request)
            if not route.path and is_options(request):
                route = await asked_route(request)
                response: web.StreamResponse = preflight(request, route)
            else:
                response = await handler(request)
        except Exception as error:
            if isinstance(error, web.HTTPException) and error.status < 400:
                raise
            response = _refused(request, error, request_id)
        if not response.prepared:
            headers = response.headers
            headers[REQUEST_ID_HEADER] = request_id
            headers.update(answer_headers(request, route))
        status = response.status
        if status >= 500 or request.method not in _QUIET or status in _NOTABLE:
            _log.info("request", **_facts(request, status, started))
        elif log_reads:
            _log.debug("request", **_facts(request, status, started))
        return response

    return handle


async def _looked_up(auth: Auth, request: web.Request) -> Principal:
    begin_request()
    return await auth.principal(request)


def _token(request: web.Request) -> str | None:
    """The playback token that the request shows, if it counts."""
    return request.query.get("token") if request.query_string and request.method in _READS else None


def _refused(request: web.Request, error: Exception, request_id: str) -> web.StreamResponse:
    problem = as_problem(error)
    if problem.status >= 500:
        facts = {"request_id": request_id, "method": request.method, "path": request.path, "code": problem.code}
        if problem.code == "internal":
            _log.error("request failed", exc_info=error, **facts)
        elif not isinstance(error, Problem):
            _log.warning("request failed", error=f"{type(error).__name__}: {error}", **facts)
    return problem_response(problem, request_id)


def _facts(request: web.Request, status: int, started: float) -> dict[str, object]:
    """Never the query: it may hold a signature."""
    return {
        "action": "http",
        "request_id": request[REQUEST_ID],
        "method": request.method,
        "path": request.path,
        "status": status,
        "ms": round((time.perf_counter() - started) * 1000, 2),
    }
