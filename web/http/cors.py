"""What browsers want to know of an answer (CORS, https://fetch.spec.whatwg.org/#http-cors-protocol), and preflights.

Media are for pages of any origin: what admits to them is a token or a signature. The rest of the API is for pages of
the origins that `Origins` allows. Nobody is told by a cookie, so that `Access-Control-Allow-Credentials` is never sent.
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
#: How long a browser keeps the answer to a preflight, in seconds: Chromium's most.
_MAX_AGE_S = 7_200
_ASKED_METHOD = istr(hdrs.ACCESS_CONTROL_REQUEST_METHOD)
_ASKED_NETWORK, _ALLOW_NETWORK = "Access-Control-Request-Private-Network", "Access-Control-Allow-Private-Network"
_NOSNIFF: dict[str, str] = {"X-Content-Type-Options": "nosniff"}
_FOR_ANY = CIMultiDict(
    {**_NOSNIFF, hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*", hdrs.ACCESS_CONTROL_EXPOSE_HEADERS: _EXPOSED}
)
_FOR_NONE = CIMultiDict({**_NOSNIFF, hdrs.VARY: "Origin"})

ORIGINS = web.AppKey("origins", Origins)


def answer_headers(request: web.Request, route: RouteFacts) -> CIMultiDict[str]:
    """What every answer has, errors as well."""
    if route.is_media:
        return _FOR_ANY
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is None:
        return _FOR_NONE
    allowed = request.app[ORIGINS].allowed(origin, is_open=request.app[AUTH].is_open)
    if allowed is None:
        return _FOR_NONE
    return CIMultiDict({**_FOR_ANY, **_FOR_NONE, hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: allowed})


def is_options(request: web.Request) -> bool:
    """Whether OPTIONS is asked of a path that has routes, none of them for OPTIONS."""
    refused = request.match_info.http_exception
    return request.method == hdrs.METH_OPTIONS and isinstance(refused, web.HTTPMethodNotAllowed)


async def asked_route(request: web.Request) -> RouteFacts:
    """The route that a preflight asks about."""
    methods = _methods(request)
    asked = request.headers.get(_ASKED_METHOD)
    of_asked = request.clone(method=asked if asked in methods else methods[0])
    return facts_of(await request.app.router.resolve(of_asked))


def preflight(request: web.Request, route: RouteFacts) -> web.Response:
    """204 with the methods of the path, and what a page of the origin may send. Raises Problem 403 for no such page.

    The origin itself is told as in every answer (`answer_headers`).
    """
    methods, origin = ", ".join(_methods(request)), request.headers.get(hdrs.ORIGIN)
    answer = web.Response(status=204, headers={hdrs.ALLOW: methods})
    if _ASKED_METHOD not in request.headers or origin is None:
        return answer
    if hdrs.ACCESS_CONTROL_ALLOW_ORIGIN not in answer_headers(request, route):
        raise Problem(
            403,
            "origin_not_allowed",
            f"Pages of {origin} may not call this service; EVENTFLOW_CORS_ORIGINS lists those that may.",
        )
    answer.headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] = methods
    answer.headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = _ALLOWED
    answer.headers[hdrs.ACCESS_CONTROL_MAX_AGE] = str(_MAX_AGE_S)
    if _ASKED_NETWORK in request.headers:
        answer.headers[_ALLOW_NETWORK] = "true"
    return answer


def _methods(request: web.Request) -> list[str]:
    """Those of the routes at the request's path, whose own method has none."""
    refused = request.match_info.http_exception
    return sorted(refused.allowed_methods) if isinstance(refused, web.HTTPMethodNotAllowed) else []
