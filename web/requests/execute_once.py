"""Commands to an existing job, executed once although a lost answer makes the client repeat the request.

The events of a command name its request as their cause, in the same commit. So nothing is kept elsewhere: a request
whose mark is in the job's history has been executed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from aiohttp import web
from attrs import frozen
from opentelemetry.trace import SpanKind

from eventflow.domain.commands import Command
from eventflow.domain.envelope import Envelope
from eventflow.domain.errors import DomainError
from eventflow.log.event_store import Cause
from web.deps import DEPS, PRINCIPAL, REQUEST_ID
from web.http.errors import job_not_found
from web.http.trace_header import traceparent_of
from web.requests.http_input import key_of, reused


@frozen
class CommandResult:
    """The job's version after the command's events; `replayed` if an earlier request had written them."""

    version: int
    replayed: bool = False


async def execute_once(request: web.Request, job_id: str, name: str, command: Command) -> CommandResult:
    """Execute `command` exactly once per Idempotency-Key, or per request id if there is no key.

    The request id counts only if the command is refused by now, as some clients send the same id with every request.
    Raises Problem 400, 404, 409, and DomainError.
    """
    deps = request.app[DEPS]
    key = key_of(request)
    owner = request[PRINCIPAL].owner
    mark = _digest(owner, name, "id:" + request[REQUEST_ID] if key is None else "key:" + key)
    cause_id = f"request.{mark}.{_digest(repr(command))[:16]}"
    if key is not None and (done := await _earlier_result(request, job_id, cause_id)):
        return done
    attributes = {"eventflow.job_id": job_id}
    parent = traceparent_of(request)
    with deps.tracing.span(name, parent, kind=SpanKind.PRODUCER, attributes=attributes) as (traceparent, _):
        try:
            record = await deps.log.execute(
                job_id,
                [command],
                Cause(owner=owner, correlation_id=request[REQUEST_ID], causation_id=cause_id, traceparent=traceparent),
            )
        except DomainError:
            done = await _earlier_result(request, job_id, cause_id)
            if done is None:
                raise
            return done
    if record is None:
        raise job_not_found()
    return CommandResult(record.version)


async def _earlier_result(request: web.Request, job_id: str, cause_id: str) -> CommandResult | None:
    """The result in the job's history, if the request was executed. Raises Problem 409 for another request's key."""
    history = await request.app[DEPS].log.history(job_id)
    versions = _caused(history, cause_id)
    if not versions and _caused(history, cause_id.rpartition(".")[0] + "."):
        raise reused()
    return CommandResult(versions[-1], replayed=True) if versions else None


def _caused(history: Sequence[Envelope], prefix: str) -> list[int]:
    return [envelope.seq for envelope in history if envelope.causation_id.startswith(prefix)]


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
