"""A service with OpenAI's chat endpoint that answers what a test tells it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web
from attrs import define, field

from handlers.generation.http_services.learned import forget
from tests.support.http_server import hang, serving

KEY = "sk-planner-0a1b2c3d4e5f"
Says = Callable[[Any], Awaitable[web.StreamResponse]]


@define(eq=False)
class ChatService:
    """`answers` are given in turn, the last one again and again; `asked` are (headers, JSON body).

    `known` are its models.
    """

    url: str = ""
    answers: list[Says] = field(factory=list)
    asked: list[tuple[dict[str, str], Any]] = field(factory=list)
    known: list[str] = field(factory=lambda: ["m"])

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append((dict(request.headers), body))
        return await (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])(body)

    async def models(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"object": "list", "data": [{"id": each, "object": "model"} for each in self.known]})


@contextmanager
def chat_service(*answers: Says) -> Iterator[ChatService]:
    forget()  # what was learned of another server on the same port
    service = ChatService(answers=list(answers))
    app = web.Application()
    app.router.add_post("/v1/chat/completions", service.handle)
    app.router.add_get("/v1/models", service.models)
    with serving(app) as url:
        service.url = f"{url}/v1"
        yield service


def says(content: Any, *, finish: str = "stop", tokens: int | None = 321, **message: Any) -> Says:
    """A completion; `content` that isn't text is written as JSON. Its id has the number of messages that it follows."""
    text = content if isinstance(content, str) or content is None else json.dumps(content)

    async def answer(body: Any) -> web.StreamResponse:
        choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text, **message}}
        usage = {} if tokens is None else {"usage": {"total_tokens": tokens}}
        return web.json_response({"id": f"chatcmpl-{len(body['messages'])}", "choices": [choice], **usage})

    return answer


def refuses(status: int, message: str = "no", **headers: str) -> Says:
    async def answer(_: Any) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response({"error": {"message": message}}, status=status, headers=named)

    return answer


def sends(data: bytes) -> Says:
    async def answer(_: Any) -> web.StreamResponse:
        return web.Response(body=data, content_type="application/json")

    return answer


async def hangs(_: Any) -> web.StreamResponse:
    await hang()
    return web.Response()
