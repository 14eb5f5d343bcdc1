"""The job of a request's path, for its owner or a holder of a playback token."""

from __future__ import annotations

from aiohttp import web

from eventflow.domain.job_ids import is_job_id
from web.deps import PLAYBACK, PRINCIPAL
from web.http.errors import RETRY, Problem, job_not_found
from web.readmodel.projection import PROJECTION, Snapshot, VersionPending

#: Longest wait for `min_version`; a client that needs more asks again.
MIN_VERSION_SECONDS = 10.0


async def owned_job(request: web.Request, *, min_version: int = 0) -> Snapshot:
    """The job of the path, if the requester owns it. Raises Problem 404 (for other owners' jobs too), 503."""
    # The owner is checked before the wait: its length would reveal whether another owner's job exists.
    snapshot = await job_of_path(request, min_version=min_version)
    if snapshot is None or snapshot.view.owner != request[PRINCIPAL].owner:
        raise job_not_found()
    if snapshot.view.version < min_version:
        snapshot = await _at_version(request, snapshot.view.id, min_version)
    return snapshot


async def job_of_path(request: web.Request, *, min_version: int = 0) -> Snapshot | None:
    """The job of the path as it is now, whoever owns it. One that is cached below `min_version` is read again."""
    job_id = request.match_info["job_id"]
    if not is_job_id(job_id):
        return None
    snapshot = request.app[PROJECTION].cached(job_id)
    if snapshot is None or snapshot.view.version < min_version:
        snapshot = await request.app[PROJECTION].get(job_id)
    return snapshot


async def watched_job(request: web.Request) -> Snapshot:
    """The job of the path, for its owner and for holders of a playback token. Raises Problem 404, 410, 503."""
    found = await owned_job(request) if request.get(PLAYBACK) is None else await job_of_path(request)
    if found is None:
        raise job_not_found()
    if found.view.job.gone:
        status = found.view.status.value
        raise Problem(410, "deleted", "The job was deleted, and its files with it.", job_status=status)
    return found


async def _at_version(request: web.Request, job_id: str, min_version: int) -> Snapshot:
    try:
        found = await request.app[PROJECTION].get(job_id, min_version=min_version, timeout_s=MIN_VERSION_SECONDS)
    except VersionPending as pending:
        detail = (
            f"The job is at version {pending.version}; {min_version} wasn't written within {MIN_VERSION_SECONDS:g} s. "
            "Ask again to keep waiting."
        )
        raise Problem(503, "version_pending", detail, headers=RETRY, version=pending.version) from None
    if found is None:
        raise job_not_found()
    return found
