"""Parked deliveries over HTTP, for admins: list, show, redrive, drop."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from eventflow.log.dead_letters import DeadLetter, DeadLetters
from eventflow.log.errors import DeadLetterRefused
from eventflow.log.event_store import Cause, JobRecord
from eventflow.requests.errors import Fault
from eventflow.telemetry.tracing import new_traceparent
from web.deps import DEPS, PRINCIPAL, REQUEST_ID
from web.http.errors import Problem, invalid
from web.http.json_response import json_response
from web.requests.query import known_query, query_number

MAX_LISTED = 200


def _parked(request: web.Request) -> DeadLetters:
    """Raises Problem 403."""
    if not request[PRINCIPAL].is_admin:
        raise Problem(403, "forbidden", "This needs an API key with the admin scope.")
    return DeadLetters(request.app[DEPS].log)


async def listed(request: web.Request) -> web.Response:
    parked = _parked(request)
    known_query(request.query, "limit", "cursor")
    limit = query_number(request.query, "limit", 50, 1, MAX_LISTED)
    try:
        entries, cursor = await parked.page(limit, request.query.get("cursor", ""))
    except ValueError:
        raise invalid([Fault("?cursor", "unknown_value", "must be the next_cursor of an earlier answer")]) from None
    return json_response({"entries": [_summary(entry) for entry in entries], "next_cursor": cursor or None})


async def shown(request: web.Request) -> web.Response:
    parked = _parked(request)
    known_query(request.query)
    entry = await parked.find(request.match_info["parked_id"])
    try:
        job = _job(await parked.job_of(entry))
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
    parked = _parked(request)
    known_query(request.query)
    entry = await parked.redrive(request.match_info["parked_id"])
    return json_response({"id": entry.id, "result": "redriven", "job_id": entry.job_id or None}, status=202)


async def drop(request: web.Request) -> web.Response:
    """A job that waits for it fails, at once or once its other scenes are done."""
    parked, random_hex = _parked(request), request.app[DEPS].random_hex
    known_query(request.query)
    cause = Cause(
        owner=request[PRINCIPAL].owner,
        correlation_id=request[REQUEST_ID],
        causation_id="",
        traceparent=new_traceparent(random_hex(48)),
    )
    entry, record = await parked.drop(request.match_info["parked_id"], cause)
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
    """None where the log doesn't know the job, or this version can't read it."""
    if record is None:
        return None
    return {"phase": record.job.phase, "version": record.version, "finished": record.job.finished}


def _json_of(payload: bytes) -> Any:
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        return None
