"""Reading request bodies."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from aiohttp import ClientPayloadError, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import RequestPayloadError

from web.deps import DEPS
from web.http.errors import Problem

MAX_BODY_BYTES = 1024 * 1024


async def read_json(request: web.Request, *, optional: bool = False) -> Any:
    """The JSON value in the body; with `optional` an empty body is {}.

    Raises Problem 415 (not declared as JSON in UTF-8), 400 (not JSON), 408 (too slow), and HTTPRequestEntityTooLarge.
    """
    raw = await _read(request)
    if optional and not raw:
        return {}
    if request.content_type != "application/json" or not _is_utf8(request):
        raise Problem(415, "unsupported_media_type", "Send the body as application/json in UTF-8.")
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Problem(400, "bad_json", f"The body isn't valid JSON: {error}") from error


def _is_utf8(request: web.Request) -> bool:
    try:
        return (request.charset or "utf-8").lower() in ("utf-8", "utf8")
    except ValueError:
        return False


async def _read(request: web.Request) -> bytes:
    timeout_s = request.app[DEPS].settings.web.request_body_seconds
    try:
        async with asyncio.timeout(timeout_s):
            return await request.read()
    except TimeoutError as error:
        raise Problem(408, "too_slow", f"The body wasn't received within {timeout_s:g} s.") from error
    except (RequestPayloadError, ClientPayloadError, HttpProcessingError) as error:
        raise Problem(400, "bad_body", "The body doesn't match its headers, or ended early.") from error
