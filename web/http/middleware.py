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
from eventflow.log.deadline import Deadline, set_deadline
from web.deps import PLAYBACK, PRINCIPAL, REQUEST_ID, WebDeps
from web.http.auth import AUTH, Auth
from web.http.cors import answer_headers, is_options, preflight, preflighted_route
from web.http.errors import Problem, as_problem, problem_response
from web.http.route_facts import facts_of
from web.http.tokens import check_token

_log = structlog.get_logger()

REQUEST_ID_HEADER = istr("X-Request-Id")
#: Seconds that one request waits for the log in all, before it is answered 503 with Retry-After. Longer than a durable
#: write may take (`web.routes.generate.DURABLE_MS`), and well below the time-outs of proxies (60 s in nginx).
LOG_SECONDS = 6.0

_VALID_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_READS = (hdrs.METH_GET, hdrs.METH_HEAD)
#: Methods that are logged at DEBUG only when they succeed.
_QUIET = (*_READS, hdrs.METH_OPTIONS)
#: Statuses that are logged at INFO for any method, so that attempts with guessed keys show up.
_NOTABLE = (401, 403)


def middleware(deps: WebDeps) -> Middleware:
    """The middleware for one app. Request ids are a random prefix of the process with a running number behind it.

    Reads that succeed, or fail with 4xx other than 401 and 403, are logged at DEBUG; everything else at INFO.
    """
    prefix = deps.random_hex(16)
    numbers = count(1)
    log_reads = deps.settings.log_level == "DEBUG"

    @web.middleware
    async def handle(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = time.perf_counter()
        given = request.headers.get(REQUEST_ID_HEADER)
        request_id = given if given and _VALID_ID.fullmatch(given) else f"{prefix}-{next(numbers)}"
        request[REQUEST_ID] = request_id
        route = facts_of(request.match_info)
        if not route.is_from_memory:
            start_log_deadline()
        try:
            if route.is_api:
                if route.is_watched and (token := _token(request)):
                    check_token(deps.signing, token, request.match_info["job_id"], deps.clock())
                    request[PLAYBACK] = token
                else:
                    auth = request.app[AUTH]
                    request[PRINCIPAL] = auth.cached_principal(request) or await _principal(auth, request)
            if not route.path and is_options(request):
                route = await preflighted_route(request)
                response: web.StreamResponse = preflight(request, route)
            else:
                response = await handler(request)
        except Exception as error:
            if isinstance(error, web.HTTPException) and error.status < 400:
                raise
            response = _error_response(request, error, request_id)
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


def start_log_deadline() -> None:
    """Give the current task `LOG_SECONDS` to wait for the log; other waits don't count (decision 167)."""
    set_deadline(Deadline(LOG_SECONDS))


async def _principal(auth: Auth, request: web.Request) -> Principal:
    start_log_deadline()
    return await auth.principal(request)


def _token(request: web.Request) -> str | None:
    """The playback token in the query; None for methods other than GET and HEAD."""
    return request.query.get("token") if request.query_string and request.method in _READS else None


def _error_response(request: web.Request, error: Exception, request_id: str) -> web.StreamResponse:
    problem = as_problem(error)
    if problem.status >= 500:
        facts = {"request_id": request_id, "method": request.method, "path": request.path, "code": problem.code}
        if problem.code == "internal":
            _log.error("request failed", exc_info=error, **facts)
        elif not isinstance(error, Problem):
            _log.warning("request failed", error=f"{type(error).__name__}: {error}", **facts)
    return problem_response(problem, request_id)


def _facts(request: web.Request, status: int, started: float) -> dict[str, object]:
    """The fields of a log line. Without the query, which may hold a signature or a token."""
    return {
        "action": "http",
        "request_id": request[REQUEST_ID],
        "method": request.method,
        "path": request.path,
        "status": status,
        "ms": round((time.perf_counter() - started) * 1000, 2),
    }
