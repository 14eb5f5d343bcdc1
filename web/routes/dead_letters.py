"""Dead letters over HTTP, for admins: list, show, redrive, drop. Paths and codes have their earlier name, "parked"."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from eventflow.log.dead_letters import DeadLetter, DeadLetters
from eventflow.log.errors import DeadLetterRefused
from eventflow.log.event_store import Cause, JobRecord
from eventflow.requests.errors import Fault
from web.deps import DEPS, PRINCIPAL, REQUEST_ID
from web.http.auth import require_admin
from web.http.errors import invalid
from web.http.json_response import json_response
from web.http.trace_header import traceparent_of
from web.requests.http_input import known_query, query_number

#: Most entries of a page.
MAX_LISTED = 200


def _dead_letters(request: web.Request) -> DeadLetters:
    """Raises Problem 403."""
    require_admin(request)
    return DeadLetters(request.app[DEPS].log)


async def listed(request: web.Request) -> web.Response:
    """A page of the dead letters, newest first."""
    dead_letters = _dead_letters(request)
    known_query(request.query, "limit", "cursor")
    limit = query_number(request.query, "limit", 50, 1, MAX_LISTED)
    try:
        entries, cursor = await dead_letters.page(limit, request.query.get("cursor", ""))
    except ValueError:
        raise invalid([Fault("?cursor", "unknown_value", "must be the next_cursor of an earlier answer")]) from None
    return json_response({"entries": [_summary(entry) for entry in entries], "next_cursor": cursor or None})


async def shown(request: web.Request) -> web.Response:
    """A dead letter with its payload, its error, and the state of its job."""
    dead_letters = _dead_letters(request)
    known_query(request.query)
    entry = await dead_letters.find(request.match_info["parked_id"])
    try:
        job = _job(await dead_letters.job_of(entry))
    except DeadLetterRefused:
        job = None
    body = {
        **_summary(entry),
        "job": job,
        "input": _json_of(entry.payload),
        "input_text": entry.payload.decode("ascii", errors="backslashreplace"),
        "problem": entry.problem or None,
        "cause": entry.cause,
        "stderr": entry.stderr or None,
    }
    return json_response(body)


async def redrive(request: web.Request) -> web.Response:
    """Deliver it to its group again."""
    dead_letters = _dead_letters(request)
    known_query(request.query)
    entry = await dead_letters.redrive(request.match_info["parked_id"])
    return json_response({"id": entry.id, "result": "redriven", "job_id": entry.job_id or None}, status=202)


async def drop(request: web.Request) -> web.Response:
    """Remove it for good. A job that needs its step fails, once its other scenes are done."""
    dead_letters = _dead_letters(request)
    known_query(request.query)
    cause = Cause(
        owner=request[PRINCIPAL].owner,
        correlation_id=request[REQUEST_ID],
        causation_id="",
        traceparent=traceparent_of(request),
    )
    entry, record = await dead_letters.drop(request.match_info["parked_id"], cause)
    body = {"id": entry.id, "result": "dropped", "job_id": entry.job_id or None, "job": _job(record)}
    return json_response(body)


def _summary(entry: DeadLetter) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": entry.at,
        "group": entry.group,
        "topic": entry.topic,
        "stream": entry.stream,
        "entry": entry.source_entry,
        "attempts": entry.attempts,
        "job_id": entry.job_id or None,
        "event_type": entry.envelope.type if entry.envelope else None,
        "reason": entry.reason,
    }


def _job(record: JobRecord | None) -> dict[str, Any] | None:
    """The state of the job; None if the log has no such job, or this version can't read it."""
    if record is None:
        return None
    return {"phase": record.job.phase, "version": record.version, "finished": record.job.finished}


def _json_of(payload: bytes) -> Any:
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        return None
