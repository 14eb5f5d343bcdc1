"""Commands to a job that is there: obeyed once, though the answer is lost and the request comes again.

The events that follow from a command name its request as their cause. That is written together with them, so nothing
is kept elsewhere: a request whose mark is in the job's history has been obeyed.
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
from web.requests.idempotency_header import key_of, reused


@frozen
class CommandResult:
    """The job's version after what the command decided; `replayed` if that had been decided before."""

    version: int
    replayed: bool = False


async def execute_once(request: web.Request, job_id: str, name: str, command: Command) -> CommandResult:
    """Execute `command`, once for each Idempotency-Key, or else for each request id.

    The request id only counts where the command is refused by now: some clients send the same one all the time.
    Raises Problem 400, 404, 409, and DomainError.
    """
    deps = request.app[DEPS]
    key = key_of(request)
    owner = request[PRINCIPAL].owner
    mark = _digest(owner, name, "id:" + request[REQUEST_ID] if key is None else "key:" + key)
    cause_id = f"request.{mark}.{_digest(repr(command))[:16]}"
    if key is not None and (done := await _obeyed(request, job_id, cause_id)):
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
            done = await _obeyed(request, job_id, cause_id)
            if done is None:
                raise
            return done
    if record is None:
        raise job_not_found()
    return CommandResult(record.version)


async def _obeyed(request: web.Request, job_id: str, cause_id: str) -> CommandResult | None:
    """What the job's history says of the request. Raises Problem 409 where the key was another request's."""
    history = await request.app[DEPS].log.history(job_id)
    versions = _caused(history, cause_id)
    if not versions and _caused(history, cause_id.rpartition(".")[0] + "."):
        raise reused()
    return CommandResult(versions[-1], replayed=True) if versions else None


def _caused(history: Sequence[Envelope], prefix: str) -> list[int]:
    return [envelope.seq for envelope in history if envelope.causation_id.startswith(prefix)]


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
