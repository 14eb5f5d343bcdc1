"""Puts the completion together that a service has sent as server-sent events. Pure and linear."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson
from attrs import define, field

_DATA: Final = "data:"
_DONE: Final = "[DONE]"
#: Fields of a delta that are texts, to be joined.
_TEXTS: Final = ("content", "reasoning_content", "reasoning", "refusal")


def is_stream(body: bytes, media_type: str) -> bool:
    """Tell whether a body is a stream of events, whatever was asked for."""
    begin = body[:4_000].removeprefix(b"\xef\xbb\xbf").lstrip()
    while begin.startswith(b":"):
        begin = begin.partition(b"\n")[2].lstrip()
    if begin.startswith((b"{", b"[")):
        return False
    return begin.startswith((b"data:", b"event:", b"id:")) or "event-stream" in media_type.lower()


def events(body: bytes) -> Iterator[str]:
    """Yield the data of each event; several `data:` lines of one event are joined."""
    lines: list[str] = []
    text = body.decode("utf-8", "replace").removeprefix("\ufeff")
    for line in (*text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), ""):
        if line.startswith(_DATA):
            lines.append(line[len(_DATA) :].removeprefix(" "))
        elif not line and lines:
            yield "\n".join(lines)
            lines = []


@define
class _Completion:
    """What the events have told so far."""

    texts: dict[str, list[str]] = field(factory=dict)
    arguments: list[str] = field(factory=list)
    value: dict[str, Any] = field(factory=dict)
    choice: dict[str, Any] = field(factory=dict)
    seen: bool = False

    def add(self, event: Mapping[str, Any]) -> None:
        """Add an event: its delta, or the whole message that some services send last."""
        for name in ("id", "usage", "error"):
            if event.get(name):
                self.value[name] = event[name]
        choices = event.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else None
        if choice is None:
            return
        self.seen = True
        for name in ("finish_reason", "error"):
            if choice.get(name):
                self.choice[name] = choice[name]
        if isinstance(message := choice.get("message"), dict):
            self.texts.clear()
            self.arguments.clear()
            self._add_delta(message)
        elif isinstance(delta := choice.get("delta"), dict):
            self._add_delta(delta)

    def _add_delta(self, delta: Mapping[str, Any]) -> None:
        for name in _TEXTS:
            if text := text_of(delta.get(name)):
                self.texts.setdefault(name, []).append(text)
        calls = delta.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            function = call.get("function") if isinstance(call, dict) and call.get("index", 0) == 0 else None
            if isinstance(function, dict) and isinstance(part := function.get("arguments"), str):
                self.arguments.append(part)

    def whole(self) -> dict[str, Any]:
        """Return the completion as it is without a stream."""
        if not self.seen:
            return self.value
        message: dict[str, Any] = {name: "".join(parts) for name, parts in self.texts.items()}
        if self.arguments:
            message["tool_calls"] = [{"function": {"arguments": "".join(self.arguments)}}]
        return {**self.value, "choices": [{**self.choice, "message": message}]}


def from_stream(body: bytes) -> dict[str, Any]:
    """Return the completion that the events of `body` make up. Raises ValueError where one isn't JSON."""
    made, any_event = _Completion(), False
    for data in events(body):
        if data.strip() == _DONE:
            break
        if not data.strip():
            continue
        event = orjson.loads(data)
        if isinstance(event, dict):
            any_event = True
            made.add(event)
    if not any_event:
        raise ValueError("no event has JSON")
    return made.whole()


def text_of(content: Any) -> str:
    """Return the text of a message's content; some services send it in parts, some as an object."""
    if isinstance(content, list):
        parts = [part.get("text") if isinstance(part, dict) else part for part in content]
        return "".join(part for part in parts if isinstance(part, str))
    if isinstance(content, dict):
        return orjson.dumps(content).decode()
    return content if isinstance(content, str) else ""
