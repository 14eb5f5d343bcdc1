"""Reads a completion by what it is: JSON or a stream, the text in any of the places where services put it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from attrs import frozen

from handlers.generation.http_services.bodies import json_in
from handlers.generation.planner.outlines import has_outline
from handlers.generation.planner.streams import from_stream, is_stream, text_of

MAX_TEXT_CHARS: Final = 200_000
_MAX_ID_CHARS: Final = 200
#: Reasons for which a model stops in the middle.
_CUT: Final = frozenset({"length", "max_tokens", "model_length", "max_output_tokens"})
_FILTERED: Final = frozenset({"content_filter", "safety", "prohibited_content", "blocklist", "recitation"})


@frozen(kw_only=True)
class Completion:
    """A model's answer. `trouble` tells why it can't be used; `tokens` and `cost` are None where neither is told.

    `cut`: the model stopped at a limit. `filtered`: the service's filter stopped it. `refusal`: the model's own words.
    """

    text: str
    trouble: str | None = None
    cut: bool = False
    filtered: bool = False
    refusal: str = ""
    tokens: int | None = None
    cost: str | None = None
    id: str = ""


def value_of(body: bytes, media_type: str) -> dict[str, Any]:
    """Return the JSON object of a good answer. Raises ValueError where there is none."""
    value = from_stream(body) if is_stream(body, media_type) else json_in(body)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def choice_of(value: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the first choice; None without one that has a message or an error."""
    choices = value.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict):
        return None
    return choice if isinstance(choice.get("message"), dict) or choice.get("error") else None


def completion_of(value: Mapping[str, Any], choice: Mapping[str, Any]) -> Completion:
    """Read a completion from its JSON object and its first choice."""
    found = choice.get("message")
    message: Mapping[str, Any] = found if isinstance(found, dict) else {}
    reason = str(choice.get("finish_reason") or "").lower()
    text, identifier, trouble = _text(message, reason), value.get("id"), None
    if len(text) > MAX_TEXT_CHARS:
        text, trouble = "", f"the answer has more than {MAX_TEXT_CHARS} characters"
    refusal = message.get("refusal")
    usage = value.get("usage")
    return Completion(
        text=text,
        trouble=trouble,
        cut=reason in _CUT,
        filtered=reason in _FILTERED,
        refusal=refusal if isinstance(refusal, str) else "",
        tokens=_tokens(usage) if isinstance(usage, dict) else None,
        cost=_cost(usage) if isinstance(usage, dict) else None,
        id=identifier[:_MAX_ID_CHARS] if isinstance(identifier, str) else "",
    )


def _text(message: Mapping[str, Any], reason: str) -> str:
    """Return the content, else a tool's arguments, else what was parsed, else reasoning that is an outline."""
    if (text := text_of(message.get("content"))).strip():
        return text
    calls = message.get("tool_calls")
    call = calls[0] if isinstance(calls, list) and calls else None
    functions = (call.get("function") if isinstance(call, dict) else None, message.get("function_call"))
    for function in functions:
        if isinstance(function, dict) and (text := text_of(function.get("arguments"))).strip():
            return text
    if (text := text_of(message.get("parsed"))).strip():
        return text
    for name in ("reasoning_content", "reasoning"):
        text = text_of(message.get(name))
        if text and reason in ("", "stop") and len(text) <= MAX_TEXT_CHARS and has_outline(text):
            return text
    return ""


def _tokens(usage: Mapping[str, Any]) -> int | None:
    total = _count(usage.get("total_tokens"))
    if total is None:
        counts = (_count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens")))
        total = sum(count for count in counts if count is not None)
    return total if 0 < total < 10**12 else None


def _count(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 12:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _cost(usage: Mapping[str, Any]) -> str | None:
    """Read `cost`, which OpenRouter gives in dollars."""
    cost = usage.get("cost")
    if isinstance(cost, bool) or not isinstance(cost, int | float | str):
        return None
    try:
        amount = Decimal(str(cost)[:40])
    except InvalidOperation:
        return None
    return f"{amount:f}" if amount.is_finite() and 0 < amount < 10**6 and len(f"{amount:f}") <= 32 else None
