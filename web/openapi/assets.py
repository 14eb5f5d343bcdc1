"""What the OpenAPI document says of assets."""

from __future__ import annotations

from typing import Any

from eventflow.assets.errors import ALLOWED
from eventflow.settings import AssetLimits
from web.openapi import schemas
from web.openapi.operations import answer_of, operation, path, query
from web.openapi.schemas import Schema
from web.routes.assets import MAX_NAME_CHARS, ROUTE

_ID: Schema = {"type": "string", "pattern": "^as_[0-9a-f]{32}$"}
_NAME: Schema = {"type": "string", "maxLength": MAX_NAME_CHARS}
_BYTES: Schema = {"type": "string", "format": "binary"}
_WHERE = "The asset."


def answers() -> dict[str, Schema]:
    """The schemas of answers, by name."""
    size = schemas.nullable(schemas.INTEGER)
    asset = schemas.record(
        id=_ID,
        kind={"type": "string", "enum": ["image", "clip", "audio"]},
        media_type=schemas.STRING,
        size=schemas.INTEGER,
        sha256=schemas.STRING,
        width=size,
        height=size,
        duration=schemas.nullable(schemas.NUMBER),
        name=schemas.STRING,
        created_at=schemas.nullable(schemas.TIME),
    )
    return {"Asset": asset}


def paths(limits: AssetLimits) -> dict[str, Any]:
    """Of an installation with these limits."""
    one = path("asset_id", schemas.STRING)
    name = query("name", _NAME, "What you call it; the file's name in a form if left out.")
    return {
        ROUTE: {
            "post": operation(
                "Send a picture, clip or sound file of your own",
                {
                    "201": answer_of("Asset", "It is kept, decoded and encoded anew.", Location=_WHERE),
                    "200": answer_of("Asset", "You have sent this content before.", Location=_WHERE),
                },
                (400, 408, 413, 415),
                parameters=(name,),
                body=_body(limits),
            )
        },
        f"{ROUTE}/{{asset_id}}": {
            "get": operation("An asset's facts", {"200": answer_of("Asset", "It.")}, (404,), parameters=(one,)),
            "delete": operation("Forget an asset", {"204": {"description": "It is gone."}}, (404,), parameters=(one,)),
        },
    }


def _body(limits: AssetLimits) -> dict[str, Any]:
    most = f"at most {limits.max_image_mb}, {limits.max_clip_mb} and {limits.max_audio_mb} MB"
    taken = {**_BYTES, "description": f"Taken by content, whatever the type says: {ALLOWED}; {most}."}
    form = {**schemas.options(file=taken), "required": ["file"]}
    remote = {
        **schemas.options(url={"type": "string", "format": "uri", "minLength": 1}, name=_NAME),
        "required": ["url"],
    }
    return {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": taken},
            "multipart/form-data": {"schema": form},
            "application/json": {"schema": remote},
        },
    }
