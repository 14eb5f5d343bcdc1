"""`/openapi.json`: the OpenAPI 3.1 document. Tests compare it with the routes, and real answers with its schemas."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from aiohttp import web

from eventflow.requests.limits import PipelineFacts
from eventflow.requests.planner import Planner
from eventflow.requests.video_request import RequestReader, reprocess_schema
from eventflow.settings import Settings
from web.deps import DEPS
from web.http.json_response import json_response
from web.http.links import JOBS
from web.openapi import assets, pictures, schemas, streaming
from web.openapi.operations import (
    REDIRECT,
    UNCHANGED,
    Operation,
    answer_of,
    body_of,
    bytes_of,
    file_answers,
    header,
    operation,
    path,
    problems,
    query,
)
from web.requests.http_input import MAX_KEY_CHARS
from web.routes.generate import PIPELINES_ROUTE, PLAN_ROUTE, THEMES_ROUTE, VOICES_ROUTE, request_reader
from web.routes.listing import LISTED, MAX_LIMIT

_JOB = path("job_id", schemas.JOB_ID)
_PROXY = query("proxy", schemas.enum("true", "false", "1", "0"), "true: the app sends the bytes itself.")
_RANGES = (header("Range", "A single range of bytes."), header("If-Range", "The ETag of the cached version."))
_CONDITION = header("If-None-Match", "ETags of cached versions.")
_KEY = header(
    "Idempotency-Key",
    "Any unique text, such as a UUID: the service executes requests with the same key once.",
    minLength=1,
    maxLength=MAX_KEY_CHARS,
)
_VERSION = {"type": "integer", "minimum": 0, "maximum": 10**15}
_THE_STATUS = "The job's status."
_REPLAYED = "true if the request was executed before; the answer is the same."
_DONE = answer_of("CommandAccepted", "The command is in the log.", Location=_THE_STATUS, Idempotency_Replayed=_REPLAYED)
_STATUS = answer_of("JobStatus", "The status.", ETag="Changes with the status.")
_A_PAGE = (
    "A page. It may be short or even empty without being the last: follow `next_cursor`. Archived jobs older than the "
    "service's listing window (by default 90 days) are in no page; their own routes still serve them."
)


def _intake_paths(reader: RequestReader, scenes: Mapping[str, Any]) -> dict[str, Any]:
    asked = reader.schema(dict(scenes))
    accepted = answer_of("JobAccepted", "The job is in the log.", Location=_THE_STATUS, Idempotency_Replayed=_REPLAYED)
    return {
        "/api/v1/videos/generate": {
            "post": operation(
                "Request a video",
                {"202": accepted},
                (400, 409, 413, 415, 429),
                parameters=(_KEY,),
                body=body_of(asked, required=True),
            )
        },
        PLAN_ROUTE: {
            "post": operation(
                "Plan the scenes of a video without making it",
                {"200": answer_of("Plan", "The plan; its scenes can be edited and sent as `scenes`.")},
                (400, 413, 415, 429),
                body=body_of(asked, required=True),
            )
        },
        JOBS: {
            "get": operation(
                "List your jobs, newest first",
                {"200": answer_of("JobList", _A_PAGE)},
                (403,),
                parameters=(
                    query("status", schemas.enum(*LISTED), "Only jobs in this status."),
                    query("limit", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}, "Most jobs of the page."),
                    query("cursor", schemas.STRING, "`next_cursor` of the previous page."),
                    query("owner", schemas.STRING, "For admins: another owner's jobs, or * for all."),
                ),
            )
        },
    }


def _offer_paths() -> dict[str, Any]:
    def listed(summary: str, schema: str, description: str) -> dict[str, Operation]:
        return {"get": operation(summary, {"200": answer_of(schema, description)}, (429,))}

    return {
        PIPELINES_ROUTE: listed("List the pipelines", "Pipelines", "`problem` says why a pipeline can't run."),
        THEMES_ROUTE: listed("List the themes", "Themes", "All themes, the default one first."),
        VOICES_ROUTE: listed("List the voices", "Voices", "All voices of this installation."),
    }


def _job_paths() -> dict[str, Any]:
    return {
        f"{JOBS}/{{job_id}}/status": {
            "get": operation(
                "Show the job's status",
                {"200": _STATUS, "304": UNCHANGED},
                (404,),
                parameters=(_JOB, query("min_version", _VERSION, "Wait up to 10 s for this version."), _CONDITION),
            )
        },
        f"{JOBS}/{{job_id}}/events": {
            "get": operation(
                "List the job's events",
                {"200": answer_of("JobEvents", "Events in order; `next_after` if there may be more.")},
                (404,),
                parameters=(
                    _JOB,
                    query("after", _VERSION, "Only events after this `seq`."),
                    query("limit", {"type": "integer", "minimum": 1, "maximum": 1000}, "Most events of the page."),
                ),
            )
        },
        f"{JOBS}/{{job_id}}/cancel": {
            "post": operation(
                "Cancel the job",
                {"202": _DONE},
                (400, 404, 409, 410, 413, 415),
                parameters=(_JOB, _KEY),
                body=body_of(schemas.record(), required=False),
            )
        },
        "/api/v1/admin/jobs/{job_id}/reprocess": {
            "post": operation(
                "Reprocess a finished job from a stage on",
                {"202": _DONE},
                (400, 403, 404, 409, 410, 413, 415),
                parameters=(_JOB, _KEY),
                body=body_of(reprocess_schema(), required=False),
            )
        },
    }


def _ending_paths() -> dict[str, Any]:
    summary = "Delete a finished job's files; its events stay"
    return {
        f"{JOBS}/{{job_id}}": {"delete": operation(summary, {"202": _DONE}, (400, 404, 409), parameters=(_JOB, _KEY))}
    }


def _admin_paths() -> dict[str, Any]:
    return {
        "/api/v1/admin/jobs/{job_id}/status": {
            "get": operation("Show the status of any owner's job", {"200": _STATUS}, (403, 404), parameters=(_JOB,))
        },
    }


def _parked_paths() -> dict[str, Any]:
    name = path("parked_id", schemas.STRING)
    base, one = "/api/v1/admin/parked", "/api/v1/admin/parked/{parked_id}"
    limit = query("limit", {"type": "integer", "minimum": 1, "maximum": 200}, "Most entries of the page.")
    cursor = query("cursor", schemas.STRING, "`next_cursor` of the previous page.")
    listed = answer_of("ParkedList", "Dead letters, newest first; `next_cursor` if there are more.")
    dropped = answer_of("Dropped", "The dead letter is removed; a job that needs it fails.")
    redriven = answer_of("Redriven", "The entry is delivered to its group again.")

    def on_one(summary: str, answers: dict[str, Any], refusals: tuple[int, ...]) -> Operation:
        return operation(summary, answers, (403, 404, *refusals), parameters=(name,))

    return {
        base: {"get": operation("List the dead letters", {"200": listed}, (403,), parameters=(limit, cursor))},
        one: {
            "get": on_one("Show a dead letter", {"200": answer_of("ParkedEntry", "The dead letter in full.")}, ()),
            "delete": on_one("Drop a dead letter", {"200": dropped}, (409,)),
        },
        f"{one}/redrive": {"post": on_one("Redrive a dead letter", {"202": redriven}, (409,))},
    }


def _captions(summary: str, expires_in: Operation, which: Operation) -> Operation:
    """Captions; `which` is the parameter that gives the format."""
    return operation(
        summary,
        {**file_answers(), "307": REDIRECT},
        (403, 404, 409, 410, 416),
        parameters=(
            _JOB,
            which,
            streaming.TOKEN,
            query("language", schemas.STRING, "BCP 47 tag; without it the first track."),
            _PROXY,
            expires_in,
            *_RANGES,
        ),
    )


def _download(summary: str, expires_in: Operation, *which: Operation) -> Operation:
    return operation(
        summary,
        {**file_answers(), "307": REDIRECT},
        (403, 404, 409, 410, 416),
        parameters=(_JOB, *which, streaming.TOKEN, streaming.QUALITY, _PROXY, expires_in, *_RANGES),
    )


def _expires_in(settings: Settings) -> dict[str, Any]:
    limits = settings.delivery
    seconds = {"type": "integer", "minimum": limits.min_seconds, "maximum": limits.max_seconds}
    usual = f"Validity of signed URLs in seconds; {settings.signed_url_seconds} if left out. Not with proxy=true."
    return query("expires_in", seconds, usual)


def _media_paths(expires_in: dict[str, Any]) -> dict[str, Any]:
    described = answer_of("Metadata", "The metadata, with freshly signed URLs.")
    key = path("key", {"type": "string", "minLength": 1})
    formats = schemas.enum("vtt", "srt")
    by_query = query("format", formats, "WebVTT (the default) or SubRip.")
    by_path = path("ending", formats)
    return {
        f"{JOBS}/{{job_id}}/metadata": {
            "get": operation("Show the metadata", {"200": described}, (404, 409, 410), parameters=(_JOB, expires_in))
        },
        **pictures.paths(),
        f"{JOBS}/{{job_id}}/captions.{{ending}}": {"get": _captions("Get the captions", expires_in, by_path)},
        f"{JOBS}/{{job_id}}/captions": {"get": _captions("Get the captions in ?format=", expires_in, by_query)},
        f"{JOBS}/{{job_id}}/download.{{ending}}": {
            "get": _download("Download the video (mp4) or its sound (m4a)", expires_in, streaming.RECORDING)
        },
        f"{JOBS}/{{job_id}}/download": {"get": _download("Download either, as ?quality= says", expires_in)},
        "/media/{store}/{key}": {
            "get": operation(
                "Get a file of a local store by its signed URL",
                file_answers(),
                (403, 404, 416),
                parameters=(path("store", schemas.STRING), key),
                public=True,
            )
        },
    }


def _service_paths() -> dict[str, Any]:
    ready = "The state of each component; degraded is ready, too."
    not_ready = answer_of("Readiness", "The log is unreachable, or all stores of viewers' files are.")
    whole = {"200": bytes_of("This document.", "application/json")}
    return {
        "/healthz": {"get": operation("Liveness", {"200": answer_of("Alive", "It answers.")}, (), public=True)},
        "/readyz": {
            "get": {
                "summary": "Readiness",
                "security": [],
                "responses": {"200": answer_of("Readiness", ready), **problems(500), "503": not_ready},
            }
        },
        "/openapi.json": {"get": operation("This document", whole, (), public=True)},
    }


def build(settings: Settings, pipelines: Mapping[str, PipelineFacts], planner: Planner | None = None) -> dict[str, Any]:
    """The document for an installation with these settings and pipelines.

    The planner describes scenes and themes; without one, scenes are any objects.
    """
    reader = request_reader(settings, pipelines, None, planner)
    scenes = planner.scenes_schema if planner else schemas.array({"type": "object"})
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
            **_intake_paths(reader, scenes),
            **_offer_paths(),
            **_job_paths(),
            **_admin_paths(),
            **_parked_paths(),
            **_media_paths(_expires_in(settings)),
            **_ending_paths(),
            **streaming.paths(settings.playback_token_seconds, _expires_in(settings)),
            **assets.paths(settings.asset_limits),
            **_service_paths(),
        },
        "components": {
            "schemas": {**schemas.answers(), **assets.answers(), **streaming.answers()},
            "securitySchemes": {"apiKey": {"type": "http", "scheme": "bearer"}},
        },
    }


async def document(request: web.Request) -> web.Response:
    """The OpenAPI document of this installation."""
    deps = request.app[DEPS]
    return json_response(build(deps.settings, deps.pipelines, deps.planner))
