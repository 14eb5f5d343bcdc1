"""JSON responses."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web


def json_response(body: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """`body` as JSON in UTF-8; times are in UTC and end with Z."""
    data = orjson.dumps(body, option=orjson.OPT_UTC_Z)
    return web.Response(status=status, body=data, content_type="application/json", headers=headers)
