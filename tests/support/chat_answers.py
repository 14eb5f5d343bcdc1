"""Answers of chat models in the forms in which services are documented or reported to send them."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

from aiohttp import web
from attrs import frozen

from tests.support.chat_server import Says

OUTLINE: dict[str, Any] = {
    "title": "Tides",
    "scenes": [
        {"title": "Tides", "narration": "The sea rises.", "blocks": []},
        {"title": "Why", "narration": "The moon pulls.", "blocks": [{"kind": "bullets", "items": ["One", "Two"]}]},
        {"title": "In short", "narration": "Look up.", "blocks": [{"kind": "paragraph", "text": "Look up."}]},
    ],
}
TEXT = json.dumps(OUTLINE)


@frozen(kw_only=True)
class Reply:
    """What a server sends."""

    body: bytes
    status: int = 200
    kind: str = "application/json"
    headers: dict[str, str] | None = None

    @property
    def says(self) -> Says:
        async def answer(_: Any) -> web.StreamResponse:
            return web.Response(
                body=self.body, status=self.status, headers={"Content-Type": self.kind, **(self.headers or {})}
            )

        return answer


def completion(content: Any = TEXT, finish: str = "stop", usage: Any = None, **message: Any) -> bytes:
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content, **message}}
    value = {"id": "chatcmpl-1", "object": "chat.completion", "choices": [choice]}
    return json.dumps({**value, "usage": usage or {"total_tokens": 321}}).encode()


def content(text: Any, **message: Any) -> Says:
    return Reply(body=completion(text, **message)).says


def raw(body: bytes | str, **changes: Any) -> Says:
    return Reply(body=body.encode() if isinstance(body, str) else body, **changes).says


def refused(status: int, error: Any, **headers: str) -> Says:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = error if isinstance(error, bytes) else json.dumps(error).encode()
    return Reply(body=body, status=status, headers=named).says


def told(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, **more}}


def stream(*deltas: dict[str, Any], end: str = "\n\n", usage: Any = None, done: bool = True, before: str = "") -> bytes:
    """Server-sent events of deltas."""
    events = [
        {"id": "chatcmpl-2", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas
    ]
    events.append({"id": "chatcmpl-2", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    if usage:
        events.append({"id": "chatcmpl-2", "choices": [], "usage": usage})
    lines = [f"data: {json.dumps(event)}{end}" for event in events]
    return (before + "".join(lines) + (f"data: [DONE]{end}" if done else "")).encode()


def pieces(text: str = TEXT, size: int = 50) -> list[dict[str, Any]]:
    return [{"content": text[at : at + size]} for at in range(0, len(text), size)]


SSE = "text/event-stream"
PLAIN = completion()
#: JSON with what models get wrong, and which means the same as OUTLINE.
_COMMA = TEXT.replace('"Two"]', '"Two",]')
_FEED = TEXT.replace("The sea rises.", "The sea rises.\n")
_NAN = TEXT.replace('"title": "Tides", "scenes"', '"rating": NaN, "title": "Tides", "scenes"')
_APOSTROPHE = TEXT.replace("The moon pulls.", "The moon\\'s pull.")
_COMMENT = TEXT.replace('"scenes": [', '// the scenes\n"scenes": [')
_PYTHON = repr(OUTLINE)
_SURROGATE = TEXT.replace("Look up.", "Look \\ud83d up.", 1)
_CLOSING = TEXT.replace("The sea rises.", "Say </think> and on.")
_SCHEMA = json.dumps({"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]})

#: Name -> an answer with an outline of three scenes that has to come through with one request.
GOOD: dict[str, Says] = {
    "plain": content(TEXT),
    "prose, a fence, and braces": content(f"Sure.\n```json\n{TEXT}\n```\nThis changes to {{anything}}!"),
    "braces in prose first": content(f"I'll use {{title, scenes}}.\n{TEXT}"),
    "a fence with the schema first": content(f"```json\n{_SCHEMA}\n```\nThe answer:\n```json\n{TEXT}\n```"),
    "JSON, then braces": content(f"{TEXT}\nI hope {{this}} helps."),
    "JSON twice": content(f"{TEXT}\n{TEXT}"),
    "a fence that isn't closed": content(f"```json\n{TEXT}"),
    "a fence in one line": content(f"```json {TEXT} ```"),
    "tildes and CRLF": content(f"~~~json\r\n{TEXT}\r\n~~~"),
    "thoughts in <think>": content(f"<think>Let {{me}} see.</think>{TEXT}"),
    "thoughts in <thinking>": content(f"<thinking>Let {{a}} be.</thinking>\n{TEXT}"),
    "gpt-oss's channels": content(
        f'<|channel|>analysis<|message|>{{"a": 1}}<|end|><|start|>assistant<|channel|>final<|message|>{TEXT}'
    ),
    "</think> inside of a narration": content(_CLOSING),
    "an object around it": content(json.dumps({"video_outline": OUTLINE})),
    "a list of one": content(json.dumps([OUTLINE])),
    "a bare list of scenes": content(json.dumps(OUTLINE["scenes"])),
    "JSON as a JSON text": content(json.dumps(TEXT)),
    "a trailing comma": content(_COMMA),
    "a quotation mark too many": content(TEXT.replace("The moon pulls.", 'The "moon pulls.')),
    "a line feed in a text": content(_FEED),
    "NaN": content(_NAN),
    "an escaped apostrophe": content(_APOSTROPHE),
    "a comment": content(_COMMENT),
    "Python's quotes": content(_PYTHON),
    "half a surrogate pair": content(_SURROGATE),
    "type for kind": content(TEXT.replace('"kind"', '"type"')),
    "a stream": raw(stream(*pieces()), kind=SSE),
    "a stream with CRLF as JSON": raw(stream(*pieces(), end="\r\n\r\n")),
    "a stream with comments": raw(stream(*pieces(), before=": OPENROUTER PROCESSING\n\n"), kind=SSE),
    "a stream without its end": raw(stream(*pieces(), done=False), kind=SSE),
    "a stream of one whole message": raw(b"data: " + PLAIN + b"\n\ndata: [DONE]\n\n", kind=SSE),
    "JSON, then [DONE]": raw(PLAIN + b"\n\ndata: [DONE]\n\n"),
    "comments, then JSON": raw(b": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n" + PLAIN),
    "a byte order mark": raw(b"\xef\xbb\xbf" + PLAIN),
    "white space first": raw(b" \n" * 3_000 + PLAIN),
    "gzip": raw(gzip.compress(PLAIN), headers={"Content-Encoding": "gzip"}),
    "deflate": raw(zlib.compress(PLAIN), headers={"Content-Encoding": "deflate"}),
    "text in reasoning_content": content(None, reasoning_content=TEXT),
    "text in reasoning": content("", reasoning=f"So: {TEXT}"),
    "a tool's arguments": content(None, tool_calls=[{"function": {"name": "f", "arguments": TEXT}}]),
    "parsed": content(None, parsed=OUTLINE),
    "content as an object": content(OUTLINE),
    "content in parts": content([{"type": "thinking", "thinking": []}, {"type": "text", "text": TEXT}]),
    "length, but whole": Reply(body=completion(finish="length")).says,
}

_LM_STUDIO = {"error": "Unexpected endpoint or method. (POST /chat/completions)"}
_GROQ = told("Please try again in 5.289s", type="tokens", code="rate_limit_exceeded")
_FILTER = told("The response was filtered", code="content_filter", innererror={"code": "ResponsibleAIPolicyViolation"})
_FLAGGED = told("Your input was flagged", code=403, metadata={"reasons": ["violence"]})
_ROUTED = told("Provider returned error", code=400, metadata={"raw": '{"error": {"message": "bad image"}}'})
_CUT = TEXT[: len(TEXT) // 2]

#: Name -> (an answer, the kind of error, what its message says). One request each, but for the address's probe.
BAD: dict[str, tuple[Says, str, str]] = {
    "401": (refused(401, told("bad key")), "refused", r"\(401: bad key\): correct EVENTFLOW_PLANNER_KEY"),
    "403 moderation": (refused(403, _FLAGGED), "refused", "filter of the planner refuses the content .*flagged"),
    "403 model": (
        refused(403, told("No access to model x", code="model_not_found")),
        "refused",
        "No access to model x.*EVENTFLOW_PLANNER_MODEL",
    ),
    "403 of another kind": (refused(403, told("Country not supported")), "refused", "Country not supported"),
    "404 model": (
        refused(404, told("model 'x' not found, try pulling it first")),
        "refused",
        "EVENTFLOW_PLANNER_MODEL",
    ),
    "404 Ollama": (
        refused(404, b"404 page not found"),
        "refused",
        "nothing of an OpenAI-compatible.*EVENTFLOW_PLANNER_URL",
    ),
    "404 vLLM": (refused(404, {"detail": "Not Found"}), "refused", "EVENTFLOW_PLANNER_URL"),
    "405": (refused(405, {"detail": "Method Not Allowed"}), "refused", "EVENTFLOW_PLANNER_URL"),
    "LM Studio with 200": (raw(json.dumps(_LM_STUDIO)), "refused", "Unexpected endpoint.*EVENTFLOW_PLANNER_URL"),
    "a web page": (
        raw(b"<!DOCTYPE html><title>Home</title>", kind="text/html"),
        "refused",
        "Home.*EVENTFLOW_PLANNER_URL",
    ),
    "the path pasted": (
        refused(404, told("Invalid URL (POST /v1/chat/completions/chat/completions)")),
        "refused",
        "Invalid URL.*EVENTFLOW_PLANNER_URL",
    ),
    "Azure's filter": (refused(400, _FILTER), "refused", "refuses the content .*filtered"),
    "content_filter, no text": (Reply(body=completion(None, "content_filter")).says, "refused", "filter.*topic"),
    "402": (refused(402, told("Insufficient credits", code=402)), "refused", "used up.*Insufficient credits"),
    "402 in a good answer": (raw(json.dumps(told("Insufficient credits", code=402))), "refused", "used up"),
    "a quota for good": (
        refused(429, told("You exceeded your current quota", code="insufficient_quota")),
        "refused",
        "account at the planner is used up",
    ),
    "a quota a day": (
        refused(429, told("Rate limit reached on tokens per day (TPD). Please try again in 7m12s")),
        "refused",
        "used up.*per day",
    ),
    "429": (refused(429, _GROQ), "failed", "429: Please try again in 5.289s"),
    "429 in a good answer": (raw(json.dumps(told("Rate limited", code=429))), "failed", "429: Rate limited"),
    "502 in a choice": (
        raw(json.dumps({"choices": [{"finish_reason": "error", "error": {"code": 502, "message": "upstream"}}]})),
        "failed",
        "502: upstream",
    ),
    "an error in a stream": (
        raw(b'data: {"error": {"message": "overloaded", "code": 503}}\n\ndata: [DONE]\n\n', kind=SSE),
        "failed",
        "503: overloaded",
    ),
    "an error as text": (refused(400, {"error": "prompt is bad"}), "refused", "prompt is bad"),
    "an error in detail": (refused(422, {"detail": [{"loc": ["body", "n"], "msg": "too few"}]}), "refused", "too few"),
    "an error in a list": (refused(400, [told("bad argument")]), "refused", "bad argument"),
    "an error behind a gateway": (refused(400, _ROUTED), "refused", "bad image"),
    "cut off by length": (Reply(body=completion(_CUT, "length")).says, "invalid", "cut off after 321 tokens.*_PARAMS"),
    "cut off with stop": (content(_CUT), "invalid", "cut off.*num_ctx"),
    "length and nothing": (
        Reply(body=completion("", "length", reasoning="I think {x}")).says,
        "invalid",
        "cut off.*reasoning counts",
    ),
    "context too long": (
        refused(400, told("maximum context length is 4096 tokens", code="context_length_exceeded")),
        "refused",
        "takes less at once.*4096",
    ),
    "an odd encoding": (raw(b"\x0b\x02\x80", headers={"Content-Encoding": "br"}), "refused", "encoding 'br'"),
    "more than 4 MB behind gzip": (
        raw(gzip.compress(b" " * 5_000_000), headers={"Content-Encoding": "gzip"}),
        "refused",
        "more than 4 MB",
    ),
    "sound": (raw(b"ID3\x04\0\0\0", kind="audio/mpeg"), "refused", "not a JSON object"),
}
