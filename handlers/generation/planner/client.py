"""A client for services with OpenAI's `POST /chat/completions`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import aiohttp
import orjson
from attrs import frozen

from eventflow.settings import PlannerSettings
from handlers.generation.http_services.client import Answer, Service
from handlers.generation.http_services.errors import ServiceFailed, ServiceRefused

MAX_TEXT_CHARS: Final = 200_000
#: HTTP statuses of services that don't know `response_format`, or not with a JSON schema.
_NOT_UNDERSTOOD: Final = frozenset({400, 404, 415, 422, 501})
_FENCE: Final = "```"


@frozen
class Message:
    """A message of a chat; `role` is "system", "user" or "assistant"."""

    role: str
    content: str


@frozen(kw_only=True)
class Completion:
    """A model's answer. `trouble` tells why it is incomplete; `tokens` is None where the service doesn't count."""

    text: str
    trouble: str | None = None
    tokens: int | None = None
    id: str = ""


@frozen
class Schema:
    """A JSON schema under a name."""

    name: str
    schema: Mapping[str, Any]


def chat_service(settings: PlannerSettings) -> Service:
    """Make the planner's service from settings."""
    return Service(
        title="the planner",
        setting="EVENTFLOW_PLANNER",
        url=settings.url,
        key=settings.key,
        timeout_s=settings.timeout_s,
    )


async def complete(
    service: Service, session: aiohttp.ClientSession, model: str, messages: Sequence[Message], schema: Schema
) -> Completion:
    """Ask for an answer under `schema`; a service without structured output gets the schema in the system message.

    Raises ServiceFailed, ServiceRefused.
    """
    body = _body(model, messages)
    form = {"name": schema.name, "strict": True, "schema": dict(schema.schema)}
    asked = {**body, "response_format": {"type": "json_schema", "json_schema": form}}
    answer = await service.ask(session, "POST", "/chat/completions", asked)
    if answer.status in _NOT_UNDERSTOOD:  # a refusal costs nothing; with another cause it comes again
        form_rule = f"Answer with one JSON object under this JSON schema, and nothing else:\n{_text(schema.schema)}"
        first, *others = messages  # many models accept only one system message, the first
        body = _body(model, [Message(first.role, f"{first.content}\n\n{form_rule}"), *others])
        answer = await service.ask(session, "POST", "/chat/completions", body)
    return _completion(service, answer)


def _body(model: str, messages: Sequence[Message]) -> dict[str, Any]:
    said = [{"role": message.role, "content": message.content} for message in messages]
    return {"model": model, "messages": said, "stream": False}


def _completion(service: Service, answer: Answer) -> Completion:
    value = service.json(answer)
    choices = value.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else None
    message = choice.get("message") if choice else None
    if choice is None or not isinstance(message, dict):
        raise ServiceFailed(f"the answer of {service.title} has no choice: {service.safe(answer.body)}")
    if isinstance(refusal := message.get("refusal"), str) and refusal:
        raise ServiceRefused(f"the model refuses the topic: {service.safe(refusal)}", answer.status)
    text, completion_id = _content(message.get("content")), value.get("id")
    identifier = completion_id[:200] if isinstance(completion_id, str) else ""
    trouble = None
    if choice.get("finish_reason") == "length":
        trouble = "the answer was cut off at the model's limit of length"
    elif len(text) > MAX_TEXT_CHARS:
        text, trouble = "", f"the answer has more than {MAX_TEXT_CHARS} characters"
    return Completion(
        text=text,
        trouble=trouble,
        tokens=_tokens(value.get("usage")),
        id=identifier,
    )


def _content(content: Any) -> str:
    """Return the text of a message; some services send it in parts."""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def _tokens(usage: Any) -> int | None:
    if not isinstance(usage, dict):
        return None
    total = usage.get("total_tokens")
    if total is None:
        total = sum(n for n in (usage.get("prompt_tokens"), usage.get("completion_tokens")) if isinstance(n, int))
    return total if isinstance(total, int) and not isinstance(total, bool) and 0 < total < 10**12 else None


def json_in(text: str) -> Any:
    """Parse the JSON in a model's answer, which may have reasoning or a code fence around it. Raises ValueError."""
    text = text.rpartition("</think>")[2].strip()
    if text.startswith(_FENCE):
        text = text.partition("\n")[2].rpartition(_FENCE)[0]
    try:
        return orjson.loads(text)
    except ValueError:
        first, last = text.find("{"), text.rfind("}")
        if not 0 <= first < last or (first, last) == (0, len(text) - 1):
            raise
        return orjson.loads(text[first : last + 1])


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()
