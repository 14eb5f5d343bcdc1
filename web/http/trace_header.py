"""The `traceparent` header of a request."""

from __future__ import annotations

from aiohttp import web

from eventflow.telemetry.trace_ids import is_traceparent, new_traceparent
from web.deps import DEPS


def traceparent_of(request: web.Request) -> str:
    """The `traceparent` of the request, or a new one where it is missing or malformed."""
    given = request.headers.get("traceparent", "")
    return given if is_traceparent(given) else new_traceparent(request.app[DEPS].random_hex(48))
