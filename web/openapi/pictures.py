"""The part of the OpenAPI document that is about pictures of a video."""

from __future__ import annotations

from typing import Any

from web.http.links import JOBS
from web.openapi import schemas
from web.openapi.operations import bytes_of, header, operation, path, query
from web.openapi.streaming import TOKEN
from web.routes.pictures import FORMATS, MAX_INDEX, WIDTHS

_JOB = path("job_id", schemas.JOB_ID)
_FORMAT = query("format", schemas.enum(*FORMATS), "JPEG if left out.")
_CONDITION = header("If-None-Match", "ETags that you have.")
_ANSWERS = {
    "200": bytes_of("All bytes."),
    "206": bytes_of("The range's bytes."),
    "304": {"description": "You have it."},
}


def paths() -> dict[str, Any]:
    """Every picture has a strong ETag."""

    def get(summary: str, *parameters: dict[str, Any]) -> dict[str, Any]:
        return {
            "get": operation(
                summary, _ANSWERS, (403, 404, 409, 410, 416), parameters=(_JOB, TOKEN, *parameters, _CONDITION)
            )
        }

    index = {"type": "integer", "minimum": 0, "maximum": MAX_INDEX}
    width = {"type": "integer", "minimum": WIDTHS[0], "maximum": WIDTHS[1]}
    wide_enough = query("width", width, "The smallest one that is as wide is sent, or the largest.")
    job = f"{JOBS}/{{job_id}}"
    return {
        f"{job}/thumbnail": get("A picture of the video", query("index", index, "Which one."), wide_enough, _FORMAT),
        f"{job}/poster": get("The picture that is shown before the video begins", _FORMAT),
        f"{job}/preview": get("A few seconds of moving pictures, as animated WebP"),
        f"{job}/storyboard": get("WebVTT with what is seen when, as parts (#xywh) of sheets of pictures", _FORMAT),
        f"{job}/storyboard/{{sheet}}": get("A sheet of the storyboard", path("sheet", schemas.INTEGER), _FORMAT),
    }
