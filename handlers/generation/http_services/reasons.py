"""What a service says about a refusal, in any of the forms in which services say it. Pure and linear."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson
from attrs import field, frozen

#: Characters of a message that are read for causes, pauses and names of fields.
MAX_MESSAGE_CHARS: Final = 2_000
_MAX_BODY_BYTES: Final = 100_000
_MAX_DEPTH: Final = 4
_PAGE: Final = re.compile(r"\s*+(<!--|<!doctype|<html|<head|<body)", re.IGNORECASE)
_TITLE: Final = re.compile(r"<title[^<>]{0,200}>([^<]{1,300})", re.IGNORECASE)
_VAGUE: Final = re.compile(
    r"((bad|invalid|malformed)[_ ]request([_ ]error)?|unprocessable( (entity|content))?|(internal )?server error|error"
    r"|validation error|not implemented|unsupported|no)?",
    re.IGNORECASE,
)
_MESSAGES: Final = ("message", "msg", "error_message", "detail", "description", "reason", "failure", "title")
_CODES: Final = ("code", "type", "status", "reason", "failureCode", "failure_code")


@frozen(kw_only=True)
class Reason:
    """The reason of a refusal. `message` is "" where none is told.

    `codes` are names for programs, in lower case; `status` is an HTTP status in the body, or 0; `fields` are names of
    fields at fault; `page`: the body is a web page. `details` is the error object itself.
    """

    message: str = ""
    codes: tuple[str, ...] = ()
    status: int = 0
    fields: tuple[str, ...] = ()
    page: bool = False
    details: Mapping[str, Any] = field(factory=dict, repr=False)

    @property
    def vague(self) -> bool:
        """Whether nothing is told but that the request is refused."""
        return _VAGUE.fullmatch(self.message.strip(" .!")) is not None

    @property
    def text(self) -> str:
        """All that may name what is refused, for a search for words."""
        return " ".join((self.message, *self.codes, *self.fields))


def reason_of(body: bytes) -> Reason:
    """Read the reason in the body of an answer of any status."""
    body = body[:_MAX_BODY_BYTES].removeprefix(b"\xef\xbb\xbf")
    try:
        return reason_in(orjson.loads(body))
    except ValueError:
        text = body[: 4 * MAX_MESSAGE_CHARS].decode("utf-8", "replace")
    if _PAGE.match(text):
        title = _TITLE.search(text)
        return Reason(message=_tidy(title[1]) if title else "a web page", page=True)
    return Reason(message=_tidy(text) if _is_text(text) else "")


def reason_in(value: Any, depth: int = 0) -> Reason:
    """Read the reason in a JSON value: an object with `error`, `detail`, `message`, a list, a text."""
    if isinstance(value, list):
        return next((reason_in(each, depth + 1) for each in value), Reason()) if depth < _MAX_DEPTH else Reason()
    if isinstance(value, str):
        return Reason(message=_tidy(value))
    if not isinstance(value, dict) or depth > _MAX_DEPTH:
        return Reason()
    for name in ("error", "errors", "detail"):
        if inner := value.get(name):
            found = reason_in(inner, depth + 1)
            return _with(found, value)
    return _of_object(value, depth)


def error_in(value: Mapping[str, Any]) -> Any:
    """Return the error that a good answer tells of, or None."""
    return value.get("error") or None


def _of_object(value: Mapping[str, Any], depth: int) -> Reason:
    message = next((text for name in _MESSAGES if isinstance(text := value.get(name), str) and text), "")
    metadata = value.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    codes, status = list(_codes(value)), _status(value.get("code"))
    if raw and depth < _MAX_DEPTH:  # what the provider behind a gateway has said
        inner = reason_of(raw.encode()) if isinstance(raw, str) else reason_in(raw, depth + 1)
        message = inner.message or message
        codes += inner.codes
    return Reason(
        message=_tidy(message), codes=tuple(codes), status=status, fields=tuple(_fields(value)), details=value
    )


def _with(found: Reason, around: Mapping[str, Any]) -> Reason:
    """Add what stands beside the error: codes, a status, and a message where the error has none."""
    beside = next((text for name in ("message", "msg") if isinstance(text := around.get(name), str)), "")
    return Reason(
        message=found.message or _tidy(beside),
        codes=(*found.codes, *_codes(around)),
        status=found.status or _status(around.get("code")),
        fields=found.fields,
        details=found.details,
    )


def _codes(value: Mapping[str, Any]) -> Iterator[str]:
    for name in _CODES:
        if isinstance(code := value.get(name), str) and 0 < len(code) <= 100:
            yield code.lower()
    if isinstance(inner := value.get("innererror"), dict):
        yield from _codes(inner)
    if isinstance(details := value.get("details"), list):
        for each in details[:20]:
            if isinstance(each, dict) and isinstance(reason := each.get("reason"), str):
                yield reason.lower()[:100]


def _status(code: Any) -> int:
    number = int(code) if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) == 3 else code
    return number if isinstance(number, int) and 400 <= number <= 599 else 0


def _fields(value: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(param := value.get("param"), str):
        yield param[:200]
    if isinstance(place := value.get("loc"), list):  # pydantic's
        yield ".".join(str(each)[:60] for each in place[:8])


def _tidy(text: str) -> str:
    return " ".join(text[: 2 * MAX_MESSAGE_CHARS].split())[:MAX_MESSAGE_CHARS]


def _is_text(text: str) -> bool:
    """Tell whether the body is worth showing: no sound or picture."""
    return "\0" not in text and text.count("\ufffd") * 10 <= len(text)
