"""The pieces that the OpenAPI document is put together from."""

from __future__ import annotations

from typing import Any

from web.openapi.schemas import ref

Operation = dict[str, Any]

_PROBLEMS = {
    400: "The request can't be read.",
    401: "No API key, or one that is unknown.",
    403: "The API key hasn't the scope, or the URL's signature doesn't fit; without a key: a foreign page asks.",
    404: "There is no such job or asset, or it is somebody else's; or nothing is here.",
    408: "The body comes too slowly.",
    409: "The job isn't in a state for this, or the Idempotency-Key is another request's.",
    410: "The job was deleted, and its files with it.",
    413: "The body is too large.",
    415: "The body isn't JSON, or a file of no format that is taken.",
    416: "The range starts behind the last byte.",
    421: "Without a key: the service is asked by a name that isn't its own.",
    422: "Something in the request is wrong, or not available yet; `errors` says what.",
    429: "Too many jobs wait, or too many requests of yours; see Retry-After.",
    500: "A defect of ours.",
    503: "A part that is needed can't be reached; see Retry-After.",
}
_ALWAYS = (500, 503)
_OF_API = (401, 403, 421, 422)
_OF_BODIES = (408,)


def answer_of(schema: str, description: str, **headers: str) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": description, "content": {"application/json": {"schema": ref(schema)}}}
    if headers:
        answer["headers"] = {
            name.replace("_", "-"): {"schema": {"type": "string"}, "description": text}
            for name, text in headers.items()
        }
    return answer


def bytes_of(description: str, media_type: str = "*/*") -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": {}}}}


def problems(*statuses: int) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": ref("Problem")}}
    return {str(s): {"description": _PROBLEMS[s], "content": content} for s in sorted({*statuses, *_ALWAYS})}


def query(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def header(name: str, description: str, **limits: int) -> dict[str, Any]:
    schema = {"type": "string", **limits}
    return {"name": name, "in": "header", "required": False, "schema": schema, "description": description}


def path(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def operation(
    summary: str,
    answers: dict[str, Any],
    refusals: tuple[int, ...],
    *,
    parameters: tuple[dict[str, Any], ...] = (),
    body: dict[str, Any] | None = None,
    public: bool = False,
) -> Operation:
    statuses = refusals if public else (*refusals, *_OF_API, *(_OF_BODIES if body is not None else ()))
    made: Operation = {"summary": summary, "responses": {**answers, **problems(*statuses)}}
    if parameters:
        made["parameters"] = list(parameters)
    if body is not None:
        made["requestBody"] = body
    if public:
        made["security"] = []
    return made


def body_of(schema: dict[str, Any], *, required: bool) -> dict[str, Any]:
    return {"required": required, "content": {"application/json": {"schema": schema}}}
