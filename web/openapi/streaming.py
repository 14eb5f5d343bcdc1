"""The OpenAPI document's part on streaming."""

from __future__ import annotations

from typing import Any

from eventflow.requests.json_reader import Schema
from web.http.links import JOBS
from web.openapi import schemas
from web.openapi.operations import REDIRECT, UNCHANGED, answer_of, body_of, bytes_of, header, operation, path, query
from web.openapi.schemas import options, record
from web.readmodel import hls_playlists
from web.routes.playback import MIN_SECONDS

TOKEN = query("token", schemas.STRING, "A playback token of the job, which replaces the API key.")
QUALITY = query("quality", schemas.STRING, "A quality of the video, or audio; the best quality if left out.")
RECORDING = path("ending", schemas.enum("mp4", "m4a"))
_JOB = path("job_id", schemas.JOB_ID)
_NAME = path("name", {"type": "string", "pattern": "^[0-9a-f]{32}\\.(m4s|mp4)$"})
_WHICH = (
    query("quality", schemas.STRING, "Selects the playlist of this quality; with format=mp4 the whole video in it."),
    query("captions", schemas.STRING, "Selects the playlist of the captions in this language (BCP 47)."),
    query(
        "edition",
        {"type": "integer", "minimum": 0, "maximum": 10**9},
        "As playlists name it; the current one if left out.",
    ),
    query("format", {"type": "string", "enum": ["hls", "mp4"]}, "HLS, or a redirect to the whole video."),
)


def paths(longest_s: int, expires_in: Schema) -> dict[str, Any]:
    """The routes of streaming. Tokens are valid for at most `longest_s` seconds; `expires_in` goes with format=mp4."""
    playlist = {
        **bytes_of("The master playlist, or the playlist of the selected track.", hls_playlists.MEDIA_TYPE),
        "headers": {"ETag": {"schema": schemas.STRING, "description": "Changes with the playlist."}},
    }
    life: Schema = {"type": "integer", "minimum": MIN_SECONDS, "maximum": longest_s, "default": longest_s}
    watch = (_JOB, TOKEN, *_WHICH, expires_in, header("If-None-Match", "ETags of cached versions."))

    def stream(summary: str) -> dict[str, Any]:
        answers = {"200": playlist, "304": UNCHANGED, "307": REDIRECT}
        return {"get": operation(summary, answers, (403, 404, 409, 410), parameters=watch)}

    return {
        f"{JOBS}/{{job_id}}/stream.m3u8": stream("Stream the video, from its first scene on"),
        f"{JOBS}/{{job_id}}/stream": stream("The same as stream.m3u8, without an extension"),
        f"{JOBS}/{{job_id}}/stream.{{ending}}": {
            "get": operation(
                "Play the whole video (mp4) or its sound (m4a)",
                {"307": REDIRECT},
                (403, 404, 409, 410),
                parameters=(_JOB, RECORDING, TOKEN, QUALITY, expires_in),
            )
        },
        f"{JOBS}/{{job_id}}/stream/{{quality}}/{{name}}": {
            "get": operation(
                "A segment that a playlist lists",
                {"307": REDIRECT},
                (403, 404, 410),
                parameters=(_JOB, path("quality", schemas.STRING), _NAME, TOKEN),
            )
        },
        f"{JOBS}/{{job_id}}/playback-token": {
            "post": operation(
                "Make a playback token, for players that can't send an API key",
                {"200": answer_of("PlaybackToken", "A token that admits to this job's media only.")},
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
        stream_url={**schemas.URL, "description": "The playlist, with the token in its query."},
    )
    return {"PlaybackToken": token}
