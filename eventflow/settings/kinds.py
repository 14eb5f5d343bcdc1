"""Kinds of settings: how the text of a variable becomes a value, and which texts are accepted."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from attrs import frozen

T = TypeVar("T")
U = TypeVar("U")
N = TypeVar("N", int, float)

#: What an `Authorization` header can carry: printable ASCII without spaces (RFC 9110, section 5.5).
_BEARER = r"[!-~]{0,4096}"
#: No user and password: those would be logged with the URL.
_SERVICE = r"(https?://[^\s?#@]+(\?[^\s#]*)?)?"
#: What people paste with the base URL, at the end of its path.
_PASTED: Final = ("/chat/completions", "/audio/speech", "/videos", "/models")
_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_HEADER_VALUE: Final = re.compile(r"[ -~]{0,4096}")


class Refused(ValueError):
    """A fault of a value, worded for people; the message doesn't repeat a value that may be secret."""


@frozen(kw_only=True)
class Kind(Generic[T]):
    """How the text of a variable becomes a value. `read` raises ValueError for text that isn't `wanted`."""

    read: Callable[[str], T]
    wanted: str  #: for messages, such as "a number from 1 to 256"
    values: str  #: for the reference, such as "1 to 256"

    def then(self, convert: Callable[[T], U]) -> Kind[U]:
        """Return a kind that converts what this one reads; `convert` may raise ValueError."""
        return Kind(read=lambda text: convert(self.read(text)), wanted=self.wanted, values=self.values)


def number(convert: Callable[[str], N], low: float, high: float) -> Kind[N]:
    """Return the kind of numbers from `low` to `high`; `convert` is int or float."""

    def read_number(text: str) -> N:
        value = convert(text)
        if low <= value <= high:  # false for NaN
            return value
        raise ValueError(text)

    values = f"{low:.15g} to {high:.15g}"
    return Kind(read=read_number, wanted=f"a number from {values}", values=values)


def mapped(choices: Mapping[str, T]) -> Kind[T]:
    """Return the kind of words, in any case, that stand for values."""

    def read_word(text: str) -> T:
        found = [value for word, value in choices.items() if word.lower() == text.lower()]
        if not found:
            raise ValueError(text)
        return found[0]

    values = ", ".join(choices)
    return Kind(read=read_word, wanted=f"one of {values}", values=values)


def choice(*words: str) -> Kind[str]:
    """Return the kind of one of `words`, in any case."""
    return mapped({word: word for word in words})


def switch() -> Kind[bool]:
    """Return the kind of off and on."""
    return mapped({"off": False, "on": True})


def form(read_text: Callable[[str], T], example: str) -> Kind[T]:
    """Return the kind of text that `read_text` takes, which raises ValueError."""
    return Kind(read=read_text, wanted=f"of the form {example}", values=example)


def matching(pattern: str, example: str = "", wanted: str = "") -> Kind[str]:
    """Return the kind of text that matches `pattern` as a whole; `wanted` describes it better than an example."""

    def read_text(text: str) -> str:
        if re.fullmatch(pattern, text):
            return text
        raise ValueError(text)

    return Kind(read=read_text, wanted=wanted, values=wanted) if wanted else form(read_text, example)


def web_url(pattern: str, example: str) -> Kind[str]:
    """Return the kind of URLs that match `pattern`; the value has no slash at its end."""
    return matching(pattern, example).then(lambda url: url.rstrip("/"))


def service_url(example: str = "https://api.openai.com/v1") -> Kind[str]:
    """Return the kind of a service's base URL, empty where there is no service; the path of a request is cut off."""
    return matching(_SERVICE, example).then(_base_url)


def _base_url(url: str) -> str:
    path, mark, query = url.partition("?")
    path = path.rstrip("/")
    for end in _PASTED:
        path = path.removesuffix(end).rstrip("/")
    return f"{path}{mark}{query}"


def json_object() -> Kind[Mapping[str, Any]]:
    """Return the kind of JSON objects; empty: one without members."""
    return Kind(read=_object, wanted="a JSON object", values='a JSON object, such as {"max_completion_tokens": 8000}')


def http_headers() -> Kind[Mapping[str, str | None]]:
    """Return the kind of JSON objects of HTTP headers; null takes a header away."""
    example = '{"api-key": "...", "Authorization": null}'
    return Kind(read=_headers, wanted="a JSON object of texts and null", values=f"a JSON object, such as {example}")


def _object(text: str) -> dict[str, Any]:
    value = json.loads(text) if text.strip() else {}
    if not isinstance(value, dict):
        raise ValueError
    return value


def _headers(text: str) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name, value in _object(text).items():
        if not _HEADER.fullmatch(name):
            raise Refused("one of its names is no name of an HTTP header")
        if value is not None and not (isinstance(value, str) and _HEADER_VALUE.fullmatch(value)):
            raise Refused(f"the value of {name} must be null or a text of printable ASCII characters")
        found[name] = value
    return found


def bearer_token() -> Kind[str]:
    """Return the kind of a service's bearer token, empty where it needs none."""
    return matching(_BEARER, wanted="a token of printable characters")


def folder(example: str) -> Kind[Path]:
    """Return the kind of a folder, made absolute."""
    return matching(r"[^\0]+", example).then(lambda path: Path(path).absolute())


def optional_folder(example: str) -> Kind[Path | None]:
    """Return the kind of a folder, made absolute; empty: None."""
    return matching(r"[^\0]*", example).then(lambda path: Path(path).absolute() if path else None)


def pairs(text: str) -> Iterator[tuple[str, float]]:
    """Yield the entries of a list such as alice=30,bob=0.5. Raises ValueError."""
    for entry in filter(None, map(str.strip, text.split(","))):
        name, _, value = entry.rpartition("=")
        yield name, float(value)
