"""The header `Idempotency-Key`: its syntax, and the digest by which a repeated request is recognized.

The syntax is that of draft-ietf-httpapi-idempotency-key-header, a quoted string; bare text is accepted, too.
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
