"""`POST .../playback-token`: makes playback tokens."""

from __future__ import annotations

from datetime import timedelta

from aiohttp import hdrs, web

from eventflow.requests.json_reader import Integer, Object, read_value
from web.deps import DEPS
from web.http.errors import Problem
from web.http.json_response import json_response
from web.http.links import job_links
from web.http.tokens import make_token
from web.requests.http_input import known_query, read_json
from web.routes.job_access import owned_job

#: Shortest validity of a token, in seconds; the longest is a setting.
MIN_SECONDS = 60


async def issue(request: web.Request) -> web.Response:
    """Make a token for the requester's job. Raises Problem 400, 404, 408, 413, 415, 422, 503."""
    known_query(request.query)
    deps = request.app[DEPS]
    longest = deps.settings.playback_token_seconds
    body = Object({"expires_in": Integer(MIN_SECONDS, longest)})
    seconds: int = read_value(await read_json(request, optional=True), body.read).get("expires_in", longest)
    job_id = (await owned_job(request)).view.id
    if deps.signing is None:
        raise Problem(503, "no_signing_key", "This process has no signing key: set EVENTFLOW_SIGNING_KEY.")
    expires_at = deps.clock().replace(microsecond=0) + timedelta(seconds=seconds)
    token = make_token(deps.signing, job_id, expires_at)
    answer = {
        "token": token,
        "expires_at": expires_at,
        "expires_in": seconds,
        "stream_url": f"{job_links(deps.settings, job_id)['stream_url']}?token={token}",
    }
    return json_response(answer, headers={hdrs.CACHE_CONTROL: "no-store"})
