"""Bodies of answers: decompressed within a limit, and JSON with what services put around it. Pure."""

from __future__ import annotations

import json
import re
import zlib
from typing import Any, Final

#: `wbits` of zlib: a header of gzip or zlib is recognised; raw deflate has none.
_ANY_HEADER: Final = 47
_RAW: Final = -15
_MARK: Final = "\ufeff"
_COMMENTS: Final = re.compile(r"\s*+(?::[^\n]*+\n\s*+)*+")
_END: Final = "data: [DONE]"


class TooLarge(ValueError):
    """A body is larger than its limit after it was decompressed."""


def decoded(body: bytes, encoding: str, most: int) -> bytes:
    """Decompress `body` by its `Content-Encoding`; one that isn't compressed is returned as it is.

    Raises TooLarge, and ValueError for another encoding or a damaged body.
    """
    name = encoding.strip().lower()
    if name in ("", "identity") or not body:
        return body
    if name not in ("gzip", "x-gzip", "deflate"):
        raise ValueError(f"has the encoding {name[:40]!r}, which was not asked for")
    compressed = body[:2] == b"\x1f\x8b" or (body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0)
    if not compressed and name != "deflate":  # a proxy has decompressed it and left the header
        return body
    reader = zlib.decompressobj(_ANY_HEADER if compressed else _RAW)
    try:
        data = reader.decompress(body, most + 1)
    except zlib.error as error:
        raise ValueError(f"is compressed and damaged ({error})") from error
    if len(data) > most:
        raise TooLarge
    return data


def json_in(body: bytes) -> Any:
    """Parse the JSON at the beginning of `body`, after a byte order mark and comments (lines that begin with a colon).

    What follows it may be white space or the end mark of a stream. Raises ValueError.
    """
    text = body.decode("utf-8", "replace").removeprefix(_MARK)
    begin = _COMMENTS.match(text)
    try:
        value, end = _DECODER.raw_decode(text, begin.end() if begin else 0)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if text[end:].strip() not in ("", _END):
        raise ValueError("something follows the JSON")
    return value


def merged(body: Any, params: Any) -> Any:
    """Lay `params` over `body` by the rules of JSON Merge Patch (RFC 7396): null takes a field away."""
    if not isinstance(params, dict):
        return params
    made = dict(body) if isinstance(body, dict) else {}
    for name, value in params.items():
        if value is None:
            made.pop(name, None)
        else:
            made[name] = merged(made.get(name), value)
    return made


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_DECODER: Final = json.JSONDecoder(parse_constant=_no_constant)
