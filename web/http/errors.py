"""Problems (RFC 9457), and the one table of HTTP statuses for errors of the core."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from eventflow.assets import errors as asset_errors
from eventflow.domain import errors as domain
from eventflow.log import errors as log
from eventflow.requests.errors import Fault, PlanningUnavailable, RequestInvalid, summary_of
from eventflow.storage import errors as storage

MEDIA_TYPE = "application/problem+json"
#: `Retry-After` of transient faults, in seconds.
RETRY_SECONDS = 2
RETRY = {"Retry-After": str(RETRY_SECONDS)}


class Problem(Exception):
    """An error answer. `members` are further members of the problem object."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.errors, self.headers, self.members = tuple(errors), dict(headers or {}), members


#: Error of the core -> (status, code). The most specific class counts.
HTTP_STATUS: dict[type[Exception], tuple[int, str]] = {
    domain.JobMissing: (404, "job_not_found"),
    domain.JobExists: (409, "job_exists"),
    domain.AlreadyFinished: (409, "already_finished"),
    domain.NotFinished: (409, "not_finished"),
    domain.JobGone: (410, "deleted"),
    log.DeadLetterMissing: (404, "not_parked"),
    log.DeadLetterRefused: (409, "parked_refused"),
    log.NotDurable: (503, "not_durable"),
    log.VersionConflict: (503, "busy"),
    log.LogError: (503, "log_unavailable"),
    RedisConnectionError: (503, "log_unavailable"),
    RedisTimeoutError: (503, "log_unavailable"),
    RedisError: (503, "log_unavailable"),
    asset_errors.UnsupportedMedia: (415, "unsupported_media"),
    asset_errors.BrokenMedia: (422, "broken_media"),
    asset_errors.MediaTooLarge: (413, "media_too_large"),
    asset_errors.RemoteRefused: (422, "remote_refused"),
    asset_errors.RemoteFailed: (422, "remote_failed"),
    asset_errors.MediaBusy: (503, "media_busy"),
    storage.ObjectMissing: (404, "file_missing"),
    storage.InvalidKey: (404, "not_found"),
    storage.BadSignature: (403, "bad_signature"),
    storage.ExpiredSignature: (403, "expired_signature"),
    storage.StorageUnavailable: (503, "storage_unavailable"),
    storage.StorageRefused: (503, "storage_unavailable"),
}
#: Details in place of the error's own text, which is for operators.
_DETAILS = {
    "log_unavailable": "The event log can't be reached. Nothing was lost; try again.",
    "storage_unavailable": "The store that holds the file can't be reached; try again.",
    "file_missing": "The file is no longer in its store.",
    "not_found": "No resource has this path.",
    "busy": "The job is changing too fast; try again.",
}
_HTTP_CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}


def job_not_found() -> Problem:
    """404, the same for an unknown job and for another owner's."""
    return Problem(404, "job_not_found", "This job doesn't exist, or it is another owner's.")


def invalid(faults: Sequence[Fault]) -> Problem:
    """422 for a request that can be read but not met; its code is `not_available` if all faults have that code."""
    only_later = all(fault.code == "not_available" for fault in faults)
    code = "not_available" if only_later else "invalid_request"
    return Problem(422, code, summary_of(faults), errors=faults)


def not_available(pointer: str, reason: str) -> Problem:
    return invalid([Fault(pointer, "not_available", reason)])


def as_problem(error: Exception) -> Problem:
    """The problem that answers `error`; 500 for an error that isn't foreseen."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestInvalid):
        return invalid(error.faults)
    if isinstance(error, PlanningUnavailable):
        seconds = RETRY_SECONDS if error.retry_after_s is None else math.ceil(error.retry_after_s)
        return Problem(503, error.code, str(error), headers={"Retry-After": str(seconds)})
    if isinstance(error, web.HTTPException):
        return _from_http(error)
    found = next((HTTP_STATUS[kind] for kind in type(error).__mro__ if kind in HTTP_STATUS), None)
    if found is None:
        return Problem(500, "internal", "The service failed; its log has the error under this request_id.")
    status, code = found
    headers = RETRY if status == 503 else None
    return Problem(status, code, _DETAILS.get(code, str(error)), headers=headers)


def _from_http(error: web.HTTPException) -> Problem:
    code = _HTTP_CODES.get(error.status, "http_error")
    kept = {name: error.headers[name] for name in ("Allow",) if name in error.headers}
    details = {
        404: "No resource has this path.",
        405: f"This resource has other methods: {kept.get('Allow', 'none')}.",
        413: "The body is larger than 1 MiB.",
    }
    return Problem(error.status, code, details.get(error.status, error.reason), headers=kept)


def problem_response(problem: Problem, request_id: str) -> web.Response:
    """The problem as an `application/problem+json` answer."""
    body = {
        "type": f"urn:eventflow:problem:{problem.code}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
        "errors": [{"pointer": e.pointer, "code": e.code, "reason": e.reason} for e in problem.errors],
        "request_id": request_id,
        **problem.members,
    }
    headers = {"Cache-Control": "no-store", **problem.headers, "Content-Type": MEDIA_TYPE}
    return web.Response(status=problem.status, body=orjson.dumps(body), headers=headers)
