"""`/openapi.json`: the OpenAPI 3.1 document. A test compares it with the routes, and real answers with its schemas."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from aiohttp import web

from eventflow.settings import Settings
from web import schemas
from web.deps import DEPS
from web.idempotency import MAX_KEY_CHARS
from web.jobs import json_response
from web.links import JOBS
from web.listing import MAX_LIMIT
from web.schemas import ref

Operation = dict[str, Any]

_PROBLEMS = {
    400: "The request can't be read.",
    401: "No API key, or one that is unknown.",
    403: "The API key hasn't the scope, or the URL's signature doesn't fit.",
    404: "There is no such job, or it is somebody else's; or nothing is here.",
    409: "The job isn't in a state for this, or the Idempotency-Key is another request's.",
    413: "The body is too large.",
    415: "The body isn't JSON.",
    416: "The range starts behind the last byte.",
    429: "Too many jobs wait; see Retry-After.",
    422: "Something in the request is wrong, or not available yet; `errors` says what.",
    500: "A defect of ours.",
    503: "A part that is needed can't be reached; see Retry-After.",
}
_ALWAYS = (500, 503)
_OF_API = (401, 422)


def _json(schema: str, description: str, **headers: str) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": description, "content": {"application/json": {"schema": ref(schema)}}}
    if headers:
        answer["headers"] = {
            name.replace("_", "-"): {"schema": {"type": "string"}, "description": text}
            for name, text in headers.items()
        }
    return answer


def _bytes(description: str, media_type: str = "*/*") -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": {}}}}


def _problems(*statuses: int) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": ref("Problem")}}
    return {str(s): {"description": _PROBLEMS[s], "content": content} for s in sorted({*statuses, *_ALWAYS})}


def _query(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def _header(name: str, description: str, **limits: int) -> dict[str, Any]:
    schema = {"type": "string", **limits}
    return {"name": name, "in": "header", "required": False, "schema": schema, "description": description}


def _path(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _operation(
    summary: str,
    answers: dict[str, Any],
    problems: tuple[int, ...],
    *,
    parameters: tuple[dict[str, Any], ...] = (),
    body: dict[str, Any] | None = None,
    public: bool = False,
) -> Operation:
    statuses = problems if public else (*problems, *_OF_API)
    operation: Operation = {"summary": summary, "responses": {**answers, **_problems(*statuses)}}
    if parameters:
        operation["parameters"] = list(parameters)
    if body is not None:
        operation["requestBody"] = body
    if public:
        operation["security"] = []
    return operation


def _body(schema: dict[str, Any], *, required: bool) -> dict[str, Any]:
    return {"required": required, "content": {"application/json": {"schema": schema}}}


_JOB = _path("job_id", schemas.JOB_ID)
_QUALITY = _query("quality", schemas.STRING, "One that the video has; the best one if left out.")
_RANGES = (_header("Range", "One range of bytes."), _header("If-Range", "The ETag that the range belongs to."))
_CONDITION = _header("If-None-Match", "ETags that you have.")
_KEY = _header(
    "Idempotency-Key",
    "Any text of your own, such as a UUID: a request that is sent again under its key is done once.",
    minLength=1,
    maxLength=MAX_KEY_CHARS,
)
_VERSION = {"type": "integer", "minimum": 0, "maximum": 10**15}
_THE_STATUS = "The job's status."
_REPLAYED = "true where the request was obeyed before, and is answered as then."
_UNCHANGED = {"description": "You have it."}
_REDIRECT = {
    "description": "To a signed URL, where ranges are honoured.",
    "headers": {"Location": {"schema": schemas.URL}},
}


def _intake_paths(settings: Settings, pipelines: frozenset[str]) -> dict[str, Any]:
    asked = schemas.generate_request(settings.max_script_chars, pipelines, settings.pipeline)
    accepted = _json("JobAccepted", "The job is in the log.", Location=_THE_STATUS, Idempotency_Replayed=_REPLAYED)
    return {
        "/api/v1/videos/generate": {
            "post": _operation(
                "Ask for a video",
                {"202": accepted},
                (400, 409, 413, 415, 429),
                parameters=(_KEY,),
                body=_body(asked, required=True),
            )
        },
        JOBS: {
            "get": _operation(
                "Your jobs, newest first",
                {"200": _json("JobList", "A page; it may be short, or empty, and yet not the last one.")},
                (403,),
                parameters=(
                    _query("status", schemas.STATUS, "Only jobs that have this status now."),
                    _query("limit", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}, "Most jobs in the page."),
                    _query("cursor", schemas.STRING, "`next_cursor` of the page before."),
                    _query("owner", schemas.STRING, "Somebody else's jobs, or * for everybody's; for admins."),
                ),
            )
        },
    }


def _job_paths() -> dict[str, Any]:
    done = _json("CommandAccepted", "It is in the log.", Location=_THE_STATUS, Idempotency_Replayed=_REPLAYED)
    status = _json("JobStatus", "The status.", ETag="Changes with the status.")
    return {
        f"{JOBS}/{{job_id}}/status": {
            "get": _operation(
                "What the job is doing",
                {"200": status, "304": _UNCHANGED},
                (404,),
                parameters=(_JOB, _query("min_version", _VERSION, "Wait for this version, up to 10 s."), _CONDITION),
            )
        },
        f"{JOBS}/{{job_id}}/events": {
            "get": _operation(
                "The job's history",
                {"200": _json("JobEvents", "Events in order; `next_after` where there may be more.")},
                (404,),
                parameters=(
                    _JOB,
                    _query("after", _VERSION, "Only events after this seq."),
                    _query("limit", {"type": "integer", "minimum": 1, "maximum": 1000}, "Most events to list."),
                ),
            )
        },
        f"{JOBS}/{{job_id}}/cancel": {
            "post": _operation(
                "Stop the job",
                {"202": done},
                (400, 404, 409, 413, 415),
                parameters=(_JOB, _KEY),
                body=_body(schemas.record(), required=False),
            )
        },
        "/api/v1/admin/jobs/{job_id}/reprocess": {
            "post": _operation(
                "Do a finished job again, from a stage on",
                {"202": done},
                (400, 403, 404, 409, 413, 415),
                parameters=(_JOB, _KEY),
                body=_body(schemas.reprocess_request(), required=False),
            )
        },
    }


def _admin_paths() -> dict[str, Any]:
    status = _json("JobStatus", "The status.", ETag="Changes with the status.")
    return {
        "/api/v1/admin/jobs/{job_id}/status": {
            "get": _operation("What anybody's job is doing", {"200": status}, (403, 404), parameters=(_JOB,))
        },
    }


def _media_paths() -> dict[str, Any]:
    flag = {"type": "string", "enum": ["true", "false", "1", "0"]}
    index = {"type": "integer", "minimum": 0, "maximum": 10_000}
    whole, part = _bytes("All bytes."), _bytes("The range's bytes.")
    described = _json("Metadata", "All that is known of the video; its URLs are signed just now.")
    key = _path("key", {"type": "string", "minLength": 1})
    return {
        f"{JOBS}/{{job_id}}/metadata": {
            "get": _operation("The video's metadata", {"200": described}, (404, 409), parameters=(_JOB,))
        },
        f"{JOBS}/{{job_id}}/thumbnail": {
            "get": _operation(
                "A picture of the video",
                {"200": whole, "206": part, "304": _UNCHANGED},
                (404, 409, 416),
                parameters=(_JOB, _query("index", index, "Which picture."), _CONDITION),
            )
        },
        f"{JOBS}/{{job_id}}/download": {
            "get": _operation(
                "Save the video",
                {"200": whole, "206": part, "304": _UNCHANGED, "307": _REDIRECT},
                (404, 409, 416),
                parameters=(_JOB, _QUALITY, _query("proxy", flag, "Send the bytes through the app."), *_RANGES),
            )
        },
        f"{JOBS}/{{job_id}}/stream": {
            "get": _operation(
                "Watch the video",
                {"307": _REDIRECT},
                (404, 409),
                parameters=(_JOB, _QUALITY, _query("format", {"type": "string", "enum": ["mp4"]}, "Needed for now.")),
            )
        },
        "/media/{store}/{key}": {
            "get": _operation(
                "A file of a local store, by a signed URL",
                {"200": whole, "206": part, "304": _UNCHANGED},
                (403, 404, 416),
                parameters=(_path("store", schemas.STRING), key),
                public=True,
            )
        },
    }


def _service_paths() -> dict[str, Any]:
    ready = "Whether each part works; degraded is ready, too."
    not_ready = _json("Readiness", "The log can't be reached, or no store of viewers' files.")
    whole = {"200": _bytes("This document.", "application/json")}
    return {
        "/healthz": {"get": _operation("Is the process alive", {"200": _json("Alive", "It is.")}, (), public=True)},
        "/readyz": {
            "get": {
                "summary": "Can it serve",
                "security": [],
                "responses": {"200": _json("Readiness", ready), **_problems(500), "503": not_ready},
            }
        },
        "/openapi.json": {"get": _operation("The API", whole, (), public=True)},
    }


def build(settings: Settings, pipelines: frozenset[str]) -> dict[str, Any]:
    """The whole document for an installation with these settings and pipelines."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "eventflow",
            "version": version("eventflow"),
            "description": "Turns a script into a finished, streamable video.",
        },
        "servers": [{"url": settings.public_url or "/"}],
        "security": [{"apiKey": []}],
        "paths": {
            **_intake_paths(settings, pipelines),
            **_job_paths(),
            **_admin_paths(),
            **_media_paths(),
            **_service_paths(),
        },
        "components": {
            "schemas": schemas.answers(),
            "securitySchemes": {"apiKey": {"type": "http", "scheme": "bearer"}},
        },
    }


async def document(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    return json_response(build(deps.settings, deps.pipelines))
