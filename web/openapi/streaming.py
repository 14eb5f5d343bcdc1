"""Streaming in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from eventflow.requests.json_types import Schema
from web.http.links import JOBS
from web.openapi import schemas
from web.openapi.operations import answer_of, body_of, bytes_of, header, operation, path, query
from web.openapi.schemas import options, record
from web.readmodel import hls_playlists
from web.routes.playback import MIN_SECONDS

TOKEN = query("token", schemas.STRING, "A playback token of the job, in place of an API key.")
QUALITY = query("quality", schemas.STRING, "One that the video has, or audio; the best one if left out.")
RECORDING = path("ending", schemas.enum("mp4", "m4a"))
_JOB = path("job_id", schemas.JOB_ID)
_NAME = path("name", {"type": "string", "pattern": "^[0-9a-f]{32}\\.(m4s|mp4)$"})
_WHICH = (
    query("quality", schemas.STRING, "The playlist of this rendition; with format=mp4 its whole video."),
    query("captions", schemas.STRING, "The playlist of the captions in this language (BCP 47)."),
    query("edition", {"type": "integer", "minimum": 0, "maximum": 10**9}, "As playlists name it: the present one."),
    query("format", {"type": "string", "enum": ["hls", "mp4"]}, "HLS, or a redirect to the whole video."),
)
_REDIRECT = {
    "description": "To a signed URL, where ranges are honoured.",
    "headers": {"Location": {"schema": schemas.URL}},
}


def paths(longest_s: int, expires_in: Schema) -> dict[str, Any]:
    """The routes, where a token may be valid for up to `longest_s` seconds. `expires_in` is for format=mp4."""
    playlist = {
        **bytes_of("A playlist: of the renditions, or of the one that is asked for.", hls_playlists.MEDIA_TYPE),
        "headers": {"ETag": {"schema": schemas.STRING, "description": "Changes with the playlist."}},
    }
    life: Schema = {"type": "integer", "minimum": MIN_SECONDS, "maximum": longest_s, "default": longest_s}
    watch = (_JOB, TOKEN, *_WHICH, expires_in, header("If-None-Match", "ETags that you have."))

    def stream(summary: str) -> dict[str, Any]:
        answers = {"200": playlist, "304": {"description": "You have it."}, "307": _REDIRECT}
        return {"get": operation(summary, answers, (403, 404, 409, 410), parameters=watch)}

    return {
        f"{JOBS}/{{job_id}}/stream.m3u8": stream("Watch the video, from its first scene on"),
        f"{JOBS}/{{job_id}}/stream": stream("The same as stream.m3u8, for who needs no extension"),
        f"{JOBS}/{{job_id}}/stream.{{ending}}": {
            "get": operation(
                "Watch the whole video (mp4), or hear its sound (m4a)",
                {"307": _REDIRECT},
                (403, 404, 409, 410),
                parameters=(_JOB, RECORDING, TOKEN, QUALITY, expires_in),
            )
        },
        f"{JOBS}/{{job_id}}/stream/{{quality}}/{{name}}": {
            "get": operation(
                "A segment, as playlists name it",
                {"307": _REDIRECT},
                (403, 404, 410),
                parameters=(_JOB, path("quality", schemas.STRING), _NAME, TOKEN),
            )
        },
        f"{JOBS}/{{job_id}}/playback-token": {
            "post": operation(
                "Let players that send no API key watch the job for a while",
                {"200": answer_of("PlaybackToken", "A token, which is good for reading this job's media alone.")},
                (400, 404, 413, 415),
                parameters=(_JOB,),
                body=body_of(options(expires_in=life), required=False),
            )
        },
    }


def answers() -> dict[str, Schema]:
    """The schemas of answers, by name."""
    token = record(
        token=schemas.STRING,
        expires_at=schemas.TIME,
        expires_in=schemas.INTEGER,
        stream_url={**schemas.URL, "description": "The playlist, with the token in it."},
    )
    return {"PlaybackToken": token}
