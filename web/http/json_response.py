"""JSON responses."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

_JSON = "application/json"


def json_response(body: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """orjson's bytes; times end with Z."""
    data = orjson.dumps(body, option=orjson.OPT_UTC_Z)
    return web.Response(status=status, body=data, content_type=_JSON, headers=headers)
