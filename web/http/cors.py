"""Headers that browsers need of an answer (CORS, https://fetch.spec.whatwg.org/#http-cors-protocol), and preflights.

Pages of any origin may read media: a token or a signature admits to them. Pages of the origins that `Origins` allows
may read the rest of the API. No cookie identifies anybody, so `Access-Control-Allow-Credentials` is never sent.
"""

from __future__ import annotations

from aiohttp import hdrs, web
from multidict import CIMultiDict, istr

from web.http.auth import AUTH
from web.http.errors import Problem
from web.http.origins import Origins
from web.http.route_facts import RouteFacts, facts_of

_EXPOSED = ", ".join(
    (
        *("Location", "ETag", "Retry-After", "X-Request-Id", "Idempotency-Replayed", "WWW-Authenticate", "Allow"),
        *("Accept-Ranges", "Content-Range", "Content-Disposition"),
    )
)
_ALLOWED = ", ".join(
    (
        *("authorization", "content-type", "idempotency-key", "if-none-match", "if-range", "range", "last-event-id"),
        *("x-request-id", "traceparent", "tracestate"),
    )
)
#: Seconds that a browser caches a preflight's answer: the most that Chromium takes.
_MAX_AGE_S = 7_200
_REQUEST_METHOD = istr(hdrs.ACCESS_CONTROL_REQUEST_METHOD)
_REQUEST_NETWORK, _ALLOW_NETWORK = "Access-Control-Request-Private-Network", "Access-Control-Allow-Private-Network"
_NOSNIFF: dict[str, str] = {"X-Content-Type-Options": "nosniff"}
_ANY_ORIGIN = CIMultiDict(
    {**_NOSNIFF, hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*", hdrs.ACCESS_CONTROL_EXPOSE_HEADERS: _EXPOSED}
)
_NO_ORIGIN = CIMultiDict({**_NOSNIFF, hdrs.VARY: "Origin"})

ORIGINS = web.AppKey("origins", Origins)


def answer_headers(request: web.Request, route: RouteFacts) -> CIMultiDict[str]:
    """The CORS headers of every answer, errors included. Not to be changed by the caller."""
    if route.is_media:
        return _ANY_ORIGIN
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is None:
        return _NO_ORIGIN
    allowed = request.app[ORIGINS].allowed(origin, is_open=request.app[AUTH].is_open)
    if allowed is None:
        return _NO_ORIGIN
    return CIMultiDict({**_ANY_ORIGIN, **_NO_ORIGIN, hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: allowed})


def is_options(request: web.Request) -> bool:
    """Whether the request is OPTIONS for a path whose routes have other methods only."""
    refused = request.match_info.http_exception
    return request.method == hdrs.METH_OPTIONS and isinstance(refused, web.HTTPMethodNotAllowed)


async def preflighted_route(request: web.Request) -> RouteFacts:
    """The route of the request that a preflight announces."""
    methods = _methods(request)
    announced = request.headers.get(_REQUEST_METHOD)
    clone = request.clone(method=announced if announced in methods else methods[0])
    return facts_of(await request.app.router.resolve(clone))


def preflight(request: web.Request, route: RouteFacts) -> web.Response:
    """204 with the path's methods, and with the headers that a page of the origin may send.

    The caller adds `answer_headers`, which name the allowed origin. Raises Problem 403 for any other origin.
    """
    methods, origin = ", ".join(_methods(request)), request.headers.get(hdrs.ORIGIN)
    answer = web.Response(status=204, headers={hdrs.ALLOW: methods})
    if _REQUEST_METHOD not in request.headers or origin is None:
        return answer
    if hdrs.ACCESS_CONTROL_ALLOW_ORIGIN not in answer_headers(request, route):
        raise Problem(
            403,
            "origin_not_allowed",
            f"Pages of {origin} may not call this service. Add the origin to EVENTFLOW_CORS_ORIGINS.",
        )
    answer.headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] = methods
    answer.headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = _ALLOWED
    answer.headers[hdrs.ACCESS_CONTROL_MAX_AGE] = str(_MAX_AGE_S)
    if _REQUEST_NETWORK in request.headers:
        answer.headers[_ALLOW_NETWORK] = "true"
    return answer


def _methods(request: web.Request) -> list[str]:
    """The methods of the routes at the request's path, sorted (decision 152); empty where its own has a route."""
    refused = request.match_info.http_exception
    return sorted(refused.allowed_methods) if isinstance(refused, web.HTTPMethodNotAllowed) else []
