"""The OpenAPI document's part on pictures of a video."""

from __future__ import annotations

from typing import Any

from web.http.links import JOBS
from web.openapi import schemas
from web.openapi.operations import file_answers, header, operation, path, query
from web.openapi.streaming import TOKEN
from web.routes.pictures import FORMATS, MAX_INDEX, WIDTHS

_JOB = path("job_id", schemas.JOB_ID)
_FORMAT = query("format", schemas.enum(*FORMATS), "JPEG if left out.")
_CONDITION = header("If-None-Match", "ETags of cached versions.")


def paths() -> dict[str, Any]:
    """The routes of pictures; every picture has a strong ETag."""

    def get(summary: str, *parameters: dict[str, Any]) -> dict[str, Any]:
        return {
            "get": operation(
                summary, file_answers(), (403, 404, 409, 410, 416), parameters=(_JOB, TOKEN, *parameters, _CONDITION)
            )
        }

    index = {"type": "integer", "minimum": 0, "maximum": MAX_INDEX}
    width = {"type": "integer", "minimum": WIDTHS[0], "maximum": WIDTHS[1]}
    wide_enough = query("width", width, "Selects the smallest picture that is at least as wide, else the largest.")
    number = query("index", index, "The number of the thumbnail, from 0.")
    job = f"{JOBS}/{{job_id}}"
    return {
        f"{job}/thumbnail": get(
            "A picture of the video",
            number,
            wide_enough,
            _FORMAT,
        ),
        f"{job}/poster": get("The picture that players show before the video starts", _FORMAT),
        f"{job}/preview": get("A few moving seconds of the video, as animated WebP"),
        f"{job}/storyboard": get("WebVTT that maps times to parts (#xywh) of the storyboard's sheets", _FORMAT),
        f"{job}/storyboard/{{sheet}}": get("A sheet of the storyboard", path("sheet", schemas.INTEGER), _FORMAT),
    }
