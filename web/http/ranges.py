"""Range requests and conditions (RFC 9110, sections 13 and 14) as pure functions of the headers.

aiohttp parses ranges as well (`http_range`, `if_none_match`), but compares `If-Range` with dates only. Stored files
have ETags and no `Last-Modified`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias

from attrs import frozen

#: `Cache-Control` of answers that change under their address: a cache asks each time, and is answered 304 if unchanged.
REVALIDATE = "private, no-cache"

_SPEC = re.compile(r"(\d*)-(\d*)", re.ASCII)
_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
#: Numbers of more digits are replaced by one larger than any file's size: `int` takes long on hostile headers.
_MAX_DIGITS = 19


@frozen
class Whole:
    """Send everything: 200."""


@frozen
class Part:
    """Send bytes `start` to `end` inclusive: 206."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """In bytes."""
        return self.end - self.start + 1


@frozen
class NotModified:
    """The client has the current version: 304."""


@frozen
class Unsatisfiable:
    """The range starts behind the last byte: 416."""


Selection: TypeAlias = Whole | Part | NotModified | Unsatisfiable


def select(method: str, headers: Mapping[str, str], *, size_bytes: int, etag: str) -> Selection:
    """The part of a file that a GET or HEAD requests. `etag` is strong and quoted.

    Ignored, as the RFC allows: several ranges, other units, malformed ranges, a range with an `If-Range` other than
    `etag` (a date never matches), and any range on HEAD.
    """
    if matches_any(headers.get("If-None-Match"), etag):
        return NotModified()
    range_header = headers.get("Range")
    if range_header is None or method != "GET":
        return Whole()
    if_range = headers.get("If-Range")
    if if_range is not None and if_range.strip() != etag:
        return Whole()
    return parse_range(range_header, size_bytes)


def parse_range(header: str, size_bytes: int) -> Whole | Part | Unsatisfiable:
    """The single range in `header`, cut at the end of the file; Whole if the range is ignored."""
    unit, equals, spec = header.partition("=")
    match = _SPEC.fullmatch(spec.strip())
    if unit.strip().lower() != "bytes" or not equals or match is None:
        return Whole()
    first, last = match.groups()
    if not first and not last:
        return Whole()
    if not first:
        length = _number(last)
        if length == 0 or size_bytes == 0:
            return Unsatisfiable()
        return Part(max(0, size_bytes - length), size_bytes - 1)
    start = _number(first)
    if last and _number(last) < start:
        return Whole()
    if start >= size_bytes:
        return Unsatisfiable()
    return Part(start, min(_number(last), size_bytes - 1) if last else size_bytes - 1)


def matches_any(header: str | None, etag: str) -> bool:
    """Whether the `If-None-Match` header names `etag`, by weak comparison."""
    if header is None:
        return False
    if header.strip() == "*":
        return True
    return any(tag.removeprefix("W/") == etag.removeprefix("W/") for tag in _ETAG.findall(header))


def _number(digits: str) -> int:
    return int(digits) if len(digits) <= _MAX_DIGITS else 10**_MAX_DIGITS
