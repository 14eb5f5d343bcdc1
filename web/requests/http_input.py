"""Input of an HTTP request: its JSON body, its `Idempotency-Key`, and its query parameters.

The syntax of the key is that of draft-ietf-httpapi-idempotency-key-header, a quoted string; bare text is accepted, too.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Collection, Mapping
from typing import Any

import orjson
from aiohttp import ClientPayloadError, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import RequestPayloadError
from attrs import asdict

from eventflow.domain.values import VideoRequest
from eventflow.requests.errors import Fault, RequestInvalid
from eventflow.requests.json_reader import Faults, shown, unknown
from web.deps import DEPS
from web.http.errors import Problem

MAX_BODY_BYTES = 1024 * 1024


async def read_json(request: web.Request, *, optional: bool = False) -> Any:
    """The JSON value in the body; with `optional` an empty body is {}.

    Raises Problem 415 (not declared as JSON in UTF-8), 400 (not JSON), 408 (too slow), and HTTPRequestEntityTooLarge.
    """
    raw = await _read(request)
    if optional and not raw:
        return {}
    if request.content_type != "application/json" or not _is_utf8(request):
        raise Problem(415, "unsupported_media_type", "Send the body as application/json in UTF-8.")
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Problem(400, "bad_json", f"The body isn't valid JSON: {error}") from error


def _is_utf8(request: web.Request) -> bool:
    try:
        return (request.charset or "utf-8").lower() in ("utf-8", "utf8")
    except ValueError:
        return False


async def _read(request: web.Request) -> bytes:
    timeout_s = request.app[DEPS].settings.web.request_body_seconds
    try:
        async with asyncio.timeout(timeout_s):
            return await request.read()
    except TimeoutError as error:
        raise Problem(408, "too_slow", f"The body wasn't received within {timeout_s:g} s.") from error
    except (RequestPayloadError, ClientPayloadError, HttpProcessingError) as error:
        raise Problem(400, "bad_body", "The body doesn't match its headers, or ended early.") from error


def query_number(query: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    """The whole number `?name=` in the query, from `low` to `high`; `default` without it."""
    text = query.get(name)
    if text is None:
        return default
    if text.isascii() and text.isdigit() and len(text) <= 18 and low <= int(text) <= high:
        return int(text)
    reason = f"must be a whole number from {low} to {high}, not {shown(text)!r}"
    raise RequestInvalid([Fault(f"?{name}", "out_of_range", reason)])


def query_choice(query: Mapping[str, str], name: str, choices: Collection[str]) -> str | None:
    """The one of `choices` in the query; None without it."""
    text = query.get(name)
    if text is None or text in choices:
        return text
    raise RequestInvalid(
        [Fault(f"?{name}", "unknown_value", f"must be one of {', '.join(choices)}, not {shown(text)!r}")]
    )


def known_query(query: Mapping[str, str], *names: str) -> None:
    """Refuse parameters that a resource doesn't have, and any that come twice."""
    if not query:
        return
    faults = Faults()
    seen: set[str] = set()
    for name, _ in query.items():  # a MultiDict, whose keys() has each name once
        if name not in names:
            faults.add(f"?{shown(name)}", "unknown_field", unknown("parameter", name, names))
        elif name in seen:
            faults.add(f"?{name}", "repeated", "is given more than once")
        seen.add(name)
    faults.raise_if_any()


HEADER = "Idempotency-Key"
#: The header of an answer that repeats an earlier one.
REPLAYED = "Idempotency-Replayed"
MAX_KEY_CHARS = 255
_KEY = re.compile(rf"[\x20-\x7e]{{1,{MAX_KEY_CHARS}}}")
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')


def key_of(request: web.Request) -> str | None:
    """The request's key, without quotes; None without the header. Raises Problem 400."""
    given = request.headers.getall(HEADER, [])
    if not given:
        return None
    if len(given) > 1:
        raise _malformed("is given more than once")
    text = given[0]
    if text.startswith('"'):
        quoted = _QUOTED.fullmatch(text)
        if quoted is None:
            raise _malformed("begins with a quote, but isn't a quoted string (quotes inside are escaped: \\\")")
        text = re.sub(r"\\(.)", r"\1", quoted[1])
    if not _KEY.fullmatch(text):
        raise _malformed(f"must be 1 to {MAX_KEY_CHARS} printable ASCII characters, such as a UUID")
    return text


def digest_of(wanted: VideoRequest) -> str:
    """The digest of a request: SHA-256, in hex, of its fields that differ from the defaults, sorted.

    So neither the order of fields nor explicit defaults matter, and a version with more fields recognizes the repeat.
    """
    plain, defaults = asdict(wanted), asdict(VideoRequest(script=""))
    given = {name: value for name, value in plain.items() if value != defaults[name]}
    if wanted.passthrough is not None:
        given["passthrough"] = orjson.loads(wanted.passthrough)
    return hashlib.sha256(orjson.dumps(given, option=orjson.OPT_SORT_KEYS)).hexdigest()


def reused() -> Problem:
    """409: the key was sent with another request before."""
    reason = "this key was sent with another request before; make a new key for a new request"
    return Problem(409, "idempotency_key_reused", f"{HEADER}: {reason}.", errors=[Fault(HEADER, "conflict", reason)])


def _malformed(reason: str) -> Problem:
    return Problem(400, "bad_idempotency_key", f"{HEADER}: {reason}.", errors=[Fault(HEADER, "malformed", reason)])
