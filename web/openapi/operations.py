"""Parts of operations that the OpenAPI document is composed of."""

from __future__ import annotations

from typing import Any

from web.openapi.schemas import ref

Operation = dict[str, Any]

_PROBLEMS = {
    400: "The request can't be parsed.",
    401: "The API key is missing, unknown or revoked.",
    403: "The API key lacks the scope, the signature is wrong or expired, or (without a key) the page is foreign.",
    404: "The job, asset or file doesn't exist, or it is another owner's.",
    408: "The body arrives too slowly.",
    409: "The job's state doesn't allow it, or the Idempotency-Key belongs to another request.",
    410: "The job was deleted, and its files with it.",
    413: "The body is too large.",
    415: "The body isn't JSON, or the file has no accepted format.",
    416: "The range starts behind the last byte.",
    421: "Without an API key: the `Host` header doesn't name this machine.",
    422: "A field is invalid or not available yet; `errors` lists every fault.",
    429: "The queue is full, or too many of your requests are waiting; see Retry-After.",
    500: "The service has a defect.",
    503: "A component that is needed can't be reached; see Retry-After.",
}
#: Statuses of every operation, of those that need an API key, and of those with a body.
_ALWAYS = (500, 503)
_OF_API = (401, 403, 421, 422)
_OF_BODIES = (408,)

#: The redirect of routes that lead to a file in its store.
REDIRECT: dict[str, Any] = {
    "description": "Redirect to a signed URL, which supports ranges.",
    "headers": {"Location": {"schema": {"type": "string", "format": "uri-reference"}}},
}
UNCHANGED: dict[str, Any] = {"description": "Unchanged since the ETag in If-None-Match."}


def answer_of(schema: str, description: str, **headers: str) -> dict[str, Any]:
    """An answer with the JSON of component `schema`. `headers` are descriptions; `_` in their names stands for `-`."""
    answer: dict[str, Any] = {"description": description, "content": {"application/json": {"schema": ref(schema)}}}
    if headers:
        answer["headers"] = {
            name.replace("_", "-"): {"schema": {"type": "string"}, "description": text}
            for name, text in headers.items()
        }
    return answer


def bytes_of(description: str, media_type: str = "*/*") -> dict[str, Any]:
    """An answer with bytes of any content."""
    return {"description": description, "content": {media_type: {"schema": {}}}}


def file_answers() -> dict[str, Any]:
    """The answers of a route that sends a file's bytes."""
    return {"200": bytes_of("All bytes."), "206": bytes_of("The bytes of the range."), "304": UNCHANGED}


def problems(*statuses: int) -> dict[str, Any]:
    """The error answers with these statuses, and with those of every operation."""
    content = {"application/problem+json": {"schema": ref("Problem")}}
    return {str(s): {"description": _PROBLEMS[s], "content": content} for s in sorted({*statuses, *_ALWAYS})}


def query(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    """An optional query parameter."""
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def header(name: str, description: str, **limits: int) -> dict[str, Any]:
    """An optional request header; `limits` are members of its schema."""
    schema = {"type": "string", **limits}
    return {"name": name, "in": "header", "required": False, "schema": schema, "description": description}


def path(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter in the path."""
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
    """An operation with `answers` and error answers of `refusals`; a `public` one needs no API key."""
    statuses = refusals if public else (*refusals, *_OF_API, *(_OF_BODIES if body is not None else ()))
    described: Operation = {"summary": summary, "responses": {**answers, **problems(*statuses)}}
    if parameters:
        described["parameters"] = list(parameters)
    if body is not None:
        described["requestBody"] = body
    if public:
        described["security"] = []
    return described


def body_of(schema: dict[str, Any], *, required: bool) -> dict[str, Any]:
    """A request body of JSON."""
    return {"required": required, "content": {"application/json": {"schema": schema}}}
