"""`/openapi.json`: the OpenAPI 3.1 document. A test compares it with the routes, and real answers with its schemas."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from aiohttp import web

from eventflow.settings import Settings
from web.deps import DEPS, Planner
from web.http.json_response import json_response
from web.http.links import JOBS
from web.openapi import assets, pictures, schemas, streaming
from web.openapi.operations import Operation, answer_of, body_of, bytes_of, header, operation, path, problems, query
from web.requests.idempotency_header import MAX_KEY_CHARS
from web.requests.request_schema import generate_request, reprocess_request
from web.requests.video_request import Limits
from web.routes.listing import LISTED, MAX_LIMIT
from web.routes.plan import PIPELINES_ROUTE, PLAN_ROUTE, THEMES_ROUTE, VOICES_ROUTE, limits_of

_JOB = path("job_id", schemas.JOB_ID)
_PROXY = query("proxy", schemas.enum("true", "false", "1", "0"), "Send the bytes through the app.")
_RANGES = (header("Range", "One range of bytes."), header("If-Range", "The ETag that the range belongs to."))
_CONDITION = header("If-None-Match", "ETags that you have.")
_KEY = header(
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


_A_PAGE = (
    "A page; it may be short, or empty, and yet not the last one. Jobs that were archived and are older than the "
    "service lists (by default 90 days) are in no page; by their ids they are served as before."
)


def _intake_paths(limits: Limits, scenes: Mapping[str, Any]) -> dict[str, Any]:
    asked = generate_request(limits, dict(scenes))
    accepted = answer_of("JobAccepted", "The job is in the log.", Location=_THE_STATUS, Idempotency_Replayed=_REPLAYED)
    return {
        "/api/v1/videos/generate": {
            "post": operation(
                "Ask for a video",
                {"202": accepted},
                (400, 409, 413, 415, 429),
                parameters=(_KEY,),
                body=body_of(asked, required=True),
            )
        },
        PLAN_ROUTE: {
            "post": operation(
                "The scenes of a video, without making it",
                {"200": answer_of("Plan", "What can be edited and sent as `scenes`.")},
                (400, 413, 415, 429),
                body=body_of(asked, required=True),
            )
        },
        JOBS: {
            "get": operation(
                "Your jobs, newest first",
                {"200": answer_of("JobList", _A_PAGE)},
                (403,),
                parameters=(
                    query("status", schemas.enum(*LISTED), "Only jobs that have this status now."),
                    query("limit", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}, "Most jobs in the page."),
                    query("cursor", schemas.STRING, "`next_cursor` of the page before."),
                    query("owner", schemas.STRING, "Somebody else's jobs, or * for everybody's; for admins."),
                ),
            )
        },
    }


def _offer_paths() -> dict[str, Any]:
    def listed(summary: str, schema: str, description: str) -> dict[str, Operation]:
        return {"get": operation(summary, {"200": answer_of(schema, description)}, (429,))}

    return {
        PIPELINES_ROUTE: listed("Who makes videos", "Pipelines", "All that are installed; `problem` if one can't run."),
        THEMES_ROUTE: listed("How videos can look", "Themes", "All themes, the default one first."),
        VOICES_ROUTE: listed("Who narrates", "Voices", "All voices of this installation."),
    }


def _job_paths() -> dict[str, Any]:
    done = answer_of("CommandAccepted", "It is in the log.", Location=_THE_STATUS, Idempotency_Replayed=_REPLAYED)
    status = answer_of("JobStatus", "The status.", ETag="Changes with the status.")
    return {
        f"{JOBS}/{{job_id}}/status": {
            "get": operation(
                "What the job is doing",
                {"200": status, "304": _UNCHANGED},
                (404,),
                parameters=(_JOB, query("min_version", _VERSION, "Wait for this version, up to 10 s."), _CONDITION),
            )
        },
        f"{JOBS}/{{job_id}}/events": {
            "get": operation(
                "The job's history",
                {"200": answer_of("JobEvents", "Events in order; `next_after` where there may be more.")},
                (404,),
                parameters=(
                    _JOB,
                    query("after", _VERSION, "Only events after this seq."),
                    query("limit", {"type": "integer", "minimum": 1, "maximum": 1000}, "Most events to list."),
                ),
            )
        },
        f"{JOBS}/{{job_id}}/cancel": {
            "post": operation(
                "Stop the job",
                {"202": done},
                (400, 404, 409, 410, 413, 415),
                parameters=(_JOB, _KEY),
                body=body_of(schemas.record(), required=False),
            )
        },
        "/api/v1/admin/jobs/{job_id}/reprocess": {
            "post": operation(
                "Do a finished job again, from a stage on",
                {"202": done},
                (400, 403, 404, 409, 410, 413, 415),
                parameters=(_JOB, _KEY),
                body=body_of(reprocess_request(), required=False),
            )
        },
    }


def _ending_paths() -> dict[str, Any]:
    done = answer_of("CommandAccepted", "It is in the log.", Location=_THE_STATUS, Idempotency_Replayed=_REPLAYED)
    summary = "Delete a finished job's files; its history stays"
    return {
        f"{JOBS}/{{job_id}}": {"delete": operation(summary, {"202": done}, (400, 404, 409), parameters=(_JOB, _KEY))}
    }


def _admin_paths() -> dict[str, Any]:
    status = answer_of("JobStatus", "The status.", ETag="Changes with the status.")
    return {
        "/api/v1/admin/jobs/{job_id}/status": {
            "get": operation("What anybody's job is doing", {"200": status}, (403, 404), parameters=(_JOB,))
        },
    }


def _parked_paths() -> dict[str, Any]:
    name = path("parked_id", schemas.STRING)
    base, one = "/api/v1/admin/parked", "/api/v1/admin/parked/{parked_id}"
    limit = query("limit", {"type": "integer", "minimum": 1, "maximum": 200}, "Most entries to list.")
    cursor = query("cursor", schemas.STRING, "`next_cursor` of the page before.")
    listed = answer_of("ParkedList", "Newest first; `next_cursor` where there is more.")
    dropped = answer_of("Dropped", "It is gone; a job that waited for it is told that its step has failed.")
    redriven = answer_of("Redriven", "It is with its group again.")

    def on_one(summary: str, answers: dict[str, Any], refusals: tuple[int, ...]) -> Operation:
        return operation(summary, answers, (403, 404, *refusals), parameters=(name,))

    return {
        base: {"get": operation("What is parked", {"200": listed}, (403,), parameters=(limit, cursor))},
        one: {
            "get": on_one("A parked delivery", {"200": answer_of("ParkedEntry", "All that is known.")}, ()),
            "delete": on_one("Give a parked delivery up", {"200": dropped}, (409,)),
        },
        f"{one}/redrive": {"post": on_one("Deliver it again", {"202": redriven}, (409,))},
    }


def _captions(summary: str, expires_in: Operation, which: Operation) -> Operation:
    """`which` is the parameter that says the format."""
    return operation(
        summary,
        {"200": bytes_of("All bytes."), "206": bytes_of("The range's bytes."), "304": _UNCHANGED, "307": _REDIRECT},
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
        {"200": bytes_of("All bytes."), "206": bytes_of("The range's bytes."), "304": _UNCHANGED, "307": _REDIRECT},
        (403, 404, 409, 410, 416),
        parameters=(_JOB, *which, streaming.TOKEN, streaming.QUALITY, _PROXY, expires_in, *_RANGES),
    )


def _expires_in(settings: Settings) -> dict[str, Any]:
    limits = settings.delivery
    seconds = {"type": "integer", "minimum": limits.min_seconds, "maximum": limits.max_seconds}
    usual = f"Seconds that signed URLs live; {settings.signed_url_seconds} if left out. Not with proxy=true."
    return query("expires_in", seconds, usual)


def _media_paths(expires_in: dict[str, Any]) -> dict[str, Any]:
    whole, part = bytes_of("All bytes."), bytes_of("The range's bytes.")
    described = answer_of("Metadata", "All that is known of the video; its URLs are signed just now.")
    key = path("key", {"type": "string", "minLength": 1})
    formats = schemas.enum("vtt", "srt")
    by_query = query("format", formats, "WebVTT (the default) or SubRip.")
    by_path = path("ending", formats)
    return {
        f"{JOBS}/{{job_id}}/metadata": {
            "get": operation("The video's metadata", {"200": described}, (404, 409, 410), parameters=(_JOB, expires_in))
        },
        **pictures.paths(),
        f"{JOBS}/{{job_id}}/captions.{{ending}}": {"get": _captions("The video's captions", expires_in, by_path)},
        f"{JOBS}/{{job_id}}/captions": {"get": _captions("The same, with the format said", expires_in, by_query)},
        f"{JOBS}/{{job_id}}/download.{{ending}}": {
            "get": _download("Save the video (mp4) or its sound (m4a)", expires_in, streaming.RECORDING)
        },
        f"{JOBS}/{{job_id}}/download": {"get": _download("Save either, as ?quality= says", expires_in)},
        "/media/{store}/{key}": {
            "get": operation(
                "A file of a local store, by a signed URL",
                {"200": whole, "206": part, "304": _UNCHANGED},
                (403, 404, 416),
                parameters=(path("store", schemas.STRING), key),
                public=True,
            )
        },
    }


def _service_paths() -> dict[str, Any]:
    ready = "Whether each part works; degraded is ready, too."
    not_ready = answer_of("Readiness", "The log can't be reached, or no store of viewers' files.")
    whole = {"200": bytes_of("This document.", "application/json")}
    return {
        "/healthz": {"get": operation("Is the process alive", {"200": answer_of("Alive", "It is.")}, (), public=True)},
        "/readyz": {
            "get": {
                "summary": "Can it serve",
                "security": [],
                "responses": {"200": answer_of("Readiness", ready), **problems(500), "503": not_ready},
            }
        },
        "/openapi.json": {"get": operation("The API", whole, (), public=True)},
    }


def build(settings: Settings, pipelines: frozenset[str], planner: Planner | None = None) -> dict[str, Any]:
    """The whole document for an installation with these settings and pipelines.

    Scenes and themes are described as the planner knows them; without one, scenes are objects of any kind.
    """
    limits = limits_of(settings, pipelines, None, planner)
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
            **_intake_paths(limits, scenes),
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
    deps = request.app[DEPS]
    return json_response(build(deps.settings, deps.pipelines, deps.planner))
