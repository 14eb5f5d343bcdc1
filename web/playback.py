"""Who may watch a job, and `POST .../playback-token`, which makes a token for one's own."""

from __future__ import annotations

from datetime import timedelta

from aiohttp import hdrs, web

from web.bodies import read_json
from web.checks import Checks, as_object, known_query
from web.deps import DEPS, PLAYBACK
from web.entries import Snapshot
from web.errors import Problem, job_not_found
from web.jobs import job_of_path, json_response, owned_job
from web.links import job_links
from web.tokens import make_token

#: The shortest life that can be asked for, in seconds.
MIN_SECONDS = 60


async def watched_job(request: web.Request) -> Snapshot:
    """The job of the path for its owner, and for who has a playback token for it. Raises Problem 404, 410, 503."""
    found = await owned_job(request) if request.get(PLAYBACK) is None else await job_of_path(request)
    if found is None:
        raise job_not_found()
    if found.view.job.gone:
        status = found.view.status.value
        raise Problem(410, "deleted", "The job was deleted, and its files with it.", job_status=status)
    return found


async def issue(request: web.Request) -> web.Response:
    """A token for the requester's own job."""
    known_query(request.query)
    deps = request.app[DEPS]
    longest = deps.settings.playback_token_seconds
    body = as_object(await read_json(request, optional=True))
    checks = Checks()
    checks.fields(body, ("expires_in",))
    seconds: int | None = longest
    if "expires_in" in body:
        seconds = checks.integer(body["expires_in"], MIN_SECONDS, longest, "/expires_in")
    checks.raise_if_any()
    job_id = (await owned_job(request)).view.id
    if deps.signing is None or seconds is None:
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
