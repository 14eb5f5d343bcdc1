"""The OpenAPI document's part on assets."""

from __future__ import annotations

from typing import Any

from eventflow.assets.errors import ALLOWED
from eventflow.requests.json_reader import Schema
from eventflow.settings import AssetLimits
from web.openapi import schemas
from web.openapi.operations import answer_of, operation, path, query
from web.requests.asset_intake import MAX_NAME_CHARS
from web.routes.assets import ROUTE

_ID: Schema = {"type": "string", "pattern": "^as_[0-9a-f]{32}$"}
_NAME: Schema = {"type": "string", "maxLength": MAX_NAME_CHARS}
_BYTES: Schema = {"type": "string", "format": "binary"}
_LOCATION = "The asset."


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
        warnings=schemas.array(schemas.record(code=schemas.STRING, message=schemas.STRING)),
    )
    return {"Asset": asset}


def paths(limits: AssetLimits) -> dict[str, Any]:
    """The routes of assets, in an installation with these limits."""
    one = path("asset_id", schemas.STRING)
    name = query("name", _NAME, "Your name for it; the file name of the form if left out.")
    return {
        ROUTE: {
            "post": operation(
                "Upload a picture, clip or sound file",
                {
                    "201": answer_of("Asset", "The asset, decoded and re-encoded.", Location=_LOCATION),
                    "200": answer_of("Asset", "An asset of yours with the same content.", Location=_LOCATION),
                },
                (400, 408, 413, 415),
                parameters=(name,),
                body=_body(limits),
            )
        },
        f"{ROUTE}/uploads/{{sha256}}": {
            "get": operation(
                "Show the asset that a file became, so that it needn't be sent again",
                {"200": answer_of("Asset", "The asset of a file with this SHA-256.")},
                (404,),
                parameters=(path("sha256", {"type": "string", "pattern": "^[0-9a-f]{64}$"}),),
            )
        },
        f"{ROUTE}/{{asset_id}}": {
            "get": operation("Show an asset", {"200": answer_of("Asset", "The asset.")}, (404,), parameters=(one,)),
            "delete": operation("Delete an asset", {"204": {"description": "Deleted."}}, (404,), parameters=(one,)),
        },
    }


def _body(limits: AssetLimits) -> dict[str, Any]:
    most = f"at most {limits.max_image_mb}, {limits.max_clip_mb} and {limits.max_audio_mb} MB"
    taken = {**_BYTES, "description": f"Identified by content, whatever its declared type: {ALLOWED}; {most}."}
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
