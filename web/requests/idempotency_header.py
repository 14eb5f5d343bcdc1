"""The header `Idempotency-Key`: its syntax, what counts as the same request, and commands that are obeyed once.

The syntax is that of draft-ietf-httpapi-idempotency-key-header, a quoted string; bare text is taken as well.
"""

from __future__ import annotations

import hashlib
import re

import orjson
from aiohttp import web
from attrs import asdict

from eventflow.domain.values import VideoRequest
from eventflow.requests.errors import Fault
from web.http.errors import Problem

HEADER = "Idempotency-Key"
#: Says that the answer was given before.
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
    """A digest of what is asked for, whatever the order of its fields, and whether a default was written out.

    Defaults are left out, so that a resend is still the same request for a version that knows more fields.
    """
    plain, defaults = asdict(wanted), asdict(VideoRequest(script=""))
    told = {name: value for name, value in plain.items() if value != defaults[name]}
    if wanted.passthrough is not None:
        told["passthrough"] = orjson.loads(wanted.passthrough)
    return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()


def reused() -> Problem:
    """409 for a key that was sent with another request."""
    reason = "this key was sent with another request before; make a new key for a new request"
    return Problem(409, "idempotency_key_reused", f"{HEADER}: {reason}.", errors=[Fault(HEADER, "conflict", reason)])


def _malformed(reason: str) -> Problem:
    return Problem(400, "bad_idempotency_key", f"{HEADER}: {reason}.", errors=[Fault(HEADER, "malformed", reason)])
