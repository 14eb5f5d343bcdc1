"""The list of jobs, newest first, a page at a time."""

from __future__ import annotations

from typing import Any

import structlog
from aiohttp import web

from eventflow.access.api_keys import Principal
from eventflow.domain.errors import DomainError
from eventflow.domain.values import OWNER_FORM, is_owner
from eventflow.domain.view import Status
from eventflow.log.codec import DecodeError
from eventflow.log.job_lists import Cursor, Page
from eventflow.requests.errors import Fault
from eventflow.settings import Settings
from web.deps import DEPS, PRINCIPAL
from web.http.errors import Problem, invalid
from web.http.json_response import json_response
from web.http.links import job_links
from web.readmodel.job_status import HistoryGap
from web.readmodel.projection import PROJECTION, Projection, Snapshot
from web.requests.http_input import known_query, query_choice, query_number

_log = structlog.get_logger()

DEFAULT_LIMIT, MAX_LIMIT = 20, 100
#: Most jobs that one request reads to find those of a status; the page is short if they don't suffice.
MAX_SCANNED = 300
#: Statuses of listed jobs: a deleted job leaves the lists, and is hidden as soon as its deletion begins.
LISTED = tuple(status for status in Status if status not in (Status.DELETING, Status.DELETED))
EVERYBODY = "*"


async def jobs(request: web.Request) -> web.Response:
    """A page of jobs, newest first. Raises Problem 403, 422."""
    known_query(request.query, "status", "limit", "cursor", "owner")
    status = query_choice(request.query, "status", [status.value for status in LISTED])
    limit = query_number(request.query, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
    cursor = _cursor(request.query.get("cursor"))
    owner = _owner(request[PRINCIPAL], request.query.get("owner"))
    found, after = await _collect(request, owner=owner, status=status, cursor=cursor, limit=limit)
    settings = request.app[DEPS].settings
    body = {
        "jobs": [_listed(settings, snapshot) for snapshot in found],
        "next_cursor": after.to_text() if after else None,
    }
    return json_response(body, headers={"Cache-Control": "private, no-store"})


async def _collect(
    request: web.Request, *, owner: str | None, status: str | None, cursor: Cursor | None, limit: int
) -> tuple[list[Snapshot], Cursor | None]:
    """(up to `limit` jobs, the cursor of the next page or None after the last job)."""
    job_lists, projection = request.app[DEPS].log.job_lists, request.app[PROJECTION]
    chunk = limit if status is None else MAX_LIMIT
    found: list[Snapshot] = []
    for _ in range(0, MAX_SCANNED, chunk):
        page = await job_lists.read(owner, cursor, chunk)
        snapshots = await _fold(projection, page)
        cursor = page.start
        for count, entry in enumerate(page.entries, 1):
            cursor = cursor.past(entry)
            snapshot = snapshots.get(entry.job_id)
            if snapshot and owner in (None, snapshot.view.owner) and _is_shown(snapshot, status):
                found.append(snapshot)
            if len(found) == limit:
                return found, cursor if page.more or count < len(page.entries) else None
        if not page.more:
            return found, None
    return found, cursor


async def _fold(projection: Projection, page: Page) -> dict[str, Snapshot]:
    """The jobs of the page by id, without those that can't be read."""
    try:
        return await projection.get_many([entry.job_id for entry in page.entries])
    except (DecodeError, DomainError, HistoryGap):
        found: dict[str, Snapshot] = {}
        for entry in page.entries:
            try:
                found |= await projection.get_many([entry.job_id])
            except (DecodeError, DomainError, HistoryGap) as error:
                _log.warning("unreadable job omitted", action="list", job_id=entry.job_id, error=str(error))
        return found


def _is_shown(snapshot: Snapshot, status: str | None) -> bool:
    return snapshot.view.status in LISTED and status in (None, snapshot.view.status)


def _cursor(text: str | None) -> Cursor | None:
    try:
        return None if text is None else Cursor.from_text(text)
    except ValueError:
        reason = "must be the next_cursor of an earlier answer; leave it out to begin with the newest job"
        raise invalid([Fault("?cursor", "malformed", reason)]) from None


def _owner(principal: Principal, wanted: str | None) -> str | None:
    """The owner whose jobs are listed; None for all owners. Raises Problem 403, 422."""
    if wanted is None or wanted == principal.owner:
        return principal.owner
    if not principal.is_admin:
        raise Problem(403, "forbidden", "Other owners' jobs need an API key with the admin scope; leave out owner.")
    if wanted == EVERYBODY:
        return None
    if not is_owner(wanted):
        raise invalid([Fault("?owner", "malformed", f"must be {OWNER_FORM}, or {EVERYBODY} for everybody")])
    return wanted


def _listed(settings: Settings, snapshot: Snapshot) -> dict[str, Any]:
    view = snapshot.view
    return {
        "job_id": view.id,
        "owner": view.owner,
        "version": view.version,
        "status": view.status,
        "stage": view.stage,
        "progress": snapshot.progress,
        "title": view.job.title,
        "created_at": view.created_at,
        "status_url": job_links(settings, view.id)["status_url"],
    }
